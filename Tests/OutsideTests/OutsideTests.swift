import Runbook
import Simulator
import Stores
import Testing

/// Whoever adds steps or a cloud to the engine needs what is public, and changes nothing in `Sources/`: this target is
/// built without access to the rest of the package.
@Suite struct OutsideTests {
  /// Turns the switch off, stops the server, makes it larger, and takes all of that back if it fails.
  static func grow(_ end: String, size: Int = 8) -> String {
    """
    runbook: v1
    name: grow
    inputs: {server: {type: string}}
    secrets: {token: {source: env, key: TINY_TOKEN}}
    providers: {tiny: {type: tiny, token: "${{ secrets.token }}"}}
    steps:
      - id: drain
        action: flag.set
        with: {name: web, on: false}
        rollback: [{action: flag.set, with: {name: web, on: "${{ self.before.on }}"}}]
      - id: stop
        action: server.stop
        with: {server: "${{ inputs.server }}"}
        rollback: [{action: server.start, if: self.before.state == 'running', with: {server: "${{ inputs.server }}"}}]
      - id: grow
        action: tiny.resize
        with: {server: "${{ inputs.server }}", size: \(size)}
        rollback: [{action: tiny.resize, with: {server: "${{ inputs.server }}", size: "${{ self.before.size }}"}}]
    \(end)
    """
  }
  static let good = grow(
    """
      - {id: start, action: server.start, with: {server: "${{ inputs.server }}"}, rollback: none}
      - {id: open, action: flag.set, with: {name: web, on: true}, rollback: none}
      - {id: look, wait_for: flag.read, with: {name: web}, wait: {until: result.on, every: 5s, timeout: 1m}}
    """)
  static let failing = grow("  - {id: enough, fail: not today}")

  static let done = ["off web", "power off", "size 8"]
  static let undone = ["size 2", "power on", "on web"]

  private func mistakes(_ text: String) -> [String] {
    do throws(Diagnostics) {
      return try ValidatedRunbook(ParsedDocument(yaml: text), in: OutsideWorld.context).warnings.map { $0.message }
    } catch {
      return error.items.map { $0.message + ($0.hint.map { "; \($0)" } ?? "") }
    }
  }

