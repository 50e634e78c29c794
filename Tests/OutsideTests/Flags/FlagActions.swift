import Runbook

/// A family of actions from outside: switches that a service keeps. This folder is all of it.
enum FlagActions {
  static let all: [any Action] = [FlagRead(), FlagSet()]
}

/// `flag.read`: whether a switch is on. Reads only.
struct FlagRead: StandardAction {
  static let declaration = ActionDeclaration(
    "flag.read", "reads a switch", fields: [FlagService.name], outputs: ["on": .bool, "message": .string],
    effect: .none, class: .convergent, isDiagnostic: true
  ).setting(\.logLine, to: .information)

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let name = try call.with.text("name")
    let isOn = try await FlagService(call).isOn(name)
    return ActionResult(outputs: [
      "on": .bool(isOn), "message": .string("the switch `\(name)` is \(isOn ? "on" : "off")"),
    ])
  }
}

/// `flag.set`: turns a switch on or off. It states the desired end, so that repeating it does no harm.
struct FlagSet: StandardAction {
  static let declaration = ActionDeclaration(
    "flag.set", "turns a switch on or off",
    fields: [FlagService.name, Field("on", .bool, required: true, help: "true: on")],
    effect: .change, class: .convergent,
    suggestedUndo: "{action: flag.set, with: {name: NAME, on: \"${{ self.before.on }}\"}}", before: ["on": .bool]
  )

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    ["on": .bool(try await FlagService(call).isOn(try call.with.text("name")))]
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    try await FlagService(call).set(try call.with.text("name"), on: try wanted(call))
    return ActionResult()
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let isOn = try await FlagService(call).isOn(try call.with.text("name"))
    return isOn == (try wanted(call)) ? .applied(ActionResult()) : .notApplied
  }

  private func wanted(_ call: ActionCall) throws(StepFailure) -> Bool {
    guard let wanted = try call.with.bool("on") else { throw StepFailure.unfit("`on` is missing") }
    return wanted
  }
}

/// `handover: TEXT`: a keyword from outside, which ends the rollback there.
struct HandoverStep: StepKind {
  static let keyword = "handover"
  static let summary = "hands the server over: what was done before is not undone any more"
  static let example = "- {id: given, handover: \"the tenant has the keys\"}"
  static let shape = StepShape.scalar(action: "handover", field: HandoverAction.message)
  static let actions: [any Action] = [HandoverAction()]
}

struct HandoverAction: StandardAction {
  static let message = Field("message", .string, required: true, help: "to whom, in one sentence")
  static let declaration = ActionDeclaration(
    "handover", "hands the server over", fields: [message], effect: .none, class: .convergent, isWritable: false,
    isInstant: true, touchesNothingOutside: true
  ).setting(\.isCommit, to: true)

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    _ = try call.with.text("message")
    return ActionResult()
  }
}
