import Foundation
import TestSupport
import Testing

/// The program as a user runs it: `nnrun` with words, in a folder of its own.
struct Program {
  /// What a run left.
  struct Result {
    let status: Int32
    let output: String
    let outputBytes: Data
    let errors: String
  }

  /// A new, empty folder, in which the program runs.
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "nnrun-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

  func write(_ data: Data, to name: String) throws {
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
  }

  func read(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }

  /// Runs the program through a shell line, in which `nnrun` is the program.
  func shell(_ line: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Result {
    let products = try #require(BuiltProgram.folder, "nnrun is not built", sourceLocation: sourceLocation)
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", line]
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = products.path + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    process.environment = environment
    // Files, not pipes: nothing blocks however much is printed.
    let (outputFile, errorFile) = (folder.appending(path: ".stdout"), folder.appending(path: ".stderr"))
    for file in [outputFile, errorFile] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit, "\(line) ended by a signal", sourceLocation: sourceLocation)
    let output = try Data(contentsOf: outputFile)
    return Result(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self), outputBytes: output,
      errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
  }
}

/// The bytes of a `.npy` file of float64 numbers, written out here so that the reader is not its own judge.
func npy(_ shape: [Int], _ values: [Double], type: String = "<f8") -> Data {
  let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
  var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(dimensions)), }"
  while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
  header += "\n"
  var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
  data += Data(header.utf8)
  for value in values {
    if type == "<i8" {
      unsafe withUnsafeBytes(of: Int64(value).littleEndian) { unsafe data += Data($0) }
    } else {
      unsafe withUnsafeBytes(of: value.bitPattern.littleEndian) { unsafe data += Data($0) }
    }
  }
  return data
}

/// A neuron of two features whose scores are known: sigmoid of 0.1 a - 0.2 b.
let neuron = """
  nnrun: 1
  inputs: {x: {shape: [N, 2]}}
  layers: [{name: out, type: dense-sigmoid, weight: [[0.1, -0.2]], bias: [0]}]

  """

/// Two inputs, two outputs: their sum, and the relu of it.
let sum = """
  nnrun: 1
  inputs: {a: {shape: [N, 2]}, b: {shape: [N, 2]}}
  layers: [{name: total, type: add, input: [a, b]}, {name: positive, type: relu}]
  outputs: [total, positive]

  """
