import Kernels
import Testing

@Suite("Gradients, sums over pieces of a batch, and updates")
struct GradientTests {
  /// The gradient of the weights by its definition, in double precision.
  private func reference(_ shape: ConvolutionShape, input: [Float], gradient: [Float]) -> [Double] {
    let (groupChannels, groupFilters) = (shape.channels / shape.groups, shape.filters / shape.groups)
    var sums: [Double] = []
    for filter in 0..<shape.filters {
      for own in 0..<groupChannels {
        let channel = filter / groupFilters * groupChannels + own
        for i in 0..<shape.kernel[0] {
          for j in 0..<shape.kernel[1] {
            var sum = 0.0
            for n in 0..<shape.batch {
              for y in 0..<shape.output[0] {
                for x in 0..<shape.output[1] {
                  let row = y * shape.stride[0] + i * shape.dilation[0] - shape.padTop
                  let column = x * shape.stride[1] + j * shape.dilation[1] - shape.padLeft
                  guard row >= 0, row < shape.input[0], column >= 0, column < shape.input[1] else { continue }
                  let place = ((n * shape.channels + channel) * shape.input[0] + row) * shape.input[1] + column
                  let at = ((n * shape.filters + filter) * shape.output[0] + y) * shape.output[1] + x
                  sum += Double(input[place]) * Double(gradient[at])
                }
              }
            }
            sums.append(sum)
          }
        }
      }
    }
    return sums
  }

  private static func shape(
    _ batch: Int, _ channels: Int, _ filters: Int, groups: Int = 1, size: [Int], kernel: [Int], stride: [Int] = [1, 1],
    dilation: [Int] = [1, 1], pad: Int
  ) -> ConvolutionShape {
    let output = (0...1).map { (size[$0] + 2 * pad - dilation[$0] * (kernel[$0] - 1) - 1) / stride[$0] + 1 }
    return ConvolutionShape(
      batch: batch, channels: channels, filters: filters, groups: groups, input: size, output: output, kernel: kernel,
      stride: stride, dilation: dilation, padTop: pad, padLeft: pad)
  }

  /// At the algorithms' edges: tiles of 4 pixels, blocks of 8 channels, panels of 16 filters, groups that fill no block.
  static let shapes = [
    shape(1, 1, 1, size: [1, 1], kernel: [1, 1], pad: 0),
    shape(8, 8, 8, size: [11, 12], kernel: [3, 3], pad: 1),
    shape(5, 41, 33, size: [13, 9], kernel: [3, 3], pad: 1),
    shape(4, 16, 48, size: [12, 12], kernel: [3, 3], pad: 0),
    shape(3, 3, 20, size: [19, 17], kernel: [7, 7], stride: [2, 2], pad: 3),
    shape(2, 17, 16, size: [9, 8], kernel: [3, 3], stride: [2, 1], pad: 1),
    shape(2, 56, 40, size: [7, 6], kernel: [1, 1], stride: [2, 2], pad: 0),
    shape(2, 9, 15, size: [10, 11], kernel: [3, 2], dilation: [2, 3], pad: 2),
    shape(2, 4, 6, groups: 2, size: [8, 7], kernel: [3, 3], pad: 1),
    shape(4, 32, 32, groups: 2, size: [12, 12], kernel: [3, 3], pad: 1),
    shape(2, 24, 48, groups: 3, size: [6, 6], kernel: [1, 1], pad: 0),
    shape(3, 19, 19, groups: 19, size: [9, 10], kernel: [3, 3], stride: [2, 2], pad: 1),
  ]

  @Test("filter gradients", arguments: InstructionSet.all.map(\.name), shapes)
  func filterGradients(_ name: String, shape: ConvolutionShape) throws {
    let instructions = try #require(InstructionSet(named: name))
    var numbers = Numbers(3)
    let (pixels, results) = (shape.input[0] * shape.input[1], shape.output[0] * shape.output[1])
    let input = numbers.floats(shape.batch * shape.channels * pixels)
    let gradient = numbers.floats(shape.batch * shape.filters * results)
    let expected = reference(shape, input: input, gradient: gradient)
    for atMost in [1, 2, 8] {
      let pieces = BatchPieces(batch: shape.batch, atMost: atMost)
      let call = KernelCall.filterGradient(shape, pieces: pieces, instructions: instructions)
      for threads in [1, 2] {
        let parts = try run(
          call, input: blocked(input, batch: shape.batch, channels: shape.channels, pixels: pixels),
          second: blocked(gradient, batch: shape.batch, channels: shape.filters, pixels: results),
          outputCount: expected.count * pieces.count, threads: threads)
        let sum = try run(
          .combine(count: expected.count, pieces: pieces.count, instructions: instructions), input: parts,
          outputCount: expected.count)
        #expect(error(sum, expected) < 2e-5, "\(pieces.count) pieces, \(threads) threads")
      }
    }
  }

