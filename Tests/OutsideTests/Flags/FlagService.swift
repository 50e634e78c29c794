import Runbook
import Synchronization

/// The service that keeps the switches, as the actions reach it.
struct FlagService {
  static let origin = "https://flags.example.com"
  static let name = Field("name", .string, required: true, help: "of the switch")

  private let transport: any HTTPTransport

  init(_ call: ActionCall) { transport = call.transport }

  func isOn(_ name: String) async throws(StepFailure) -> Bool {
    let reply = try await send("GET", name, nil)
    guard let isOn = reply["on"]?.bool else { throw StepFailure(.server, "the service of switches told no state") }
    return isOn
  }

  func set(_ name: String, on isOn: Bool) async throws(StepFailure) {
    _ = try await send("PUT", name, ["on": .bool(isOn)])
  }

  private func send(_ method: String, _ name: String, _ body: Value?) async throws(StepFailure) -> Value {
    var request = HTTPRequest(method, "\(Self.origin)/\(name)", body: body.map { JSONWriter.bytes($0) })
    request.isRead = body == nil
    let response: HTTPResponse
    do { response = try await transport.send(request) } catch {
      throw StepFailure(
        .unreachable, "no answer from the service of switches: \(error.message)",
        effect: error.beforeFirstByte || request.isRead ? .none : .unknown, retryable: true)
    }
    guard response.status == 200, let reply = try? JSONReader.read(response.body) else {
      throw StepFailure(.rejected, "the service of switches refused it (\(response.status))")
    }
    return reply
  }
}

/// The other side of it, in memory.
final class SimulatedFlags: SimulatedSystem {
  let type = "flags"
  private struct State {
    var on: Set<String>
    var ledger: [LedgerEntry] = []
    var requests: [String] = []
  }
  private let clock: any EngineClock
  private let log: ChangeLog
  private let state: Mutex<State>

  init(clock: any EngineClock, on: Set<String>, log: ChangeLog) {
    self.clock = clock
    self.log = log
    state = Mutex(State(on: on))
  }

  var on: Set<String> { state.withLock { $0.on } }
  var ledger: [LedgerEntry] { state.withLock { $0.ledger } }
  var requests: [String] { state.withLock { $0.requests } }
  func ensureServer(_ id: String) {}
  func inject(_ fault: String) throws(ExpressionFailure) { throw ExpressionFailure("a switch has no faults") }

  func answer(_ request: SimulatedRequest) -> SimulatedReply {
    let name = String(request.path.dropFirst())
    return state.withLock { state in
      state.requests.append("\(request.method) \(name)")
      if request.method == "PUT", let isOn = (try? JSONReader.read(request.body))?["on"]?.bool {
        if isOn { state.on.insert(name) } else { state.on.remove(name) }
        let entry = LedgerEntry(at: clock.now, effect: isOn ? "on" : "off", subject: name, detail: name)
        state.ledger.append(entry)
        log.note(entry)
      }
      return .response(HTTPResponse(status: 200, body: JSONWriter.bytes(["on": .bool(state.on.contains(name))])))
    }
  }
}
