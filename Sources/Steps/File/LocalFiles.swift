import Posix
public import Runbook

/// The files of this machine. Paths are absolute, or relative to the process's working directory.
public struct LocalFiles: FileHost {
  public init() {}

  public func read(_ path: String, limit: Int) async throws(StepFailure) -> [UInt8]? {
    do throws(FileFailure) {
      return try FileReading.all(of: path, limit: limit)
    } catch {
      switch error {
      case .missing: return nil
      default: throw StepFailure(.input, "`\(path)` \(error.reason)")
      }
    }
  }

  public func status(_ path: String) async throws(StepFailure) -> FileStatus? {
    do throws(FileFailure) {
      let (size, mode) = try FileReading.status(of: path)
      return FileStatus(size: size, mode: mode)
    } catch {
      switch error {
      case .missing: return nil
      default: throw StepFailure(.input, "`\(path)` \(error.reason)")
      }
    }
  }

  public func write(_ path: String, content: [UInt8], mode: UInt16?) async throws(StepFailure) {
    do throws(FileFailure) {
      try FileWriting.replace(path, content: content, mode: mode)
    } catch {
      switch error {
      case .missing: throw StepFailure(.notFound, "the folder of `\(path)` does not exist")
      case .unreadable(let cause) where cause.isDiskFull: throw StepFailure(.limit, "no space left for `\(path)`")
      case .unreadable(let cause):
        throw StepFailure(.rejected, "`\(path)` cannot be written: \(cause.reason)", retryable: cause.isShortage)
      default: throw StepFailure(.rejected, "`\(path)` \(error.reason)")
      }
    }
  }
}
