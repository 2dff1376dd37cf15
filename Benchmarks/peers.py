"""The peers, each at its best settings for float32 on so many threads.

A peer makes a function from the prepared files of a network: of a run (input to output), or of a training step (nothing to
the loss). Imports happen only when a peer is made, so that one that is missing costs nothing.
"""
import numpy as np

LEARNING_RATE, MOMENTUM = 0.01, 0.9
NEURON_LEARNING_RATE = 0.1


def onnxruntime(job):
    import onnxruntime as library

    options = library.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = job.threads, 1
    session = library.InferenceSession(job.onnx, options, providers=["CPUExecutionProvider"])
    name, outputs = session.get_inputs()[0].name, [session.get_outputs()[0].name]
    return library.__version__, lambda x: session.run(outputs, {name: x})[0]


def _openvino(job, path, hint, **settings):
    import openvino as library

    settings |= {"INFERENCE_NUM_THREADS": job.threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": hint}
    settings["ENABLE_CPU_PINNING"] = False
    return library, library.Core().compile_model(path, "CPU", settings)


def openvino(job):
    library, compiled = _openvino(job, job.onnx, "LATENCY")
    request, output = compiled.create_infer_request(), compiled.output(0)

    def run(x):
        request.infer({0: x}, share_inputs=True)
        return request.get_tensor(output).data

    return library.__version__, run


def openvino_streams(job):
    """A batch as single images, one stream a thread."""
    library, compiled = _openvino(job, job.onnx_single, "THROUGHPUT", NUM_STREAMS=job.threads)
    queue, results = library.AsyncInferQueue(compiled, job.threads), [None] * job.batch

    def keep(request, index):
        results[index] = request.get_output_tensor(0).data.copy()

    queue.set_callback(keep)

    def run(x):
        for index in range(job.batch):
            queue.start_async({0: x[index : index + 1]}, index)
        queue.wait_all()
        return np.concatenate(results)

    return library.__version__, run


def ncnn(job):
    import ncnn as library

    library.set_cpu_powersave(0)
    library.set_omp_num_threads(job.threads)
    network = library.Net()
    options = network.opt
    options.num_threads, options.lightmode, options.use_vulkan_compute = job.threads, True, False
    options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
    options.use_bf16_storage = False
    if hasattr(options, "use_bf16_packed"):
        options.use_bf16_packed = False
    options.use_packing_layout = options.use_winograd_convolution = options.use_sgemm_convolution = True
    pools = library.UnlockedPoolAllocator(), library.PoolAllocator()
    options.blob_allocator, options.workspace_allocator = pools
    network.load_param(job.ncnn + ".param")
    network.load_model(job.ncnn + ".bin")
    source, target = network.input_names()[0], network.output_names()[0]

    def run(x, keep=(network, pools)):
        results = []
        for image in x:  # it knows no batches
            extractor = network.create_extractor()
            extractor.input(source, library.Mat(image))
            results.append(np.array(extractor.extract(target)[1]))
        return np.stack(results)

    return library.__version__, run


def litert(job):
    import importlib.metadata

    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(job.tflite, num_threads=job.threads)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def run(x):
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return importlib.metadata.version("ai_edge_litert"), run


def _torch_network(job, channels_last):
    import torch

    from graph import Graph
    from torch_network import Network

    torch.set_num_threads(job.threads)
    graph = Graph(job.onnx)
    layout = torch.channels_last if channels_last and len(graph.input_shape) == 3 else torch.contiguous_format
    return torch, Network(graph).to(memory_format=layout), layout


def torch(job):
    """Traced, frozen (which folds normalisation), and given to oneDNN with the channels last."""
    library, network, layout = _torch_network(job, channels_last=True)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    example = library.zeros(job.input_shape).contiguous(memory_format=layout)
    with library.inference_mode():
        frozen = library.jit.freeze(library.jit.trace(network.eval(), example))
        network = library.jit.optimize_for_inference(frozen)

    def run(x):
        with library.inference_mode():
            return network(library.from_numpy(x).contiguous(memory_format=layout)).numpy()

    return library.__version__, run


def torch_step(job, channels_last=False):
    library, network, layout = _torch_network(job, channels_last)
    network.train()
    x = library.from_numpy(job.load_input()).contiguous(memory_format=layout)
    target = library.from_numpy(job.load_target())
    if job.network == "neuron":
        optimizer = library.optim.SGD(network.parameters(), lr=NEURON_LEARNING_RATE, fused=True)
        loss_of = library.nn.functional.mse_loss
    else:
        optimizer = library.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, fused=True)
        loss_of = library.nn.functional.cross_entropy

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network(x), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return library.__version__, step


def jax_step(job, loop=1):
    import jax
    import jax.numpy as jnp

    from graph import Graph
    from jax_network import make

    graph = Graph(job.onnx)
    parameters, statistics, forward = make(graph)
    x, target = job.load_input(), jnp.asarray(job.load_target())
    x = jnp.asarray(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x)
    is_neuron = job.network == "neuron"

    def loss_of(parameters, statistics):
        scores, updated = forward(parameters, statistics, x)
        if is_neuron:
            return ((scores - target) ** 2).mean(), updated
        chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), target[:, None], 1)
        return -chosen.mean(), updated

    def one(state):
        parameters, velocity, statistics, _ = state
        (loss, statistics), gradient = jax.value_and_grad(loss_of, has_aux=True)(parameters, statistics)
        rate, momentum = (NEURON_LEARNING_RATE, 0) if is_neuron else (LEARNING_RATE, MOMENTUM)
        velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, gradient)
        parameters = jax.tree.map(lambda p, v: p - rate * v, parameters, velocity)
        return parameters, velocity, statistics, loss

    many = (lambda state: jax.lax.fori_loop(0, loop, lambda _, s: one(s), state)) if loop > 1 else one
    compiled = jax.jit(many, donate_argnums=0)
    state = [(parameters, jax.tree.map(jnp.zeros_like, parameters), statistics, jnp.float32(0))]

    def step():
        state[0] = compiled(state[0])
        return state[0][3].block_until_ready()

    return jax.__version__, step


# How many steps of JAX's compiled loop one call takes.
LOOP = 10_000

RUNS = {
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "openvino-streams": openvino_streams,
    "ncnn": ncnn,
    "litert": litert,
    "torch": torch,
}
STEPS = {
    "torch": torch_step,
    "torch-channels-last": lambda job: torch_step(job, channels_last=True),
    "jax": jax_step,
    "jax-loop": lambda job: jax_step(job, loop=LOOP),
}
PACKAGES = {
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "openvino-streams": "openvino",
    "ncnn": "ncnn",
    "litert": "ai_edge_litert",
    "torch": "torch",
    "torch-channels-last": "torch",
    "jax": "jax",
    "jax-loop": "jax",
}
