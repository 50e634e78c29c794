import DeclaredClouds
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// A small cloud that keeps a job of every request, and locks a server while something else is done with it: what a
/// declared provider has to heed, and the twins of the shipped ones do not do.
final class AcmeCloud: SimulatedSystem {
  static let file = """
    provider: v1
    type: acme
    name: Acme
    summary: machines at Acme
    url: https://cloud.example.com/v1
    fields:
      token: {secret: true, required: true, help: the token}
    headers:
      Authorization: "Bearer ${{ fields.token }}"
    errors:
      message: result.error
      when:
        - {if: "result.error == 'quota'", kind: limit}
        - {if: "result.error == 'locked'", kind: conflict, retryable: true}
    paging: {next: result.?next}
    servers:
      get: {path: "/m/${{ with.server }}", item: result.m}
      list: {path: /m, items: result.ms}
      read: {id: item.id, name: item.name, state: item.state}
      states: {up: running, down: stopped}
    snapshots:
      list: {path: "/m/${{ with.server }}/s", items: result.s}
      read: {id: item.id, name: item.name, state: "'done'", created_at: item.at}
      states: {done: ready}
    jobs:
      list: {path: "/m/${{ with.server }}/jobs", items: result.jobs}
      read: {id: item.id, name: item.name, state: item.state, error: item.error}
      states: {run: running, ok: succeeded, bad: failed}
    actions:
      server.stop:
        request: {method: POST, path: "/m/${{ with.server }}/stop", json: {mode: "${{ with.mode }}"}}
        job: stop
      server.start:
        request: {method: POST, path: "/m/${{ with.server }}/start"}
        job: start
      server.reboot:
        request: {method: POST, path: "/m/${{ with.server }}/reboot"}
        job: reboot
      snapshot.create:
        request: {method: POST, path: "/m/${{ with.server }}/s", json: {name: "${{ with.name }}"}}
        reply: result.made
        found_by: name
        job: create
      snapshot.restore:
        request: {method: POST, path: "/m/${{ with.server }}/restore", json: {id: "${{ with.snapshot }}"}}
        needs: [stopped]
        job: restore
      snapshot.delete:
        request: {method: DELETE, path: "/m/${{ with.server }}/s/${{ with.snapshot }}"}
        job: delete
    """

  struct Job: Sendable {
    var id: Int
    var name: String
    var endsAt: Timestamp
    var power: String?
    var removes: String?
  }
  struct State: Sendable {
    var power = "up"
    /// Word shown instead of the power, until then.
    var lock: (word: String, until: Timestamp)?
    var items: [String] = []
    var jobs: [Job] = []
    var changes: [String] = []
    var answers: [String: String] = [:]
  }

  let type = "acme"
  let clock: VirtualClock
  /// Names of jobs that end badly.
  let failing: Set<String>
  private let state: Mutex<State>

  init(clock: VirtualClock, failing: Set<String> = [], _ change: (inout State) -> Void = { _ in }) {
    self.clock = clock
    self.failing = failing
    var first = State()
    change(&first)
    state = Mutex(first)
  }

  /// Requests that are no reads, in order.
  var changes: [String] { state.withLock { $0.changes } }
  var power: String {
    state.withLock {
      settle(&$0); return $0.power
    }
  }
  var ledger: [LedgerEntry] { [] }
  var requests: [String] { changes }
  func ensureServer(_ id: String) {}
  func inject(_ fault: String) throws(ExpressionFailure) { throw ExpressionFailure("no faults") }

  private func settle(_ state: inout State) {
    for job in state.jobs where job.endsAt <= clock.now && !failing.contains(job.name) {
      if let power = job.power { state.power = power }
      if let id = job.removes { state.items.removeAll { $0 == id } }
    }
    for index in state.jobs.indices where state.jobs[index].endsAt <= clock.now {
      state.jobs[index].power = nil
      state.jobs[index].removes = nil
    }
    if let lock = state.lock, lock.until <= clock.now { state.lock = nil }
  }

