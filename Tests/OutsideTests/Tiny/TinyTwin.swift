import Runbook
import Synchronization

/// The simulated side of the cloud: one server, which takes 20 seconds to stop or start.
final class TinyTwin: SimulatedSystem {
  static let server = "7"

  let type = "tiny"
  private struct State {
    var isOn = true
    var size: Int64 = 2
    /// It shows neither before.
    var changesUntil: Timestamp?
    var ledger: [LedgerEntry] = []
    var requests: [String] = []
    /// The reply to the next change of this kind is lost.
    var lost: String?
    var fired: [String] = []
  }
  private let clock: any EngineClock
  private let log: ChangeLog
  private let state = Mutex(State())

  init(clock: any EngineClock, log: ChangeLog = ChangeLog()) {
    self.clock = clock
    self.log = log
  }

  var isOn: Bool { state.withLock { $0.isOn } }
  var size: Int64 { state.withLock { $0.size } }
  var ledger: [LedgerEntry] { state.withLock { $0.ledger } }
  var requests: [String] { state.withLock { $0.requests } }
  var firedFaults: [String] { state.withLock { $0.fired } }
  func ensureServer(_ id: String) {}

  /// `reply_lost:size`, `reply_lost:power`.
  func inject(_ fault: String) throws(ExpressionFailure) {
    guard ["reply_lost:size", "reply_lost:power"].contains(fault) else {
      throw ExpressionFailure("unknown fault `\(fault)`: it is `reply_lost:size` or `reply_lost:power`")
    }
    state.withLock { $0.lost = fault }
  }

  func answer(_ request: SimulatedRequest) -> SimulatedReply {
    guard request.header("authorization") == "tiny-token" else { return Self.reply(401) }
    let parts = request.path.split(separator: "/")
    guard parts.count > 1, parts[0] == "servers", parts[1] == Self.server else { return Self.reply(404) }
    let now = clock.now
    return state.withLock { state in
      state.requests.append("\(request.method) \(request.path)")
      let isChanging = state.changesUntil.map { now < $0 } ?? false
      if request.method == "GET" {
        let native = isChanging ? "busy" : state.isOn ? "on" : "off"
        return Self.reply(200, ["state": .string(native), "size": .int(state.size)])
      }
      guard parts.count == 3, let value = (try? JSONReader.read(request.body))?["to"] else { return Self.reply(400) }
      let what = String(parts[2])
      if what == "size", let size = value.int {
        guard !state.isOn, !isChanging else { return Self.reply(409) }
        state.size = size
      } else {
        state.isOn = value == "on"
        state.changesUntil = now + .seconds(20)
      }
      let entry = LedgerEntry(
        at: now, effect: what, subject: Self.server, detail: value.string ?? String(state.size))
      state.ledger.append(entry)
      log.note(entry)
      guard state.lost == "reply_lost:\(what)" else { return Self.reply(200) }
      state.fired.append("reply_lost:\(what)")
      state.lost = nil
      return .lost
    }
  }

  private static func reply(_ status: Int, _ body: Value = [:]) -> SimulatedReply {
    .response(HTTPResponse(status: status, body: JSONWriter.bytes(body)))
  }
}
