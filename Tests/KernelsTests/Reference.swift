import Kernels

/// Numbers that are the same on every machine.
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}

/// [batch][channels][pixels] to [batch][blocks][pixels][8], the lanes beyond the channels zero.
func blocked(_ values: [Float], batch: Int, channels: Int, pixels: Int) -> [Float] {
  let blocks = ConvolutionShape.blocks(channels)
  var result = [Float](repeating: 0, count: batch * blocks * pixels * 8)
  for n in 0..<batch {
    for c in 0..<channels {
      for p in 0..<pixels {
        result[((n * blocks + c / 8) * pixels + p) * 8 + c % 8] = values[(n * channels + c) * pixels + p]
      }
    }
  }
  return result
}

/// The way back.
func unblocked(_ values: [Float], batch: Int, channels: Int, pixels: Int) -> [Float] {
  let blocks = ConvolutionShape.blocks(channels)
  var result: [Float] = []
  for n in 0..<batch {
    for c in 0..<channels {
      for p in 0..<pixels { result.append(values[((n * blocks + c / 8) * pixels + p) * 8 + c % 8]) }
    }
  }
  return result
}

/// The convolution by its definition, summed in double precision: [batch, filters, height, width].
func reference(_ shape: ConvolutionShape, input: [Float], weights: [Float]) -> [Double] {
  let groupChannels = shape.channels / shape.groups
  let groupFilters = shape.filters / shape.groups
  var output: [Double] = []
  for n in 0..<shape.batch {
    for filter in 0..<shape.filters {
      for y in 0..<shape.output[0] {
        for x in 0..<shape.output[1] {
          var sum = 0.0
          for c in 0..<groupChannels {
            let channel = filter / groupFilters * groupChannels + c
            for i in 0..<shape.kernel[0] {
              for j in 0..<shape.kernel[1] {
                let row = y * shape.stride[0] + i * shape.dilation[0] - shape.padTop
                let column = x * shape.stride[1] + j * shape.dilation[1] - shape.padLeft
                guard row >= 0, row < shape.input[0], column >= 0, column < shape.input[1] else { continue }
                let place = ((n * shape.channels + channel) * shape.input[0] + row) * shape.input[1] + column
                let weight = ((filter * groupChannels + c) * shape.kernel[0] + i) * shape.kernel[1] + j
                sum += Double(input[place]) * Double(weights[weight])
              }
            }
          }
          output.append(sum)
        }
      }
    }
  }
  return output
}

/// Runs one call over arrays.
func run(_ call: KernelCall, input: [Float], second: [Float]? = nil, outputCount: Int, threads: Int = 1) throws
  -> [Float]
{
  let source = try buffer(input)
  let other = try second.map(buffer)
  let target = try AlignedBuffer(count: outputCount)
  let pool = threads > 1 ? ThreadPool(threads: threads) : nil
  let scratch = try AlignedBuffer(count: (call.scratch + 16) * threads)
  unsafe call.bind(.input, to: source.pointer)
  unsafe call.bind(.second, to: other?.pointer)
  unsafe call.bind(.output, to: target.pointer)
  call.together = threads > 1
  KernelSequence([call]).run(on: pool, scratch: scratch, stride: call.scratch + 16)
  return withExtendedLifetime((source, other)) {
    unsafe Array(UnsafeBufferPointer(start: target.pointer, count: outputCount))
  }
}

private func buffer(_ values: [Float]) throws -> AlignedBuffer {
  let buffer = try AlignedBuffer(count: values.count)
  for (index, value) in values.enumerated() { unsafe buffer.pointer[index] = value }
  return buffer
}

/// The largest difference, relative to 1 + |expected|.
func error(_ values: [Float], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  return zip(values, expected).reduce(0) { worst, pair in
    let difference = abs(Double(pair.0) - pair.1) / (1 + abs(pair.1))
    return difference <= worst ? worst : difference
  }
}
