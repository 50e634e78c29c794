import Testing

/// Style that a machine can check.
@Suite struct TextTests {
  /// What shows up in code (comments and texts left out), and why it may not.
  static let forbidden: [(pattern: String, reason: String)] = [
    ("fatalError(", "nothing from outside may end the process; our own bugs are `precondition`"),
    ("try!", "nothing from outside may end the process"),
    ("as!", "nothing from outside may end the process"),
    ("Task {", "a task that nobody waits for cannot be cancelled: use a task group"),
    ("Task.detached", "a task that nobody waits for cannot be cancelled: use a task group"),
    ("Thread.sleep", "blocks a thread of the shared pool; time comes in through `EngineClock`"),
    ("@_implementationOnly", "say `import`"),
  ]

  @Test(arguments: SourceTree.sources)
  func nothingForbiddenIsUsed(_ file: ProjectFile) {
    for (number, code) in file.code {
      for (pattern, reason) in Self.forbidden where code.containsWord(pattern) {
        Issue.record("\(file.path):\(number): `\(pattern)`: \(reason)")
      }
    }
  }

  @Test(arguments: SourceTree.swift + SourceTree.shims + SourceTree.scripts)
  func nothingIsLeftForLater(_ file: ProjectFile) {
    // The template of `mktemp` is no mark of anything.
    let temporaryName = String(repeating: "X", count: 6)
    for (index, line) in file.lines.enumerated() {
      for word in ["TO" + "DO", "FIX" + "ME", "XX" + "X"] where line.contains(word) && !line.contains(temporaryName) {
        Issue.record("\(file.path):\(index + 1): `\(word)`: do it, or say in the documentation that it is not there")
      }
    }
  }

  /// Lines of multi-line texts (YAML, SQL, output) are as wide as what they show, and so is the shell of benchmarks.
  @Test(arguments: SourceTree.swift + SourceTree.shims + SourceTree.scripts)
  func filesAndLinesAreShort(_ file: ProjectFile) {
    #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines")
    guard !file.path.hasPrefix("Tests/Benchmarks/bench.sh") else { return }
    for (line, code) in zip(file.lines, file.code) where line.count > 120 {
      if code.text.isEmpty, !line.trimmingPrefix(while: { $0 == " " }).hasPrefix("//") { continue }
      Issue.record("\(file.path):\(code.number) is \(line.count) columns wide")
    }
  }

  @Test(arguments: SourceTree.swift)
  func functionsAreShort(_ file: ProjectFile) {
    var open: (name: String, indent: Int, line: Int)?
    for (index, line) in file.lines.enumerated() {
      let indent = line.prefix { $0 == " " }.count
      if let function = open, indent == function.indent, line.dropFirst(indent).hasPrefix("}") {
        #expect(index - function.line < 70, "\(file.path):\(function.line + 1): \(function.name)")
        open = nil
      }
      guard open == nil, line.contains("func ") || line.contains(" init("), line.hasSuffix("{") else { continue }
      open = (String(line.trimmingPrefix(while: { $0 == " " })), indent, index)
    }
  }

  /// `@unchecked` takes the compiler's word for it; whoever writes it says what guards the value.
  @Test(arguments: SourceTree.sources)
  func everyUncheckedSendableIsExplained(_ file: ProjectFile) {
    for (number, code) in file.code where code.contains("@unchecked Sendable") {
      var above = file.lines[..<(number - 1)].reversed().drop { $0.trimmingPrefix(while: { $0 == " " }).hasPrefix("@") }
        .makeIterator()
      let isExplained = above.next()?.trimmingPrefix(while: { $0 == " " }).hasPrefix("//") ?? false
      #expect(isExplained || file.lines[number - 1].contains("//"), "\(file.path):\(number)")
    }
  }

  /// `Runbook.Plan` would no longer name the module's type: the compiler looks into the type `Runbook` for it.
  @Test(arguments: SourceTree.sources)
  func noTypeThatOthersSeeIsCalledAsAModule(_ file: ProjectFile) throws {
    let declaration = /(?:public|package)\s+(?:final\s+)?(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)/
    for line in file.lines {
      guard let name = line.firstMatch(of: declaration)?.output.1 else { continue }
      #expect(ImportTests.allowed[String(name)] == nil, "\(file.path): \(line)")
    }
  }

  @Test(arguments: SourceTree.swift + SourceTree.scripts + SourceTree.prose + SourceTree.runbooks)
  func noPlaceOfSomeMachineIsNamed(_ file: ProjectFile) {
    for place in ["/wo" + "rk/", "/ro" + "ot/", "/tmp/" + "w/", "/Us" + "ers/"] {
      #expect(!file.text.contains(place), "\(file.path) names \(place)")
    }
  }
}

extension String {
  /// `Task {` is not in `addTask {`.
  fileprivate func containsWord(_ pattern: String) -> Bool {
    ranges(of: pattern).contains { range in
      guard range.lowerBound > startIndex else { return true }
      let before = self[index(before: range.lowerBound)]
      return !before.isLetter && before != "_"
    }
  }
}
