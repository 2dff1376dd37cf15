"""Writes the inputs and expected outputs beside the models, and the weight files of models/v1.

    python3 models/generate.py              # everything that is missing
    python3 models/generate.py --check      # compares what is there with what would be written

For a model STEM.yaml: STEM.input.npy (STEM.input.npz for several inputs) and STEM.output.npy (.npz), computed by
reference.py in float64. Inputs that are not given here are normal numbers from a seed that is the model's name. Written
with numpy 2.4.6 and PyYAML 6.0.3. What is there already is left as it is: models/v1 is frozen.
"""

import argparse
import glob
import io
import json
import os
import zipfile
import zlib

import numpy as np

from reference import Model

HERE = os.path.dirname(os.path.abspath(__file__))
# The sizes of symbols; a list gives those of a model.
SIZES = {"N": 3, "n": 3, "H": 6, "W": 9, "T": 5}
UNBATCHED = {"conv2d/conv2d", "conv2d/not-square", "gap/gap", "gap/not-square", "residual/residual", "v1/unbatched"}
# Weights are drawn by the program, so only it can say what comes out.
DRAWN = {f"{name}/{name}" for name in ("cifar-resnet20", "resnet18", "resnet50", "vgg16", "mobilenet")}


def normal(name, shape):
    values = np.random.default_rng(zlib.crc32(name.encode())).normal(size=shape)
    return np.round(values, 2)


def particular():
    counting = lambda *shape: np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    np.random.seed(42)
    return {
        "neuron/neuron": np.array([[1.0, 2.0], [2.0, 1.0], [-1.0, -2.0]]),
        "neuron/neuron-float64": np.array([[1.0, 2.0], [2.0, 1.0], [-1.0, -2.0]]),
        "neuron/three-epochs": np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 1.0]]),
        "conv2d/conv2d": counting(1, 4, 4),
        "conv2d/not-square": counting(1, 3, 5),
        "relu/relu": np.array([[-1.0, 2.0], [3.0, -4.0]]),
        "residual/residual": np.array([1.0, 2.0]),
        "gap/gap": counting(2, 2, 3),
        "gap/not-square": np.array([[[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]]]),
        "batchnorm/batchnorm": np.random.randn(2, 2, 2, 2),
        "v1/empty-batch": np.zeros((0, 1, 4, 4)),
        "v1/input-kinds": {
            "bytes": np.array([[0, 127, 255], [1, 2, 3]], "u1"),
            "flags": np.array([[True, False, True], [False, False, True]]),
            "integers": np.array([[-5, 6, 70000], [0, 1, 2]], "<i4"),
            "halves": np.array([[0.5, -1.25, 3], [1, 0, 65504]], "<f2"),
            "big-endian": np.array([[1e-3, 2, -3], [1e6, 0, -0.5]], ">f8"),
            "fortran": np.array([[0.1, 0.2, 0.3], [4, 5, 6]], "<f4", order="F"),
        },
        "digits/digits": np.load(os.path.join(HERE, "digits/test-images.npy"))[:10],
    }


def inputs_of(name, model, given):
    inputs = {}
    for key, entry in model.text["inputs"].items():
        if name in given:
            value = given[name]
            inputs[key] = value[key] if isinstance(value, dict) else value.astype(model.dtype)
            continue
        shape = [SIZES[size] if isinstance(size, str) else int(size) for size in entry["shape"]]
        inputs[key] = normal(f"{name}.{key}", shape[1:] if name in UNBATCHED else shape).astype(model.dtype)
    return inputs


class Writer:
    def __init__(self, check):
        self.check, self.stale = check, []

    def write(self, path, data):
        path = os.path.join(HERE, path)
        if not self.check:
            if not os.path.exists(path):
                open(path, "wb").write(data)
        elif not os.path.exists(path) or open(path, "rb").read() != data:
            self.stale.append(path)

    def arrays(self, stem, arrays):
        if len(arrays) == 1:
            self.write(stem + ".npy", npy(next(iter(arrays.values()))))
        else:
            self.write(stem + ".npz", npz(arrays, zipfile.ZIP_STORED))


def npy(array, order="K"):
    file = io.BytesIO()
    np.save(file, np.asarray(array, order=order))
    return file.getvalue()


def npz(arrays, compression):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, array in arrays.items():  # a fixed date keeps the bytes the same
            info = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = compression
            archive.writestr(info, npy(array))
    return file.getvalue()


