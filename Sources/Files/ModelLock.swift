package import Diagnostics

/// The lock of a model in training: held until it is released, or the process ends however it ends. It leaves no file
/// behind, for it is a lock of the model file itself.
package final class ModelLock {
  private var descriptor: FileDescriptor
  private var next: FileDescriptor?

  /// Locks the model file at `path`. Throws `busy` at once where another process holds it.
  package init(_ path: FilePath, system: any SystemCalls = OperatingSystem()) throws(Failure) {
    do {
      while true {
        let descriptor = try FileDescriptor(path, .reading, system)
        guard try descriptor.lock() else {
          throw Failure(.busy, "\(path) is being trained by another process")
        }
        // Another may have replaced the file between the opening and the lock.
        if try descriptor.status().isSameFile(as: system.status(of: path, followingLinks: true)) {
          self.descriptor = descriptor
          return
        }
      }
    } catch let failure as Failure {
      throw failure
    } catch let error as SystemError {
      throw error.whileReading(path.description)
    } catch {
      throw Failure(.cannotRead, "cannot read \(path)")
    }
  }

  /// Locks the file that is to take the model's place as well.
  func prepareMove(to descriptor: FileDescriptor) throws(SystemError) {
    _ = try descriptor.lock()
    next = descriptor
  }

  /// The file has taken the model's place: from now on its lock counts.
  func hasMoved() {
    if let next { descriptor = next }
    next = nil
  }
}
