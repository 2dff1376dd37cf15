import CNNRun
import Diagnostics
import Files
import ModelFile
import NNRun

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The functions of nnrun.h. Nothing that a caller passes may trap, but for pointers that point nowhere.

@c @implementation
public func nnrun_version() -> UnsafePointer<CChar>? { unsafe UnsafePointer(version.pointer) }

@c @implementation
public func nnrun_load(_ path: UnsafePointer<CChar>?, _ threads: Int32) -> OpaquePointer? {
  unsafe attempt(orElse: nil) { () throws(Failure) in
    guard let path = unsafe path else { throw Failure(.usage, "the path is NULL") }
    guard (0...1024).contains(threads) else {
      throw Failure(.usage, "threads are from 1 to 1024, or 0 for one for each core, not \(threads)")
    }
    let model = try LoadedModel(path: unsafe text(path), threads: threads == 0 ? nil : Int(threads))
    return unsafe OpaquePointer(Unmanaged.passRetained(model).toOpaque())
  }
}

@c @implementation
public func nnrun_free(_ model: OpaquePointer?) {
  guard let model = unsafe model else { return }
  unsafe Unmanaged<LoadedModel>.fromOpaque(UnsafeRawPointer(model)).release()
}

@c @implementation
public func nnrun_input_count(_ model: OpaquePointer?) -> Int64 {
  unsafe with(model, orElse: -1) { model in Int64(model.model.inputs.count) }
}

@c @implementation
public func nnrun_output_count(_ model: OpaquePointer?) -> Int64 {
  unsafe with(model, orElse: -1) { model in Int64(model.model.outputs.count) }
}

@c @implementation
public func nnrun_input_name(_ model: OpaquePointer?, _ index: Int64) -> UnsafePointer<CChar>? {
  unsafe with(model, orElse: nil) { model throws(Failure) in
    unsafe UnsafePointer(model.inputNames[try place(index, in: model.inputNames, "inputs")].pointer)
  }
}

@c @implementation
public func nnrun_output_name(_ model: OpaquePointer?, _ index: Int64) -> UnsafePointer<CChar>? {
  unsafe with(model, orElse: nil) { model throws(Failure) in
    unsafe UnsafePointer(model.outputNames[try place(index, in: model.outputNames, "outputs")].pointer)
  }
}

@c @implementation
public func nnrun_set_size(_ model: OpaquePointer?, _ symbol: UnsafePointer<CChar>?, _ size: Int64) -> Int32 {
  unsafe status(model) { model throws(Failure) in
    guard let symbol = unsafe symbol else { throw Failure(.usage, "the symbol is NULL") }
    try model.setSize(unsafe text(symbol), to: Int(size))
  }
}

@c @implementation
public func nnrun_input_shape(
  _ model: OpaquePointer?, _ index: Int64, _ batchSize: Int64, _ shape: UnsafeMutablePointer<Int64>?, _ capacity: Int64
) -> Int64 {
  unsafe with(model, orElse: -1) { model throws(Failure) in
    let inputs = model.model.inputs
    let lengths = model.lengths(of: inputs[try place(index, in: inputs, "inputs")].shape, batchSize: Int(batchSize))
    return unsafe copy(lengths, to: shape, capacity)
  }
}

@c @implementation
public func nnrun_output_shape(
  _ model: OpaquePointer?, _ index: Int64, _ batchSize: Int64, _ shape: UnsafeMutablePointer<Int64>?, _ capacity: Int64
) -> Int64 {
  unsafe with(model, orElse: -1) { model throws(Failure) in
    let outputs = model.model.outputs
    let lengths = model.lengths(of: outputs[try place(index, in: outputs, "outputs")].shape, batchSize: Int(batchSize))
    return unsafe copy(lengths, to: shape, capacity)
  }
}

@c @implementation
public func nnrun_run(
  _ model: OpaquePointer?, _ batchSize: Int64, _ inputs: UnsafePointer<UnsafePointer<Float>?>?,
  _ outputs: UnsafePointer<UnsafeMutablePointer<Float>?>?
) -> Int32 {
  unsafe status(model) { model throws(Failure) in
    guard (0...Int64(Int32.max)).contains(batchSize) else {
      throw Failure(.usage, "the batch size is from 0 to \(Int32.max), not \(batchSize)")
    }
    guard let inputs = unsafe inputs, let outputs = unsafe outputs else {
      throw Failure(.usage, "the \(unsafe inputs == nil ? "inputs" : "outputs") are NULL")
    }
    if batchSize > 0 {
      for (index, input) in model.model.inputs.enumerated() where unsafe inputs[index] == nil {
        throw Failure(.usage, "the pointer to input `\(input.name)` is NULL")
      }
      for (index, output) in model.model.outputs.enumerated() where unsafe outputs[index] == nil {
        throw Failure(.usage, "the pointer to output `\(output.name)` is NULL")
      }
    }
    // Every pointer was checked, and without rows none is followed.
    try unsafe model.run(
      batchSize: Int(batchSize),
      inputs: UnsafeRawPointer(inputs).assumingMemoryBound(to: UnsafePointer<Float>.self),
      outputs: UnsafeRawPointer(outputs).assumingMemoryBound(to: UnsafeMutablePointer<Float>.self))
  }
}

private let version = LoadedModel.Name(libraryVersion)

/// Runs `body` on the model of a handle; a failure is kept for the thread.
private func with<Result>(
  _ handle: OpaquePointer?, orElse fallback: Result, _ body: (LoadedModel) throws(Failure) -> Result
) -> Result {
  attempt(orElse: fallback) { () throws(Failure) in
    guard let handle = unsafe handle else { throw Failure(.usage, "the model is NULL") }
    return try body(unsafe Unmanaged<LoadedModel>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue())
  }
}

private func status(_ handle: OpaquePointer?, _ body: (LoadedModel) throws(Failure) -> Void) -> Int32 {
  let isDone = unsafe with(handle, orElse: false) { model throws(Failure) in
    try body(model)
    return true
  }
  return isDone ? 0 : nnrun_last_status()
}

private func attempt<Result>(orElse fallback: Result, _ body: () throws(Failure) -> Result) -> Result {
  do {
    return try body()
  } catch {
    unsafe nnrun_keep_error(error.kind.rawValue, error.description)
    return fallback
  }
}

private func place(_ index: Int64, in list: [some Any], _ noun: String) throws(Failure) -> Int {
  guard index >= 0, index < list.count else {
    throw Failure(.usage, "there is no index \(index): the model has \(list.count) \(noun), counted from 0")
  }
  return Int(index)
}

/// Copies what there is room for and returns how many there are.
private func copy(_ lengths: [Int64], to shape: UnsafeMutablePointer<Int64>?, _ capacity: Int64) -> Int64 {
  if let shape = unsafe shape {
    for place in 0..<max(0, min(lengths.count, Int(capacity))) { unsafe shape[place] = lengths[place] }
  }
  return Int64(lengths.count)
}

/// A path or name of C's: bytes that need not be UTF-8.
private func text(_ bytes: UnsafePointer<CChar>) -> String {
  unsafe FilePath(bytes: Array(UnsafeRawBufferPointer(start: bytes, count: strlen(bytes)))).text
}
