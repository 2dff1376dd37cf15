"""What is measured, and the goals: how many times as fast as the best peer nnrun is meant to be."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    name: str
    kind: str  # inference, training, start, digits, memory, yaml
    network: str
    batch: int
    threads: tuple
    goal: float
    peers: tuple
    epochs: int = 0


INFERENCE = ("onnxruntime", "openvino", "openvino-streams", "ncnn", "torch")
SMALL = ("onnxruntime", "openvino", "litert", "torch")
TRAINING = ("torch", "torch-channels-last", "jax")
ONE, BOTH = (1,), (1, 2)

WORKS = [
    Work("resnet20-b1", "inference", "resnet20", 1, BOTH, 1.5, INFERENCE),
    Work("resnet20-b32", "inference", "resnet20", 32, BOTH, 1.8, INFERENCE),
    Work("resnet18-b1", "inference", "resnet18", 1, BOTH, 1.3, INFERENCE),
    Work("resnet18-b32", "inference", "resnet18", 32, BOTH, 1.5, INFERENCE),
    Work("resnet50-b1", "inference", "resnet50", 1, BOTH, 1.25, INFERENCE),
    Work("resnet50-b8", "inference", "resnet50", 8, BOTH, 1.25, INFERENCE),
    Work("odd-residual-b1", "inference", "odd-residual", 1, BOTH, 1.2, INFERENCE),
    Work("odd-kernels-b1", "inference", "odd-kernels", 1, BOTH, 1.2, INFERENCE),
    Work("odd-plain-b1", "inference", "odd-plain", 1, BOTH, 1.2, INFERENCE),
    Work("neuron-b1", "inference", "neuron", 1, ONE, 4, SMALL),
    Work("mlp-b1", "inference", "mlp", 1, ONE, 1.3, SMALL),
    Work("mlp-b32", "inference", "mlp", 32, BOTH, 1.2, SMALL),
    Work("train-resnet20-b128", "training", "resnet20", 128, BOTH, 2.2, TRAINING),
    Work("train-resnet18-b8", "training", "resnet18", 8, BOTH, 2, TRAINING),
    Work("train-odd-residual-b32", "training", "odd-residual", 32, BOTH, 1.8, TRAINING),
    Work("train-odd-kernels-b32", "training", "odd-kernels", 32, BOTH, 1.8, TRAINING),
    Work("train-odd-plain-b32", "training", "odd-plain", 32, BOTH, 1.8, TRAINING),
    Work("train-mlp-b64", "training", "mlp", 64, BOTH, 2, ("torch", "jax")),
    Work("train-neuron-b3", "training", "neuron", 3, ONE, 1, ("torch", "jax", "jax-loop")),
    Work("start-neuron", "start", "neuron", 1, ONE, 30, ("onnxruntime", "ncnn", "litert")),
    Work("start-resnet20", "start", "resnet20", 1, (2,), 15, ("onnxruntime", "openvino", "ncnn")),
    Work("start-resnet18", "start", "resnet18", 1, (2,), 4, ("onnxruntime", "openvino", "ncnn")),
    Work("start-digits", "digits", "digits", 32, (2,), 5, ("torch",), epochs=8),
    Work("memory-resnet50-b1", "memory", "resnet50", 1, ONE, 1, INFERENCE),
    Work("memory-train-resnet20-b128", "memory", "resnet20", 128, (2,), 1 / 0.6, TRAINING),
    Work("load-yaml", "yaml", "", 0, ONE, 0.6, ()),
]
