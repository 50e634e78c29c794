/// What the steps before a place may have done to the power of servers, told by their ids: a step that comes before
/// any of that finds its server as it is now.
struct LivePower {
  private let types: [String: String]
  private var touched: Set<String> = []
  private var touchedTypes: Set<String> = []
  private var isAllTouched = false

  init(_ runbook: ValidatedRunbook) {
    types = Dictionary(runbook.providers.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
  }

  /// What the step needs of a server that is still as the run has found it; nil if it needs nothing, or something
  /// before it may have changed that.
  func needs(_ step: ActionStep, server: String) -> Set<PowerState>? {
    guard let needs = step.action.operation?.needs, !needs.isEmpty, step.action.serverField != nil,
      let type = step.provider.flatMap({ types[$0] })
    else { return nil }
    return isAllTouched || touchedTypes.contains(type) || touched.contains("\(type)/\(server)") ? nil : needs
  }

  /// - Parameter server: the id of the server that it acts on; nil if that is not known yet.
  mutating func follow(_ step: ActionStep, server: String?) {
    let act = PowerAct(step, types: types)
    switch act.reach {
    case .everywhere: isAllTouched = true
    case .cloud(let type): touchedTypes.insert(type)
    case .named:
      guard act.effect != .nothing, let type = act.server?.type else { return }
      if let server { touched.insert("\(type)/\(server)") } else { touchedTypes.insert(type) }
    }
  }
}

extension LiveCheck {
  /// The power state of a server, as what stands in the way of a step; nil: it is in order, or nobody can say.
  func stateProblem(
    _ step: ActionStep, _ needs: Set<PowerState>, server: String, at provider: any Provider
  ) async throws(StepFailure) -> String? {
    guard let state = try await provider.state(ofServer: server), !needs.contains(state) else { return nil }
    // It comes to rest before long, or the client does not know the word: the step itself will see.
    if state == .changing || state == .unknown { return nil }
    let block = runbook.providers.first { $0.name == step.provider }
    let actions = block.flatMap { world.kind(of: $0)?.actions } ?? []
    let way = CapabilityTable.way(to: needs, from: [state], among: actions)
    let advice = way.map { "put `action: \($0)` before it, or bring it there by hand" } ?? "bring it there by hand"
    return "server \(server) is \(state.rawValue), and `\(step.action.name)` needs it "
      + "\(CapabilityTable.stateText(needs)): \(advice)"
  }
}
