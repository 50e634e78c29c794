import ZStackCloud
import Runbook
import Simulator
import Synchronization
import TestSupport
import Testing

/// What can go wrong at ZStack besides lost replies: hosts, quotas, names, detached volumes, several ISO images.
@Suite(.serialized) struct ZStackHazardsTests {
  private typealias Items = ZStackItemsTests

  // MARK: A revert that fails

  /// ZStack refuses it although nothing told so before (a volume was detached on the way): whatever its code and
  /// however late its job ends, the failure says that the server is left stopped.
  @Test(arguments: ["SYS.1006", "ID.1002", "SYS.1007", "SYS.1000"], [0, 7])
  func aRevertThatFailsSaysThatTheServerIsLeftStopped(code: String, looksBefore: Int) async throws {
    for (word, id) in [("snapshot", Items.group), ("backup", Items.backup)] {
      let state = Mutex("Running")
      /// The kind of each job, and how often the revert's was looked at.
      let jobs = Mutex<(kinds: [String: String], looks: Int)>(([:], 0))
      let wire = ZStackWire { request in
        if request.isChange {
          let isRevert = request.text.contains("revert")
          if !isRevert { state.withLock { $0 = "Stopped" } }
          jobs.withLock { $0.kinds[request.header("x-job-uuid") ?? ""] = isRevert ? "revert" : "stop" }
          return ZStackWire.accepted()
        }
        guard request.isJob else { return Items.world(request, state: state.withLock { $0 }) }
        return jobs.withLock { jobs in
          switch jobs.kinds.first(where: { request.path.hasSuffix($0.key) })?.value {
          case "stop": return ScriptedSystem.reply(200, "{}")
          case "revert":
            jobs.looks += 1
            return jobs.looks > looksBefore ? ZStackWire.error(code, "volume was detached") : ZStackWire.running
          default: return ZStackWire.gone
          }
        }
      }
      let failure = try await ZStackFixture(wire).failure("\(word).restore", [word: .string(id)], attempts: 1)
      #expect(failure.effect == .applied, "\(word): \(failure.message)")
      #expect(failure.message.contains("volume was detached"))
      #expect(failure.message.contains("left stopped"), "\(word): \(failure.message)")
      #expect(wire.seen.count { $0.text.contains("revert") } == 1)
      #expect(wire.seen.count { $0.text.contains("startVmInstance") } == 0)
    }
  }

  // MARK: Hosts

  /// The link to the host is lost: `Unknown` may end by itself, so it is waited for, and nothing is sent again.
  @Test(arguments: [true, false])
  func aLostHostIsWaitedForAndNothingIsRepeated(comesBack: Bool) async throws {
    let (fixture, twin) = try ZStackTwinFixture.make()
    try twin.inject("host_lost:server.stop")
    let driver = try fixture.driver("server.stop")
    let call = fixture.intended(driver, before: ["state": "running"])
    var result = try await driver.action.perform(call)
    var seen = Observation(.pending)
    for _ in 1...30 {
      await fixture.clock.sleep(for: .seconds(10))
      seen = try await driver.action.observe(call, after: result)
      result = seen.result
      #expect(seen.verdict == .pending)
    }
    #expect(twin.state(ofServer: ZStackWire.vm) == "Unknown")
    #expect(twin.unfiredFaults == [])
    #expect(twin.requests.count { $0 == "server.stop" } == 1)
    guard comesBack else {
      let other = try fixture.driver("server.status")
      #expect(try await other.run(["server": .string(ZStackWire.vm)]).result.outputs["state"] == "unknown")
      return
    }
    twin.setState(ofServer: ZStackWire.vm, "Stopped")
    #expect(try await driver.action.observe(call, after: result).verdict == .done)
  }

  // MARK: Limits

  /// 200 snapshots an account by default; told by the end of the job, as its cause or by itself.
  @Test(arguments: [("ID.1003", nil), ("SYS.1006", "ID.1003")] as [(String, String?)])
  func theQuotaOfSnapshotsIsALimit(code: String, cause: String?) async throws {
    let wire = ZStackWire { request in
      if request.isChange { return ZStackWire.accepted() }
      return request.isJob
        ? ZStackWire.error(code, "quota[snapshot.volume.num] is 200, 200 are used", cause: cause)
        : Items.world(request)
    }
    let failure = try await ZStackFixture(wire).failure("snapshot.create", ["name": "new"])
    #expect(failure.kind == .limit)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(!failure.retryable)
    #expect(failure.message.contains("quota[snapshot.volume.num] is 200"))
    #expect(wire.seen.count { $0.isChange } == 1)
  }

  @Test func tooManySessionsIsALimitAndNoLoop() async throws {
    let wire = ZStackWire(answersLogIns: true) { _ in ZStackWire.error("ID.1006", "too many sessions") }
    let failure = try await ZStackFixture(wire).failure("server.stop", attempts: 3)
    #expect(failure.kind == .limit)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(!failure.retryable)
    #expect(wire.logIns == 1)
    #expect(wire.requests == [])
  }

