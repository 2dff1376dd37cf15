"""Writes a graph as ncnn's .param and .bin, folded as ncnn's own optimiser would."""
import numpy as np

ACTIVATION = {"": [], "relu": ["9=1"], "sigmoid": ["9=4"]}


def write(graph, shapes, base):
    """`shapes` are those of every value without the batch; ncnn chooses its Winograd tile by them."""
    nodes = graph.folded()
    uses = {}
    for node in nodes:
        for name in node.inputs:
            uses[name] = uses.get(name, 0) + 1
    layers, blobs, weights, taken = [], set(), [], {}

    def emit(kind, inputs, outputs, arguments):
        blobs.update(outputs)
        shape = shapes.get(outputs[0].split("/split")[0])
        if shape:
            hint = ",".join(str(size) for size in [len(shape), *reversed(shape), *[1] * (3 - len(shape))])
            arguments = arguments + [f"-23330={4 * len(outputs)}," + ",".join([hint] * len(outputs))]
        words = [kind, f"layer{len(layers)}", str(len(inputs)), str(len(outputs)), *inputs, *outputs, *arguments]
        layers.append(" ".join(words))
        # A value with several users goes through a layer that copies it.
        if kind != "Split" and uses.get(outputs[0], 0) > 1:
            emit("Split", outputs, [f"{outputs[0]}/split{index}" for index in range(uses[outputs[0]])], [])

    def use(name):
        if uses[name] == 1:
            return name
        taken[name] = taken.get(name, 0) + 1
        return f"{name}/split{taken[name] - 1}"

    emit("Input", [], [graph.input], [f"{key}={size}" for key, size in enumerate(reversed(graph.input_shape))])
    for node in nodes:
        inputs = [use(name) for name in node.inputs]
        parameters = node.parameters
        if node.kind == "conv":
            filters = len(parameters["bias"])
            emit(
                "Convolution",
                inputs,
                [node.output],
                [f"0={filters}", f"1={node.kernel}", "2=1", f"3={node.stride}", f"4={node.padding}", "5=1"]
                + [f"6={parameters['weight'].size}"]
                + ACTIVATION[node.activation],
            )
        elif node.kind == "dense":
            sizes = [f"0={len(parameters['bias'])}", "1=1", f"2={parameters['weight'].size}"]
            emit("InnerProduct", inputs, [node.output], sizes + ACTIVATION[node.activation])
        elif node.kind == "add":
            sum_name = node.output + "/sum" if node.activation else node.output
            emit("BinaryOp", inputs, [sum_name], ["0=0"])
            if node.activation:
                emit("ReLU", [sum_name], [node.output], [])
        elif node.kind == "maxpool":
            window = [f"1={node.kernel}", f"2={node.stride}", f"3={node.padding}"]
            emit("Pooling", inputs, [node.output], ["0=0", *window, "5=1"])
        elif node.kind == "gap":
            emit("Pooling", inputs, [node.output], ["0=1", "4=1"])
        else:
            emit({"relu": "ReLU", "sigmoid": "Sigmoid"}[node.kind], inputs, [node.output], [])
        if parameters:
            weights.append(np.zeros(1, np.uint32).tobytes())  # what follows is float32
            weights.append(parameters["weight"].astype("<f4").tobytes())
            weights.append(parameters["bias"].astype("<f4").tobytes())
    with open(base + ".param", "w") as file:
        file.write("7767517\n%d %d\n%s\n" % (len(layers), len(blobs), "\n".join(layers)))
    with open(base + ".bin", "wb") as file:
        file.write(b"".join(weights))
