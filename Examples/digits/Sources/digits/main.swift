// Reads handwritten digits with a small residual network, trains it further, and keeps what it has learnt.
//
//   digits FOLDER OUTPUT.yaml    FOLDER is models/digits of the repository

import NNRun

guard CommandLine.arguments.count == 3 else { fatalError("usage: digits FOLDER OUTPUT.yaml") }
let (folder, trainedPath) = (CommandLine.arguments[1], CommandLine.arguments[2])

do {
  // Load a model, and look at it.
  let model = try Model(path: folder + "/digits.yaml")
  for input in model.inputs { print("input \(input.name): \(input.shape)") }
  for output in model.outputs { print("output \(output.name): \(output.shape)") }
  print("\(model.parameters.count) parameters, \(model.warnings.count) warnings")

  // Run it on an array.
  let images = try Tensor<Float>(path: folder + "/test-images.npy")
  let network = Network(model)
  let scores = try network.run(images)
  print("the first image scores \(Tensor(Array(scores.elements[0..<10])))")

  // Run it again and again on memory of your own.
  let prepared = try network.prepared(for: [[1, 1, 8, 8]])
  var row = [Float](repeating: 0, count: prepared.outputCounts[0])
  for image in 0..<3 {
    let pixels = images.elements.span.extracting(image * 64..<(image + 1) * 64)
    var target = row.mutableSpan
    try prepared.run(pixels, into: &target)
    print("image \(image) is a \(row.indices.max { row[$0] < row[$1] } ?? 0)")
  }

  // Train it, watching how it goes.
  let data = try TrainingData(
    model, input: .file(folder + "/train-images.npy"), target: .file(folder + "/train-labels.npy"))
  var configuration = TrainingConfiguration(model)
  configuration.epochs = 3
  configuration.learningRate = .constant(0.0002)
  let outcome = try model.train(on: data, configuration: configuration) { event in
    if case .epoch(let record) = event { print("epoch \(record.epoch): loss \(record.loss)") }
  }

  // Measure it.
  let unseen = try TrainingData(
    model, input: .file(folder + "/test-images.npy"), target: .file(folder + "/test-labels.npy"))
  let evaluation = try outcome.model.evaluate(on: unseen)
  for (metric, value) in evaluation.metrics { print("\(metric.name) \(value)") }

  // Keep it.
  let trained = try outcome.model.save(to: trainedPath, replacing: true)
  print("saved \(trained.path)")
} catch let failure {
  // What is wrong in a model file comes with its lines.
  print(failure)
  for diagnostic in failure.diagnostics { print("line \(diagnostic.place.start.line): \(diagnostic.code)") }
}
