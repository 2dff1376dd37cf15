import Foundation
import Testing

@Suite("nnrun init")
struct InitTests {
  private let program: Program
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  init() throws { program = try Program() }

  private func text(_ name: String) throws -> String { String(decoding: try program.read(name), as: UTF8.self) }

  /// The loss before and after training a model on the digits.
  private func losses(_ model: String, target: String = "y.npy", options: String = "") throws -> (Double, Double) {
    let digits = Self.root.appending(path: "models/digits").path
    let result = try program.shell(
      """
      ln -sf \(digits)/train-images.npy x.npy; [ -e y.npy ] || ln -s \(digits)/train-labels.npy y.npy
      nnrun eval \(model) --input x.npy --target \(target) --json --quiet \\
        && nnrun train \(model) --input x.npy --target \(target) --output trained.yaml --force --quiet \(options) \\
        && nnrun eval trained.yaml --input x.npy --target \(target) --json --quiet
      """)
    #expect(result.status == 0, "\(result.errors)")
    let numbers = try result.output.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Double]
      return try #require(object?["loss"])
    }
    #expect(numbers.count == 2)
    return (numbers.first ?? .nan, numbers.last ?? .nan)
  }

  @Test(
    "every task gives a valid, commented model in the canonical layout, with and without data, which learns",
    arguments: ["neuron", "mlp", "convnet", "resnet"])
  func tasks(task: String) throws {
    defer { program.remove() }
    let digits = Self.root.appending(path: "models/digits").path
    let plain = try program.shell("nnrun init \(task) && nnrun validate model.yaml && nnrun fmt --check model.yaml")
    #expect(plain.status == 0, "\(plain.output)\(plain.errors)")
    #expect(plain.errors.hasPrefix("wrote model.yaml; next: nnrun train model.yaml --input x.npy --target y.npy\n"))
    #expect(
      try text("model.yaml").hasPrefix("# yaml-language-server: $schema=./nnrun-1.schema.json\nnnrun: 1\nname: model\n")
    )

    let fitted = try program.shell(
      """
      nnrun init \(task) --input \(digits)/train-images.npy --target \(digits)/train-labels.npy --output sub-\(task).yaml \\
        && nnrun validate sub-\(task).yaml && nnrun fmt --check sub-\(task).yaml \\
        && nnrun sub-\(task).yaml --input \(digits)/test-images.npy --quiet --output /dev/null
      """)
    #expect(
      fitted.output == "" && fitted.errors.contains("sub-\(task).yaml: valid\n"), "\(fitted.output)\(fitted.errors)")
    let model = try text("sub-\(task).yaml")
    #expect(model.contains("shape: [N, 1, 8, 8]") && model.contains("units: 10, activation: softmax"), "\(model)")
    let (before, after) = try losses("sub-\(task).yaml", options: "--epochs 1")
    #expect(after < 0.8 * before, "\(before) -> \(after)")
  }

  @Test("the last layer and the loss follow the targets")
  func targets() throws {
    defer { program.remove() }
    let x = npy([4, 3], (0..<12).map(Double.init))
    try program.write(x, to: "x.npy")
    for (target, layer, loss) in [
      (npy([4], [0, 1, 1, 0], type: "<i8"), "type: dense-sigmoid, units: 1}", "binary-cross-entropy"),
      (npy([4], [0, 2, 1, 2], type: "<i8"), "type: dense, units: 3, activation: softmax}", "cross-entropy"),
      (npy([4, 2], [0, 1, 1, 0, 1, 0, 0, 1]), "type: dense, units: 2, activation: softmax}", "cross-entropy"),
      (npy([4, 2], [0, 1, 1, 1, 1, 0.5, 0, 1]), "type: dense-sigmoid, units: 2}", "binary-cross-entropy"),
      (npy([4], [0.5, -2, 7, 1]), "type: dense, units: 1}", "mse"),
      (npy([4, 2], [0, 1, 1, 1, 1, 0.5, 0, 9]), "type: dense, units: 2}", "mse"),
    ] {
      try program.write(target, to: "y.npy")
      let result = try program.shell(
        """
        nnrun init mlp --input x.npy --target y.npy --force --quiet && nnrun validate --quiet model.yaml \\
          && nnrun train model.yaml --input x.npy --target y.npy --output t.yaml --force --quiet
        """)
      #expect(result.status == 0, "\(result.errors)")
      let model = try text("model.yaml")
      #expect(model.contains(layer) && model.contains("loss: \(loss) "), "\(model)")
      #expect(model.contains("{name: scale, type: batchnorm}"))
    }
  }

  @Test("images with the channels last get that layout, and data that does not fit the task is told so")
  func shapes() throws {
    defer { program.remove() }
    try program.write(npy([2, 8, 6, 3], [Double](repeating: 0.5, count: 288)), to: "last.npy")
    let last = try program.shell(
      "nnrun init convnet --input last.npy --quiet && nnrun model.yaml --input last.npy --quiet && nnrun validate model.yaml"
    )
    #expect(last.status == 0, "\(last.errors)")
    #expect(try text("model.yaml").contains("\nlayout: nhwc "))
    try program.write(npy([2, 8, 8], [Double](repeating: 0.5, count: 128)), to: "grey.npy")
    let grey = try program.shell("nnrun init resnet --input grey.npy --output r.yaml")
    #expect(grey.status == 65)
    #expect(grey.errors.contains("needs images") && grey.errors.contains("x[:, None]"))
    try program.write(npy([3, 1], [1, 2, 3]), to: "y.npy")
    #expect(try program.shell("nnrun init mlp --input grey.npy --target y.npy --output r.yaml").status == 65)
    #expect(!FileManager.default.fileExists(atPath: program.path("r.yaml")))
  }

  @Test("a file is not replaced without --force, - is standard output, and the tasks are listed where none is meant")
  func mistakes() throws {
    defer { program.remove() }
    try program.write("mine\n", to: "model.yaml")
    #expect(try program.shell("nnrun init neuron").status == 73)
    #expect(try text("model.yaml") == "mine\n")
    #expect(try program.shell("nnrun init neuron --force").status == 0)
    let printed = try program.shell("nnrun init neuron --output -")
    #expect(printed.output.contains("name: neuron\n") && printed.errors == "")
    let none = try program.shell("nnrun init")
    #expect(none.status == 64 && none.errors.contains("convnet: a small convolutional network over images"))
    let near = try program.shell("nnrun init convnnet")
    #expect(near.status == 64 && near.errors.contains("did you mean `convnet`?"))
    #expect(try program.shell("nnrun init mlp --target y.npy").status == 64)
    #expect(try program.shell("nnrun init mlp --input none.npy").status == 66)
  }

  @Test("a schema in the folder or above it is named in the first line")
  func schema() throws {
    defer { program.remove() }
    try program.write("{}", to: "schemas/nnrun-1.schema.json")
    let result = try program.shell("mkdir -p a/b && nnrun init mlp --output a/b/m.yaml && nnrun init mlp")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try text("a/b/m.yaml").hasPrefix("# yaml-language-server: $schema=../../schemas/nnrun-1.schema.json\n"))
    #expect(try text("model.yaml").hasPrefix("# yaml-language-server: $schema=./schemas/nnrun-1.schema.json\n"))
  }
}
