"""A second reading of format 1, in Python: what the expected outputs under models/ are computed with.

It shares nothing with the program but docs/format.md: PyYAML reads the text, numpy computes in float64 in the plainest
way. It takes well-formed models only and says nothing useful of others. Written against numpy 2.4 and PyYAML 6.0.
"""

import base64
import copy
import json
import os
import re

import numpy as np
import yaml


# The text: YAML 1.2's core schema over PyYAML, which knows 1.1.


class Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}


def _resolve(tag, pattern, first):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), first)


_resolve("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF"))
_resolve("null", r"^(?:null|Null|NULL|~|)$", list("nN~") + [""])
_resolve("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789"))
_resolve(
    "float",
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    list("-+.0123456789"),
)
_resolve("merge", r"^<<$", ["<"])


def _integer(loader, node):
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)


def _real(loader, node):
    text = loader.construct_scalar(node).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


Loader.add_constructor("tag:yaml.org,2002:int", _integer)
Loader.add_constructor("tag:yaml.org,2002:float", _real)
Loader.add_constructor("tag:yaml.org,2002:binary", lambda loader, node: base64.b64decode(loader.construct_scalar(node)))


def read_safetensors(path):
    data = open(path, "rb").read()
    length = int.from_bytes(data[:8], "little")
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
    arrays = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(data[start:end], kinds[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def read_arrays(path):
    if path.endswith(".npy"):
        return {"": np.load(path)}
    if path.endswith(".npz"):
        return dict(np.load(path))
    return read_safetensors(path)


# The operations, over [batch, channels, height, width].


def pair(value):
    return [int(v) for v in value] if isinstance(value, list) else [int(value)] * 2


def sides(value):
    """[top, left, bottom, right]."""
    if not isinstance(value, list):
        return [value] * 4
    return value if len(value) == 4 else value + value


def window(size, kernel, stride, dilation, padding):
    """Pads and output size on both axes: ((before, after), output) each."""
    result = []
    for axis in range(2):
        extent = dilation[axis] * (kernel[axis] - 1) + 1
        if padding == "same":
            output = -(-size[axis] // stride[axis])
            total = max((output - 1) * stride[axis] + extent - size[axis], 0)
            pads = (total // 2, total - total // 2)
        else:
            four = sides(padding)
            pads = (four[axis], four[axis + 2])
            output = (size[axis] + sum(pads) - extent) // stride[axis] + 1
        result.append((pads, output))
    return result


def taps(x, kernel, stride, dilation, padding, fill):
    """For each cell of the kernel, the input under it at every output: [(row, column, values)]."""
    (rows, height), (columns, width) = window(x.shape[2:], kernel, stride, dilation, padding)
    framed = np.pad(x, ((0, 0), (0, 0), rows, columns), constant_values=fill)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            top, left = i * dilation[0], j * dilation[1]
            yield i, j, framed[
                :, :, top : top + (height - 1) * stride[0] + 1 : stride[0],
                left : left + (width - 1) * stride[1] + 1 : stride[1],
            ]


def conv2d(x, weight, stride, dilation, padding, groups):
    filters, channels = weight.shape[0] // groups, weight.shape[1]
    parts = []
    for g in range(groups):
        inputs = x[:, g * channels : (g + 1) * channels]
        kernels = weight[g * filters : (g + 1) * filters]
        parts.append(sum(
            np.einsum("nchw,fc->nfhw", values, kernels[:, :, i, j])
            for i, j, values in taps(inputs, weight.shape[2:], stride, dilation, padding, 0.0)
        ))
    return np.concatenate(parts, axis=1)


def maxpool(x, kernel, stride, padding):
    return np.maximum.reduce([v for _, _, v in taps(x, kernel, stride, [1, 1], padding, -np.inf)])


def avgpool(x, kernel, stride, padding, count_padding):
    total = sum(v for _, _, v in taps(x, kernel, stride, [1, 1], padding, 0.0))
    cells = sum(v for _, _, v in taps(np.ones_like(x), kernel, stride, [1, 1], padding, 0.0))
    return total / (kernel[0] * kernel[1] if count_padding else cells)


def sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


ACTIVATIONS = {
    "none": lambda x: x, "relu": lambda x: np.maximum(x, 0), "sigmoid": sigmoid, "tanh": np.tanh,
    "softmax": lambda x: softmax(x, 1),
}


# The model.


class Model:
    def __init__(self, path):
        self.folder = os.path.dirname(os.path.abspath(path))
        self.text = yaml.load(open(path, encoding="utf-8-sig", newline=""), Loader)
        self.dtype = np.dtype(self.text.get("dtype", "float32"))
        self.nhwc = self.text.get("layout") == "nhwc"
        self.weights = read_arrays(self.file(self.text["weights"])) if "weights" in self.text else {}
        self.parameters, self.values, self.multiply_adds = {}, {}, 0

    def file(self, name):
        return os.path.join(self.folder, name)

    # The author's axes and ours.
    def ours(self, x):
        return x.transpose(0, 3, 1, 2) if self.nhwc and x.ndim == 4 else x

    def authors(self, x):
        return x.transpose(0, 2, 3, 1) if self.nhwc and x.ndim == 4 else x

    def run(self, inputs):
        """The outputs by name, in order; `inputs` by name, with or without the batch's axis."""
        self.values, scope, bare = {}, {}, False
        for name, entry in self.text["inputs"].items():
            value = np.asarray(inputs[name], np.float64)
            if value.ndim == len(entry["shape"]) - 1:
                value, bare = value[None], True
            scope[name] = self.ours(value)
        default = next(iter(scope.values())) if len(scope) == 1 else None
        result = self.list(self.text["layers"], "", scope, default)
        last = self.text["layers"][-1]["name"]
        names = self.text.get("outputs", [last])
        present = lambda value: self.authors(value)[0] if bare else self.authors(value)
        self.trace = {path: present(value) for path, value in self.values.items()}
        return {name: present(self.values.get(name, result)) for name in names}

    def list(self, layers, prefix, scope, outer):
        """The value of the layer listed last; `scope` holds the values that names stand for here."""
        scope = dict(scope)
        waiting = []
        for index, layer in enumerate(layers):
            given = layer.get("input")
            if given is None:
                given = layers[index - 1]["name"] if index else "outer"
            waiting.append((layer, given if isinstance(given, list) else [given]))
        scope["outer"] = outer
        while waiting:
            rest = []
            for layer, names in waiting:
                if all(name in scope for name in names):
                    value = self.layer(layer, prefix + layer["name"], [scope[name] for name in names])
                    scope[layer["name"]] = self.values[prefix + layer["name"]] = value
                else:
                    rest.append((layer, names))
            assert len(rest) < len(waiting), "cycle"
            waiting = rest
        return scope[layers[-1]["name"]]

    def layer(self, layer, path, inputs):
        x = inputs[0]
        if "block" in layer:
            return self.block(layer, path, x)
        kind = layer["type"]
        parameter = lambda name, shape: self.parameter(layer, path, name, shape)
        if kind in ("conv2d", "dense", "dense-sigmoid"):
            given = layer.get("weight")
            if isinstance(given, list):
                shape = list(np.shape(given))
            elif isinstance(given, dict) and "file" in given:
                shape = list(self.array(given, f"{path}.weight").shape)
            elif kind == "conv2d":
                shape = [layer["filters"], x.shape[1] // layer.get("groups", 1)] + pair(layer["kernel"])
            else:
                shape = [int(layer["units"]), x.shape[1]]
            weight = parameter("weight", shape)
            if kind == "conv2d":
                y = conv2d(
                    x, weight, pair(layer.get("stride", 1)), pair(layer.get("dilation", 1)), layer.get("padding", 0),
                    layer.get("groups", 1))
                self.multiply_adds += weight.size * y.shape[2] * y.shape[3]
            else:
                y = x @ weight.T
                self.multiply_adds += weight.size
            if layer.get("bias") is not False:
                bias = parameter("bias", [shape[0]])
                y = y + (bias[:, None, None] if y.ndim == 4 else bias)
            if kind == "conv2d":
                return y
            return ACTIVATIONS["sigmoid" if kind == "dense-sigmoid" else layer.get("activation", "none")](y)
        if kind == "residual":
            body = self.list(layer["body"], path + ".", {}, x)
            shortcut = self.list(layer["shortcut"], path + ".", {}, x) if "shortcut" in layer else x
            assert body.shape == shortcut.shape
            return ACTIVATIONS[layer.get("activation", "relu")](body + shortcut)
        if kind == "batchnorm":
            spread = lambda v: v.reshape([1, -1] + [1] * (x.ndim - 2))
            axes = tuple(a for a in range(x.ndim) if a != 1)
            gamma, beta = parameter("gamma", [x.shape[1]]), parameter("beta", [x.shape[1]])
            if layer.get("statistics") == "batch":
                mean, variance = x.mean(axes), x.var(axes)
            else:
                mean, variance = parameter("mean", [x.shape[1]]), parameter("variance", [x.shape[1]])
            scale = gamma / np.sqrt(variance + layer.get("epsilon", 1e-5))
            return (x - spread(mean)) * spread(scale) + spread(beta)
        if kind in ("relu", "sigmoid", "tanh"):
            return ACTIVATIONS[kind](x)
        if kind == "softmax":
            return softmax(x, 1 if self.nhwc and x.ndim == 4 else x.ndim - 1)
        if kind == "gap":
            return x.mean((2, 3))
        if kind in ("maxpool", "avgpool"):
            kernel = pair(layer["kernel"])
            settings = [x, kernel, pair(layer.get("stride", kernel)), layer.get("padding", 0)]
            return maxpool(*settings) if kind == "maxpool" else avgpool(*settings, layer.get("count-padding", False))
        if kind == "add":
            return sum(inputs[1:], inputs[0])
        if kind == "concat":
            return np.concatenate(inputs, axis=1)
        if kind == "pad-channels":
            return np.pad(x, [(0, 0), (0, layer["channels"] - x.shape[1])] + [(0, 0)] * (x.ndim - 2))
        if kind == "flatten":
            return self.authors(x).reshape(x.shape[0], -1)
        if kind == "dropout":
            return x
        raise NotImplementedError(kind)

    def block(self, layer, path, x):
        block = self.text["blocks"][layer["block"]]
        for repetition in range(layer.get("repeat", 1)):
            values = dict(block.get("parameters", {}))
            values.update(layer.get("with", {}))
            if repetition == 0:
                values.update(layer.get("first", {}))
            layers = substitute(block["layers"], values)
            x = self.list(layers, f"{path}.{repetition}." if "repeat" in layer else path + ".", {}, x)
        return x

    def array(self, given, path):
        arrays = read_arrays(self.file(given["file"]))
        if "key" in given:
            return arrays[given["key"]]
        return arrays[path] if path in arrays else next(iter(arrays.values()))

    def parameter(self, layer, path, name, shape):
        """A parameter's values, rounded to the model's dtype as the program rounds them."""
        path = f"{path}.{name}"
        given = layer.get(name)
        if isinstance(given, list):
            value = np.array(given, self.dtype)
        elif isinstance(given, bytes):
            value = np.frombuffer(given, self.dtype.newbyteorder("<")).reshape(shape)
        elif isinstance(given, dict) and "file" in given:
            value = self.array(given, path)
        elif isinstance(given, (int, float)) and not isinstance(given, bool):
            value = np.full(shape, given)
        elif path in self.weights:
            value = self.weights[path]
        else:
            law = given["init"] if given else {"weight": "drawn", "gamma": "ones", "variance": "ones"}.get(name, "zeros")
            value = {"zeros": np.zeros, "ones": np.ones}.get(law, self.drawn)(shape)
        assert list(value.shape) == list(shape), (path, value.shape, shape)
        self.parameters[path] = value.astype(self.dtype)
        return self.parameters[path].astype(np.float64)

    def drawn(self, shape):
        """A stand-in for drawn weights, which only the program itself can draw: good for shapes and counts."""
        return np.full(shape, 0.01)

    def count(self):
        """The numbers that training moves, after a run."""
        return sum(v.size for p, v in self.parameters.items() if p.rsplit(".", 1)[1] not in ("mean", "variance"))


def substitute(node, values):
    if isinstance(node, str) and node.startswith("$"):
        return copy.deepcopy(values[node[1:]])
    if isinstance(node, list):
        return [substitute(item, values) for item in node]
    if isinstance(node, dict):
        return {key: substitute(item, values) for key, item in node.items()}
    return node
