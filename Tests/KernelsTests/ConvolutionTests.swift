import Kernels
import Testing

@Suite("Convolution kernels against the definition")
struct ConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let instructions: String
    let algorithm: ConvolutionMethod.Algorithm
    var testDescription: String { "\(instructions) \(algorithm)" }
  }

  static let cases: [Case] = InstructionSet.all.flatMap { set in
    [
      Case(instructions: set.name, algorithm: .direct),
      Case(instructions: set.name, algorithm: .winograd2),
      Case(instructions: set.name, algorithm: .winograd4),
    ]
  }

  @Test("3x3 with bias, residual and relu, at sizes around the tile's", arguments: cases)
  func awkwardSizes(_ given: Case) throws {
    let instructions = try #require(InstructionSet(named: given.instructions))
    var numbers = Numbers(5)
    for (channels, filters) in [(1, 1), (7, 9), (16, 40)] {
      for (height, width) in [(1, 1), (3, 4), (5, 13), (8, 9)] {
        let shape = ConvolutionShape(
          batch: 2, channels: channels, filters: filters, input: [height, width], output: [height, width],
          kernel: [3, 3], padTop: 1, padLeft: 1)
        let pixels = height * width
        let input = numbers.floats(2 * channels * pixels)
        let weights = numbers.floats(filters * channels * 9)
        let residual = numbers.floats(2 * filters * pixels)
        var epilogue = Epilogue()
        epilogue.scale = numbers.floats(filters).map(Double.init)
        epilogue.shift = numbers.floats(filters)
        epilogue.relu = true
        var expected = reference(shape, input: input, weights: weights)
        for place in expected.indices {
          let filter = place / pixels % filters
          let sum =
            expected[place] * (epilogue.scale?[filter] ?? 1) + Double(epilogue.shift?[filter] ?? 0)
            + Double(residual[place])
          expected[place] = max(sum, 0)
        }
        for (strip, panels) in [(1, 1), (7, 2), (64, 1)] {
          let method = ConvolutionMethod(given.algorithm, strip: strip, panels: panels)
          let call = try KernelCall.convolution(
            shape, method: method, weights: weights, epilogue: epilogue, instructions: instructions)
          let output = try run(
            call, input: blocked(input, batch: 2, channels: channels, pixels: pixels),
            second: blocked(residual, batch: 2, channels: filters, pixels: pixels),
            outputCount: 2 * ConvolutionShape.blocks(filters) * 8 * pixels)
          let result = unblocked(output, batch: 2, channels: filters, pixels: pixels)
          #expect(error(result, expected) < 2e-5, "\(shape) \(method)")
        }
      }
    }
  }

  @Test("any kernel, stride, dilation, padding and grouping", arguments: InstructionSet.all.map(\.name), 0..<30)
  func geometry(_ name: String, _ seed: Int) throws {
    let instructions = try #require(InstructionSet(named: name))
    var numbers = Numbers(seed)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &numbers) }
    let groups = pick(0...2) == 0 ? pick(2...9) : 1
    let kernel = [pick(1...5), pick(1...5)]
    let dilation = [pick(1...2), pick(1...2)]
    let stride = [pick(1...3), pick(1...3)]
    let pad = [pick(0...3), pick(0...3)]
    let extent = (0...1).map { (axis: Int) -> Int in dilation[axis] * (kernel[axis] - 1) + 1 }
    let input = (0...1).map { (axis: Int) -> Int in max(pick(1...17), extent[axis] - 2 * pad[axis], 1) }
    let output = (0...1).map { (axis: Int) -> Int in
      (input[axis] + 2 * pad[axis] - extent[axis]) / stride[axis] + 1
    }
    let shape = ConvolutionShape(
      batch: pick(1...2), channels: groups * pick(1...(groups > 1 ? 6 : 30)),
      filters: groups * pick(1...(groups > 1 ? 6 : 45)), groups: groups, input: input, output: output, kernel: kernel,
      stride: stride, dilation: dilation, padTop: pad[0], padLeft: pad[1])
    let (inputPixels, pixels) = (input[0] * input[1], output[0] * output[1])
    let x = numbers.floats(shape.batch * shape.channels * inputPixels)
    let weights = numbers.floats(shape.filters * shape.channels / groups * kernel[0] * kernel[1])
    let expected = reference(shape, input: x, weights: weights)
    let isPlain = groups == 1 && pick(0...1) == 0
    let strides = PlainStrides.channelsFirst(channels: shape.channels, height: input[0], width: input[1])
    let call =
      shape.isDepthwise
      ? try KernelCall.depthwise(
        shape, rows: pick(1...5), weights: weights, epilogue: Epilogue(), instructions: instructions)
      : try KernelCall.convolution(
        shape, method: ConvolutionMethod(.direct, strip: pick(1...40), panels: pick(1...3)),
        plain: isPlain ? strides : nil, weights: weights, epilogue: Epilogue(), instructions: instructions)
    let result = try run(
      call,
      input: isPlain ? x : blocked(x, batch: shape.batch, channels: shape.channels, pixels: inputPixels),
      outputCount: shape.batch * ConvolutionShape.blocks(shape.filters) * 8 * pixels, threads: 2)
    #expect(
      error(unblocked(result, batch: shape.batch, channels: shape.filters, pixels: pixels), expected) < 1e-5,
      "\(shape)")
    if shape.isDepthwise { return }
    let once = try KernelCall.convolutionOnce(
      shape, panels: pick(1...3), plain: isPlain ? strides : nil, epilogue: Epilogue(), instructions: instructions)
    let single = try unsafe weights.withUnsafeBufferPointer { weights in
      unsafe once.bind(.weights, to: weights.baseAddress)
      return try run(
        once, input: isPlain ? x : blocked(x, batch: shape.batch, channels: shape.channels, pixels: inputPixels),
        outputCount: shape.batch * ConvolutionShape.blocks(shape.filters) * 8 * pixels, threads: 2)
    }
    #expect(single == result, "\(shape), packed in passing")
  }

  @Test("Winograd's error stays within a few times that of a direct convolution")
  func accuracy() throws {
    var numbers = Numbers(9)
    let shape = ConvolutionShape(
      batch: 1, channels: 128, filters: 32, input: [12, 12], output: [12, 12], kernel: [3, 3], padTop: 1, padLeft: 1)
    let input = numbers.floats(128 * 144)
    let weights = numbers.floats(32 * 128 * 9)
    let expected = reference(shape, input: input, weights: weights)
    func deviation(_ algorithm: ConvolutionMethod.Algorithm) throws -> Double {
      let call = try KernelCall.convolution(
        shape, method: ConvolutionMethod(algorithm, strip: 9, panels: 2), weights: weights, epilogue: Epilogue())
      let output = try run(
        call, input: blocked(input, batch: 1, channels: 128, pixels: 144), outputCount: 32 * 144)
      let result = unblocked(output, batch: 1, channels: 32, pixels: 144)
      return zip(result, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
    }
    let direct = try deviation(.direct)
    #expect(try deviation(.winograd2) < 2 * direct)
    #expect(try deviation(.winograd4) < 5 * direct)
  }
}
