/// What is known of the state of a server that a run has acted on.
public struct ServerReport: Sendable, Equatable {
  public var id: String
  /// `running`, `stopped` …; nil: what was done to it has not come to its end, or failed.
  public var state: String?
  /// The cloud's own word, as it was seen last; nil: none was.
  public var nativeState: String?
  /// The step or undo step that tells it.
  public var by: String
  /// That step only looked.
  var isSeen = false
}

extension RunReport {
  /// From the steps that name a server, and what they say of its state.
  mutating func noteServer(_ event: RunEvent) {
    let fields = event.fields
    guard let path = (fields["entry"] ?? fields["step"])?.string else { return }
    switch event.event {
    case "step.started", "undo.started":
      guard let id = fields["with"]?["server"]?.string, !id.isEmpty else { return }
      guard let action = fields["action"]?.string.flatMap({ actions.declaration(of: $0) }), !action.tellsItemState
      else { return }
      begin(
        path, on: id, looks: fields["effect"]?.string == "none",
        deletes: action.operation?.leaves == .becomes(.absent))
    case "step.waiting":
      guard let word = fields["native_state"]?.string else { return }
      tell(path) { ServerReport(id: $0.id, nativeState: word, by: path) }
    case "step.ended", "undo.ended":
      let status = fields["status"]?.string
      if status == "succeeded" {
        // One that is gone has no state to answer with.
        let gone = deletions.contains(path) ? "absent" : nil
        guard let state = fields["outputs"]?["state"]?.string ?? gone else { return }
        let isSeen = looks.contains(path)
        tell(path) { ServerReport(id: $0.id, state: state, by: path, isSeen: isSeen) }
      } else if status != "skipped", fields["error"]?["effect"]?.string != "none" {
        tell(path) { ServerReport(id: $0.id, nativeState: $0.by == path ? $0.nativeState : nil, by: path) }
      }
    default: break
    }
  }
}

extension RunReport {
  private mutating func begin(_ path: String, on server: String, looks isLook: Bool, deletes: Bool) {
    if isLook { looks.insert(path) }
    if deletes { deletions.insert(path) }
    let index = serverIndex[server] ?? servers.count
    if index == servers.count {
      serverIndex[server] = index
      servers.append(ServerReport(id: server, by: ""))
    }
    actsOn[path] = index
  }

  /// The newest that is known of the server which a step acts on.
  private mutating func tell(_ path: String, _ news: (ServerReport) -> ServerReport) {
    guard let index = actsOn[path] else { return }
    servers[index] = news(servers[index])
  }
}

extension RunWords {
  /// How many servers are told of one by one.
  private static let serverLimit = 12

  /// A line for each server; of a great many, those whose state is not known come first, and the others are counted.
  static func servers(_ all: [ServerReport]) -> [String] {
    let all = all.filter { !$0.by.isEmpty }
    guard all.count > serverLimit else { return all.map { state(of: $0) } }
    let ordered = all.filter { $0.state == nil } + all.filter { $0.state != nil }
    let counts = ordered.dropFirst(serverLimit).reduce(into: [String: Int]()) { counts, server in
      counts[server.state ?? "in a state that is not known", default: 0] += 1
    }
    let rest = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { state, count in
      "\(count) \(DisplayText.escaped(state, limit: 40))"
    }
    return ordered.prefix(serverLimit).map { state(of: $0) }
      + ["… and \(all.count - serverLimit) more: \(rest.joined(separator: ", "))"]
  }

  /// `12345 is running, as `stop.undo[0]` left it`.
  public static func state(of server: ServerReport) -> String {
    let id = DisplayText.escaped(server.id, limit: 64)
    let by = "`\(DisplayText.escaped(server.by, limit: 100))`"
    if let state = server.state {
      let verb = server.isSeen ? "saw" : "left"
      return "\(id) is \(DisplayText.escaped(state, limit: 40)), as \(by) \(verb) it"
    }
    let seen = server.nativeState.map { "was last seen `\(DisplayText.escaped($0, limit: 60))`" }
    return "\(id) \(seen ?? "may be in any state"), after \(by) did not succeed"
  }
}
