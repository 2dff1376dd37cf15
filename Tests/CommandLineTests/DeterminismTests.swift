import Foundation
import Testing

@Suite("The same bits every time")
struct DeterminismTests {
  private static let models = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../models")

  @Test(
    "results and trained models do not depend on the number of threads or on the run",
    arguments: ["neuron/neuron", "conv2d/conv2d", "depthwise/depthwise", "residual/residual", "batchnorm/batchnorm"])
  func threads(_ name: String) throws {
    let program = try Program()
    let model = Self.models.appending(path: name + ".yaml").path
    let input = Self.models.appending(path: name + ".input.npy").path
    let output = Self.models.appending(path: name + ".output.npy").path
    var results: Set<Data> = []
    var trained: Set<Data> = []
    for threads in [1, 2, 4] {
      for _ in 0..<3 {
        let run = try program.shell("nnrun '\(model)' --input '\(input)' --output r.npy --threads \(threads)")
        #expect(run.status == 0, "\(run.errors)")
        results.insert(try program.read("r.npy"))
        let train = try program.shell(
          "rm -rf t && mkdir t && nnrun train '\(model)' --input '\(input)' --target '\(output)' --loss mse --epochs 2 --quiet "
            + "--output t/t.yaml --threads \(threads) && cat t/* > all")
        #expect(train.status == 0, "\(train.errors)")
        trained.insert(try program.read("all"))
      }
    }
    #expect(results.count == 1 && trained.count == 1)
    program.remove()
  }
}
