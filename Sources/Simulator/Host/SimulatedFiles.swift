public import Runbook
import Synchronization

/// Files in memory.
public final class SimulatedFiles: FileHost {
  public struct File: Sendable, Equatable {
    public var content: [UInt8]
    public var mode: UInt16
  }
  private let state = Mutex<[String: File]>([:])
  public init() {}

  /// By path as written.
  public var files: [String: File] { state.withLock { $0 } }

  public func read(_ path: String, limit: Int) async throws(StepFailure) -> [UInt8]? {
    guard let content = state.withLock({ $0[path]?.content }) else { return nil }
    guard content.count <= limit else {
      throw StepFailure(.limit, "`\(path)` is \(content.count) bytes long; at most \(limit) are read")
    }
    return content
  }

  public func status(_ path: String) async throws(StepFailure) -> FileStatus? {
    state.withLock { $0[path].map { FileStatus(size: $0.content.count, mode: $0.mode) } }
  }

  public func write(_ path: String, content: [UInt8], mode: UInt16?) async throws(StepFailure) {
    state.withLock { $0[path] = File(content: content, mode: mode ?? $0[path]?.mode ?? 0o600) }
  }
}
