#!/usr/bin/env python3
"""The worked model of docs/scaling.md: the efficiency of training on R ranks, from a row's time on one rank, what a model
has to bring together, and a network's latency and bandwidth. `scaling.py` prints the two tables."""
from math import log2

# name: seconds of a row, parameters, normalisations, rows of a rank, rows of a fixed batch
MODELS = {
    "ResNet-50": (0.22, 25.6e6, 53, 16, 1024),
    "ResNet-50, ranks 100 times as quick": (0.0022, 25.6e6, 53, 16, 1024),
    "ResNet-20 for CIFAR": (1.7e-3, 0.27e6, 19, 64, 1024),
    "digits": (20e-6, 5e3, 3, 64, 1024),
}
# name: seconds of a message, bytes a second
NETWORKS = {"TCP": (9e-6, 1.17e9), "40 Gb/s": (1.93e-6, 37.23e9 / 8)}
# The share of a step's work that comes after the first gradient is ready: the backward pass.
BACKWARD = 2 / 3


def efficiency(model, network, ranks, rows):
    seconds, parameters, normalisations, _, _ = MODELS[model]
    latency, bandwidth = NETWORKS[network]
    work = seconds * rows
    # Statistics are waited for, forward and backward: one round to all of up to eight ranks, else halving and doubling.
    rounds = 1 if ranks <= 8 else 2 * log2(ranks)
    meetings = 2 * normalisations * rounds * latency
    # Gradients, a tensor for each layer, go by halving and doubling while the backward pass goes on.
    sums = 2 * (ranks - 1) / ranks * 4 * parameters / bandwidth + 2 * log2(ranks) * latency * (normalisations + 1)
    return work / (work + meetings + max(0, sums - BACKWARD * work))


def main():
    counts = [2**power for power in range(3, 11)]
    for what in ["rows of a rank fixed", "batch fixed"]:
        print(f"\n| {what} | network | " + " | ".join(f"{count:,}" for count in counts) + " |")
        print("|---" * (len(counts) + 2) + "|")
        for model, (_, _, _, own, batch) in MODELS.items():
            rows = [own if what.startswith("rows") else batch / count for count in counts]
            name = f"{model}, {own} rows" if what.startswith("rows") else f"{model}, {batch:,} rows"
            for network in NETWORKS:
                shares = [efficiency(model, network, count, some) for count, some in zip(counts, rows)]
                print(f"| {name} | {network} | " + " | ".join(f"{100 * share:.0f} %" for share in shares) + " |")
                name = ""


if __name__ == "__main__":
    main()
