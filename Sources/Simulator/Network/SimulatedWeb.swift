public import Runbook
import Synchronization

/// Any web site: answers 200 and `{}` to everything but what its table says, and keeps a ledger of the requests that
/// may change something. Stands in for health pages and chat hooks.
public final class SimulatedWeb: SimulatedSystem {
  public let type = "web"

  /// An answer for requests whose `METHOD path` contains `text`.
  public struct Rule: Sendable {
    public var text: String
    public var status: Int
    public var body: String
    /// How often it holds before the next matching rule is asked; nil: always.
    public var times: Int?
    public init(matching text: String, status: Int, body: String = "{}", times: Int? = nil) {
      self.text = text
      self.status = status
      self.body = body
      self.times = times
    }
  }
  private struct State {
    var rules: [Rule]
    var ledger: [LedgerEntry] = []
    var requests: [String] = []
  }
  private let clock: any EngineClock
  private let state: Mutex<State>

  public init(clock: any EngineClock, rules: [Rule] = []) {
    self.clock = clock
    state = Mutex(State(rules: rules))
  }

  public func answer(_ request: SimulatedRequest) -> SimulatedReply {
    let line = "\(request.method) \(request.path)"
    let now = clock.now
    return state.withLock { state in
      state.requests.append(line)
      if !["GET", "HEAD", "OPTIONS"].contains(request.method) {
        let body = String(decoding: request.body.prefix(1024), as: UTF8.self)
        state.ledger.append(LedgerEntry(at: now, effect: "web.request", subject: line, detail: body))
      }
      let rule = state.rules.indices.first { line.contains(state.rules[$0].text) && state.rules[$0].times != 0 }
      guard let rule else { return .response(SimulatedWeb.response(200, "{}")) }
      if let times = state.rules[rule].times { state.rules[rule].times = times - 1 }
      return .response(SimulatedWeb.response(state.rules[rule].status, state.rules[rule].body))
    }
  }

  /// `METHOD path` of every request, in order.
  public var requests: [String] { state.withLock { $0.requests } }
  public var ledger: [LedgerEntry] { state.withLock { $0.ledger } }
  public func ensureServer(_ id: String) {}

  /// `STATUS[:TIMES]`: the next requests get this status.
  public func inject(_ fault: String) throws(ExpressionFailure) {
    let parts = fault.split(separator: ":")
    guard let status = parts.first.flatMap({ Int($0) }), (100...599).contains(status), parts.count <= 2 else {
      throw ExpressionFailure("unknown fault `\(fault)`; a web site knows `STATUS[:TIMES]`, such as `503:2`")
    }
    let times = parts.count == 2 ? Int(parts[1]) ?? 1 : 1
    state.withLock { $0.rules.insert(Rule(matching: "", status: status, times: times), at: 0) }
  }

  private static func response(_ status: Int, _ body: String) -> HTTPResponse {
    HTTPResponse(status: status, headers: [(name: "content-type", value: "application/json")], body: Array(body.utf8))
  }
}
