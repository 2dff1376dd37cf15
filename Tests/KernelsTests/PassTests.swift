import Foundation
import Kernels
import Testing

@Suite("Passes, dense layers and threads")
struct PassTests {
  @Test("elementwise functions over the whole range of floats", arguments: InstructionSet.all.map(\.name))
  func functions(_ name: String) throws {
    let instructions = try #require(InstructionSet(named: name))
    var values: [Float] = [0, -0, 1e-30, -1e-30, 0.2499, 0.2501, 9.99, 10.01, 88, 104, 1e30, .infinity, -.infinity]
    values += (-2000...2000).map { Float($0) * 0.0137 } + values.map { -$0 }
    for count in [1, 7, 8, 9, values.count] {
      let given = Array(values.suffix(count))
      func apply(_ function: ElementwiseFunction) throws -> [Float] {
        let call = KernelCall.elementwise(function, count: count, instructions: instructions)
        return try run(call, input: given, outputCount: count)
      }
      #expect(error(try apply(.sigmoid), given.map { 1 / (1 + exp(-Double($0))) }) < 2e-7)
      #expect(error(try apply(.tanh), given.map { tanh(Double($0)) }) < 2e-7)
      #expect(try apply(.relu) == given.map { max($0, 0) })
      #expect(try apply(.identity) == given)
    }
  }

  @Test("not-a-number is never hidden", arguments: InstructionSet.all.map(\.name))
  func notANumber(_ name: String) throws {
    let instructions = try #require(InstructionSet(named: name))
    for function in [ElementwiseFunction.relu, .sigmoid, .tanh, .identity] {
      let call = KernelCall.elementwise(function, count: 1, instructions: instructions)
      #expect(try run(call, input: [.nan], outputCount: 1)[0].isNaN)
    }
  }

  @Test("softmax sums to one and keeps the order", arguments: InstructionSet.all.map(\.name), [1, 7, 8, 9, 1000])
  func softmax(_ name: String, columns: Int) throws {
    let instructions = try #require(InstructionSet(named: name))
    var numbers = Numbers(2)
    let input = numbers.floats(3 * columns, -90...90)
    let output = try run(
      .softmax(rows: 3, columns: columns, instructions: instructions), input: input, outputCount: 3 * columns)
    for row in 0..<3 {
      let values = input[row * columns..<(row + 1) * columns].map(Double.init)
      let largest = values.max() ?? 0
      let sum = values.reduce(0) { $0 + exp($1 - largest) }
      let expected = values.map { exp($0 - largest) / sum }
      #expect(error(Array(output[row * columns..<(row + 1) * columns]), expected) < 1e-6)
    }
  }

  @Test("dense layers against the definition", arguments: InstructionSet.all.map(\.name), [1, 2, 3, 5, 6, 7, 13, 25])
  func dense(_ name: String, rows: Int) throws {
    let instructions = try #require(InstructionSet(named: name))
    var numbers = Numbers(rows)
    for (inner, columns) in [(1, 1), (3, 15), (4, 16), (7, 17), (800, 33)] {
      let input = numbers.floats(rows * inner)
      let weights = numbers.floats(columns * inner)
      var epilogue = Epilogue()
      epilogue.shift = numbers.floats(columns)
      epilogue.scale = numbers.floats(columns).map(Double.init)
      var expected: [Double] = []
      for row in 0..<rows {
        for column in 0..<columns {
          let sum = (0..<inner).reduce(0.0) {
            $0 + Double(input[row * inner + $1]) * Double(weights[column * inner + $1])
          }
          expected.append(sum * (epilogue.scale?[column] ?? 1) + Double(epilogue.shift?[column] ?? 0))
        }
      }
      for (rowsPerTask, panels) in [(1, 1), (4, 2), (100, 100)] {
        let call = try KernelCall.dense(
          rows: rows, inner: inner, columns: columns, weights: weights, innerStride: 1, columnStride: inner,
          epilogue: epilogue, rowsPerTask: rowsPerTask, panels: panels, instructions: instructions)
        let output = try run(call, input: input, outputCount: rows * columns, threads: 2)
        #expect(error(output, expected) < 1e-5)
      }
    }
  }

  @Test("between layouts and back", arguments: InstructionSet.all.map(\.name), [1, 7, 8, 9, 17])
  func layouts(_ name: String, channels: Int) throws {
    let instructions = try #require(InstructionSet(named: name))
    var numbers = Numbers(channels)
    let plain = numbers.floats(2 * channels * 15)
    let expected = blocked(plain, batch: 2, channels: channels, pixels: 15)
    func reorder(_ strides: PlainStrides, toBlocked: Bool) -> KernelCall {
      .reorder(
        batch: 2, channels: channels, height: 5, width: 3, strides: strides, toBlocked: toBlocked,
        instructions: instructions)
    }
    let first = PlainStrides.channelsFirst(channels: channels, height: 5, width: 3)
    let last = PlainStrides.channelsLast(channels: channels, height: 5, width: 3)
    #expect(try run(reorder(first, toBlocked: true), input: plain, outputCount: expected.count) == expected)
    #expect(try run(reorder(first, toBlocked: false), input: expected, outputCount: plain.count) == plain)
    let turned = try run(reorder(last, toBlocked: false), input: expected, outputCount: plain.count)
    #expect(turned[channels + 0] == plain[1])
    #expect(try run(reorder(last, toBlocked: true), input: turned, outputCount: expected.count) == expected)
  }

  @Test("every task runs once, on any number of threads, with others at work", arguments: [1, 2, 4, 16])
  func threads(count: Int) throws {
    let pool = try #require(ThreadPool(threads: count))
    let size = 16384 * 9 + 5
    let call = KernelCall.elementwise(.identity, count: size)
    let one = try AlignedBuffer(count: size)
    let sum = try AlignedBuffer(count: size)
    for index in 0..<size { unsafe one.pointer[index] = 1 }
    unsafe call.bind(.input, to: sum.pointer)
    unsafe call.bind(.second, to: one.pointer)
    unsafe call.bind(.output, to: sum.pointer)
    call.together = true
    let sequence = KernelSequence(Array(repeating: call, count: 50))
    for _ in 0..<10 { sequence.run(on: pool, scratch: one, stride: 0) }
    let result = unsafe Array(UnsafeBufferPointer(start: sum.pointer, count: size))
    #expect(result.allSatisfy { $0 == 500 })
  }
}
