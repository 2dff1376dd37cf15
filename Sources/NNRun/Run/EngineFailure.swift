import Diagnostics
import Engine
import Graph
import ModelFile

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Executor {
  /// Compiles a graph of a model, its parameters read one at a time.
  convenience init(_ graph: Graph, model: Model, threads: Int?) throws(Failure) {
    do {
      try self.init(
        graph: graph, elementType: model.elementType, threads: threads ?? coreCount(),
        parameter: { try model.value(of: $0) })
    } catch {
      throw Failure(engine: error)
    }
  }
}

extension Failure {
  /// What a user is told of an error of the engine.
  init(engine error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case EngineError.outOfMemory(let bytes):
      self.init(
        .invalidData,
        "the activations need \(bytes >> 20) MiB, more than this machine has free; a smaller `--batch-size` needs less")
    case EngineError.unknownSize(let label):
      self.init(.invalidData, "the shapes at layer `\(label)` are not known for inputs of these shapes")
    default: self.init(.invalidData, "the model cannot be run: \(error)")
    }
  }
}

/// The number of processors that this process may use.
func coreCount() -> Int { max(1, min(1024, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
