"""Trains the network of digits.yaml and writes digits.safetensors: numpy only, about a minute.

The weights were made by this script with numpy 2.4, before the program could train; `nnrun train` does the same from
the `training` section of the model.
"""

import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
EPOCHS, BATCH, FIRST_RATE, LAST_RATE, SEED = 20, 32, 0.01, 0.0001, 7
EPSILON, MOMENTUM = 1e-5, 0.1


def load(name):
    return np.load(os.path.join(HERE, name + ".npy"))


# Layers. Each forward pass returns its value and what the backward pass needs.


def windows(x):
    """[N, C, H, W] -> [N, H, W, C, 3, 3], with a frame of zeros."""
    framed = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return np.lib.stride_tricks.sliding_window_view(framed, (3, 3), (2, 3)).transpose(0, 2, 3, 1, 4, 5)


def convolve(x, weight):
    columns = windows(x).reshape(-1, x.shape[1] * 9)
    y = columns @ weight.reshape(len(weight), -1).T
    return y.reshape(len(x), 8, 8, -1).transpose(0, 3, 1, 2), columns


def convolve_back(grad, columns, weight):
    rows = grad.transpose(0, 2, 3, 1).reshape(-1, len(weight))
    turned = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    return convolve(grad, turned)[0], (rows.T @ columns).reshape(weight.shape)


def normalise(x, p, name, training):
    if training:
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
        count = x.size // x.shape[1]
        p[name + ".mean"] += MOMENTUM * (mean - p[name + ".mean"])
        p[name + ".variance"] += MOMENTUM * (variance * count / (count - 1) - p[name + ".variance"])
    else:
        mean, variance = p[name + ".mean"], p[name + ".variance"]
    scale = 1 / np.sqrt(variance + EPSILON)
    centred = (x - mean[:, None, None]) * scale[:, None, None]
    return centred * p[name + ".gamma"][:, None, None] + p[name + ".beta"][:, None, None], (centred, scale)


def normalise_back(grad, kept, gamma):
    centred, scale = kept
    count = grad.size // grad.shape[1]
    dbeta, dgamma = grad.sum((0, 2, 3)), (grad * centred).sum((0, 2, 3))
    inner = grad - (dbeta[:, None, None] + centred * dgamma[:, None, None]) / count
    return inner * (gamma * scale)[:, None, None], dgamma, dbeta


def forward(p, x, training):
    k = {}
    y, k["stem"] = convolve(x, p["stem.weight"])
    y, k["stem-bn"] = normalise(y, p, "stem-bn", training)
    k["a"] = a = np.maximum(y, 0)
    y, k["conv1"] = convolve(a, p["block.conv1.weight"])
    y, k["bn1"] = normalise(y, p, "block.bn1", training)
    k["b"] = y = np.maximum(y, 0)
    y, k["conv2"] = convolve(y, p["block.conv2.weight"])
    y, k["bn2"] = normalise(y, p, "block.bn2", training)
    k["c"] = c = np.maximum(y + a, 0)
    k["pooled"] = pooled = c.mean((2, 3))
    return 1 / (1 + np.exp(-(pooled @ p["scores.weight"].T + p["scores.bias"]))), k


def backward(p, k, scores, target):
    g = {}
    d = 2 * (scores - target) / scores.size * scores * (1 - scores)
    g["scores.weight"], g["scores.bias"] = d.T @ k["pooled"], d.sum(0)
    d = np.where(k["c"] > 0, (d @ p["scores.weight"])[:, :, None, None] / 64, 0)
    around = d
    for conv, norm, gate in (("conv2", "bn2", "b"), ("conv1", "bn1", "a")):
        name = "block." + norm
        d, g[name + ".gamma"], g[name + ".beta"] = normalise_back(d, k[norm], p[name + ".gamma"])
        d, g[f"block.{conv}.weight"] = convolve_back(d, k[conv], p[f"block.{conv}.weight"])
        d = np.where(k[gate] > 0, d + (around if gate == "a" else 0), 0)
    d, g["stem-bn.gamma"], g["stem-bn.beta"] = normalise_back(d, k["stem-bn"], p["stem-bn.gamma"])
    g["stem.weight"] = convolve_back(d, k["stem"], p["stem.weight"])[1]
    return g


def initial(random):
    p = {}
    for name, shape in (("stem", (16, 1, 3, 3)), ("block.conv1", (16, 16, 3, 3)), ("block.conv2", (16, 16, 3, 3))):
        p[name + ".weight"] = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    for name in ("stem-bn", "block.bn1", "block.bn2"):
        p.update({name + ".gamma": np.ones(16), name + ".beta": np.zeros(16)})
        p.update({name + ".mean": np.zeros(16), name + ".variance": np.ones(16)})
    p["scores.weight"] = random.normal(0, np.sqrt(2 / 26), (10, 16))
    p["scores.bias"] = np.zeros(10)
    return {name: value.astype(np.float32) for name, value in p.items()}


def save(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(array.astype("<f4").tobytes())


def main():
    images, labels = load("train-images"), load("train-labels")
    tests, answers = load("test-images"), load("test-labels")
    random = np.random.default_rng(SEED)
    p = initial(random)
    trained = [name for name in p if not name.endswith((".mean", ".variance"))]
    first = {name: np.zeros_like(p[name]) for name in trained}
    second = {name: np.zeros_like(p[name]) for name in trained}
    step = 0
    for epoch in range(EPOCHS):
        rate = LAST_RATE + (FIRST_RATE - LAST_RATE) * (1 + np.cos(np.pi * epoch / EPOCHS)) / 2
        order, losses = random.permutation(len(images)), []
        for start in range(0, len(images), BATCH):
            rows = order[start : start + BATCH]
            target = np.eye(10, dtype=np.float32)[labels[rows]]
            scores, kept = forward(p, images[rows], True)
            losses.append(((scores - target) ** 2).mean())
            gradients = backward(p, kept, scores, target)
            step += 1
            for name in trained:  # Adam, Kingma and Ba 2014
                first[name] += 0.1 * (gradients[name] - first[name])
                second[name] += 0.001 * (gradients[name] ** 2 - second[name])
                p[name] -= np.float32(rate) * (first[name] / (1 - 0.9**step)) / (
                    np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
        right = (forward(p, tests, False)[0].argmax(1) == answers).mean()
        print(f"epoch {epoch + 1:2}  loss {np.mean(losses):.6f}  test accuracy {right:.4f}")
    save(os.path.join(HERE, "digits.safetensors"), {name: p[name].astype(np.float32) for name in sorted(p)})


if __name__ == "__main__":
    main()
