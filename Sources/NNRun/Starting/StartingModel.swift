public import Diagnostics
import YAML

/// A small, commented model to begin from.
public struct StartingModel: Sendable {
  /// What the model is for.
  public enum Task: String, Sendable, CaseIterable {
    case neuron, mlp, convnet, resnet

    /// The task in a few words.
    public var summary: String {
      switch self {
      case .neuron: "one neuron over rows of features: logistic or linear regression"
      case .mlp: "a network of two dense layers over rows of features"
      case .convnet: "a small convolutional network over images"
      case .resnet: "a small residual network over images, with repeated blocks"
      }
    }

    fileprivate var isOfImages: Bool { self == .convnet || self == .resnet }

    /// The data that the model is made for where there is none.
    fileprivate var usualData: StartingData {
      switch self {
      case .neuron: StartingData(shape: [2], target: .binary)
      case .mlp: StartingData(shape: [4], target: .classes(3))
      case .convnet: StartingData(shape: [1, 28, 28], target: .classes(10))
      case .resnet: StartingData(shape: [3, 32, 32], target: .classes(10))
      }
    }
  }

  private let task: Task
  private let data: StartingData
  private let target: StartingData.Target
  /// Whether the channels of the images come last.
  private let isChannelsLast: Bool

  /// The model of a task for some data. Throws `invalidData` where the data does not fit the task.
  public init(_ task: Task, for given: StartingData? = nil) throws(Failure) {
    self.task = task
    data = given ?? task.usualData
    target = data.target ?? task.usualData.target ?? .binary
    let shape = data.shape
    guard task.isOfImages else {
      isChannelsLast = false
      return
    }
    guard shape.count == 3 else {
      let hint =
        shape.count == 2
        ? "; numpy's `x[:, None]` gives images without colours the channel that they lack"
        : "; `nnrun init mlp` takes rows"
      throw Failure(
        .invalidData,
        "`\(task.rawValue)` needs images, [N, channels, height, width], but a row of the input is \(shapeText(shape))\(hint)"
      )
    }
    isChannelsLast = shape[2] <= 4 && shape[0] > 4
    guard imageSize >= 4 else {
      throw Failure(
        .invalidData,
        "`\(task.rawValue)` needs images of 4 by 4 or more, but a row of the input is \(shapeText(shape)); `nnrun init mlp` takes any"
      )
    }
  }

  /// The model's text. `name` is the model's own, `schema` where its editor finds the schema.
  public func text(name: String, schema: String) -> String {
    var text = """
      # yaml-language-server: $schema=\(schema)
      nnrun: 1
      name: \(scalarText(name))
      description: \(description)
      \(isChannelsLast ? "layout: nhwc                # channels last, as in the data\n" : "")
      inputs:
        \(inputName): {shape: [\((["N"] + data.shape.map(String.init)).joined(separator: ", "))]}   # \(shapeComment)

      """
    text += blocks + "\nlayers:\n"
    if data.needsScaling {
      text +=
        "  - {name: scale, type: batchnorm}   # the numbers as they come are too large or too small to train well\n"
    }
    text += layers + lastLayer + "\n" + training
    return text
  }

  private var description: String {
    switch task {
    case .neuron: "one neuron; say here what its features are and what it answers"
    case .mlp: "a small network of dense layers; say here what its features are and what it answers"
    case .convnet: "a small convolutional network; say here what it sees and what it answers"
    case .resnet: "a small residual network; say here what it sees and what it answers"
    }
  }

  private var inputName: String { task.isOfImages ? "image" : "features" }

  private var shapeComment: String {
    let axes =
      task.isOfImages
      ? isChannelsLast ? "images of height, width, channels" : "images of channels, height, width" : "rows of features"
    return "N stands for any number of \(axes)"
  }

  // MARK: Layers

  private var imageSize: Int { isChannelsLast ? min(data.shape[0], data.shape[1]) : min(data.shape[1], data.shape[2]) }

  private var layers: String {
    switch task {
    case .neuron: return flattening
    case .mlp:
      return flattening + """
          - {name: hidden, type: dense, units: 32, activation: relu}   # more units can learn more, and need more data

        """
    case .convnet: return convolutions
    case .resnet: return stages
    }
  }

