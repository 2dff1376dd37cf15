"""Writes the files that nnrun and the peers read: one network with the same weights in the form of each."""
import os
import subprocess

import numpy as np
import onnx

import ncnn_file
import tflite_file
from graph import Graph
from networks import NETWORKS


class Prepared:
    """The files of a network for one size of batch."""

    def __init__(self, nnrun, folder, network, batch):
        os.makedirs(folder, exist_ok=True)
        self.network, self.batch = network, batch
        base = os.path.join(folder, network)
        self.model, self.ncnn = base + ".yaml", base
        self.onnx_single = base + ".b1.onnx"
        self.onnx, self.tflite = f"{base}.b{batch}.onnx", f"{base}.b{batch}.tflite"
        self.input, self.target = f"{base}.b{batch}.input.npy", f"{base}.b{batch}.target.npy"
        self._write_model(nnrun, base)
        for path, rows in ((self.onnx_single, 1), (self.onnx, batch)):
            if not os.path.exists(path):
                self._fix_batch(base + ".onnx", path, rows)
        graph = Graph(self.onnx)
        self.input_shape = [batch, *graph.input_shape]
        if not os.path.exists(base + ".param"):
            ncnn_file.write(graph, self._shapes(graph), base)
        if network in ("neuron", "mlp") and not os.path.exists(self.tflite):
            try:
                tflite_file.write(graph, batch, self.tflite)
            except ImportError:
                pass  # LiteRT is left out
        if not os.path.exists(self.target):
            self._write_data(graph)

    def _write_model(self, nnrun, base):
        """The model file with drawn weights beside it, and its export; made anew when the network has changed."""
        text = NETWORKS[self.network]()
        kept = base + ".text"
        if os.path.exists(kept) and open(kept).read() == text:
            return
        for name in os.listdir(os.path.dirname(base)):
            if name.startswith(self.network + "."):
                os.remove(os.path.join(os.path.dirname(base), name))
        with open(self.model, "w") as file:
            file.write(text)
        for arguments in (
            ["weights", self.model, "--to", base + ".safetensors"],
            ["export", self.model, "--output", base + ".onnx"],
        ):
            subprocess.run([nnrun, *arguments, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        with open(kept, "w") as file:
            file.write(text)

    @staticmethod
    def _fix_batch(source, path, rows):
        """Runtimes make better plans when they know the batch."""
        model = onnx.load(source)
        for value in [*model.graph.input, *model.graph.output]:
            value.type.tensor_type.shape.dim[0].dim_value = rows
        del model.graph.value_info[:]
        onnx.save(model, path)

    def _shapes(self, graph):
        model = onnx.shape_inference.infer_shapes(onnx.load(self.onnx))
        values = [*model.graph.input, *model.graph.value_info, *model.graph.output]
        shapes = {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim][1:] for value in values}
        for node in graph.nodes:
            if node.kind == "gap":
                shapes[node.output] = shapes[node.output][:1]
        return shapes

    def _write_data(self, graph):
        generator = np.random.default_rng(7)
        if self.network == "neuron" and self.batch == 3:
            x, target = [[0, 0], [0, 1], [1, 1]], np.array([[0], [1], [1]], np.float32)
            x = np.array(x, np.float32)
        else:
            x = generator.standard_normal(self.input_shape, dtype=np.float32)
            classes = len(graph.nodes[-1].parameters.get("bias", [0]))
            target = np.arange(self.batch, dtype=np.int64) % max(classes, 1)
            if self.network == "neuron":
                target = target.astype(np.float32)[:, None]
        np.save(self.input, x)
        np.save(self.target, target)
