"""Writes pytorch.json: what PyTorch makes of small networks in twenty steps, for every optimiser and schedule.

Run by hand with a PyTorch of the version that the file names:  python make_pytorch.py
"""
import json
import math
import pathlib

import torch

ROWS, EPOCHS = 8, 20


def wave(count, phase):
    """Numbers that need no generator: the test makes the same ones."""
    return [math.sin(1.7 * i + phase) for i in range(count)]


def tensor(shape, phase, dtype, scale=1.0):
    return (torch.tensor(wave(math.prod(shape), phase), dtype=torch.float64) * scale).reshape(shape).to(dtype)


class Perceptron(torch.nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.hidden = torch.nn.Linear(3, 4, dtype=dtype)
        self.out = torch.nn.Linear(4, 2, dtype=dtype)
        with torch.no_grad():
            self.hidden.weight.copy_(tensor([4, 3], 0.1, dtype))
            self.hidden.bias.copy_(tensor([4], 0.2, dtype))
            self.out.weight.copy_(tensor([2, 4], 0.3, dtype))
            self.out.bias.copy_(tensor([2], 0.4, dtype))

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


def record(model):
    return {name: value.flatten().tolist() for name, value in model.state_dict().items() if value.dtype.is_floating_point}


def train(dtype, make_optimizer, rate=0.05, schedule=None, clip=None):
    model = Perceptron(dtype)
    optimizer = make_optimizer(model.parameters(), rate)
    scheduler = schedule(optimizer) if schedule else None
    x, t = tensor([ROWS, 3], 0.5, dtype), tensor([ROWS, 2], 0.6, dtype)
    losses, rates = [], []
    for _ in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), t)
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(loss.item())
    return {"losses": losses, "rates": rates, "parameters": record(model)}


class Images(torch.nn.Module):
    """conv2d, batchnorm, relu, maxpool, grouped conv2d, gap, dense: trained by cross-entropy with ragged batches."""

    def __init__(self, dtype):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 4, 3, padding=1, bias=False, dtype=dtype)
        self.bn = torch.nn.BatchNorm2d(4, dtype=dtype)
        self.group = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, dtype=dtype)
        self.scores = torch.nn.Linear(6, 3, dtype=dtype)
        with torch.no_grad():
            self.conv.weight.copy_(tensor([4, 2, 3, 3], 0.1, dtype, 0.3))
            self.group.weight.copy_(tensor([6, 2, 3, 3], 0.2, dtype, 0.3))
            self.group.bias.copy_(tensor([6], 0.3, dtype, 0.1))
            self.scores.weight.copy_(tensor([3, 6], 0.4, dtype))
            self.scores.bias.copy_(tensor([3], 0.5, dtype))

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x)))
        x = torch.nn.functional.max_pool2d(x, 2)
        x = torch.relu(self.group(x))
        return self.scores(x.mean((2, 3)))


def train_images(dtype):
    model = Images(dtype)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-3)
    x = tensor([10, 2, 7, 6], 0.6, dtype)
    labels = torch.tensor([(i * i) % 3 for i in range(10)])
    losses = []
    for _ in range(5):
        parts = []
        for start in range(0, 10, 4):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[start:start + 4]), labels[start:start + 4])
            loss.backward()
            optimizer.step()
            parts.append(loss.item())
        losses.append(sum(parts) / len(parts))
    return {"losses": losses, "rates": [], "parameters": record(model)}


optimizers = {
    "sgd": lambda p, r: torch.optim.SGD(p, r),
    "sgd decay": lambda p, r: torch.optim.SGD(p, r, weight_decay=0.1),
    "sgd momentum": lambda p, r: torch.optim.SGD(p, r, momentum=0.9, weight_decay=0.01),
    "sgd nesterov": lambda p, r: torch.optim.SGD(p, r, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p, r: torch.optim.Adam(p, r),
    "adam decay": lambda p, r: torch.optim.Adam(p, r, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1),
    "adamw": lambda p, r: torch.optim.AdamW(p, r, weight_decay=0.0),
    "adamw decay": lambda p, r: torch.optim.AdamW(p, r, weight_decay=0.1),
}
lr = torch.optim.lr_scheduler
schedules = {
    "step": lambda o: lr.StepLR(o, 6, 0.3),
    "cosine": lambda o: lr.CosineAnnealingLR(o, EPOCHS, 0.001),
    "linear": lambda o: lr.LinearLR(o, 1.0, 0.2, EPOCHS),
    "cosine warmup": lambda o: lr.SequentialLR(
        o, [lr.LinearLR(o, 0.25, 1.0, 3), lr.CosineAnnealingLR(o, EPOCHS - 4, 0.001)], [4]),
}
cases = {}
for dtype in (torch.float64, torch.float32):
    kind = str(dtype).removeprefix("torch.")
    for name, make in optimizers.items():
        cases[f"{kind} {name}"] = train(dtype, make)
    for name, schedule in schedules.items():
        cases[f"{kind} {name}"] = train(dtype, optimizers["sgd"], schedule=schedule)
    cases[f"{kind} clip"] = train(dtype, optimizers["sgd momentum"], clip=0.3)
    cases[f"{kind} images"] = train_images(dtype)
path = pathlib.Path(__file__).with_name("pytorch.json")
path.write_text(json.dumps({"source": f"PyTorch {torch.__version__}", "cases": cases}, indent=1) + "\n")
