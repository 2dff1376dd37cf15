/// What is put around an image before a window slides over it.
public enum Padding: Sendable, Hashable {
  /// So many rows and columns on each side.
  case explicit(top: Int, left: Int, bottom: Int, right: Int)
  /// As many as make the output ceil(input / stride), the odd one at the end.
  case same

  /// No padding.
  public static let none = Padding.explicit(top: 0, left: 0, bottom: 0, right: 0)
}

/// The geometry of a window that slides over the two spatial axes: worked out here and nowhere else.
public struct Window: Sendable, Hashable {
  /// One of the two spatial axes.
  public enum Axis: Int, Sendable, CaseIterable {
    /// The rows of an image.
    case height
    /// The columns of an image.
    case width

    var name: String { self == .height ? "height" : "width" }
  }

  /// The window's height and width.
  public let kernel: [Int]
  /// How far it moves at a step, down and across.
  public let stride: [Int]
  /// How far apart the cells of the window lie, down and across.
  public let dilation: [Int]
  /// What is put around the image.
  public let padding: Padding

  /// A window; each list has two entries, height first, each at least 1.
  public init(kernel: [Int], stride: [Int] = [1, 1], dilation: [Int] = [1, 1], padding: Padding = .none) {
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.padding = padding
  }

  /// The span of input cells that the window covers on an axis: dilation * (kernel - 1) + 1.
  public func extent(_ axis: Axis) throws(ShapeError) -> Int {
    let (span, overflow1) = dilation[axis.rawValue].multipliedReportingOverflow(by: kernel[axis.rawValue] - 1)
    let (extent, overflow2) = span.addingReportingOverflow(1)
    guard !overflow1, !overflow2 else { throw .overflow }
    return extent
  }

  /// floor((input + pads - dilation * (kernel - 1) - 1) / stride) + 1, or ceil(input / stride) for `same`.
  public func outputSize(_ axis: Axis, input: Dimension) throws(ShapeError) -> Dimension {
    let stride = stride[axis.rawValue]
    switch padding {
    case .same:
      return try input.addingThenDividing(stride - 1, by: stride)
    case .explicit(let top, let left, let bottom, let right):
      let extent = try extent(axis)
      let (pads, overflow) = axis == .height ? top.addingReportingOverflow(bottom) : left.addingReportingOverflow(right)
      guard !overflow else { throw .overflow }
      let output = try input.addingThenDividing(pads - extent, by: stride).addingThenDividing(1)
      if let size = output.value, size < 1 {
        throw ShapeError(
          """
          the window covers \(extent) cells of the \(axis.name), but the input has only \(input) \
          \(pads == 0 ? "" : "and \(pads) of padding ")there
          """,
          hint: "a smaller kernel or dilation, or more padding, would fit", culprit: .window)
      }
      return output
    }
  }

  /// The output's height and width for an input of shape [batch, channels, height, width].
  public func outputSizes(_ input: Shape) throws(ShapeError) -> Shape {
    [try outputSize(.height, input: input[2]), try outputSize(.width, input: input[3])]
  }

  /// The rows above (or columns left of) the image, for a known input size.
  public func leadingPadding(_ axis: Axis, input: Int) -> Int {
    switch padding {
    case .explicit(let top, let left, _, _): return axis == .height ? top : left
    case .same: return totalSamePadding(axis, input: input) / 2
    }
  }

  /// The rows below (or columns right of) the image, for a known input size.
  public func trailingPadding(_ axis: Axis, input: Int) -> Int {
    switch padding {
    case .explicit(_, _, let bottom, let right): return axis == .height ? bottom : right
    case .same:
      let total = totalSamePadding(axis, input: input)
      return total - total / 2
    }
  }

  private func totalSamePadding(_ axis: Axis, input: Int) -> Int {
    let stride = stride[axis.rawValue]
    let output = (input + stride - 1) / stride
    let extent = dilation[axis.rawValue] * (kernel[axis.rawValue] - 1) + 1
    return max((output - 1) * stride + extent - input, 0)
  }

  /// The input cells on one axis that the window at `output` covers and that lie inside the image, each with its index in
  /// the kernel.
  @inlinable
  public func cells(_ axis: Axis, output: Int, input: Int) -> [(kernel: Int, input: Int)] {
    let start = output * stride[axis.rawValue] - leadingPadding(axis, input: input)
    let dilation = dilation[axis.rawValue]
    // Only those inside: a kernel may be far larger than the image.
    let first = start >= 0 ? 0 : (dilation - 1 - start) / dilation
    let last = start < input ? min(kernel[axis.rawValue] - 1, (input - 1 - start) / dilation) : -1
    guard first <= last else { return [] }
    return (first...last).map { ($0, start + $0 * dilation) }
  }
}
