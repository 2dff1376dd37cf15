"""Writes a network of dense layers as a .tflite file, with the schema that LiteRT's own package has."""
import numpy as np


def write(graph, batch, path):
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, subgraph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [subgraph], [schema.BufferT()], []
    subgraph.tensors, subgraph.operators = [], []
    tensors, codes = {}, {}

    def tensor(name, shape, values=None):
        result = schema.TensorT()
        result.name, result.shape, result.type = name, np.array(shape, np.int32), schema.TensorType.FLOAT32
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            model.buffers.append(buffer)
            result.buffer = len(model.buffers) - 1
        subgraph.tensors.append(result)
        tensors[name] = len(subgraph.tensors) - 1
        return tensors[name]

    def operator(code, inputs, output, options_type=0, options=None):
        if code not in codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
            model.operatorCodes.append(entry)
            codes[code] = len(model.operatorCodes) - 1
        result = schema.OperatorT()
        result.opcodeIndex = codes[code]
        result.inputs, result.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        result.builtinOptionsType, result.builtinOptions = options_type, options
        subgraph.operators.append(result)

    code, options_type = schema.BuiltinOperator, schema.BuiltinOptions
    tensor(graph.input, [batch, *graph.input_shape])
    for node in graph.folded():
        assert node.kind == "dense", "only dense layers are written"
        weight, bias = node.parameters["weight"], node.parameters["bias"]
        options = schema.FullyConnectedOptionsT()
        functions = schema.ActivationFunctionType
        options.fusedActivationFunction = functions.RELU if node.activation == "relu" else functions.NONE
        inputs = [
            tensors[node.inputs[0]],
            tensor(node.output + "/weight", weight.shape, weight),
            tensor(node.output + "/bias", bias.shape, bias),
        ]
        raw = node.output + "/raw" if node.activation == "sigmoid" else node.output
        operator(
            code.FULLY_CONNECTED,
            inputs,
            tensor(raw, [batch, len(bias)]),
            options_type.FullyConnectedOptions,
            options,
        )
        if node.activation == "sigmoid":
            operator(code.LOGISTIC, [tensors[raw]], tensor(node.output, [batch, len(bias)]))
    subgraph.inputs = np.array([tensors[graph.input]], np.int32)
    subgraph.outputs = np.array([tensors[graph.output]], np.int32)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    with open(path, "wb") as file:
        file.write(bytes(builder.Output()))
