public import Runbook

/// What a simulation answers in place of success (`--mock FILE`); the format is described in `docs/simulation.md`.
public struct MockFile: Sendable {
  /// By step path: `update`, `update.undo[0]`, `always[0]`.
  var steps: [String: [MockAnswer]] = [:]
  /// By action, for all steps that `steps` does not name.
  var actions: [String: [MockAnswer]] = [:]
  /// Faults for the twins, by provider type, in file order.
  public private(set) var faults: [(provider: String, fault: String)] = []
  /// Where each key of `steps`, `actions` and `faults` stands, for `mistakes(for:types:actions:)`.
  private var places: [(step: String, range: SourceRange)] = []
  private var actionPlaces: [(action: String, range: SourceRange)] = []
  private var faultPlaces: [(provider: String, range: SourceRange)] = []

  /// - Throws: every mistake of the file at once.
  public init(yaml: [UInt8]) throws(Diagnostics) {
    let document = try ParsedDocument(yaml: yaml)
    var reader = MockReader(mistakes: document.mistakes)
    read(document.root, &reader)
    if reader.mistakes.contains(where: { $0.severity == .error }) { throw Diagnostics(reader.mistakes) }
  }

  /// Whether the text means to be a mock file: one of its lines begins with `mock:`.
  public static func isMock(in yaml: [UInt8]) -> Bool {
    yaml.split(separator: UInt8(ascii: "\n")).contains { $0.starts(with: "mock:".utf8) }
  }

  private mutating func read(_ root: Node, _ reader: inout MockReader) {
    guard let entries = root.entries else {
      reader.refuse(root, "a mock file is a map that begins with `mock: v1`")
      return
    }
    if entries.first(where: { $0.key == "mock" })?.value.scalar?.text != "v1" {
      reader.refuse(root, "a mock file begins with `mock: v1`")
    }
    for entry in entries {
      switch entry.key {
      case "mock": break
      case "steps":
        for step in reader.entries(of: entry.value, "step paths") {
          steps[step.key] = reader.answers(step.value)
          places.append((step.key, step.keyRange))
        }
      case "actions":
        for action in reader.entries(of: entry.value, "action names") {
          actionPlaces.append((action.key, action.keyRange))
          actions[action.key] = reader.answers(action.value)
        }
      case "faults":
        for provider in reader.entries(of: entry.value, "provider types") {
          faultPlaces.append((provider.key, provider.keyRange))
          faults += reader.texts(provider.value).map { (provider.key, $0) }
        }
      default:
        reader.refuse(entry.keyRange, "unknown key `\(entry.key)`", hint: "known are `steps`, `actions` and `faults`")
      }
    }
  }

  private static let advice = "faults of a simulated provider stand under `faults`"

  /// Finds entries that do not fit the runbook: steps that are not in it, steps that a twin carries out, actions that a
  /// simulation carries out, and faults of a provider that nobody knows. Faults of a known provider stay unused, so
  /// that a runbook can move between clouds.
  /// - Parameters:
  ///   - types: those of the providers that come with the program.
  ///   - actions: those that need no provider.
  public func mistakes(
    for runbook: ValidatedRunbook, types: [String], actions: [ActionDeclaration]
  ) -> [Diagnostic] {
    unknownProviders(runbook, types) + unfitSteps(runbook) + unfitActions(actions)
  }

  private func unfitActions(_ known: [ActionDeclaration]) -> [Diagnostic] {
    let sealed = known.filter { SimulatedActions.isSealed($0) }.map { $0.name }
    return actionPlaces.compactMap { place in
      if sealed.contains(place.action) { return nil }
      return Diagnostic(
        .mock, at: place.range, "a simulation carries `\(place.action)` out, if there is such an action",
        hint: Suggestion.hint(for: place.action, among: sealed) ?? MockFile.advice)
    }
  }

  private func unknownProviders(_ runbook: ValidatedRunbook, _ types: [String]) -> [Diagnostic] {
    faultPlaces.compactMap { place in
      let isKnown = types.contains(place.provider) || runbook.providers.contains { $0.isOf(type: place.provider) }
      if isKnown { return nil }
      let known = types + runbook.providers.compactMap { $0.declared?.type }
      return Diagnostic(
        .mock, at: place.range, "there is no provider type `\(place.provider)`",
        hint: Suggestion.hint(for: place.provider, among: known))
    }
  }

  private func unfitSteps(_ runbook: ValidatedRunbook) -> [Diagnostic] {
    let known = MockFile.steps(of: runbook)
    return places.compactMap { place in
      guard let step = runbook.step(at: StepPath(place.step)) else {
        let paths = known.map { "`\($0.path)`" }.joined(separator: ", ")
        return Diagnostic(.mock, at: place.range, "there is no step `\(place.step)`", hint: "known are \(paths)")
      }
      guard let provider = step.provider else { return nil }
      return Diagnostic(
        .mock, at: place.range, "step `\(place.step)` is carried out by the twin of provider `\(provider)`",
        hint: MockFile.advice)
    }
  }

  private static func steps(of runbook: ValidatedRunbook) -> [ActionStep] {
    var steps: [ActionStep] = []
    runbook.value.walk { step, _ in steps.append(step) }
    return steps
  }
}