def safetensors(arrays, metadata=None):
    header, offset = {"__metadata__": metadata} if metadata else {}, 0
    kinds = {"f8": "F64", "f4": "F32", "f2": "F16", "i4": "I32"}
    for name, array in arrays.items():
        end = offset + array.nbytes
        header[name] = {"dtype": kinds[array.dtype.str[1:]], "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in arrays.values())


def weight_files(writer):
    put = lambda name, data: writer.write("v1/data/" + name, data)
    draw = lambda name, *shape: normal("v1/data/" + name, shape)
    put("square.npy", npy(draw("square", 2, 2).astype("<f4")))
    put("nhwc-conv.npy", npy(draw("nhwc-conv", 2, 3, 1, 2).astype("<f4")))
    for name, shape in (("k243", (2, 4, 3, 3)), ("k2425", (2, 4, 2, 5)), ("k423", (4, 2, 3, 3)), ("k813", (8, 1, 3, 3))):
        put(name + ".npy", npy(draw(name, *shape).astype("<f4")))
    put("double.npy", npy(draw("double", 3, 3)))
    put("halves.npy", npy(draw("halves", 3).astype("<f2")))
    put("big-endian.npy", npy(draw("big-endian", 3, 3).astype(">f4")))
    put("integers.npy", npy(np.array([1, -2, 3], ">i8")))
    put("fortran.npy", npy(draw("fortran", 4, 3).astype("<f4"), "F"))
    put("bytes.npy", npy(np.array([0, 1, 200, 255], "u1")))
    pair = lambda name, rows, columns: {
        "w": draw(name + ".w", rows, columns).astype("<f4"), "b": draw(name + ".b", rows).astype("<f8")}
    put("stored.npz", npz(pair("stored", 2, 4), zipfile.ZIP_STORED))
    deflated = pair("deflated", 3, 2)
    deflated["deflated.bias"] = deflated.pop("b")
    put("deflated.npz", npz(deflated, zipfile.ZIP_DEFLATED))
    put("some.safetensors", safetensors({"some.b": draw("b", 4), "some.w": draw("some.w", 2, 3).astype("<f4")}, {"by": "us"}))
    put("one.safetensors", safetensors({"anything": draw("one", 2).astype("<f2")}))
    weights = {
        "hidden.weight": draw("hidden.weight", 2, 2).astype("<f4"), "hidden.bias": draw("hidden.bias", 2),
        "block.inner.weight": draw("inner", 2, 2), "norm.gamma": draw("gamma", 2), "norm.variance": np.array([0.5, 2.0]),
    }
    put("weights.npz", npz(weights, zipfile.ZIP_DEFLATED))
    weights = {"out.weight": draw("out.weight", 3, 2), "out.bias": draw("out.bias", 3)}
    for i, channels in enumerate((1, 2)):
        path = f"steps.{i}."
        weights[path + "conv.weight"] = draw(path + "conv.weight", 2, channels, 3, 3)
        for name in ("gamma", "beta", "mean"):
            weights[path + "norm." + name] = draw(path + name, 2)
        weights[path + "norm.variance"] = np.array([0.75, 1.5])
    put("weights.safetensors", safetensors({name: array.astype("<f4") for name, array in weights.items()}))
    put("one-row.npy", npy(np.array([1, 2], "<i4")))
    put("one-row-out.npz", npz({"out": np.array([-6.0])}, zipfile.ZIP_STORED))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true")
    writer = Writer(arguments.parse_args().check)
    weight_files(writer)
    for stem, target in (("neuron", [1, 0, 0]), ("three-epochs", [1, 0, 1])):
        writer.write(f"neuron/{stem}.target.npy", npy(np.array(target, "<f4")[:, None]))
    given = particular()
    for path in sorted(glob.glob(os.path.join(HERE, "*", "*.yaml"))):
        name = os.path.relpath(path, HERE)[: -len(".yaml")]
        if name in DRAWN:
            continue
        model = Model(path)
        inputs = inputs_of(name, model, given)
        outputs = model.run(inputs)
        writer.arrays(name + ".input", inputs)
        writer.arrays(name + ".output", outputs)
    for path in writer.stale:
        print("differs:", os.path.relpath(path, HERE))
    raise SystemExit(1 if writer.stale else 0)


if __name__ == "__main__":
    main()