  // MARK: Names

  /// Names with the operators of the query language in them: no condition of a query is made of a name.
  @Test(arguments: ["a!=b", "a>=b,c<=d", "x~=%_", "q ?= null", "a is null", "a&b=c#d", "ü/ß\"'"])
  func aNameWithOperatorsInItIsFoundAgain(name: String) async throws {
    for word in ["snapshot", "backup"] {
      let (fixture, twin) = try ZStackTwinFixture.make()
      try twin.inject("reply_lost:\(word).create")
      let outputs = try await fixture.run("\(word).create", ["name": .string(name)]).result.outputs
      #expect(outputs["name"] == .string(name))
      let found = try await fixture.run("\(word).find", ["name": .string(name)], key: "find").result.outputs
      #expect(found["id"] == outputs["id"])
      #expect(try await fixture.failure("\(word).find", ["name": .string(name + "x")]).kind == .notFound)
      #expect(try await fixture.failure("server.find", ["name": .string(name)]).kind == .notFound)
      #expect(twin.ledger.count { $0.effect == "\(word).create" } == 1)
    }
  }

  // MARK: Rescue and prune

  /// Those that were there before as well.
  @Test func leavingARescueTakesEveryImageOut() async throws {
    let isos = ["88888888888848888888888888888888", "88888888888848888888888888888889"]
    let drives = Mutex(isos)
    let jobs = Mutex<Set<String>>([])
    let wire = ZStackWire { request in
      if request.isChange {
        jobs.withLock { _ = $0.insert(request.header("x-job-uuid") ?? "") }
        if request.method == "DELETE" {
          let gone = request.query.first { $0.name == "isoUuid" }?.value
          drives.withLock { $0.removeAll { $0 == gone } }
        }
        return ZStackWire.accepted()
      }
      if request.isJob {
        let isKnown = jobs.withLock { $0.contains { request.path.hasSuffix($0) } }
        return isKnown ? ScriptedSystem.reply(200, "{}") : ZStackWire.gone
      }
      let roms = drives.withLock { $0 }.map { #"{"isoUuid":"\#($0)"}"# }.joined(separator: ",")
      return ZStackWire.list(ZStackWire.machine(more: #","vmCdRoms":[\#(roms)]"#))
    }
    try await ZStackFixture(wire).run("rescue.exit")
    #expect(drives.withLock { $0 } == [])
    #expect(wire.seen.count { $0.method == "DELETE" } == 2)
  }

  /// Nothing tells backups of a schedule from others: without a prefix none is chosen.
  @Test(arguments: [nil, ""] as [String?])
  func aPruneOfBackupsNeedsAPrefix(prefix: String?) async throws {
    let declared = try #require(ZStackProvider().actions.first { $0.name == "backup.prune" })
    #expect(declared.fields.first { $0.name == "prefix" }?.required == true)
    let (fixture, twin) = try ZStackTwinFixture.make()
    try await fixture.run("backup.create", ["name": "made-1"], key: "made")
    let failure = try await fixture.failure(
      "backup.prune", ["keep": 0, "prefix": prefix.map { .string($0) } ?? .null])
    #expect(failure.kind == .input)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(twin.ledger.count { $0.effect == "backup.delete" } == 0)
  }

  /// The API speaks plain HTTP: unless the author says that the network is trusted, nothing is sent over it.
  @Test func plainHTTPIsSentOnlyWhereItIsAllowed() async throws {
    for (allow, isAllowed) in [(Value.null, false), ("allow", true)] as [(Value, Bool)] {
      let clock = VirtualClock(start: ZStackFixture.start)
      let provider = try ZStackProvider().connect(
        Arguments(
          ZStackFixture.account.merging(["url": "http://zstack.example.com:8080", "plain_http": allow]) { $1 }),
        environment: ProviderEnvironment(
          transport: PlainHTTPProbe(), clock: clock, random: SeededRandom(seed: 1), shared: SharedObjects()))
      let action = try #require(provider.action("server.list"))
      let driver = ActionDriver(
        action, clock: clock, transport: PlainHTTPProbe(), scripts: SimulatedScripts(clock: clock),
        files: SimulatedFiles())
      let failure = await #expect(throws: StepFailure.self) { try await driver.run([:]) }
      #expect(failure?.message.contains("allowed: \(isAllowed)") == true, "\(failure?.message ?? "")")
    }
  }
}

/// Answers what a request says of plain HTTP, as a transport would judge it.
private struct PlainHTTPProbe: HTTPTransport {
  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    throw HTTPFailure(.badURL, "allowed: \(request.allowsPlainHTTP)", beforeFirstByte: true)
  }
}
