"""A graph as a JAX function of parameters, running statistics and images with their channels last, for training."""
import jax
import jax.numpy as jnp
import numpy as np


def make(graph):
    parameters, statistics = {}, {}
    for node in graph.nodes:
        p = node.parameters
        if node.kind == "conv":
            parameters[node.output] = {**p, "weight": np.ascontiguousarray(p["weight"].transpose(2, 3, 1, 0))}
        elif node.kind == "dense":
            parameters[node.output] = {"weight": np.ascontiguousarray(p["weight"].T), "bias": p["bias"]}
        elif node.kind == "norm":
            parameters[node.output] = {"gamma": p["gamma"], "beta": p["beta"]}
            statistics[node.output] = {"mean": p["mean"], "variance": p["variance"]}

    def forward(parameters, statistics, x):
        values, updated = {graph.input: x}, {}
        for node in graph.nodes:
            x = values[node.inputs[0]]
            p = parameters.get(node.output)
            if node.kind == "conv":
                y = jax.lax.conv_general_dilated(
                    x,
                    p["weight"],
                    (node.stride,) * 2,
                    ((node.padding,) * 2,) * 2,
                    dimension_numbers=("NHWC", "HWIO", "NHWC"),
                )
                y = y + p["bias"] if "bias" in p else y
            elif node.kind == "dense":
                y = x @ p["weight"] + p["bias"]
            elif node.kind == "norm":
                y, updated[node.output] = _normalised(x, p, statistics[node.output], node.epsilon)
            elif node.kind == "maxpool":
                size, step, pad = node.kernel, node.stride, (node.padding,) * 2
                window = (1, size, size, 1), (1, step, step, 1), ((0, 0), pad, pad, (0, 0))
                y = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, *window)
            elif node.kind == "add":
                y = x + values[node.inputs[1]]
            else:
                y = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "gap": lambda x: x.mean((1, 2))}[node.kind](x)
            values[node.output] = y
        return values[graph.output], updated

    return jax.tree.map(jnp.asarray, parameters), jax.tree.map(jnp.asarray, statistics), forward


def _normalised(x, p, running, epsilon):
    mean = x.mean((0, 1, 2))
    variance = jnp.maximum((x * x).mean((0, 1, 2)) - mean * mean, 0)
    count = x.size // x.shape[-1]
    updated = {
        "mean": 0.9 * running["mean"] + 0.1 * mean,
        "variance": 0.9 * running["variance"] + 0.1 * variance * count / (count - 1),
    }
    scale = p["gamma"] * jax.lax.rsqrt(variance + epsilon)
    return x * scale + (p["beta"] - mean * scale), updated
