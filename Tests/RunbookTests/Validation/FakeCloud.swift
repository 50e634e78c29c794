import Runbook
import TestSupport

/// A cloud that exists as a table only, for the rules that are made from tables.
struct FakeCloud: ProviderKind {
  let type: String
  let actions: [ActionDeclaration]
  var summary: String { "a cloud for tests" }
  var fields: [Field] { [] }
  var facts: ProviderFacts { ProviderFacts() }

  func connect(_ settings: Arguments, environment: ProviderEnvironment) throws(StepFailure) -> any Provider {
    throw StepFailure(.input, "a table cannot be connected")
  }
  func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem { ScriptedSystem(404, "{}") }

  // MARK: Two clouds

  /// Backs up only what is powered; restores only what is off.
  static let iron = FakeCloud(
    type: "iron",
    actions: [
      action("server.status", effect: .none),
      action("server.start", needs: [.stopped, .running], leaves: .becomes(.running)),
      action("server.stop", leaves: .becomes(.stopped)), action("server.pause", leaves: .becomes(.paused)),
      action("server.reboot", needs: [.running], leaves: .becomes(.running)),
      action("server.delete", effect: .destroy, leaves: .becomes(.absent)).given([.createdServers]),
      action("backup.create", needs: [.running, .paused]).changing(.takes("backup")),
      action("backup.restore_as", effect: .change, creates: true),
      action("disk.swap", needs: [.stopped]),
      action("snapshot.restore", effect: .destroy, needs: [.running, .stopped], leaves: .asAsked),
      action("rescue.enter", needs: [.running], leaves: .becomes(.rescue)),
      action("rescue.exit", needs: [.rescue], leaves: .becomes(.running)),
      ActionDeclaration("iron.request", "any call", fields: [], effect: .change, operation: raw),
    ])

  /// Cannot back up, nor go into rescue.
  static let paper = FakeCloud(
    type: "paper",
    actions: [
      action("server.stop", leaves: .becomes(.stopped)), action("snapshot.create").changing(.takes("snapshot")),
      action("backup.restore"),
      action("snapshot.restore", effect: .destroy, leaves: .asAsked),
      ActionDeclaration("paper.request", "any call", fields: [], effect: .change, operation: raw),
    ])

  private static let raw = Operation("any", leaves: .unknown)

  private static func action(
    _ name: String, effect: ActionEffect = .change, needs: Set<PowerState> = [], leaves: PowerEffect = .unchanged,
    creates: Bool = false
  ) -> ActionDeclaration {
    var fields = [Field("server", .string, required: !creates, help: "id of the server")]
    if leaves == .asAsked {
      fields.append(Field("power", .choice(["same", "running", "stopped"]), default: "same", help: "afterwards"))
    }
    return ActionDeclaration(
      name, "for tests", fields: fields, outputs: creates ? ["id": .string] : ["state": .string], effect: effect,
      class: .convergent, wait: WaitDefaults(until: "done", failsOn: "error", timeout: .seconds(60)),
      before: ["state": .string], serverField: effect == .none || creates ? nil : "server",
      operation: Operation("POST /\(name)", recovery: "it is read", needs: needs, leaves: leaves),
      createsServer: creates)
  }
}

/// Steps on the clouds for tests.
enum CloudRunbook {
  /// The first step is on line 5.
  static func text(_ steps: String, clouds: String = "iron: {type: iron}") -> String {
    """
    runbook: v1
    name: test
    providers: {\(clouds)}
    \(steps.contains("steps:\n") ? steps : "steps:\n" + steps)
    """
  }

  static func context(isStrict: Bool = false) -> ValidationContext {
    var context = Framed.context(isStrict: isStrict)
    context.providers = [FakeCloud.iron, FakeCloud.paper]
    return context
  }

  /// "8 E-STATE: text; hint", without warnings of a missing rollback.
  static func mistakes(_ steps: String, clouds: String = "iron: {type: iron}", isStrict: Bool = false) -> [String] {
    let found: [Diagnostic]
    do throws(Diagnostics) {
      let document = try ParsedDocument(yaml: text(steps, clouds: clouds))
      found = try ValidatedRunbook(document, in: context(isStrict: isStrict)).warnings
    } catch {
      found = error.items
    }
    return found.filter { $0.code != "W-ROLLBACK" }.map { diagnostic in
      let hint = diagnostic.hint.map { "; \($0)" } ?? ""
      return "\(diagnostic.range.start.line) \(diagnostic.code): \(diagnostic.message)\(hint)"
    }
  }

  static func validated(_ steps: String, clouds: String = "iron: {type: iron}") throws -> ValidatedRunbook {
    try ValidatedRunbook(ParsedDocument(yaml: text(steps, clouds: clouds)), in: context())
  }
}
