"""Reads handwritten digits from Python: python3 digits.py MODEL.yaml IMAGES.npy, with numpy and libnnrun.

NNRUN_LIBRARY names the library where it is not installed.
"""

import ctypes
import os
import sys

import numpy

nnrun = ctypes.CDLL(os.environ.get("NNRUN_LIBRARY", "libnnrun.so.0"))
Floats = ctypes.POINTER(ctypes.c_float)
nnrun.nnrun_load.restype = ctypes.c_void_p
nnrun.nnrun_last_error.restype = ctypes.c_char_p
nnrun.nnrun_output_shape.restype = ctypes.c_int64
nnrun.nnrun_output_shape.argtypes = [
    ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.POINTER(ctypes.c_int64), ctypes.c_int64]
nnrun.nnrun_run.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(Floats), ctypes.POINTER(Floats)]
nnrun.nnrun_free.argtypes = [ctypes.c_void_p]


class Model:
    """A model with one input and one output."""

    def __init__(self, path, threads=0):
        self.handle = nnrun.nnrun_load(os.fsencode(path), threads)
        if not self.handle:
            raise ValueError(nnrun.nnrun_last_error().decode())

    def __call__(self, rows):
        rows = numpy.ascontiguousarray(rows, numpy.float32)
        shape = (ctypes.c_int64 * 4)()
        rank = nnrun.nnrun_output_shape(self.handle, 0, len(rows), shape, 4)
        result = numpy.empty(shape[:rank], numpy.float32)
        pointers = [(Floats * 1)(array.ctypes.data_as(Floats)) for array in (rows, result)]
        if nnrun.nnrun_run(self.handle, len(rows), *pointers) != 0:
            raise ValueError(nnrun.nnrun_last_error().decode())
        return result

    def __del__(self):
        nnrun.nnrun_free(self.handle)


scores = Model(sys.argv[1])(numpy.load(sys.argv[2]))
print(scores.argmax(axis=1)[:10])
