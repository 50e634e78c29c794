/// What the steps before a place do to the room for snapshots and backups, told by the servers' ids.
struct LiveRoom {
  private struct Place: Hashable {
    var provider: String
    /// nil: any of the account's.
    var server: String?
    /// nil: whatever is kept.
    var kind: String?
  }

  private var made: [Place: Int] = [:]
  /// The first step that may make room there.
  private var freed: [Place: String] = [:]

  /// What the steps before this one do to the room that it needs.
  /// - Parameter server: the id of the server that it acts on; nil if that is not known yet.
  func before(_ step: ActionStep, server: String?) -> EarlierRoom {
    guard case .takes(let kind)? = step.action.room, let provider = step.provider else { return EarlierRoom() }
    let places = [(server, kind), (nil, kind), (server, nil), (nil, nil)].map { server, kind in
      Place(provider: provider, server: server, kind: kind)
    }
    return EarlierRoom(
      made: server.map { made[Place(provider: provider, server: $0, kind: kind)] ?? 0 } ?? 0,
      freedBy: places.lazy.compactMap { freed[$0] }.first,
      isCertain: step.condition == nil && !step.continuesOnError)
  }

  mutating func follow(_ step: ActionStep, server: String?) {
    guard let provider = step.provider else { return }
    switch step.action.room {
    case nil: return
    case .takes(let kind):
      guard let server, step.condition == nil else { return }
      made[Place(provider: provider, server: server, kind: kind), default: 0] += 1
    case .frees(let kind): note(Place(provider: provider, server: server, kind: kind), step.path)
    case .mayFree: note(Place(provider: provider, server: server, kind: nil), step.path)
    }
  }

  private mutating func note(_ place: Place, _ path: StepPath) {
    if freed[place] == nil { freed[place] = path.text }
  }
}
