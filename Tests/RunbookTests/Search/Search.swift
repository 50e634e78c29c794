/// The result of searching many runbooks.
struct Search: Sendable {
  var states = 0
  /// Ways from one state to the next.
  var passages = 0
  /// Runbooks in which a property does not hold.
  var failed = 0
  /// One for each property that does not hold: the report with the shortest path.
  var reports: [String] { shortest.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value.report) }
  private var shortest: [Property: (length: Int, report: String)] = [:]
  var known: Set<KnownFault> = []

  /// Searches each runbook, some at a time.
  /// - Parameter sampling: in one of so many states foreign words are said.
  static func all(_ runbooks: [SearchedRunbook], _ bounds: Bounds, sampling: Int = 64) async -> Search {
    let parts = 4
    return await withTaskGroup(of: Search.self) { group in
      for part in 0..<parts {
        group.addTask {
          var search = Search()
          for number in stride(from: part, to: runbooks.count, by: parts) {
            search.explore(runbooks[number], bounds, sampling)
            // Other tests share the threads.
            await Task.yield()
          }
          return search
        }
      }
      return await group.reduce(into: Search()) { $0.add($1) }
    }
  }

  private mutating func explore(_ runbook: SearchedRunbook, _ bounds: Bounds, _ sampling: Int) {
    var explorer = Explorer(runbook, bounds)
    explorer.known = KnownFault.all
    explorer.sampling = sampling
    explorer.explore()
    states += explorer.nodes.count
    passages += explorer.edges.count
    known.formUnion(explorer.knownFound)
    if !explorer.found.isEmpty { failed += 1 }
    for property in explorer.found.keys { note(property, explorer.length(of: property), explorer.report(property)) }
  }

  private mutating func note(_ property: Property, _ length: Int, _ report: String) {
    if let earlier = shortest[property], earlier.length <= length { return }
    shortest[property] = (length, report)
  }

  private mutating func add(_ other: Search) {
    states += other.states
    passages += other.passages
    failed += other.failed
    known.formUnion(other.known)
    for (property, found) in other.shortest { note(property, found.length, found.report) }
  }
}