  @Test("pieces are powers of two, never more than the batch")
  func pieces() {
    #expect([1, 2, 3, 7, 8, 100].map { BatchPieces(batch: $0).count } == [1, 2, 2, 4, 8, 8])
    #expect(BatchPieces(batch: 100, atMost: 3).count == 2)
    #expect(BatchPieces(batch: 100, atMost: 0).count == 1)
  }

  @Test("pieces are added as a tree, neighbours first", arguments: InstructionSet.all.map(\.name))
  func tree(_ name: String) throws {
    let instructions = try #require(InstructionSet(named: name))
    var numbers = Numbers(4)
    for count in [1, 8, 9] {
      let parts = numbers.floats(count * 4, -1e6...1e6)
      let sum = try run(
        .combine(count: count, pieces: 4, instructions: instructions), input: parts,
        outputCount: count)
      let expected = (0..<count).map {
        (parts[$0] + parts[count + $0]) + (parts[2 * count + $0] + parts[3 * count + $0])
      }
      #expect(sum == expected)
    }
  }

  @Test(
    "products of a transposed left side, and sums of columns", arguments: InstructionSet.all.map(\.name),
    [[1, 1, 1], [3, 1, 2], [65, 7, 15], [64, 97, 16], [130, 6, 33]])
  func products(_ name: String, sizes: [Int]) throws {
    let instructions = try #require(InstructionSet(named: name))
    var numbers = Numbers(5)
    let (rows, height, columns) = (sizes[0], sizes[1], sizes[2])
    let (left, right) = (numbers.floats(rows * height), numbers.floats(rows * columns))
    var expected = [Double](repeating: 0, count: height * columns)
    var sums = [Double](repeating: 0, count: columns)
    for row in 0..<rows {
      for n in 0..<columns {
        sums[n] += Double(right[row * columns + n])
        for m in 0..<height {
          expected[m * columns + n] += Double(left[row * height + m]) * Double(right[row * columns + n])
        }
      }
    }
    for atMost in [1, 4] {
      let pieces = BatchPieces(batch: rows, atMost: atMost)
      func sum(_ call: KernelCall, _ input: [Float], _ second: [Float]?, count: Int) throws -> [Float] {
        let parts = try run(call, input: input, second: second, outputCount: count * pieces.count, threads: 2)
        return try run(
          .combine(count: count, pieces: pieces.count, instructions: instructions), input: parts, outputCount: count)
      }
      let product = KernelCall.product(
        rows: rows, height: height, columns: columns, pieces: pieces, instructions: instructions)
      #expect(error(try sum(product, left, right, count: expected.count), expected) < 1e-5)
      let columnSum = KernelCall.columnSum(rows: rows, columns: columns, pieces: pieces, instructions: instructions)
      #expect(error(try sum(columnSum, right, nil, count: columns), sums) < 1e-5)
    }
  }

  @Test("an update leaves word of a parameter that is not finite", arguments: InstructionSet.all.map(\.name))
  func divergence(_ name: String) throws {
    let instructions = try #require(InstructionSet(named: name))
    for (gradient, isBad) in [(Float(1), false), (.nan, true), (.infinity, true)] {
      let call = KernelCall.update(UpdateRule(.sgd), count: 16, instructions: instructions)
      let gradients = try AlignedBuffer(count: 16)
      let parameters = try AlignedBuffer(count: 16)
      let diverged = try AlignedBuffer(count: 16)
      unsafe gradients.pointer[11] = gradient
      unsafe call.bind(.input, to: gradients.pointer)
      unsafe call.bind(.output, to: parameters.pointer)
      unsafe call.bind(.diverged, to: diverged.pointer)
      call.setUpdate(rate: 0.5, step: 1)
      KernelSequence([call]).run(on: nil, scratch: gradients, stride: 0)
      #expect(unsafe parameters.pointer[11] == -0.5 || isBad)
      #expect(unsafe (diverged.pointer[0] != 0) == isBad)
    }
  }
}
