"""Turns ONNX's node test cases into models of format 1 with inputs and expected outputs: numbers only.

    pip install onnx==1.22.0 numpy pyyaml     # the last release that holds the cases
    python3 Tests/Fixtures/onnx-cases/generate.py

Only the operators that format 1 can say are taken; parameters go inline, so that a case is one text.
"""

import glob
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "node")
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "models"))
from reference import Model  # noqa: E402


class Skip(Exception):
    pass


def require(condition):
    if not condition:
        raise Skip


def spatial(attributes, inputs):
    """Keys of a window over two axes."""
    require(inputs[0].ndim == 4 and not attributes.get("ceil_mode") and not attributes.get("storage_order"))
    keys = {}
    if "strides" in attributes:
        keys["stride"] = list(attributes["strides"])
    if any(d != 1 for d in attributes.get("dilations", [])):
        keys["dilation"] = list(attributes["dilations"])
    automatic = attributes.get("auto_pad", b"NOTSET")
    require(automatic in (b"NOTSET", b"SAME_UPPER"))
    if automatic == b"SAME_UPPER":
        keys["padding"] = "same"
    elif any(attributes.get("pads", [])):
        keys["padding"] = list(attributes["pads"])
    return keys


def conv(a, x):
    return [("conv2d", {**spatial(a, x), "groups": a.get("group", 1), "weight": x[1], "bias": x[2] if len(x) > 2 else False})], 1


def pool(kind):
    def convert(a, x):
        keys = spatial(a, x)
        require("dilation" not in keys)
        keys = {"kernel": list(a["kernel_shape"]), **keys}
        keys.setdefault("stride", 1)
        if a.get("count_include_pad"):
            keys["count-padding"] = True
        return [(kind, keys)], 1

    return convert


def batchnorm(a, x):
    keys = {"epsilon": round(a.get("epsilon", 1e-5), 9), "gamma": x[1], "beta": x[2]}
    if a.get("training_mode"):
        keys["statistics"] = "batch"
    else:
        keys.update(mean=x[3], variance=x[4])
    return [("batchnorm", keys)], 1


def gemm(a, x):
    require(not a.get("transA") and len(x) > 2 and a.get("alpha", 1) == 1 and a.get("beta", 1) == 1)
    require(x[2].size in (1, x[1].shape[0 if a.get("transB") else 1]) and (x[2].ndim < 2 or x[2].shape[0] == 1))
    weight = x[1] if a.get("transB") else x[1].T
    return [("dense", {"weight": weight, "bias": np.broadcast_to(x[2].ravel(), [len(weight)])})], 1


def matmul(a, x):
    require(x[0].ndim == x[1].ndim == 2)
    return [("dense", {"weight": x[1].T, "bias": False})], 1


def elementwise(kind):
    return lambda a, x: ([(kind, {})], 1)


def softmax(a, x):
    require(a.get("axis", -1) in (-1, x[0].ndim - 1))
    return [("softmax", {})], 1


def flatten(a, x):
    require(a.get("axis", 1) == 1)
    return [("flatten", {})], 1


def several(kind):
    def convert(a, x):
        require(len({v.ndim for v in x}) == 1 and x[0].ndim in (2, 3, 4))
        require(kind == "add" and len({v.shape for v in x}) == 1 or kind == "concat" and x[0].ndim == 2 and a["axis"] in (1, -1))
        return [(kind, {"input": [f"x{i}" for i in range(len(x))]})], len(x)

    return convert


def gap(a, x):
    require(x[0].ndim == 4)
    return [("gap", {})], 1


CONVERSIONS = {
    "Conv": conv, "MaxPool": pool("maxpool"), "AveragePool": pool("avgpool"), "BatchNormalization": batchnorm,
    "GlobalAveragePool": gap, "Gemm": gemm, "MatMul": matmul, "Relu": elementwise("relu"),
    "Sigmoid": elementwise("sigmoid"), "Tanh": elementwise("tanh"), "Softmax": softmax, "Flatten": flatten,
    "Add": several("add"), "Concat": several("concat"),
}


def text(value):
    if isinstance(value, np.ndarray):
        return "[" + ", ".join(text(v) for v in value) + "]" if value.ndim else repr(float(value))
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def tensors(folder, kind):
    paths = sorted(glob.glob(os.path.join(folder, "test_data_set_0", kind + "_*.pb")), key=lambda p: int(p.rsplit("_", 1)[1][:-3]))
    result = []
    for path in paths:
        tensor = onnx.TensorProto()
        tensor.ParseFromString(open(path, "rb").read())
        result.append(numpy_helper.to_array(tensor))
    return result


def convert(folder):
    graph = onnx.load(os.path.join(folder, "model.onnx")).graph
    require(len(graph.node) == 1 and graph.node[0].op_type in CONVERSIONS)
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in graph.node[0].attribute}
    inputs, outputs = tensors(folder, "input"), tensors(folder, "output")
    require(inputs and all(x.dtype in (np.float32, np.float64) and x.ndim for x in inputs) and sum(x.size for x in inputs) < 20000)
    layers, taken = CONVERSIONS[graph.node[0].op_type](attributes, inputs)
    inputs, output = inputs[:taken], outputs[0]
    if layers[0][0] == "gap":
        output = output.reshape(output.shape[:2])
    name = os.path.basename(folder)[len("test_"):].replace("_", "-")
    names = ["x"] if taken == 1 else [f"x{i}" for i in range(taken)]
    lines = ["# yaml-language-server: $schema=../../../schemas/nnrun-1.schema.json", "nnrun: 1", f"name: {name}", "inputs:"]
    lines += [f"  {n}: {{shape: {list(x.shape)}}}" for n, x in zip(names, inputs)] + ["layers:"]
    for kind, keys in layers:
        lines.append(f"  - name: y\n    type: {kind}")
        lines += [f"    {key}: {text(value)}" for key, value in keys.items()]
    stem = os.path.join(HERE, name)
    open(stem + ".yaml", "w").write("\n".join(lines) + "\n")
    if taken == 1:
        np.save(stem + ".input.npy", inputs[0])
    else:
        np.savez(stem + ".input.npz", **dict(zip(names, inputs)))
    np.save(stem + ".output.npy", output)
    # ONNX's numbers and the reference of models/ must agree, or one of the two readings is wrong.
    computed = Model(stem + ".yaml").run(dict(zip(names, inputs)))["y"]
    assert np.allclose(computed, output, 1e-5, 1e-6), name


def main():
    done = 0
    for folder in sorted(glob.glob(os.path.join(CASES, "test_*"))):
        try:
            convert(folder)
            done += 1
        except Skip:
            pass
    print(done, "cases")


if __name__ == "__main__":
    main()
