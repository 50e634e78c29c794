import Foundation
import TestSupport
import Testing

/// The documentation names only what is there.
@Suite struct ProseTests {
  @Test(arguments: SourceTree.prose)
  func everyLinkLeadsSomewhere(_ file: ProjectFile) {
    let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
    for match in file.text.matches(of: /\]\(([^)#]+)(#[^)]*)?\)/) {
      let target = String(match.1)
      if target.contains("://") { continue }
      let path = Repository.path(folder.isEmpty ? target : "\(folder)/\(target)")
      #expect(FileManager.default.fileExists(atPath: path), "\(file.path) links to \(target)")
    }
  }

  /// A promise links the test that proves it by name; a renamed test must not leave it behind.
  @Test(arguments: SourceTree.prose)
  func everyLinkedTestExists(_ file: ProjectFile) throws {
    let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
    for match in file.text.matches(of: /\[`(\w+)`\]\(([^)]*Tests[^)]*\.swift)\)/) {
      let text = try? String(contentsOfFile: Repository.path("\(folder)/\(match.2)"), encoding: .utf8)
      #expect(text?.contains("func \(match.1)(") == true, "\(file.path): \(match.1) is not in \(match.2)")
    }
  }

  /// Promises without a test are not made.
  @Test func everyPromiseHasATest() throws {
    let guarantees = try ProjectFile("docs/guarantees.md")
    for line in guarantees.lines where line.hasPrefix("| **") {
      #expect(line.contains("Tests/"), "no test proves: \(line)")
    }
  }

  /// A glossary that is longer is not read; a word that no other page uses explains nothing.
  @Test func theGlossaryHasAtMostTwentyWordsAndOtherPagesUseEach() throws {
    let words = try ProjectFile("docs/glossary.md").lines.dropFirst(6).compactMap { line in
      line.firstMatch(of: /^\| ([a-z ]+) \|/).map { String($0.1) }
    }
    #expect(
      (10...20).contains(words.count) && words == words.sorted { $0.filter { $0 != " " } < $1.filter { $0 != " " } })
    let others = SourceTree.prose.filter { $0.path != "docs/glossary.md" }.map { $0.text.lowercased() }
    for word in words { #expect(others.contains { $0.contains(word) }, "no page uses `\(word)`") }
  }

  /// Whoever reads the stream finds every event in the table.
  @Test func everyEventIsInTheTable() throws {
    let folder = "Sources/Runbook/Journal/Coding/"
    let coding = SourceTree.sources.filter { $0.path.hasPrefix(folder) }.map(\.text).joined()
    let table = try ProjectFile("docs/command.md")
    let kinds = Set(
      coding.matches(of: /"((?:run|step|attempt|request|undo|rollback|cancel|lock|clock|drill|script|event)\.[a-z_]+)"/)
        .map { String($0.1) })
    #expect(kinds.count > 20)
    for kind in kinds where kind != "run.pinned" {
      #expect(table.text.contains("`\(kind)`"), "docs/command.md does not tell of \(kind)")
    }
  }

  @Test(arguments: SourceTree.prose)
  func everyAnchorIsAHeading(_ file: ProjectFile) throws {
    let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
    for match in file.text.matches(of: /\]\(([^)#:]*)#([^)]+)\)/) {
      let target = match.1.isEmpty ? file.path : folder.isEmpty ? String(match.1) : "\(folder)/\(match.1)"
      guard target.hasSuffix(".md") else { continue }
      let text = try String(contentsOfFile: Repository.path(target), encoding: .utf8)
      let anchors = text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { heading in
        String(heading.drop { $0 == "#" || $0 == " " }.lowercased().map { $0 == " " ? "-" : $0 })
          .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
      }
      #expect(anchors.contains(String(match.2)), "\(file.path): \(target) has no heading #\(match.2)")
    }
  }

  /// Words that the pages quote from the program, each with the source that prints it.
  private static let quotations: [(page: String, words: String, source: String, code: [String])] = [
    (
      "command.md", "waiting for `…/runbook.db.lock`, held by process 4711 for 10s", "Stores/SQLite/StoreLock.swift",
      [#""waiting for `\(path)`, held by \(holder.map { "process \($0)" } ?? "#, #") for \(waited.text)""#]
    ),
    ("command.md", #""no runs yet""#, "CommandLine/Commands/ListCommand.swift", [#""no runs yet""#]),
    ("command.md", "`progress:`", "Runbook/Report/EventText.swift", ["progress: "]),
    ("command.md", "| `other type` |", "CommandLine/Survey/SurveyFinding.swift", [#"otherType = "other type""#]),
    ("command.md", "| `not compared` |", "CommandLine/Survey/SurveyFinding.swift", [#"notCompared = "not compared""#]),
    ("command.md", "`(needed)`", "CommandLine/Survey/SurveyFinding.swift", ["(needed)"]),
    ("command.md", "`nothing happened`", "Runbook/Journal/Fact.swift", [#""nothing happened""#]),
    ("command.md", "`left standing`", "Runbook/Journal/Fact.swift", [#""left standing""#]),
    ("command.md", "`undone only after success`", "Runbook/Journal/Fact.swift", ["only after success"]),
    (
      "language.md", "`not undone: its condition was false`", "Runbook/Report/RunWords.swift",
      [#""not undone: its condition was false""#]
    ),
  ]

  @Test(arguments: quotations.indices)
  func quotedWordsAreThoseOfTheProgram(_ index: Int) throws {
    let (page, words, source, code) = Self.quotations[index]
    func plain(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    #expect(plain(try ProjectFile("docs/\(page)").text).contains(words), "docs/\(page) does not say \(words)")
    let text = try ProjectFile("Sources/\(source)").text
    for part in code { #expect(text.contains(part), "Sources/\(source) does not print \(part)") }
  }

  // MARK: Plain sentences

  /// Forms of a sentence that a reader has to solve, and how to write it.
  private static let riddles: [(form: String, advice: String)] = [
    (#"\b[Ww]hoever\b"#, "name the person or the process"),
    (#"\b[Tt]hat which\b"#, "name the thing"),
    (#"\b[Tt]hose who\b"#, "name them: \"runs that wait\""),
    (#"\b[Ww]hat (is|was|were) (done|kept|told|made|asked|sent|promised|wanted|waited)\b"#, "name the thing"),
    (#"\b[Ww]hat (lay|lies|came|stood|stands|became|becomes)\b"#, "name the thing"),
    (
      #"(^|[.;:] |\*\*)What (is|was|has|had|cannot|could|may|fails|failed|a|an|nobody|scripts?|steps?)\b[^?|]*[.;]"#,
      "begin with the thing, not with \"What\""
    ),
    (#"\b(is|are|was|were) told (of|as|with|by|once|beside)\b"#, "say who reports it, and where"),
  ]

  private static func recordRiddles(in texts: [(place: String, text: String)]) throws {
    for (form, advice) in riddles {
      let pattern = try Regex(form)
      for (place, text) in texts {
        guard let match = text.firstMatch(of: pattern) else { continue }
        Issue.record("\(place): \"\(text[match.range])\": \(advice)")
      }
    }
  }

  @Test(arguments: SourceTree.prose)
  func aPageHasNoRiddles(_ file: ProjectFile) throws {
    // Headings and names of tests are no sentences.
    let text = file.lines.filter { !$0.hasPrefix("#") }.joined(separator: "\n")
    try Self.recordRiddles(
      in: text.split(separator: "\n\n").map { paragraph in
        let words = paragraph.replacing(/\[`\w+`\]\([^)]*\)/, with: "").split(whereSeparator: \.isWhitespace)
        return (file.path, words.joined(separator: " "))
      })
  }

  @Test(arguments: SourceTree.sources)
  func aMessageHasNoRiddles(_ file: ProjectFile) throws {
    try Self.recordRiddles(in: file.texts.map { ("\(file.path):\($0.number)", $0.text) })
  }
}
