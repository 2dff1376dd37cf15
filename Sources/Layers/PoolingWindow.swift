import Graph

extension LayerAttributes {
  /// The window of a pooling layer: its stride is its kernel unless given, and its padding is smaller than its kernel.
  func poolingWindow() throws(LayerError) -> Window {
    let kernel = pair("kernel") ?? [1, 1]
    let padding = padding()
    if case .explicit(let top, let left, let bottom, let right) = padding,
      max(top, bottom) >= kernel[0] || max(left, right) >= kernel[1]
    {
      throw LayerError(
        "the padding is as large as the kernel, so that a window could lie on padding alone",
        hint: "a pooling's padding has to be smaller than its kernel", key: "padding")
    }
    return Window(kernel: kernel, stride: pair("stride") ?? kernel, padding: padding)
  }
}
