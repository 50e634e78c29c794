import Providers
import Runbook
import Simulator
import Steps

/// Reads an account as widely as can be done without changing it: what `providers check` asks, and every action that
/// only reads and needs to know no more than a server.
struct AccountSurvey {
  /// The answers, by question, in the words of the language; a question that failed has `failed` and the reason.
  private(set) var answers: [String: Value] = [:]
  private(set) var report = AccountReport()

  /// How many servers of an account are looked at.
  private static let serverLimit = 3

  init(of account: any Provider, kind: any ProviderKind, transport: any HTTPTransport, clock: any EngineClock) async {
    report = await account.report()
    answers["the account"] = AccountText.json(report, of: kind.type)
    let reading = kind.actions.filter { $0.effect == .none && !$0.name.hasSuffix(".find") }
    let servers = await AccountSurvey.read("server.list", [:], account, transport, clock)
    answers["server.list"] = servers
    let ids = (servers["servers"]?.list ?? []).compactMap { $0["id"]?.string }.prefix(AccountSurvey.serverLimit)
    for action in reading where action.name != "server.list" {
      let needed = action.fields.filter { $0.required }.map { $0.name }
      if needed.isEmpty {
        answers[action.name] = await AccountSurvey.read(action.name, [:], account, transport, clock)
      } else if needed == ["server"] {
        for id in ids {
          let with: [String: Value] = ["server": .string(id)]
          answers["\(action.name) \(id)"] = await AccountSurvey.read(action.name, with, account, transport, clock)
        }
      }
    }
  }

  private static func read(
    _ name: String, _ with: [String: Value], _ account: any Provider, _ transport: any HTTPTransport,
    _ clock: any EngineClock
  ) async -> Value {
    guard let action = account.action(name) else { return .null }
    let defaults = Dictionary(
      action.declaration.fields.compactMap { field in field.defaultValue.map { (field.name, $0) } },
      uniquingKeysWith: { first, _ in first })
    let call = ActionCall(
      with: Arguments(defaults.merging(with) { _, given in given }), key: "survey", runID: "survey", clock: clock,
      transport: transport, scripts: SimulatedScripts(clock: clock), files: SimulatedFiles(),
      deadline: clock.now + .seconds(300))
    do throws(StepFailure) { return .map(try await action.perform(call).outputs) } catch {
      return ["failed": .string("\(error.kind.rawValue): \(error.message)")]
    }
  }

  /// The questions that failed, each with its reason.
  var failures: [(what: String, why: String)] {
    answers.sorted { $0.key < $1.key }.compactMap { what, answer in
      answer["failed"]?.string.map { (what, $0) }
    } + report.problems.map { ("the account", $0) }
  }
}

/// The shape of a cloud's answers by its documents, learnt from its simulated twin, which is made from them; and the
/// fields that the client needs, found out by taking each away from the twin's answers.
struct DocumentedReplies {
  /// By question (`GET /servers/*`).
  private(set) var shapes: [String: ReplyShape] = [:]
  /// By question: fields without which an answer cannot be read, or reads differently.
  private(set) var needed: [String: Set<FieldPath>] = [:]

  /// The documented question that this one is: an account's address may have a path of its own before it
  /// (`GET /api/v1/servers` is `GET /servers`). The question itself if the documents have none like it.
  func question(like asked: String) -> String {
    if shapes[asked] != nil { return asked }
    let parts = asked.split(separator: " ", maxSplits: 1)
    guard parts.count == 2 else { return asked }
    let fitting = shapes.keys.filter { known in
      let words = known.split(separator: " ", maxSplits: 1)
      return words.count == 2 && words[0] == parts[0] && words[1].count > 1 && parts[1].hasSuffix(words[1])
    }
    return fitting.max { ($0.count, $1) < ($1.count, $0) } ?? asked
  }

  init(of kind: any ProviderKind) async {
    let baseline = await TwinSurvey(of: kind)
    for exchange in baseline.exchanges {
      guard let json = exchange.json, (200..<300).contains(exchange.response.status) else { continue }
      shapes[exchange.question, default: ReplyShape()].add(json)
    }
    for (question, shape) in shapes {
      for path in shape.paths where await isNeeded(path, in: question, of: kind, baseline.answers) {
        needed[question, default: []].insert(path)
      }
    }
  }

  private func isNeeded(
    _ path: FieldPath, in question: String, of kind: any ProviderKind, _ baseline: [String: Value]
  ) async -> Bool {
    let tampered = await TwinSurvey(of: kind) { exchange in
      guard exchange.question == question, let json = exchange.json else { return exchange.response.body }
      return JSONWriter.bytes(path.removed(from: json))
    }
    return tampered.answers != baseline
  }
}

/// A survey of a new twin, in memory. Its answers come at once, and its clock stands still.
struct TwinSurvey {
  private(set) var answers: [String: Value] = [:]
  private(set) var exchanges: [Exchange] = []
  /// Changes that the survey made to the twin. There must be none.
  private(set) var effects: [LedgerEntry] = []

  /// - Parameter rewrite: what the twin's answer becomes on its way.
  init(of kind: any ProviderKind, rewrite: @escaping @Sendable (Exchange) -> [UInt8] = { $0.response.body }) async {
    let clock = VirtualClock(start: SimulatedWorld.day)
    let origin = "https://\(kind.type).example.com"
    let twin = kind.twin(clock: clock, seed: 1, isSealed: true)
    let way = SurveyTransport(InMemoryTransport(clock: clock, routes: [:], fallback: twin), rewrite: rewrite)
    let transport = SurveyTransport(way)
    var settings: [String: Value] = ["url": .string(origin)]
    let ways = kind.credentials.sorted { $0.count > $1.count }
    for field in kind.allFields where field.name != "url" {
      let isCredential = ways.first?.contains(field.name) ?? false
      if field.required || isCredential {
        settings[field.name] = field.acceptsSecret ? .secret(Secret("placeholder", named: [])) : .string("ops")
      } else if let value = field.defaultValue {
        settings[field.name] = value
      }
    }
    do throws(StepFailure) {
      let account = try kind.connect(
        Arguments(settings),
        environment: ProviderEnvironment(transport: transport, clock: clock, random: SeededRandom(seed: 1)))
      let survey = await AccountSurvey(of: account, kind: kind, transport: transport, clock: clock)
      answers = survey.answers
    } catch {
      answers = ["failed": .string(error.message)]
    }
    exchanges = transport.exchanges
    effects = twin.ledger
  }
}
