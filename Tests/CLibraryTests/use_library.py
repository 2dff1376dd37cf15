"""Uses libnnrun through ctypes: python3 use_library.py LIBRARY, in the repository's root."""

import ctypes
import pathlib
import sys
import tempfile
import threading
import unittest

USAGE, INVALID_DATA, CANNOT_READ = 64, 65, 66
NEURON = "models/neuron/neuron.yaml"

library = ctypes.CDLL(str(pathlib.Path(sys.argv.pop()).resolve()))
Floats = ctypes.POINTER(ctypes.c_float)
Sizes = ctypes.POINTER(ctypes.c_int64)
for name, result, arguments in [
    ("version", ctypes.c_char_p, []),
    ("last_status", ctypes.c_int, []),
    ("last_error", ctypes.c_char_p, []),
    ("load", ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]),
    ("free", None, [ctypes.c_void_p]),
    ("input_count", ctypes.c_int64, [ctypes.c_void_p]),
    ("output_count", ctypes.c_int64, [ctypes.c_void_p]),
    ("input_name", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int64]),
    ("output_name", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int64]),
    ("set_size", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64]),
    ("input_shape", ctypes.c_int64, [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, Sizes, ctypes.c_int64]),
    ("output_shape", ctypes.c_int64, [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, Sizes, ctypes.c_int64]),
    ("run", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(Floats), ctypes.POINTER(Floats)]),
]:
    function = getattr(library, "nnrun_" + name)
    function.restype, function.argtypes = result, arguments


