import Kernels
import Testing

@Suite("Steps of a small dense layer, repeated by one call")
struct PerceptronTests {
  /// The memory of a layer in training: weights, biases, then their gradients and what the rule remembers.
  private struct Layer {
    let rows: Int
    let inner: Int
    let units: Int
    let rule: UpdateRule
    let hasMetric: Bool
    let memory: AlignedBuffer
    private let data: AlignedBuffer
    private let calls: [KernelCall]
    private let update: KernelCall
    private let results: Int

    init(
      rows: Int, inner: Int, units: Int, sigmoid: Bool, loss: LossKind, rule: UpdateRule, metric: MetricKind?,
      instructions: InstructionSet
    ) throws {
      (self.rows, self.inner, self.units, self.rule, hasMetric) = (rows, inner, units, rule, metric != nil)
      let weights = (units * inner + 15) / 16 * 16
      let count = weights + (units + 15) / 16 * 16
      results = count * 4
      memory = try AlignedBuffer(count: count * 4 + 64)
      var numbers = Numbers(rows * 100 + inner * 10 + units)
      for (place, number) in numbers.floats(units * inner).enumerated() { unsafe memory.pointer[place] = number }
      for (place, number) in numbers.floats(units).enumerated() { unsafe memory.pointer[weights + place] = number }
      let target = numbers.floats(rows * units).map { $0 > 0 ? Float(1) : 0 }
      // In blocks of 8 rows, as the perceptron takes them.
      let parts = [
        blocked(numbers.floats(rows * inner), batch: 1, channels: rows, pixels: inner),
        blocked(target, batch: 1, channels: rows, pixels: units), target, [Float](repeating: 0, count: rows * units),
      ]
      data = try AlignedBuffer(count: parts.reduce(0) { $0 + $1.count })
      var starts: [UnsafeMutablePointer<Float>] = unsafe []
      var end = unsafe data.pointer
      for part in parts {
        unsafe starts.append(end)
        for (place, number) in part.enumerated() { unsafe end[place] = number }
        unsafe end += part.count
      }
      let base = unsafe memory.pointer
      let layer = KernelCall.perceptron(
        rows: rows, inner: inner, units: units, sigmoid: sigmoid, loss: loss, instructions: instructions)
      unsafe layer.bind(.input, to: starts[0])
      unsafe layer.bind(.second, to: starts[1])
      unsafe layer.bind(.weights, to: base)
      unsafe layer.bind(.bias, to: base + weights)
      unsafe layer.bind(.output, to: starts[3])
      unsafe layer.bind(.output2, to: base + results)
      unsafe layer.bind(.output3, to: base + count)
      unsafe layer.bind(.output4, to: base + count + weights)
      update = KernelCall.update(rule, count: count, instructions: instructions)
      unsafe update.bind(.input, to: base + count)
      unsafe update.bind(.output, to: base)
      unsafe update.bind(.diverged, to: base + results + 16)
      if rule.memories > 0 { unsafe update.bind(.output2, to: base + count * 2) }
      if rule.memories > 1 { unsafe update.bind(.output3, to: base + count * 3) }
      var calls = [layer]
      if let metric {
        let call = KernelCall.metric(
          metric, rows: rows, columns: units, pieces: BatchPieces(batch: rows, atMost: 1), instructions: instructions)
        unsafe call.bind(.input, to: starts[3])
        unsafe call.bind(.second, to: starts[2])
        unsafe call.bind(.output, to: base + results + 32)
        calls.append(call)
      }
      self.calls = calls + [update]
    }

    /// All that steps change, as bits.
    var bits: [UInt32] { (0..<memory.count).map { unsafe memory.pointer[$0].bitPattern } }

    func repeatSteps(_ rates: [Double]) throws -> RunRecord {
      let scratch = try AlignedBuffer(count: 16)
      let base = unsafe UnsafeRawPointer(memory.pointer + results)
      return withExtendedLifetime(data) {
        unsafe KernelSequence(calls).run(
          rates: rates, update: update, stepsBefore: 0, losses: base.assumingMemoryBound(to: Float.self), lossCount: 1,
          metrics: (base + 128).assumingMemoryBound(to: Double.self), metricCount: hasMetric ? 1 : 0,
          diverged: (base + 64).assumingMemoryBound(to: Int32.self), on: nil, scratch: scratch, stride: 0)
      }
    }

    /// The same call by call.
    func takeSteps(_ rates: [Double]) throws -> RunRecord {
      let scratch = try AlignedBuffer(count: 16)
      var record = RunRecord()
      for (step, rate) in rates.enumerated() {
        update.setUpdate(rate: rate, step: step + 1)
        KernelSequence(calls).run(on: nil, scratch: scratch, stride: 0)
        record.losses.append(Double(unsafe memory.pointer[results]))
        if hasMetric {
          record.metrics.append(
            unsafe UnsafeRawPointer(memory.pointer + results + 32).load(as: Double.self))
        }
      }
      return withExtendedLifetime(data) { record }
    }
  }

  private static let rules = [
    UpdateRule(.sgd), UpdateRule(.sgd, momentum: 0.9, decay: 0.01),
    UpdateRule(.sgd, momentum: 0.9, nesterov: true), UpdateRule(.adam, decay: 0.01), UpdateRule(.adamw, decay: 0.1),
  ]

  @Test("are the steps that their calls take, to the bit", arguments: InstructionSet.all.map(\.name), 0..<5)
  func bits(name: String, rule: Int) throws {
    let instructions = try #require(InstructionSet(named: name))
    let rates = (0..<23).map { 0.3 / Double($0 + 1) }
    for (rows, inner, units) in [
      (1, 1, 1), (3, 2, 1), (8, 3, 1), (5, 4, 1), (7, 5, 1), (9, 2, 1), (128, 32, 16), (4, 2, 3), (17, 6, 2),
    ] {
      let losses = [(false, LossKind.meanSquaredError), (true, .meanSquaredError), (true, .binaryCrossEntropy)]
      for (sigmoid, loss) in losses {
        for metric in [nil, MetricKind.absoluteError, .accuracy] {
          func layer() throws -> Layer {
            try Layer(
              rows: rows, inner: inner, units: units, sigmoid: sigmoid, loss: loss, rule: Self.rules[rule],
              metric: metric, instructions: instructions)
          }
          let (one, other) = (try layer(), try layer())
          let (repeated, taken) = (try one.repeatSteps(rates), try other.takeSteps(rates))
          #expect(repeated.losses == taken.losses && repeated.metrics == taken.metrics, "\(rows) \(inner) \(units)")
          #expect(one.bits == other.bits, "\(rows) \(inner) \(units)")
        }
      }
    }
  }

  @Test("end where a parameter is not finite any more", arguments: InstructionSet.all.map(\.name))
  func divergence(name: String) throws {
    let instructions = try #require(InstructionSet(named: name))
    for units in [1, 2] {
      let layer = try Layer(
        rows: 3, inner: 2, units: units, sigmoid: false, loss: .meanSquaredError, rule: UpdateRule(.sgd), metric: nil,
        instructions: instructions)
      let record = try layer.repeatSteps(Array(repeating: 1e12, count: 50))
      #expect((1..<10).contains(record.losses.count))
      #expect(record.losses.dropLast().allSatisfy { $0.isFinite })
    }
  }
}
