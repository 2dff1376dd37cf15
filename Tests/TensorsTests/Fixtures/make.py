"""Makes the fixtures of TensorsTests; numpy 2.4.6, ml_dtypes 0.6.0, safetensors 0.8.0.

    python make.py

The numbers are chosen, not drawn, but for the arrays of numpy-text.json (generator's seed 1).
"""
import json
import pathlib

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent


def save(name, array, version=None):
    with open(here / name, "wb") as file:
        np.lib.format.write_array(file, array, version=version, allow_pickle=True)


# Every element type in both byte orders and both orders of axes; the elements are 0 to 23, of booleans their parity.
members = {}
for kind in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    for byte_order in "<>":
        for order in "CF":
            array = np.arange(24).reshape(2, 3, 4).astype(byte_order + kind)
            members[f"{kind}-{'little' if byte_order == '<' else 'big'}-{order}"] = np.asarray(array, order=order)
members["b1-C"] = (np.arange(24) % 2 == 1).reshape(2, 3, 4)
members["scalar"] = np.array(2.5)
members["empty"] = np.zeros((0, 3), np.float32)
np.savez(here / "stored.npz", **members)
np.savez_compressed(here / "deflated.npz", **members)

save("version1.npy", np.arange(6, dtype=np.float32).reshape(2, 3), (1, 0))
save("version2.npy", np.arange(6, dtype=np.float32).reshape(2, 3), (2, 0))
save("version3.npy", np.arange(6, dtype=np.float32).reshape(2, 3), (3, 0))
save("row-of-int64.npy", np.array([3, -1, 2**62]))
save("objects.npy", np.array([{}, None], dtype=object))
save("text.npy", np.array(["a", "b"]))
save("complex.npy", np.array([1j]))
save("record.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))

save_file(
    {
        "half": np.array([0.5, -2], np.float16),
        "brain": np.array([1.5, -3], ml_dtypes.bfloat16),
        "single": np.array([[1, 2], [3, 4]], np.float32),
        "double": np.array([0.1]),
        "long": np.array([-1, 2**53 + 1]),
        "byte": np.array([0, 128, 255], np.uint8),
        "truth": np.array([False, True]),
        "none": np.zeros((0, 4), np.float32),
    },
    here / "all.safetensors",
    {"author": "Ännchen \"A\""},
)

# Arrays and what print() shows of them; the elements as the hexadecimal of their little-endian bytes.
generator = np.random.default_rng(1)
arrays = []
for dtype in [np.float32, np.float64]:
    for shape in [(), (1,), (3,), (2, 3), (7, 9), (2, 2, 2), (1001,), (40, 30), (2, 8, 8, 8), (0, 3), (4, 1)]:
        for scale in [1.0, 1e3] if np.prod(shape) > 1000 else [1.0, 1e-3, 1e3, 1e7]:
            arrays.append((generator.standard_normal(shape) * scale).astype(dtype))
    for shape in [(5,), (3, 4), (20, 2)]:
        arrays.append((10 ** generator.uniform(-12, 12, shape)).astype(dtype))
        arrays.append(generator.integers(-100, 100, shape).astype(dtype))
        arrays.append((generator.integers(-100, 100, shape) / 8).astype(dtype))
        arrays.append(generator.uniform(0.5, 1, shape).astype(dtype))
    for values in [
        [0.0], [-0.0], [1e-5], [1e16], [1e15], [123456789.0], [999999.0], [1000000.0], [0.0001], [0.00009],
        [np.nan], [np.inf], [-np.inf], [np.nan, 1.0], [-np.inf, 2.5, 100], [np.inf, 1e20], [np.nan, -1e-20, 1e20],
        [1, 1000], [1, 1001], [5e-324, 1], [1.7976931348623157e308, 1e-300], [0.1, 0.2, 0.3], [1 / 3, 2 / 3],
        [1.000000005, 2], [0.123456785, 0.5], [1e8, 1], [99999999.0, 123456.5], [0, 0, 0], [1e5, 2e5],
        [1.5e-45, 1], [3.4028235e38], [0.5, 1.5, 2.5],
    ]:
        with np.errstate(over="ignore"):
            arrays.append(np.array(values, dtype=dtype))
            if len(values) == 1:
                arrays.append(np.array(values[0], dtype=dtype))
cases = [
    {"type": array.dtype.name, "shape": list(array.shape), "bytes": array.tobytes().hex(), "text": str(array)}
    for array in arrays
]
(here / "numpy-text.json").write_text(json.dumps(cases, indent=0) + "\n")
