import Communication
import Diagnostics
import Files
import Tensors

extension ResultFormat {
  /// What writes the results of this rank's rows, from `row` on, so that the file is the one that a single process
  /// writes: to the file itself where each row has its place there, else by way of rank 0.
  func writer(
    _ results: [ResultDescription], elementType: ElementType, startingAt row: Int, of communicator: Communicator
  ) throws -> any ResultWriter {
    if communicator.isAlone { return try writer(results, elementType: elementType) }
    switch self {
    case .npy(let path), .npz(let path):
      let opened = try Job.agree { communicator.leads ? try OutputFile(FilePath(path), isShared: true) : nil }
      let place = try communicator.broadcast(opened?.sharedPath?.bytes ?? [])
      guard !place.isEmpty else { break }
      let file = try Job.agree { try opened ?? OutputFile(joining: FilePath(bytes: place)) }
      return SharedFileWriter(self, results, file, elementType, startingAt: row, communicator)
    case .json, .csv: break
    }
    let target = try Job.agree { communicator.leads ? try writer(results, elementType: elementType) : nil }
    return GatheringWriter(target, communicator)
  }
}

/// Writes this rank's rows to their places in a file that all ranks write.
private final class SharedFileWriter: ResultWriter {
  private enum Form {
    case npy(NPYPartWriter)
    case npz(NPZWriter)
  }

  private let form: Form
  private let file: OutputFile
  private let communicator: Communicator

  init(
    _ format: ResultFormat, _ results: [ResultDescription], _ file: OutputFile, _ elementType: ElementType,
    startingAt row: Int, _ communicator: Communicator
  ) {
    self.file = file
    self.communicator = communicator
    if case .npz = format {
      form = .npz(NPZWriter(to: file, results.map { ($0.name, elementType, $0.shape) }, startingAt: row))
    } else {
      form = .npy(
        NPYPartWriter(to: file, type: StoredType(elementType), shape: results[0].shape, startingAt: row))
    }
  }

  func append(_ tensors: [AnyTensor]) throws(Failure) {
    switch form {
    case .npy(let writer): try writer.append(tensors[0])
    case .npz(let writer): for (index, tensor) in tensors.enumerated() { try writer.append(tensor, to: index) }
    }
  }

  func finish() throws(Failure) {
    switch form {
    case .npy(let writer): if communicator.leads { try writer.writeHeader() }
    case .npz(let writer):
      let own = writer.parts.flatMap { part in
        UInt64(part.checksum.value).littleEndianBytes + UInt64(part.count).littleEndianBytes
      }
      let all = try communicator.gather(own)
      if communicator.leads { try writer.finish(all.dropFirst().map(Self.parts)) }
    }
    // Closed by all before the file takes its place, so that no host holds back a part of it.
    if !communicator.leads { try file.finish() }
    try communicator.barrier()
    if communicator.leads { try file.finish() }
  }

  private static func parts(_ bytes: [UInt8]) -> [NPZWriter.Part] {
    stride(from: 0, to: bytes.count, by: 16).map { start in
      NPZWriter.Part(
        checksum: CRC32(value: UInt32(truncatingIfNeeded: UInt64(littleEndianBytes: bytes[start..<start + 8]))),
        count: Int(UInt64(littleEndianBytes: bytes[start + 8..<start + 16])))
    }
  }
}

/// Hands the results of all ranks to rank 0's writer, in the order of their rows.
final class GatheringWriter: ResultWriter {
  private let target: (any ResultWriter)?
  private let communicator: Communicator
  private var held: [[AnyTensor]] = []

  /// `target` is rank 0's; the others have none.
  init(_ target: (any ResultWriter)?, _ communicator: Communicator) {
    self.target = target
    self.communicator = communicator
  }

  func append(_ tensors: [AnyTensor]) throws(Failure) {
    // Sent when all are done: rank 0 first computes its own.
    if let target { try target.append(tensors) } else { held.append(tensors) }
  }

  func finish() throws(Failure) {
    guard let target else {
      try communicator.send(UInt64(held.count).littleEndianBytes, to: 0)
      for tensors in held { try communicator.send(Self.bytes(tensors), to: 0) }
      return
    }
    for other in 1..<max(communicator.size, 1) {
      let count = UInt64(littleEndianBytes: try communicator.receive(from: other)[...])
      for _ in 0..<count { try target.append(Self.tensors(try communicator.receive(from: other))) }
    }
    try target.finish()
  }

  private static func bytes(_ tensors: [AnyTensor]) -> [UInt8] {
    var bytes: [UInt8] = []
    for tensor in tensors {
      bytes += UInt64(tensor.elementType == .float32 ? 4 : 8).littleEndianBytes
      bytes += UInt64(tensor.shape.count).littleEndianBytes + tensor.shape.flatMap { UInt64($0).littleEndianBytes }
      bytes += tensor.littleEndianBytes
    }
    return bytes
  }

  private static func tensors(_ bytes: [UInt8]) -> [AnyTensor] {
    var rest = bytes[...]
    func next() -> Int {
      defer { rest = rest.dropFirst(8) }
      return Int(UInt64(littleEndianBytes: rest.prefix(8)))
    }
    var tensors: [AnyTensor] = []
    while !rest.isEmpty {
      let size = next()
      let shape = (0..<next()).map { _ in next() }
      let count = shape.reduce(1, *) * size
      tensors.append(
        AnyTensor(
          littleEndianBytes: Array(rest.prefix(count)), shape: shape, elementType: size == 4 ? .float32 : .float64))
      rest = rest.dropFirst(count)
    }
    return tensors
  }
}
