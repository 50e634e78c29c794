import ProviderKit
import Runbook

/// All that a twin changes while it answers.
struct ZomroTwinState: Sendable {
  var world: ZomroWorld
  var sessions: ZomroTwinSessions
  var faults: [TwinFault] = []
  /// Requests whose effect takes place later, in the order of their times.
  var late: [(at: Timestamp, form: ZomroTwinForm)] = []
  var requests: [String] = []
  /// Answers of long requests by their ids, and how often each is still to be called not ready.
  var long: [String: (waits: Int, answer: HTTPResponse)] = [:]
  /// Judges the code of the second factor; nil: none is asked for.
  var secondFactor: (@Sendable (_ code: String, _ now: Timestamp) -> Bool)?
  var style: ZomroTwinStyle

  /// Lets what was under way until `now` happen, requests that came late included.
  mutating func settle(_ now: Timestamp) {
    while let next = late.first, next.at <= now {
      late.removeFirst()
      world.settle(next.at)
      _ = act(ZomroTwinCall(next.form, in: world), at: next.at)
    }
    world.settle(now)
  }

  mutating func reply(to form: ZomroTwinForm, at now: Timestamp) -> SimulatedReply {
    let call = ZomroTwinCall(form, in: world)
    let word = call.operation.rawValue
    requests.append(word)
    if sessions.isLockedOut(now) { return .response(.zomroPage(403)) }
    do throws(ZomroTwinRefusal) { try admit(call, now) } catch {
      return .response(answer(form, error.document(language: language(form))))
    }
    let before = faults.before(word)
    switch before?.kind {
    case .requestLost: return .lost
    case .requestLate:
      late.append((at: now + (before?.duration ?? .seconds(30)), form: form))
      late.sort { $0.at < $1.at }
      return .lost
    case .status(let status): return .response(.zomroPage(status, retryAfter: before?.duration))
    case .html: return .response(.html)
    default: break
    }
    for (name, refusal) in ZomroTwinState.refusals where faults.strike(word, where: { $0 == .special(name) }) != nil {
      return .response(answer(form, refusal.document(language: language(form))))
    }
    let (response, isRefused) = act(call, at: now)
    if isRefused { return .response(response) }
    if faults.strike(word, where: { $0 == .special("long_request") }) != nil { return .response(postpone(response)) }
    let reply = faults.reply(word, response)
    guard case .response(let last) = reply, last.status != 200 else { return reply }
    return .response(.zomroPage(last.status, headers: last.headers))
  }

  private static let refusals: [(fault: String, refusal: ZomroTwinRefusal)] = [
    ("bad_ip", .badIP), ("no_privilege", .access), ("running_operation", .runningOperation),
  ]

  /// Sessions end when a fault says so; then only a log-in helps.
  private mutating func admit(_ call: ZomroTwinCall, _ now: Timestamp) throws(ZomroTwinRefusal) {
    if call.function == .auth || call.function == .logon { return }
    if let id = call.form["auth"], strikesSession(call.operation.rawValue) { sessions.end(id) }
    try sessions.admit(
      call.form, admitsTemporary: call.function == .whoami || call.function == .totpConfirm, now)
  }

  private mutating func strikesSession(_ word: String) -> Bool {
    if faults.strike(word, where: { $0 == .special("session_loss") }) != nil { return true }
    for index in faults.indices where faults[index].kind == .tokenExpires && !faults[index].hasFired {
      if faults[index].strikes(word, where: { $0 == .tokenExpires }) { return true }
    }
    return false
  }

  /// Carries a call out. A fault of a change that was refused has not struck.
  private mutating func act(_ call: ZomroTwinCall, at now: Timestamp) -> (response: HTTPResponse, isRefused: Bool) {
    let untouched = (faults: faults, changes: world.ledger.count)
    let language = language(call.form)
    do throws(ZomroTwinRefusal) {
      let document = try perform(call, now)
      if world.ledger.count == untouched.changes { faults = untouched.faults }
      return (answer(call.form, ["doc": .map(document)]), false)
    } catch {
      faults = untouched.faults
      return (answer(call.form, error.document(language: language)), true)
    }
  }

  /// A request that does not ask for JSON gets a page.
  private func answer(_ form: ZomroTwinForm, _ document: Value) -> HTTPResponse {
    form["out"] == "json" ? .json(200, document) : .zomroPage(200)
  }

  func language(_ form: ZomroTwinForm) -> String {
    switch form["lang"] {
    case nil: style.language
    case "en": "en"
    default: "ru"
    }
  }

  func style(for form: ZomroTwinForm) -> ZomroTwinStyle {
    var style = style
    style.language = language(form)
    return style
  }

  mutating func twist(_ operation: ZomroTwinOperation) -> ZomroWorld.Twist {
    let word = operation.rawValue
    let isProtected = faults.strike(word) { $0 == .special("protected_image") } != nil
    return ZomroWorld.Twist(common: faults.twist(word), isProtected: isProtected)
  }
}

// MARK: - Answers that come another way

extension ZomroTwinState {
  /// How often the link of a long request says "not yet" before the answer is there.
  private static let waits = 2

  /// Keeps the answer under a link of its own.
  private mutating func postpone(_ response: HTTPResponse) -> HTTPResponse {
    let id = String(long.count + 1)
    long[id] = (ZomroTwinState.waits, response)
    return .zomroLong(id)
  }

  /// What is under a link of a long request; nil if there is none.
  mutating func poll(_ id: String) -> HTTPResponse? {
    guard let entry = long[id] else { return nil }
    guard entry.waits > 0 else { return entry.answer }
    long[id] = (entry.waits - 1, entry.answer)
    return .zomroLong(id)
  }
}

extension HTTPResponse {
  /// The page of a proxy or of the panel itself.
  static func zomroPage(_ status: Int, retryAfter: Duration? = nil) -> HTTPResponse {
    let seconds = String((retryAfter ?? .seconds(5)).components.seconds)
    let isLater = status == 429 || status == 503
    return zomroPage(status, headers: isLater ? [(name: "retry-after", value: seconds)] : [])
  }

  static func zomroPage(_ status: Int, headers: [(name: String, value: String)]) -> HTTPResponse {
    let title = status == 200 ? "Zomro" : "Error \(status)"
    return HTTPResponse(
      status: status,
      headers: headers.filter { $0.name != "content-type" } + [
        (name: "content-type", value: "text/html; charset=utf-8")
      ],
      body: Array("<html><head><title>\(title)</title></head><body><h1>\(title)</h1></body></html>".utf8))
  }

  /// The text of a call that takes long: a link to where its answer will be.
  fileprivate static func zomroLong(_ id: String) -> HTTPResponse {
    HTTPResponse(
      status: 200, headers: [(name: "content-type", value: "text/html; charset=utf-8")],
      body: Array("The request takes longer than usual.\n<a href=\"/long/\(id)/billmgr\">Wait for it</a>\n".utf8))
  }
}
