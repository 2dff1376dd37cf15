"""The networks that are measured, as model files of nnrun: every peer gets them through `nnrun export`.

The ResNets are those of He et al. 2015 (CIFAR's with projections as shortcuts, which every runtime has fast kernels for);
the odd ones have widths, kernels and images that nobody tuned for. Weights are drawn by nnrun from the paths of the
parameters, so that they are the same on every machine.
"""

# Running statistics and scales that are not trivial, so that folding them is part of the check.
NORM = "type: batchnorm, gamma: 0.9, beta: 0.05, mean: 0.1, variance: 1.8"

TRAINING = """
training:
  loss: cross-entropy
  optimizer: {type: sgd, momentum: 0.9}
  learning-rate: 0.01
"""

BASIC = f"""
  basic:
    parameters: {{channels: 16}}
    layers:
      - name: unit
        type: residual
        body:
          - {{name: conv1, type: conv2d, filters: $channels, kernel: 3, padding: 1, bias: false}}
          - {{name: bn1, {NORM}}}
          - {{name: relu1, type: relu}}
          - {{name: conv2, type: conv2d, filters: $channels, kernel: 3, padding: 1, bias: false}}
          - {{name: bn2, {NORM}}}
  entrance:
    parameters: {{channels: 16, stride: 2}}
    layers:
      - name: unit
        type: residual
        body:
          - {{name: conv1, type: conv2d, filters: $channels, kernel: 3, stride: $stride, padding: 1, bias: false}}
          - {{name: bn1, {NORM}}}
          - {{name: relu1, type: relu}}
          - {{name: conv2, type: conv2d, filters: $channels, kernel: 3, padding: 1, bias: false}}
          - {{name: bn2, {NORM}}}
        shortcut:
          - {{name: project, type: conv2d, filters: $channels, kernel: 1, stride: $stride, bias: false}}
          - {{name: project-bn, {NORM}}}
"""

BOTTLENECK = f"""
  bottleneck:
    parameters: {{width: 64, channels: 256}}
    layers:
      - name: unit
        type: residual
        body:
          - {{name: conv1, type: conv2d, filters: $width, kernel: 1, bias: false}}
          - {{name: bn1, {NORM}}}
          - {{name: relu1, type: relu}}
          - {{name: conv2, type: conv2d, filters: $width, kernel: 3, padding: 1, bias: false}}
          - {{name: bn2, {NORM}}}
          - {{name: relu2, type: relu}}
          - {{name: conv3, type: conv2d, filters: $channels, kernel: 1, bias: false}}
          - {{name: bn3, {NORM}}}
  entrance:
    parameters: {{width: 64, channels: 256, stride: 2}}
    layers:
      - name: unit
        type: residual
        body:
          - {{name: conv1, type: conv2d, filters: $width, kernel: 1, bias: false}}
          - {{name: bn1, {NORM}}}
          - {{name: relu1, type: relu}}
          - {{name: conv2, type: conv2d, filters: $width, kernel: 3, stride: $stride, padding: 1, bias: false}}
          - {{name: bn2, {NORM}}}
          - {{name: relu2, type: relu}}
          - {{name: conv3, type: conv2d, filters: $channels, kernel: 1, bias: false}}
          - {{name: bn3, {NORM}}}
        shortcut:
          - {{name: project, type: conv2d, filters: $channels, kernel: 1, stride: $stride, bias: false}}
          - {{name: project-bn, {NORM}}}
"""


def _model(name, shape, layers, blocks="", training=TRAINING):
    sizes = ", ".join(["N"] + [str(size) for size in shape])
    blocks = f"blocks:{blocks}" if blocks else ""
    lines = "\n".join(f"  - {{{layer}}}" for layer in layers)
    return f"nnrun: 1\nname: {name}\ninputs:\n  x: {{shape: [{sizes}]}}\n{blocks}layers:\n{lines}\n{training}"


def _stem(filters, kernel, stride=1):
    return [
        f"name: stem, type: conv2d, filters: {filters}, kernel: {kernel}, stride: {stride}, padding: {kernel // 2}, bias: false",
        f"name: stem-bn, {NORM}",
        "name: stem-relu, type: relu",
    ]


def _head(classes):
    return ["name: pool, type: gap", f"name: scores, type: dense, units: {classes}"]


POOL = "name: stem-pool, type: maxpool, kernel: 3, stride: 2, padding: 1"


