/// Things that are told of steps, where a loop may have made thousands of one kind: a few of each kind, and how many
/// more there are. What stands in no loop is always told.
struct FewOfEach<Element> {
  private(set) var shown: [Element] = []
  /// By the path of the step, with a `*` for the number of each iteration; in the order in which they came.
  private(set) var more: [(template: String, count: Int)] = []

  /// - Parameters:
  ///   - limit: how many of each kind are told.
  ///   - path: of the step that it is about.
  init(_ elements: [Element], of report: RunReport, atMost limit: Int = 5, by path: (Element) -> String) {
    var counts: [String: Int] = [:]
    var order: [String] = []
    for element in elements {
      let path = path(element)
      let template = report.template(of: path)
      let count = counts[template, default: 0] + 1
      counts[template] = count
      if template == path || count <= limit { shown.append(element) }
      if template != path, count == limit + 1 { order.append(template) }
    }
    more = order.map { ($0, (counts[$0] ?? 0) - limit) }
  }
}

extension RunReport {
  /// Of a step or an undo step: its path with a `*` for the number of each iteration.
  public func template(of path: String) -> String {
    if let index = stepIndex[path] { return steps[index].template }
    let owner = StepPath(path).owner.text
    guard owner != path, let index = stepIndex[owner] else { return path }
    return steps[index].template + path.dropFirst(owner.count)
  }

  /// Paths in their order; more than three of one step in a loop become one: `wave[*].one (38 times)`.
  func folded(_ paths: [String], _ words: (String) -> String) -> [String] {
    let templates = paths.map { template(of: $0) }
    let counts = templates.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
    var told: Set<String> = []
    return zip(paths, templates).compactMap { path, template in
      guard template != path, let count = counts[template], count > 3 else { return words(path) }
      guard told.insert(template).inserted else { return nil }
      return "\(DisplayText.escaped(template, limit: 100)) (\(count) times)"
    }
  }

  /// All steps came to their end, and the run counts as failed because iterations did.
  var isOnlyBorne: Bool {
    outcome == .failed && rollbackReason == nil && failedStep == nil && outputsError == nil && !borneLoops.isEmpty
  }

  /// It stands in an iteration that has failed.
  func isInFailedIteration(_ path: String) -> Bool {
    guard let index = stepIndex[path] else { return false }
    return ([index] + around(index)).contains { steps[$0].isIteration && steps[$0].hasFailed }
  }
}
