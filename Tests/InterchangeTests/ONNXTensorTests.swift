import Diagnostics
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Interchange

@Suite("weights of ONNX files")
struct ONNXWeightTests {
  /// A file whose only weight has its numbers elsewhere.
  private func external(_ location: String, offset: String? = nil, length: String? = nil) throws -> [UInt8] {
    var tensor = WireWriter()
    tensor.integers(1, [2, 1])
    tensor.integer(2, 1)
    tensor.string(8, "w")
    for (key, value) in [("location", location), ("offset", offset), ("length", length)] {
      guard let value else { continue }
      tensor.message(13) { writer in
        writer.string(1, key)
        writer.string(2, value)
      }
    }
    tensor.integer(14, 1)
    return try file(file([node("Gemm", ["x", "w"], "y")]), with: tensor.bytes)
  }

  @Test("numbers in a file beside the model are read from their place in it")
  func externalData() throws {
    let folder = try TemporaryFolder()
    try folder.write(try external("w.bin", offset: "4", length: "8"), to: "case.onnx")
    try folder.write([9, 9, 9, 9, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40], to: "w.bin")
    let result = try ONNXImport.read(folder.file("case.onnx"), weightsFile: "case.safetensors")
    #expect(result.arrays.map(\.value) == [.float32(Tensor(shape: [1, 2], elements: [1, 2]))])
  }

  @Test(
    "a file that lies elsewhere, or is too short, is refused",
    arguments: [
      ("../w.bin", nil, Failure.Kind.invalidData), ("/etc/hostname", nil, .invalidData),
      ("a/../../w.bin", nil, .invalidData),
      ("link", nil, .invalidData), ("missing", nil, .cannotRead), ("", nil, .invalidData), ("w.bin", "5", .invalidData),
      ("w.bin", "-4", .invalidData), ("w.bin", "9223372036854775807", .invalidData), ("w.bin", "x", .invalidData),
      (".", nil, .invalidData), ("folder", nil, .cannotRead),
    ])
  func externalElsewhere(location: String, offset: String?, kind: Failure.Kind) throws {
    let found = try failure(try external(location, offset: offset)) { folder in
      try folder.write([UInt8](repeating: 0, count: 12), to: "w.bin")
      try FileManager.default.createSymbolicLink(
        atPath: folder.url.appending(path: "link").path, withDestinationPath: "/etc/hostname")
      try FileManager.default.createDirectory(
        at: folder.url.appending(path: "folder"), withIntermediateDirectories: true)
    }
    #expect(found?.kind == kind)
  }

  @Test(
    "dimensions that the numbers do not fill are refused before any memory is taken",
    arguments: [[3, 1], [-2, -1], [Int.max, 2], [1 << 40, 1 << 40], [1 << 62, 0]])
  func dimensions(shape: [Int]) throws {
    var weight = tensor("w", [2, 1], [1, 2])
    weight.dimensions = shape
    #expect(try failure(file([node("Gemm", ["x", "w"], "y")], tensors: [weight]))?.kind == .invalidData)
  }

  @Test("half-precision weights become single precision, subnormal and infinite numbers too")
  func halfPrecision() throws {
    func halves(_ bytes: [UInt8]) -> [UInt8] {
      var weight = ONNXTensor(name: "w", integers: [])
      weight.elementType = ONNXElementType.float16
      weight.dimensions = [2, 1]
      weight.raw = bytes[...]
      return file([node("Gemm", ["x", "w"], "y")], tensors: [weight])
    }
    let weights = try arrays(halves([0x00, 0xC1, 0x01, 0x00]))
    #expect(weights == [.float32(Tensor(shape: [1, 2], elements: [-2.5, 0x1p-24]))])
    let infinite = try arrays(halves([0x00, 0x7C, 0x00, 0xFC]))
    #expect(infinite == [.float32(Tensor(shape: [1, 2], elements: [.infinity, -.infinity]))])
    #expect(try arrays(halves([0x01, 0x7C, 0x00, 0x3C]))[0].converted(to: Double.self).elements[0].isNaN)
  }
}

/// A way in which exporters write the numbers of a tensor.
struct TensorEncoding: Sendable, CustomTestStringConvertible {
  let name: String
  let type: Int
  let bytes: [UInt8]
  /// What is wrong with it, if anything is.
  var problem = ""

  var testDescription: String { name }

  /// The bytes of a tensor's message with the numbers in it.
  func tensor(_ name: String, _ shape: [Int]) -> [UInt8] {
    var writer = WireWriter()
    writer.integers(1, shape)
    writer.integer(2, type)
    writer.string(8, name)
    return writer.bytes + bytes
  }

