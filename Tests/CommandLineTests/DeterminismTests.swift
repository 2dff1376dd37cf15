import Foundation
import Testing

/// Each on 1, 2 and 4 threads, three times.
@Suite("The same bits every time")
struct DeterminismTests {
  private static let models = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../models")

  private func path(_ name: String) -> String { Self.models.appending(path: name).path }

  @Test(
    "results do not depend on the number of threads or on the run",
    arguments: ["conv2d/conv2d", "depthwise/depthwise", "residual/residual", "batchnorm/batchnorm"])
  func results(_ name: String) throws {
    let program = try Program()
    var results: Set<Data> = []
    for threads in [1, 2, 4, 1, 2, 4, 1, 2, 4] {
      let run = try program.shell(
        "nnrun '\(path(name)).yaml' --input '\(path(name)).input.npy' --output r.npy --threads \(threads)")
      #expect(run.status == 0, "\(run.errors)")
      results.insert(try program.read("r.npy"))
    }
    #expect(results.count == 1)
    program.remove()
  }

  @Test(
    "trained models do not depend on the number of threads or on the run",
    arguments: [
      ("neuron/neuron.yaml", "neuron/neuron.input.npy", "neuron/neuron.target.npy"),
      ("digits/digits.yaml", "digits/test-images.npy", "digits/test-labels.npy"),
    ])
  func training(_ model: String, _ input: String, _ target: String) throws {
    let program = try Program()
    var trained: Set<Data> = []
    for threads in [1, 2, 4, 1, 2, 4, 1, 2, 4] {
      let run = try program.shell(
        "rm -rf t && mkdir t && nnrun train '\(path(model))' --input '\(path(input))' --target '\(path(target))' "
          + "--epochs 1 --quiet --output t/t.yaml --threads \(threads) && cat t/* > all")
      #expect(run.status == 0, "\(run.errors)")
      trained.insert(try program.read("all"))
    }
    #expect(trained.count == 1)
    #expect(try !trained.contains(Data(contentsOf: Self.models.appending(path: model))))
    program.remove()
  }
}
