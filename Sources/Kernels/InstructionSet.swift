import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The kernels for one instruction set: a table of functions.
@safe
public struct InstructionSet: @unchecked Sendable {
  let table: UnsafePointer<NNKernels>

  private init(table: UnsafePointer<NNKernels>) { unsafe self.table = unsafe table }

  /// The best that this processor has, or the one that the environment variable `NNRUN_ISA` names.
  public static var current: InstructionSet { unsafe InstructionSet(table: nnKernels()) }

  /// What `NNRUN_ISA` names, where this processor does not have it; `current` would be another then.
  public static var unavailableChoice: String? {
    guard let choice = unsafe getenv("NNRUN_ISA") else { return nil }
    let name = unsafe String(cString: choice)
    return InstructionSet(named: name) == nil ? name : nil
  }

  /// The named one (`baseline`, `avx2`, `avx512`, `neon`), if this processor has it.
  public init?(named name: String) {
    guard let table = unsafe nnKernelsNamed(name) else { return nil }
    unsafe self.init(table: table)
  }

  /// Its name.
  public var name: String { unsafe String(cString: table.pointee.name) }

  /// Every one that this processor has.
  public static var all: [InstructionSet] {
    ["baseline", "neon", "avx2", "avx512"].compactMap(InstructionSet.init(named:)).reduce(into: []) { found, set in
      if !found.contains(where: { $0.name == set.name }) { found.append(set) }
    }
  }

  /// Fused multiply-adds in registers, as many as make `iterations` rounds; the floating-point operations done.
  public func peak(iterations: Int) -> Int {
    unsafe withExtendedLifetime(table.pointee.peak(iterations)) {}
    return unsafe iterations * table.pointee.peakFlopsPerIteration
  }
}
