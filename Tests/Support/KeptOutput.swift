public import Runbook
import Synchronization

/// Keeps what a script writes, each byte at its place.
public final class KeptOutput: OutputSink {
  private let state = Mutex<[OutputStream: [UInt8]]>([:])
  public init() {}
  public var stdout: [UInt8] { state.withLock { $0[.stdout] ?? [] } }
  public func position(of stream: OutputStream) -> Int { state.withLock { $0[stream]?.count ?? 0 } }
  public func take(_ bytes: [UInt8], of stream: OutputStream, at offset: Int) {
    state.withLock { state in
      let known = state[stream]?.count ?? 0
      if offset + bytes.count > known { state[stream, default: []] += bytes.suffix(offset + bytes.count - known) }
    }
  }
  public func publish() {}
  public func finish(_ stream: OutputStream, total: Int) {}
}