  @Test func theyAreValidated() {
    #expect(mistakes(Self.good) == [])
    #expect(mistakes(Self.grow("", size: 65)) == ["`size` is 65; it must be 1 to 64"])
    #expect(
      mistakes(Self.good.replacing("action: flag.set", with: "action: flag.sett")).first
        == "unknown action `flag.sett`; did you mean `flag.set`?")
    #expect(mistakes(Self.good.replacing("type: tiny", with: "type: tinny")).first?.contains("`tiny`") == true)
  }

  /// `needs` and `leaves` of the cloud's own table are followed through the runbook.
  @Test func aStepInTheWrongStateOfItsServerIsRefused() {
    let wrong = Self.grow(
      """
        - {id: start, action: server.start, with: {server: "${{ inputs.server }}"}, rollback: none}
        - {id: late, action: tiny.resize, with: {server: "${{ inputs.server }}", size: 4}, rollback: none}
      """)
    let found = mistakes(wrong)
    #expect(
      found.first?.hasPrefix("`tiny.resize` on tiny needs a server that is stopped, but `start` (line 19) leaves it")
        == true, "\(found)")
    #expect(found.first?.contains("put `action: server.stop` before it") == true, "\(found)")
  }

  @Test func theyArePlanned() throws {
    let world = try OutsideWorld(Self.good)
    let plan = Plan(world.runbook, inputs: OutsideWorld.inputs, at: world.clock.now)
    let lines = PlanText.lines(plan, isVerbose: true)
    for line in [
      "  3. grow  tiny.resize  (changes, E3)", "       needs a server that is stopped", "       size: 8",
      "       after a lost reply: the size is read", "       waits until stopped, fails on error, at most 7m",
      "  undo grow: tiny.resize  (changes, E3)", "  undo drain: flag.set  (changes, E3)",
      "locks tiny/(account)/server/7",
    ] { #expect(lines.contains(line), "\(line) is not in \(lines)") }
  }

  @Test func theyRun() async throws {
    let world = try OutsideWorld(Self.good)
    #expect(try await world.run().exitCode == 0)
    #expect(world.changes == Self.done + ["power on", "on web"])
    #expect(world.twin.size == 8)
    // A stop is waited for in the cloud's own words, and a line of an action's own is told.
    #expect(world.lines.contains { $0.contains("stop … waiting until stopped, now `busy`") }, "\(world.lines)")
    #expect(world.lines.contains { $0.hasSuffix("look … the switch `web` is on") }, "\(world.lines)")
  }

  @Test func theyFailAndAreRolledBack() async throws {
    let world = try OutsideWorld(Self.failing)
    #expect(try await world.run().exitCode == 3)
    #expect(world.changes == Self.done + Self.undone)
    #expect(world.twin.isOn && world.twin.size == 2 && world.flags.on == ["web"])
    let report = RunReport(
      id: OutsideWorld.runID, plan: UndoPlan(world.runbook), actions: OutsideWorld.known,
      events: world.observer.events)
    #expect(report.servers.map { RunWords.state(of: $0) } == ["7 is running, as `stop.undo[0]` left it"])
  }

  /// Whenever the process is killed, another one comes to the same end.
  @Test(arguments: [good, failing]) func theySurviveAKillAtEveryPoint(_ text: String) async throws {
    let whole = try OutsideWorld(text)
    let end = try await whole.run().exitCode
    var kills = 0
    while true {
      let world = try OutsideWorld(text)
      let life = KillSwitch(at: kills + 1)
      let first = try await world.run(life: life).exitCode
      guard life.place != nil else {
        #expect(first == end)
        break
      }
      kills += 1
      #expect(try await world.process.resume(OutsideWorld.runID).exitCode == end, "killed \(life.place ?? "")")
      #expect(world.twin.size == whole.twin.size && world.twin.isOn && world.flags.on == ["web"])
      // Every request states a desired end: it may be repeated, and nothing may come in another order.
      #expect(world.changes.reduced == whole.changes.reduced, "killed \(life.place ?? "")")
    }
    #expect(kills > 30)
  }

  @Test(arguments: ["reply_lost:size", "reply_lost:power"])
  func aLostReplyIsLookedForAndNotRepeated(_ fault: String) async throws {
    let world = try OutsideWorld(Self.good)
    try world.twin.inject(fault)
    #expect(try await world.run().exitCode == 0)
    #expect(world.twin.firedFaults == [fault])
    #expect(world.changes == Self.done + ["power on", "on web"])
    #expect(world.lines.contains { $0.hasSuffix("a request without an answer has taken effect") }, "\(world.lines)")
  }

  /// What a keyword declares counts, not its name.
  @Test func aKeywordThatCommitsEndsTheRollbackThere() async throws {
    let world = try OutsideWorld(
      Self.grow("  - {id: given, handover: the tenant has the keys}\n  - {id: enough, fail: not today}"))
    #expect(try await world.run().exitCode != 0)
    #expect(world.changes == Self.done)
    let report = RunReport(
      id: OutsideWorld.runID, plan: UndoPlan(world.runbook), actions: OutsideWorld.known,
      events: world.observer.events)
    #expect(report.steps.filter { $0.closed == "committed" }.map(\.path) == ["drain", "stop", "grow"])
    #expect(report.owed.isEmpty)
    #expect(
      mistakes(Self.good + "\nalways: [{handover: too late}]")
        == ["`handover` cannot stand in `always`; it belongs into `steps`"])
  }

  @Test func theirServersAreLocked() async throws {
    let world = try OutsideWorld(Self.good)
    _ = try await world.process.create(OutsideWorld.runID, inputs: OutsideWorld.inputs)
    let lock = "tiny/tiny.example.com/server/7"
    #expect(try world.store.locks(of: OutsideWorld.runID) == [lock])
    await #expect(throws: StoreFailure.lockHeld(lock: lock, by: OutsideWorld.runID)) {
      try await world.process.create("r0123456789abcdefg99", inputs: OutsideWorld.inputs)
    }
  }

  @Test func theyAreInTheHelp() throws {
    let builtIn = OutsideWorld.context.actions
    let flag = try #require(ActionPage("flag.set", builtIn: builtIn, providers: OutsideWorld.clouds))
    #expect(flag.fieldRows.map(\.name) == ["name", "on"])
    #expect(flag.behaviour.first?.hasPrefix("It changes something: class E3") == true)
    let size = try #require(ActionPage("tiny.resize", builtIn: builtIn, providers: OutsideWorld.clouds))
    #expect(size.place == "tiny")
    #expect(size.providerRows.first?.text.contains("needs a server that is stopped") == true)
    #expect(CapabilityTable(OutsideWorld.clouds).lines.contains("tiny.resize    E3"))
  }

  @Test func theyAreInTheSchema() throws {
    let schema = RunbookSchema.json(for: OutsideWorld.context)
    let definitions = try #require(schema["$defs"])
    let properties = try #require(definitions["step"]?["properties"])
    let names = try #require(properties["action"]?["enum"]?.list)
    #expect(names.contains("flag.set") && names.contains("tiny.resize") && !names.contains("handover"))
    #expect(properties["wait_for"]?["enum"]?.list?.contains("flag.read") == true)
    #expect(properties["handover"]?["description"]?.string == HandoverStep.summary)
    #expect(definitions["undoStep"]?["properties"]?["handover"] == nil)
    #expect(JSONWriter.text(schema).contains(#""const":"tiny""#))
  }
}

extension [String] {
  /// Without repeats of the entry before.
  fileprivate var reduced: [String] {
    reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }
}
