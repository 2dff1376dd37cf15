package import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a launcher such as `mpirun` or `srun` tells a process that it starts as one of many.
package struct Launch: Sendable, Equatable {
  /// The number of the process, from 0.
  package let rank: Int
  /// The number of processes.
  package let size: Int

  /// Reads the variables that MPICH's, OpenMPI's and Slurm's launchers set; nil where none did.
  package init?(_ variable: (String) -> String?) {
    for (rank, size) in [
      ("PMI_RANK", "PMI_SIZE"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
      ("PMIX_RANK", "SLURM_STEP_NUM_TASKS"),
    ] {
      guard let rank = variable(rank).flatMap({ Int($0) }), let size = variable(size).flatMap({ Int($0) }) else {
        continue
      }
      self.rank = rank
      self.size = size
      return
    }
    return nil
  }

  /// What this process was told.
  package static var current: Launch? {
    Launch { name in unsafe getenv(name).map { unsafe String(cString: $0) } }
  }
}

/// Joins the job that this process was started in; without one it is alone.
///
/// Throws `usage` where there is a job of several processes but the program was built without MPI: each of them would do
/// the whole work, and all would write the same files.
package func joinJob(_ launch: Launch? = .current) throws(Failure) -> Communicator {
  guard let launch else { return Communicator(SingleProcess()) }
  #if MPI
    return Communicator(try MPITransport(launch))
  #else
    guard launch.size > 1 else { return Communicator(SingleProcess()) }
    throw Failure(
      .usage,
      "this is one of \(launch.size) processes of an MPI job, but the program is built without MPI, so that each would do "
        + "the whole work; `make release MPI=1` builds it with MPI")
  #endif
}
