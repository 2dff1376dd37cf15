public import Graph

/// `pad-channels`: channels of zeros after those of the input, up to `channels` of them.
///
/// [N, C, H, W] -> [N, channels, H, W]. With a subsampling before it, the shortcut without parameters of He et al. 2015
/// (option A).
public struct PadChannelsLayer: Layer {
  public static let type = "pad-channels"
  private let channels: Int

  public init(_ attributes: LayerAttributes) throws(LayerError) { channels = attributes.integer("channels") ?? 1 }

  public func summary(parameters: [[Int]]) -> String { "pad to \(channels) channels" }

  public func build(_ context: inout LayerContext, inputs: [ValueID], parameters: [ValueID]) throws(ShapeError)
    -> ValueID
  {
    try context.apply(PadChannels(channels: channels), to: inputs[0])
  }
}
