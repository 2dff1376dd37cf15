import ModelFile
import Testing
import Training

@Suite("The check of a model's gradients")
struct GradientCheckTests {
  @Test(
    "a network of every layer passes, in both layouts",
    arguments: ["nchw", "nhwc"], ["mse", "binary-cross-entropy", "cross-entropy"])
  func everyLayer(layout: String, loss: String) throws {
    let shape = layout == "nchw" ? "[N, 2, H, 6]" : "[N, H, 6, 2]"
    let activation = loss == "cross-entropy" ? "softmax" : "sigmoid"
    let model = try model(
      """
      nnrun: 1
      layout: \(layout)
      inputs: {x: {shape: \(shape)}}
      layers:
        - {name: stem, type: conv2d, filters: 4, kernel: 3, padding: same}
        - {name: bn, type: batchnorm}
        - {name: relu, type: relu}
        - name: block
          type: residual
          body:
            - {name: conv1, type: conv2d, filters: 4, kernel: [3, 2], padding: same, groups: 2, bias: false}
            - {name: bn1, type: batchnorm, statistics: batch}
            - {name: tanh, type: tanh}
        - {name: pool, type: maxpool, kernel: 3, stride: 1, padding: 1}
        - {name: average, type: avgpool, kernel: 2, stride: 1, padding: same}
        - {name: both, type: concat, input: [pool, average]}
        - {name: more, type: pad-channels, channels: 10}
        - {name: dropout, type: dropout, rate: 0.25}
        - {name: gap, type: gap}
        - {name: out, type: dense, units: 3, activation: \(activation)}
      training: {loss: \(loss)}
      """)
    let check = try GradientCheck(model, configuration: TrainingConfiguration(model), places: 6)
    #expect(check.isCorrect, "\(check.entries.map { "\($0.path) \($0.error)" })")
    #expect(check.entries.count == 10)
    #expect(check.entries.contains { $0.path == "x" && $0.isInput })
  }

  @Test("a model of the notebook's shape passes with every place checked")
  func small() throws {
    let model = try model(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      layers: [{name: neuron, type: dense-sigmoid, weight: [[0.1, -0.2]], bias: [0.0]}]
      """)
    let check = try GradientCheck(model, configuration: TrainingConfiguration(model))
    #expect(check.isCorrect)
    #expect(check.entries.allSatisfy { $0.checked == $0.count })
  }
}