def load(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return library.nnrun_load(file.name.encode(), 1)


def run(model, rows, inputs, lengths):
    """The status of a run, and lists of so many numbers as each output has."""
    taken = [(ctypes.c_float * len(values))(*values) for values in inputs]
    given = [(ctypes.c_float * length)() for length in lengths]
    pointers = [(Floats * len(arrays))(*[ctypes.cast(array, Floats) for array in arrays]) for arrays in (taken, given)]
    return library.nnrun_run(model, rows, *pointers), [list(array) for array in given]


def shape(function, model, index, rows):
    sizes = (ctypes.c_int64 * 8)()
    rank = function(model, index, rows, sizes, 8)
    return list(sizes)[:rank]


class LibraryTests(unittest.TestCase):
    def assertFails(self, status, part):
        self.assertEqual(library.nnrun_last_status(), status, library.nnrun_last_error())
        self.assertIn(part, library.nnrun_last_error().decode())

    def test_runs_a_model(self):
        model = library.nnrun_load(NEURON.encode(), 0)
        self.assertTrue(model, library.nnrun_last_error())
        self.assertEqual(library.nnrun_input_count(model), 1)
        self.assertEqual(library.nnrun_output_count(model), 1)
        self.assertEqual(library.nnrun_input_name(model, 0), b"features")
        self.assertEqual(library.nnrun_output_name(model, 0), b"neuron")
        self.assertEqual(shape(library.nnrun_input_shape, model, 0, 3), [3, 2])
        self.assertEqual(shape(library.nnrun_output_shape, model, 0, 3), [3, 1])
        for rows in (3, 1, 2, 4, 5, 3):
            status, (scores,) = run(model, rows, [[1, 2, 2, 1, -1, -2, 0, 0, 0, 0][: 2 * rows]], [rows])
            self.assertEqual(status, 0)
            for score, expected in zip(scores, [0.4255575, 0.5, 0.5744425, 0.5, 0.5]):
                self.assertAlmostEqual(score, expected, places=6)
        self.assertEqual(run(model, 0, [[]], [0]), (0, [[]]))
        library.nnrun_free(model)

    def test_runs_several_inputs_and_outputs_and_sizes(self):
        model = load(
            "nnrun: 1\ninputs: {a: {shape: [N, 1, H, 2]}, b: {shape: [N, 1, H, 2]}}\n"
            "layers: [{name: total, type: add, input: [a, b]}, {name: mean, type: gap}]\noutputs: [total, mean]\n"
        )
        self.assertEqual([library.nnrun_input_name(model, i) for i in (0, 1)], [b"a", b"b"])
        self.assertEqual(shape(library.nnrun_output_shape, model, 0, 1), [1, 1, -1, 2])
        self.assertEqual(run(model, 1, [[0] * 6] * 2, [6, 1])[0], USAGE)
        self.assertFails(USAGE, "nnrun_set_size")
        self.assertEqual(library.nnrun_set_size(model, b"H", 3), 0)
        self.assertEqual(shape(library.nnrun_output_shape, model, 0, 1), [1, 1, 3, 2])
        status, (total, mean) = run(model, 1, [[1, 2, 3, 4, 5, 6], [1] * 6], [6, 1])
        self.assertEqual((status, total, mean), (0, [2, 3, 4, 5, 6, 7], [4.5]))
        for symbol, size in [(b"N", 3), (b"W", 3), (b"H", 0), (b"H", -1), (None, 1)]:
            self.assertEqual(library.nnrun_set_size(model, symbol, size), USAGE)
        library.nnrun_free(model)

    def test_double_precision_models_take_and_give_single(self):
        model = load(pathlib.Path(NEURON).read_text().replace("nnrun: 1\n", "nnrun: 1\ndtype: float64\n", 1))
        status, (scores,) = run(model, 1, [[1, 2]], [1])
        self.assertEqual(status, 0)
        self.assertAlmostEqual(scores[0], 0.4255575, places=6)
        library.nnrun_free(model)

    def test_says_what_is_wrong_in_a_model(self):
        self.assertIsNone(library.nnrun_load(b"/nowhere/model.yaml", 0))
        self.assertFails(CANNOT_READ, "/nowhere/model.yaml")
        self.assertIsNone(load("nnrun: 1\ninputs: {x: {shape: [N, 2]}}\nlayers: [{name: a, type: rleu}]\n"))
        self.assertFails(INVALID_DATA, "did you mean")
        for path in (b"", b"\xff\xfe", b"models", b"/dev/null", None):
            self.assertIsNone(library.nnrun_load(path, 0))
            self.assertNotEqual(library.nnrun_last_status(), 0)
        for threads in (-1, 1025, 2**31 - 1):
            self.assertIsNone(library.nnrun_load(NEURON.encode(), threads))
            self.assertFails(USAGE, "threads")

    def test_answers_every_mistake_with_a_status(self):
        model = library.nnrun_load(NEURON.encode(), 2)
        for index in (-1, 1, 2**63 - 1, -(2**63)):
            self.assertIsNone(library.nnrun_input_name(model, index))
            self.assertIsNone(library.nnrun_output_name(model, index))
            self.assertEqual(library.nnrun_input_shape(model, index, 1, None, 0), -1)
            self.assertEqual(library.nnrun_output_shape(model, index, 1, None, 0), -1)
            self.assertFails(USAGE, "index")
        for capacity in (0, -1, -(2**63)):
            self.assertEqual(library.nnrun_input_shape(model, 0, 1, (ctypes.c_int64 * 1)(), capacity), 2)
        self.assertEqual(library.nnrun_input_shape(model, 0, 2**63 - 1, None, 9), 2)
        for rows in (-1, 2**31, 2**63 - 1, -(2**63)):
            self.assertEqual(run(model, rows, [[1, 2]], [1])[0], USAGE)
        self.assertEqual(library.nnrun_run(model, 1, None, None), USAGE)
        self.assertEqual(library.nnrun_run(model, 1, (Floats * 1)(), (Floats * 1)()), USAGE)
        self.assertFails(USAGE, "`features`")
        library.nnrun_free(model)
        library.nnrun_free(None)
        self.assertEqual(library.nnrun_input_count(None), -1)
        self.assertEqual(library.nnrun_run(None, 1, None, None), USAGE)
        self.assertFails(USAGE, "NULL")

    def test_threads_have_errors_of_their_own_and_may_share_a_model(self):
        library.nnrun_load(b"/nowhere/one.yaml", 0)
        model = library.nnrun_load(NEURON.encode(), 1)
        seen, results = [], []

        def work():
            seen.append((library.nnrun_last_status(), library.nnrun_last_error()))
            for rows in range(1, 8):
                results.append(run(model, rows, [[1, 2] * rows], [rows]))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(seen, [(0, b"")] * 4)
        self.assertEqual(len({score for _, (scores,) in results for score in scores}), 1)
        self.assertFails(CANNOT_READ, "one.yaml")
        library.nnrun_free(model)


if __name__ == "__main__":
    unittest.main()