  static func fields(_ write: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    write(&writer)
    return writer.bytes
  }

  /// 1.5 and -2, each in the little-endian bytes of a type.
  private static let floats: [UInt8] = [0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0]
  private static let doubles: [UInt8] = [0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0]
  private static let halves = [0x3E00, 0xC000]
  private static let brainFloats = [0x3FC0, 0xC000]

  static let numbers: [TensorEncoding] = [
    .init(name: "raw float", type: 1, bytes: fields { $0.field(9, floats) }),
    .init(name: "raw double", type: 11, bytes: fields { $0.field(9, doubles) }),
    .init(name: "raw float16", type: 10, bytes: fields { $0.field(9, [0x00, 0x3E, 0x00, 0xC0]) }),
    .init(name: "raw bfloat16", type: 16, bytes: fields { $0.field(9, [0xC0, 0x3F, 0x00, 0xC0]) }),
    .init(name: "float_data, packed", type: 1, bytes: fields { $0.field(4, floats) }),
    .init(
      name: "float_data, one by one", type: 1,
      bytes: fields {
        $0.float(4, 1.5)
        $0.float(4, -2)
      }),
    .init(
      name: "float_data, packed in two pieces", type: 1,
      bytes: fields {
        $0.field(4, Array(floats[..<4]))
        $0.field(4, Array(floats[4...]))
      }),
    .init(name: "double_data, packed", type: 11, bytes: fields { $0.field(10, doubles) }),
    .init(name: "double_data, one by one", type: 11, bytes: [0x51] + doubles[..<8] + [0x51] + doubles[8...]),
    .init(name: "float16 in int32_data", type: 10, bytes: fields { $0.integers(5, halves) }),
    .init(
      name: "float16 in packed int32_data", type: 10, bytes: fields { $0.field(5, [0x80, 0x7C, 0x80, 0x80, 0x03]) }),
    .init(name: "bfloat16 in int32_data", type: 16, bytes: fields { $0.integers(5, brainFloats) }),
  ]

  static let damagedNumbers: [TensorEncoding] = [
    .init(
      name: "raw bytes that end early", type: 1, bytes: fields { $0.field(9, Array(floats[..<7])) },
      problem: "needs 8 bytes, but the file holds 7 of them"),
    .init(
      name: "a float too many", type: 1, bytes: fields { $0.field(4, floats + floats[..<4]) },
      problem: "needs 2 numbers, but the file holds 3 of them"),
    .init(
      name: "no numbers at all", type: 11, bytes: [], problem: "needs 2 numbers, but the file holds 0 of them"),
    .init(
      name: "packed floats with a broken end", type: 1, bytes: fields { $0.field(4, Array(floats[..<7])) },
      problem: "is damaged: a list of numbers has a broken end or numbers of another type"),
    .init(
      name: "floats as integers", type: 1, bytes: fields { $0.integers(4, [1, 2]) },
      problem: "is damaged: a list of numbers has a broken end or numbers of another type"),
    .init(
      name: "a double among floats", type: 1, bytes: [0x21] + floats,
      problem: "is damaged: a list of numbers has a broken end or numbers of another type"),
    .init(
      name: "one half instead of two", type: 10, bytes: fields { $0.integer(5, 0x3E00) },
      problem: "needs 2 numbers, but the file holds 1 of them"),
    .init(
      name: "halves that end within a number", type: 10, bytes: fields { $0.field(5, [0x80, 0x7C, 0x80]) },
      problem: "is damaged: it ends in the middle of a number"),
    .init(
      name: "a half of eleven bytes", type: 10,
      bytes: fields { $0.field(5, [UInt8](repeating: 0x80, count: 10) + [0x01]) },
      problem: "is damaged: a number at byte "),
    .init(
      name: "halves that fill more bytes than they can", type: 10,
      bytes: fields { $0.field(5, [UInt8](repeating: 0, count: 21)) }, problem: "is damaged: too many numbers"),
    .init(
      name: "halves as floats", type: 10, bytes: fields { $0.float(5, 1.5) },
      problem: "is damaged: its integers are numbers of another type"),
  ]

