import Runbook
import Simulator
import Synchronization

/// A web site that writes every request that may change something into a ledger, at the moment at which it takes
/// effect. The address says what becomes of each request to it: `/do/lost,409/x` loses the reply to the first and
/// answers 409 to all others.
///
/// `200` … an answer · `lost` it takes effect, and the reply is lost · `drop` it is lost on its way · `late8` the
/// connection breaks, and it takes effect 8 seconds later.
final class LedgerWeb: SimulatedSystem {
  let type = "ledger"
  private let clock: any EngineClock
  private struct State {
    var ledger: [LedgerEntry] = []
    var asked: [String: Int] = [:]
    var requests: [String] = []
    var delay: Duration?
  }
  private let state = Mutex(State())

  init(clock: any EngineClock) { self.clock = clock }

  /// In the order in which they took effect.
  var ledger: [LedgerEntry] {
    state.withLock { state in
      state.ledger.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }
  }
  /// `PUT x`, in the order in which they took effect.
  var deeds: [String] { ledger.map { "\($0.effect) \($0.subject)" } }
  var requests: [String] { state.withLock { $0.requests } }
  /// The next request is on its way for so long: its connection breaks, and it takes effect then.
  func delayNext(by delay: Duration) { state.withLock { $0.delay = delay } }
  func ensureServer(_ id: String) {}
  func inject(_ fault: String) throws(ExpressionFailure) { throw ExpressionFailure("the address says what happens") }

  func answer(_ request: SimulatedRequest) -> SimulatedReply {
    let parts = request.path.split(separator: "/").map { String($0) }
    let fates = parts.count == 3 && parts[0] == "do" ? parts[1].split(separator: ",").map { String($0) } : ["200"]
    let name = parts.last ?? ""
    let now = clock.now
    return state.withLock { state in
      let line = "\(request.method) \(name)"
      state.requests.append(line)
      let place = "\(request.method) \(request.path)"
      let fate = fates[min(state.asked[place, default: 0], fates.count - 1)]
      state.asked[place, default: 0] += 1
      func takeEffect(after delay: Duration = .zero) {
        guard request.method != "GET" else { return }
        let body = String(decoding: request.body.prefix(1024), as: UTF8.self)
        state.ledger.append(LedgerEntry(at: now + delay, effect: request.method, subject: name, detail: body))
      }
      if let delay = state.delay {
        state.delay = nil
        takeEffect(after: delay)
        return .lost
      }
      switch fate {
      case "drop": return .lost
      case "lost":
        takeEffect()
        return .lost
      case let late where late.hasPrefix("late"):
        takeEffect(after: .seconds(Int64(late.dropFirst(4)) ?? 1))
        return .lost
      default:
        takeEffect()
        return .response(HTTPResponse(status: Int(fate) ?? 200, headers: [], body: Array("{\"ok\":true}".utf8)))
      }
    }
  }
}
