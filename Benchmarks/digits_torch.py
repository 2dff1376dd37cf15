"""Trains the network of models/digits with PyTorch as its file says, from a cold start, and prints the share of test images
that it reads right. Arguments: folder of the model, epochs, threads."""
import math
import sys

import numpy as np
import torch
from torch import nn

folder, epochs, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(7)


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        convolution = lambda inputs: nn.Conv2d(inputs, 16, 3, padding=1, bias=False)  # noqa: E731
        self.stem, self.stem_norm = convolution(1), nn.BatchNorm2d(16)
        self.conv1, self.norm1 = convolution(16), nn.BatchNorm2d(16)
        self.conv2, self.norm2 = convolution(16), nn.BatchNorm2d(16)
        self.scores = nn.Linear(16, 10)

    def forward(self, x):
        x = torch.relu(self.stem_norm(self.stem(x)))
        y = torch.relu(self.norm1(self.conv1(x)))
        x = torch.relu(self.norm2(self.conv2(y)) + x)
        return torch.sigmoid(self.scores(x.mean((2, 3))))


def load(name):
    return torch.from_numpy(np.load(f"{folder}/{name}.npy"))


network = Digits()
for layer in network.modules():
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight)
    if isinstance(layer, nn.Linear):
        nn.init.xavier_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
images, labels = load("train-images").float(), load("train-labels").long()
targets = nn.functional.one_hot(labels, 10).float()
optimizer = torch.optim.Adam(network.parameters(), lr=0.01, fused=True)
for epoch in range(epochs):
    for group in optimizer.param_groups:
        group["lr"] = 0.0001 + (0.01 - 0.0001) * (1 + math.cos(math.pi * epoch / epochs)) / 2
    order = torch.randperm(len(images))
    for rows in order.split(32):
        optimizer.zero_grad(set_to_none=True)
        nn.functional.mse_loss(network(images[rows]), targets[rows]).backward()
        optimizer.step()
network.eval()
with torch.inference_mode():
    scores = network(load("test-images").float())
print(float((scores.argmax(1) == load("test-labels").long()).float().mean()))
