"""A graph as a PyTorch module."""
import torch
from torch import nn


class Network(nn.Module):
    def __init__(self, graph):
        super().__init__()
        self.input, self.output = graph.input, graph.output
        self.steps = []
        for index, node in enumerate(graph.nodes):
            module = _module(node)
            if module is not None:
                self.add_module(f"step{index}", module)
            self.steps.append((node.kind, f"step{index}", node.inputs, node.output))

    def forward(self, x):
        values = {self.input: x}
        for kind, name, inputs, output in self.steps:
            if kind == "add":
                values[output] = values[inputs[0]] + values[inputs[1]]
            else:
                values[output] = getattr(self, name)(values[inputs[0]])
        return values[self.output]


def _module(node):
    parameters = {key: torch.from_numpy(value.copy()) for key, value in node.parameters.items()}
    if node.kind == "conv":
        filters, channels = parameters["weight"].shape[:2]
        module = nn.Conv2d(channels, filters, node.kernel, node.stride, node.padding, bias="bias" in parameters)
    elif node.kind == "dense":
        filters, channels = parameters["weight"].shape
        module = nn.Linear(channels, filters)
    elif node.kind == "norm":
        module = nn.BatchNorm2d(len(parameters["gamma"]), eps=node.epsilon, momentum=0.1)
        module.weight.data, module.bias.data = parameters["gamma"], parameters["beta"]
        module.running_mean.data, module.running_var.data = parameters["mean"], parameters["variance"]
        return module
    else:
        return {
            "relu": lambda: nn.ReLU(inplace=True),
            "sigmoid": nn.Sigmoid,
            "maxpool": lambda: nn.MaxPool2d(node.kernel, node.stride, node.padding),
            "gap": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            "add": lambda: None,
        }[node.kind]()
    module.weight.data = parameters["weight"]
    if "bias" in parameters:
        module.bias.data = parameters["bias"]
    return module
