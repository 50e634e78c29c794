/// Reads the keys of one map by name and, at the end, tells of those nobody asked for. A key is never ignored.
package struct FieldReader {
  package let node: Node
  package let entries: [Node.Entry]
  /// What the map is, for messages: "a step", "`retry`".
  package let what: String
  private let sink: DiagnosticSink
  private var taken: UInt64 = 0
  private var takenBeyond: Set<Int> = []

  /// nil, and told, if the node is no map.
  package init?(_ node: Node, _ what: @autoclosure () -> String, _ sink: DiagnosticSink) {
    switch node.content {
    case .mapping(let entries):
      self.init(entries, of: node, what(), sink)
    case .unreadable: return nil
    default:
      sink.error(.type, at: node.range, "\(what()) must be a map (`key: value` lines), not \(node.kindInWords)")
      return nil
    }
  }

  package init(_ entries: [Node.Entry], of node: Node, _ what: String, _ sink: DiagnosticSink) {
    self.node = node
    self.entries = entries
    self.what = what
    self.sink = sink
  }

  package mutating func take(_ key: String) -> Node? { takeEntry(key)?.value }

  package mutating func takeEntry(_ key: String) -> Node.Entry? {
    guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
    if index < 64 { taken |= 1 << UInt64(index) } else { takenBeyond.insert(index) }
    return entries[index]
  }

  /// The value of a key that must be there; told at `place` (of whatever names the map) if it is not.
  package mutating func require(_ key: String, at place: @autoclosure () -> SourceRange, hint: String? = nil) -> Node? {
    if let value = take(key) { return value }
    sink.error(.keyMissing, at: place(), "\(what) needs `\(key)`", hint: hint)
    return nil
  }

  /// Tells of every key that was not taken, with the nearest one that may stand here.
  package func finish(known: @autoclosure () -> [String], _ explain: (Node.Entry) -> Diagnostic? = { _ in nil }) {
    if taken.nonzeroBitCount + takenBeyond.count == entries.count { return }
    let known = known()
    for (index, entry) in entries.enumerated() {
      let isTaken = index < 64 ? taken & (1 << UInt64(index)) != 0 : takenBeyond.contains(index)
      if isTaken || sink.isFull { continue }
      sink.report(
        explain(entry) ?? LaterFeatures.key(entry)
          ?? Diagnostic(
            .keyUnknown, at: entry.keyRange, "\(what) has no key `\(entry.key.excerpt(60))`",
            hint: Suggestion.hint(for: entry.key, among: known)))
    }
  }
}