  /// The integers 0 and -1.
  static let shapes: [TensorEncoding] = [
    .init(
      name: "raw int64", type: 7,
      bytes: fields { $0.field(9, [0, 0, 0, 0, 0, 0, 0, 0] + .init(repeating: 255, count: 8)) }),
    .init(name: "raw int32", type: 6, bytes: fields { $0.field(9, [0, 0, 0, 0, 255, 255, 255, 255]) }),
    .init(name: "int64_data", type: 7, bytes: fields { $0.integers(7, [0, -1]) }),
    .init(
      name: "int64_data, packed", type: 7, bytes: fields { $0.field(7, [0] + .init(repeating: 255, count: 9) + [1]) }),
    .init(name: "int32_data", type: 6, bytes: fields { $0.integers(5, [0, -1]) }),
    .init(
      name: "int32_data of 32 bits each", type: 6, bytes: fields { $0.field(5, [0, 255, 255, 255, 255, 15]) }),
  ]

  static let damagedShapes: [TensorEncoding] = [
    .init(
      name: "one integer instead of two", type: 7, bytes: fields { $0.integer(7, 0) },
      problem: "needs 2 numbers, but the file holds 1 of them"),
    .init(
      name: "integers of another type's field", type: 7, bytes: fields { $0.integers(5, [0, -1]) },
      problem: "needs 2 numbers, but the file holds 0 of them"),
    .init(
      name: "floats", type: 1, bytes: fields { $0.field(9, floats) },
      problem: "`y` (Reshape): its shape is not a short list of integers"),
  ]
}

@Suite("numbers in ONNX files")
struct ONNXTensorEncodingTests {
  @Test("numbers are the same in each of ONNX's encodings", arguments: TensorEncoding.numbers)
  func numbers(encoding: TensorEncoding) throws {
    let bytes = try file(file([node("Gemm", ["x", "w"], "y")]), with: encoding.tensor("w", [2, 1]))
    #expect(try arrays(bytes) == [.float32(Tensor(shape: [1, 2], elements: [1.5, -2]))])
  }

  @Test("numbers that are damaged are refused, by the tensor's name", arguments: TensorEncoding.damagedNumbers)
  func damagedNumbers(encoding: TensorEncoding) throws {
    let bytes = try file(file([node("Gemm", ["x", "w"], "y")]), with: encoding.tensor("w", [2, 1]))
    let found = try #require(try failure(bytes))
    #expect(found.kind == .invalidData)
    #expect(found.message.contains("the tensor `w` " + encoding.problem), "\(found.message)")
  }

  @Test("a shape is the same in each of ONNX's encodings", arguments: TensorEncoding.shapes)
  func shapes(encoding: TensorEncoding) throws {
    let bytes = try file(file([node("Reshape", ["x", "s"], "y")], shape: images), with: encoding.tensor("s", [2]))
    #expect(try layers(bytes) == ["  - {name: y, type: flatten}"])
  }

  @Test("a shape that is damaged, or no list of integers, is refused", arguments: TensorEncoding.damagedShapes)
  func damagedShapes(encoding: TensorEncoding) throws {
    let bytes = try file(file([node("Reshape", ["x", "s"], "y")], shape: images), with: encoding.tensor("s", [2]))
    let message = try #require(try failure(bytes)).message
    #expect(message.contains(encoding.problem), "\(message)")
  }

  @Test("a double-precision model keeps its numbers whole, and its scalars apply to them")
  func doublePrecision() throws {
    var graph = ONNXGraph()
    graph.nodes = [
      node("Dropout", ["x", "ratio"], "d", name: "drop"),
      node("Gemm", ["d", "w", "b"], "y", [("alpha", .float(0.5)), ("beta", .float(2))], name: "fc"),
    ]
    graph.initializers = [
      ONNXTensor(name: "w", .float64(Tensor(shape: [2, 3], elements: [0.1, 2, 3, 4, 5, 6]))),
      ONNXTensor(name: "b", .float64(Tensor(shape: [1], elements: [0.3]))),
      ONNXTensor(name: "ratio", .float64(Tensor(shape: [], elements: [0.25]))),
    ]
    graph.inputs = [ONNXValueInfo(name: "x", elementType: ONNXElementType.double, shape: rows)]
    graph.outputs = [ONNXValueInfo(name: "y", elementType: ONNXElementType.double, shape: nil)]
    #expect(
      try layers(file(graph)) == [
        "  - {name: drop, type: dropout, rate: 0.25}", "  - {name: fc, type: dense, units: 3}",
      ])
    #expect(
      try arrays(file(graph)) == [
        .float64(Tensor(shape: [3, 2], elements: [0.05, 2, 1, 2.5, 1.5, 3])),
        .float64(Tensor(shape: [3], elements: [0.6, 0.6, 0.6])),
      ])
  }
}
