public import Runbook
import Synchronization

/// A system that answers what a test wrote down, in order; the last answer holds for all further requests.
public final class ScriptedSystem: SimulatedSystem {
  public let type = "scripted"
  private struct State {
    var replies: [SimulatedReply]
    var requests: [SimulatedRequest] = []
  }
  private let state: Mutex<State>

  public init(_ replies: [SimulatedReply]) { state = Mutex(State(replies: replies)) }

  /// One JSON reply for everything.
  public convenience init(_ status: Int, _ body: String, headers: [(name: String, value: String)] = []) {
    self.init([ScriptedSystem.reply(status, body, headers: headers)])
  }

  public static func reply(
    _ status: Int, _ body: String, headers: [(name: String, value: String)] = []
  ) -> SimulatedReply {
    .response(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
  }

  public func answer(_ request: SimulatedRequest) -> SimulatedReply {
    state.withLock { state in
      state.requests.append(request)
      if state.replies.count > 1 { return state.replies.removeFirst() }
      return state.replies.first ?? .lost
    }
  }

  public var seen: [SimulatedRequest] { state.withLock { $0.requests } }
  public var requests: [String] { seen.map { "\($0.method) \($0.path)" } }
  public var ledger: [LedgerEntry] { [] }
  public func ensureServer(_ id: String) {}
  public func inject(_ fault: String) throws(ExpressionFailure) {
    throw ExpressionFailure("a scripted system has no faults")
  }
}
