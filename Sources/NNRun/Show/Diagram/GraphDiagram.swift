import Graph
public import ModelFile

/// The drawing of a model: cards of layers, in frames of blocks and residuals, joined by arrows.
public struct GraphDiagram: Sendable {
  /// What a band stands for.
  enum Kind: String, Sendable, CaseIterable {
    case input, convolution, dense, normalisation, activation, pooling, join, other, output
  }

  /// A layer, an input or an output in a card.
  struct Band: Sendable {
    let title: String
    /// What stands behind the title.
    let detail: String
    let kind: Kind
  }

  /// A thing of a drawing.
  enum Item: Sendable {
    /// Where something from outside a frame comes in.
    case entry
    /// Where the value of a frame goes out.
    case exit
    /// Layers that follow one upon another, without another way in or out.
    case card([Band])
    /// A frame around things.
    case group(Group)
  }

  /// A frame: a residual, or a block where it is used.
  struct Group: Sendable {
    var title: String
    /// How many times the same follows upon itself; one is drawn.
    var repeats: Int
    let scene: Scene

    /// The title with the number of repetitions.
    var caption: String { repeats > 1 ? "\(title)  ×\(repeats)" : title }
  }

  /// An arrow between two items of a scene.
  struct Arrow: Sendable {
    let from: Int
    let to: Int
    /// Which of the entries of a frame it leads to.
    let entry: Int
    /// The shape that flows along it; empty where it is told outside the frame.
    let label: String
  }

  /// Things and the arrows between them, each thing after what leads to it; a frame's entries come first.
  struct Scene: Sendable {
    var items: [Item] = []
    var arrows: [Arrow] = []
  }

  /// The model's name.
  let name: String
  /// The whole drawing.
  let scene: Scene

  /// The drawing of the layers that a model's outputs need. Blocks that repeat without a change are drawn once.
  public init(_ model: Model) {
    name = model.name
    scene = DiagramBuilder(model).scene
  }
}