  /// Rows that are not flat are made so.
  private var flattening: String {
    data.shape.count > 1 ? "  - {name: row, type: flatten}   # all numbers of an example in one row\n" : ""
  }

  private var convolutions: String {
    var text = "  # Each convolution looks for patterns; each pooling halves height and width.\n"
    var size = imageSize
    for (number, filters) in [16, 32, 64].enumerated() where number == 0 || size >= 4 {
      text += """
          - {name: conv\(number + 1), type: conv2d, filters: \(filters), kernel: 3, padding: 1, bias: false}
          - {name: bn\(number + 1), type: batchnorm}
          - {name: relu\(number + 1), type: relu}
          - {name: pool\(number + 1), type: maxpool, kernel: 2}

        """
      size /= 2
    }
    return text + "  - {name: mean, type: gap}   # one number a filter: how much of it there is, wherever it is\n"
  }

  private var blocks: String {
    guard task == .resnet else { return "" }
    return """

      blocks:
        basic:
          description: two convolutions, around which the input passes as it is
          parameters: {channels: 16, stride: 1}
          layers:
            - name: unit
              type: residual
              body:
                - {name: conv1, type: conv2d, filters: $channels, kernel: 3, stride: $stride, padding: 1, bias: false}
                - {name: bn1, type: batchnorm}
                - {name: relu1, type: relu}
                - {name: conv2, type: conv2d, filters: $channels, kernel: 3, padding: 1, bias: false}
                - {name: bn2, type: batchnorm}
              shortcut:           # with stride 1 and as many channels as came in, this is the identity
                - {name: subsample, type: maxpool, kernel: 1, stride: $stride}
                - {name: widen, type: pad-channels, channels: $channels}

      """
  }

  private var stages: String {
    var text = """
        - {name: stem, type: conv2d, filters: 16, kernel: 3, padding: 1, bias: false}
        - {name: stem-bn, type: batchnorm}
        - {name: stem-relu, type: relu}
        # Each stage repeats the block; all but the first begin by halving height and width.
        - {name: stage1, block: basic, repeat: 2, with: {channels: 16}}

      """
    var size = imageSize
    for (number, channels) in [(2, 32), (3, 64)] where size >= 8 {
      text += "  - {name: stage\(number), block: basic, repeat: 2, with: {channels: \(channels)}, first: {stride: 2}}\n"
      size /= 2
    }
    return text + "  - {name: mean, type: gap}   # one number a channel: how much of it there is, wherever it is\n"
  }

  private var lastLayer: String {
    switch target {
    case .binary: "  - {name: answer, type: dense-sigmoid, units: 1}   # from 0, surely not, to 1, surely\n"
    case .classes(let count):
      "  - {name: classes, type: dense, units: \(count), activation: softmax}   # a share for each class\n"
    case .shares(let count):
      "  - {name: answers, type: dense-sigmoid, units: \(count)}   # each from 0 to 1, by itself\n"
    case .numbers(let count): "  - {name: answer, type: dense, units: \(count)}   # any numbers\n"
    }
  }

  // MARK: Training

  private var training: String {
    let loss =
      switch target {
      case .binary: "binary-cross-entropy   # for answers of yes and no"
      case .classes: "cross-entropy   # for classes"
      case .shares: "binary-cross-entropy   # for several answers of yes and no"
      case .numbers: "mse   # for numbers"
      }
    let (rate, epochs) =
      switch task {
      case .neuron: ("0.05", 50)
      case .mlp: ("0.01", 30)
      case .convnet: ("{type: cosine, initial: 0.01, final: 0.0001}", 10)
      case .resnet: ("{type: cosine, initial: 0.01, final: 0.0001}", 10)
      }
    return """
      training:
        loss: \(loss)
        optimizer: adam
        learning-rate: \(rate)   # too high, and the loss jumps; too low, and it crawls
        epochs: \(epochs)   # how many times training goes over the data
        batch-size: 32
        seed: 7   # the same seed gives the same training

      """
  }
}
