"""An ONNX file as a short list of nodes, and the same with normalisation and activations folded into what they follow."""
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import numpy_helper


@dataclass
class Node:
    kind: str  # conv norm relu sigmoid add maxpool gap dense
    inputs: list
    output: str
    kernel: int = 0
    stride: int = 1
    padding: int = 0
    epsilon: float = 0.0
    activation: str = ""
    parameters: dict = field(default_factory=dict)


class Graph:
    def __init__(self, path):
        model = onnx.load(path)
        graph = model.graph
        self.values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.input = next(value.name for value in graph.input if value.name not in self.values)
        shape = next(value for value in graph.input if value.name == self.input).type.tensor_type.shape
        self.input_shape = [dimension.dim_value for dimension in shape.dim][1:]
        self.nodes = []
        alias = {}
        for node in graph.node:
            inputs = [alias.get(name, name) for name in node.input]
            read = READERS.get(node.op_type)
            if read is None:
                raise ValueError(f"{path}: no peer is written for the operator {node.op_type}")
            result = read(self, inputs, node)
            if result is None:  # a change of shape only
                alias[node.output[0]] = inputs[0]
            else:
                self.nodes.append(result)
        self.output = alias.get(graph.output[0].name, graph.output[0].name)

    def consumers(self):
        users = {}
        for node in self.nodes:
            for name in node.inputs:
                users.setdefault(name, []).append(node)
        return users

    def folded(self):
        """Nodes with normalisation folded into convolutions, and relu or sigmoid into what they follow."""
        users, done, nodes = self.consumers(), set(), []

        def only(name, *kinds):
            following = users.get(name, [])
            return following[0] if len(following) == 1 and following[0].kind in kinds and name != self.output else None

        for node in self.nodes:
            if id(node) in done:
                continue
            node = Node(**{**node.__dict__, "parameters": dict(node.parameters)})
            if node.kind == "conv":
                norm = only(node.output, "norm")
                if norm:
                    p = {key: value.astype(np.float64) for key, value in norm.parameters.items()}
                    scale = p["gamma"] / np.sqrt(p["variance"] + norm.epsilon)
                    weight = node.parameters["weight"] * scale[:, None, None, None]
                    bias = (node.parameters.get("bias", 0) - p["mean"]) * scale + p["beta"]
                    node.parameters = {"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)}
                    node.output = norm.output
                    done.add(id(norm))
                elif "bias" not in node.parameters:
                    node.parameters["bias"] = np.zeros(len(node.parameters["weight"]), np.float32)
            if node.kind in ("conv", "dense", "add"):
                following = only(node.output, "relu", "sigmoid")
                if following:
                    node.activation, node.output = following.kind, following.output
                    done.add(id(following))
            nodes.append(node)
        return nodes


def _attributes(node):
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def _window(node):
    """Square kernel, stride and padding, which is all that these networks have."""
    attributes = _attributes(node)
    kernel, strides, pads = attributes["kernel_shape"], attributes.get("strides", [1, 1]), attributes.get("pads", [0] * 4)
    assert len(set(kernel)) == len(set(strides)) == len(set(pads)) == 1, node.name
    assert attributes.get("group", 1) == 1 and set(attributes.get("dilations", [1])) == {1}, node.name
    return {"kernel": kernel[0], "stride": strides[0], "padding": pads[0]}


def _convolution(graph, inputs, node):
    parameters = dict(zip(("weight", "bias"), [graph.values[name] for name in inputs[1:]]))
    return Node("conv", inputs[:1], node.output[0], **_window(node), parameters=parameters)


def _norm(graph, inputs, node):
    parameters = dict(zip(("gamma", "beta", "mean", "variance"), [graph.values[name] for name in inputs[1:]]))
    return Node(
        "norm", inputs[:1], node.output[0], epsilon=_attributes(node).get("epsilon", 1e-5), parameters=parameters
    )


def _dense(graph, inputs, node):
    weight = graph.values[inputs[1]]
    if not _attributes(node).get("transB", 0):
        weight = weight.T
    bias = graph.values[inputs[2]] if len(inputs) > 2 else np.zeros(len(weight), np.float32)
    return Node("dense", inputs[:1], node.output[0], parameters={"weight": np.ascontiguousarray(weight), "bias": bias})


READERS = {
    "Conv": _convolution,
    "BatchNormalization": _norm,
    "Gemm": _dense,
    "Relu": lambda graph, inputs, node: Node("relu", inputs, node.output[0]),
    "Sigmoid": lambda graph, inputs, node: Node("sigmoid", inputs, node.output[0]),
    "Add": lambda graph, inputs, node: Node("add", inputs, node.output[0]),
    "MaxPool": lambda graph, inputs, node: Node("maxpool", inputs, node.output[0], **_window(node)),
    "GlobalAveragePool": lambda graph, inputs, node: Node("gap", inputs, node.output[0]),
    "Flatten": lambda graph, inputs, node: None,
    "Reshape": lambda graph, inputs, node: None,
    "Squeeze": lambda graph, inputs, node: None,
}
