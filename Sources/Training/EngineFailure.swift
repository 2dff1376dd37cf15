package import Diagnostics
import Engine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Failure {
  /// What a user is told of an error of the engine.
  package init(engine error: any Error) {
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

/// The number of processors that there are for this process.
package func processorCount() -> Int { max(1, min(1024, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
