package import Diagnostics
import Engine
import Kernels

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
        "\((bytes + (1 << 20) - 1) >> 20) MiB of memory are needed, more than is free or `--max-memory` allows; "
          + "a smaller `--batch-size` needs less")
    case EngineError.unavailableInstructions(let name, let available):
      self.init(
        .usage,
        "the environment variable NNRUN_ISA is `\(printable(name))`, but this processor has "
          + available.joined(separator: ", "))
    case EngineError.unknownSize(let label):
      self.init(.invalidData, "the shapes at layer `\(label)` are not known for inputs of these shapes")
    default: self.init(.invalidData, "the model cannot be run: \(error)")
    }
  }
}

/// The number of processors that there are for this process.
package func processorCount() -> Int { max(1, min(1024, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

/// The instruction set that kernels are run in.
package var kernelInstructionSet: String { InstructionSet.current.name }