def neuron():
    training = "training: {loss: mse, optimizer: {type: sgd}, learning-rate: 0.1, batch-size: full, shuffle: false}\n"
    return _model("neuron", [2], ["name: out, type: dense-sigmoid, units: 1"], training=training)


def mlp():
    return _model(
        "mlp",
        [64],
        [
            "name: hidden1, type: dense, units: 256, activation: relu",
            "name: hidden2, type: dense, units: 256, activation: relu",
            "name: scores, type: dense, units: 10",
        ],
    )


def resnet20():
    return _model(
        "resnet20",
        [3, 32, 32],
        _stem(16, 3)
        + ["name: stage1, block: basic, repeat: 3, with: {channels: 16}"]
        + [
            part
            for stage, channels in ((2, 32), (3, 64))
            for part in (
                f"name: stage{stage}-first, block: entrance, with: {{channels: {channels}}}",
                f"name: stage{stage}, block: basic, repeat: 2, with: {{channels: {channels}}}",
            )
        ]
        + _head(10),
        BASIC,
    )


def resnet18():
    layers = _stem(64, 7, 2) + [POOL, "name: stage1, block: basic, repeat: 2, with: {channels: 64}"]
    for stage, channels in ((2, 128), (3, 256), (4, 512)):
        layers.append(f"name: stage{stage}-first, block: entrance, with: {{channels: {channels}}}")
        layers.append(f"name: stage{stage}, block: basic, with: {{channels: {channels}}}")
    return _model("resnet18", [3, 224, 224], layers + _head(1000), BASIC)


def resnet50():
    layers = _stem(64, 7, 2) + [POOL]
    for stage, width, more in ((1, 64, 2), (2, 128, 3), (3, 256, 5), (4, 512, 2)):
        stride = 1 if stage == 1 else 2
        sizes = f"width: {width}, channels: {4 * width}"
        layers.append(f"name: stage{stage}-first, block: entrance, with: {{{sizes}, stride: {stride}}}")
        layers.append(f"name: stage{stage}, block: bottleneck, repeat: {more}, with: {{{sizes}}}")
    return _model("resnet50", [3, 224, 224], layers + _head(1000), BOTTLENECK)


def odd_residual():
    """A residual network of 13, 27 and 51 channels over images of 37 by 53 pixels."""
    layers = _stem(13, 3) + ["name: stage1, block: basic, repeat: 2, with: {channels: 13}"]
    for stage, channels in ((2, 27), (3, 51)):
        layers.append(f"name: stage{stage}-first, block: entrance, with: {{channels: {channels}}}")
        layers.append(f"name: stage{stage}, block: basic, with: {{channels: {channels}}}")
    return _model("odd-residual", [3, 37, 53], layers + _head(7), BASIC)


def odd_kernels():
    """Kernels of 5 by 5, 7 by 7, 1 by 1 and 3 by 3 with strides, over images of 61 by 45 pixels."""
    convolutions = [(20, 5, 1), (28, 3, 2), (44, 7, 1), (36, 1, 1), (60, 5, 2), (60, 3, 1), (76, 3, 1)]
    layers = []
    for index, (filters, kernel, stride) in enumerate(convolutions):
        layers += [
            f"name: conv{index}, type: conv2d, filters: {filters}, kernel: {kernel}, stride: {stride}, "
            f"padding: {kernel // 2}, bias: false",
            f"name: bn{index}, {NORM}",
            f"name: relu{index}, type: relu",
        ]
    return _model("odd-kernels", [3, 61, 45], layers + _head(11))


def odd_plain():
    """Plain 3 by 3 convolutions with biases and no normalisation, widths of 10 to 90, over images of 97 by 71 pixels."""
    layers = []
    for index, (filters, stride) in enumerate([(10, 1), (22, 2), (42, 1), (42, 1), (90, 2), (90, 1)]):
        layers += [
            f"name: conv{index}, type: conv2d, filters: {filters}, kernel: 3, stride: {stride}, padding: 1",
            f"name: relu{index}, type: relu",
        ]
    return _model("odd-plain", [1, 97, 71], layers + _head(5))


NETWORKS = {
    "neuron": neuron,
    "mlp": mlp,
    "resnet20": resnet20,
    "resnet18": resnet18,
    "resnet50": resnet50,
    "odd-residual": odd_residual,
    "odd-kernels": odd_kernels,
    "odd-plain": odd_plain,
}