  func answer(_ request: SimulatedRequest) -> SimulatedReply {
    state.withLock { state in
      settle(&state)
      let path = String(request.path.dropFirst("/v1".count))
      if request.method == "GET" { return ScriptedSystem.reply(200, read(path, state)) }
      state.changes.append("\(request.method) \(path)")
      if let answer = state.answers[path] { return ScriptedSystem.reply(200, answer) }
      if state.lock != nil { return ScriptedSystem.reply(500, #"{"error":"locked"}"#) }
      let end = path.split(separator: "/").last.map { String($0) } ?? ""
      var made = ""
      switch (request.method, end) {
      case ("POST", "stop"): begin("stop", &state, power: "down")
      case ("POST", "start"): begin("start", &state, power: "up")
      case ("POST", "reboot"): begin("reboot", &state)
      case ("POST", "restore"):
        guard state.power == "down" else { return ScriptedSystem.reply(400, #"{"error":"it is not stopped"}"#) }
        begin("restore", &state)
      case ("POST", "s"):
        let body = (try? JSONReader.read(request.body)) ?? .null
        state.items.append(body["name"]?.string ?? "?")
        made = #","made":\#(item(state.items.last ?? "?"))"#
        begin("create", &state)
      default: begin("delete", &state, removes: end)
      }
      return ScriptedSystem.reply(200, #"{"error":null\#(made)}"#)
    }
  }

  private func begin(_ name: String, _ state: inout State, power: String? = nil, removes: String? = nil) {
    state.jobs.append(
      Job(id: state.jobs.count + 1, name: name, endsAt: clock.now + .seconds(60), power: power, removes: removes))
  }

  private func item(_ name: String) -> String { #"{"id":"\#(name)","name":"\#(name)","at":"2025-01-01T00:00:00Z"}"# }

  private func read(_ path: String, _ state: State) -> String {
    let server = #"{"id":"1","name":"web","state":"\#(state.lock?.word ?? state.power)"}"#
    if path.hasSuffix("/s") { return #"{"s":[\#(state.items.map { item($0) }.joined(separator: ","))]}"# }
    if path.hasSuffix("/jobs") {
      let jobs = state.jobs.map { job -> String in
        let isOver = job.endsAt <= clock.now
        let word = isOver ? (failing.contains(job.name) ? "bad" : "ok") : "run"
        let error = word == "bad" ? #""no space left""# : "null"
        return #"{"id":\#(job.id),"name":"\#(job.name)","state":"\#(word)","error":\#(error)}"#
      }
      return #"{"jobs":[\#(jobs.joined(separator: ","))]}"#
    }
    return path == "/m" ? #"{"ms":[\#(server)]}"# : #"{"m":\#(server)}"#
  }

  // MARK: An account

  func driver(_ action: String) throws -> ActionDriver {
    let kind = try DeclaredProvider(yaml: Array(Self.file.utf8))
    let transport = InMemoryTransport(clock: clock, routes: ["https://cloud.example.com": self])
    let provider = try kind.connect(
      Arguments(["token": .secret(Secret("acme_canary", named: ["token"]))]),
      environment: ProviderEnvironment(transport: transport, clock: clock, random: SeededRandom(seed: 1)))
    return ActionDriver(
      try #require(provider.action(action)), clock: clock, transport: transport,
      scripts: SimulatedScripts(clock: clock), files: SimulatedFiles())
  }

  @discardableResult
  func run(_ action: String, _ with: [String: Value] = [:]) async throws -> ActionDriver.Outcome {
    try await driver(action).run(with.merging(["server": "1"]) { given, _ in given })
  }

  func failure(_ action: String, _ with: [String: Value] = [:]) async throws -> StepFailure {
    do {
      let outcome = try await run(action, with)
      Issue.record("`\(action)` succeeded: \(outcome.result.outputs)")
      return StepFailure(.server, "none")
    } catch let failure as StepFailure { return failure }
  }
}
