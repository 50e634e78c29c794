import Runbook
import TestSupport
import Testing

@testable import CommandLine

/// The examples of `docs/ci.md` can be copied: their YAML is YAML, and each command line in them is understood.
@Suite struct CIPageTests {
  /// The blocks of code of the page, with the word behind the fence.
  private static let blocks: [(language: String, text: String)] = {
    var blocks: [(language: String, text: String)] = []
    var open: (language: String, lines: [Substring])?
    for line in ((try? Repository.text("docs/ci.md")) ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
      if let block = open, line.hasPrefix("```") {
        blocks.append((block.language, block.lines.joined(separator: "\n") + "\n"))
        open = nil
      } else if open != nil {
        open?.lines.append(line)
      } else if line.hasPrefix("```") {
        open = (String(line.dropFirst(3)), [])
      }
    }
    return blocks
  }()

  @Test func theYAMLOfTheExamplesIsYAML() throws {
    let documents = Self.blocks.filter { $0.language == "yaml" }
    #expect(documents.count >= 2)
    for block in documents {
      let document = try ParsedDocument(yaml: Array(block.text.utf8))
      #expect(document.mistakes.map(\.message) == [])
    }
  }

  @Test func everyCommandLineOfTheExamplesIsUnderstood() throws {
    let lines = Self.blocks.flatMap { Self.commandLines(in: $0.text) }
    #expect(lines.count >= 12, "\(lines)")
    for words in lines {
      do throws(UsageError) {
        let invocation = try CommandLineParser.parse(Array(words.dropFirst()))
        if let command = invocation.command {
          _ = try command.init(invocation.arguments)
        } else {
          Issue.record("no command in \(words)")
        }
      } catch {
        Issue.record("\(words.joined(separator: " ")): \(error.message)")
      }
    }
  }

  @Test func theExamplesAreReadAsAShellWouldReadThem() {
    let text = """
      run: runbook list --needs-me || { runbook cancel || true; runbook resume; }
      sh 'exec runbook run a.yaml \\
          --key "b-$(date +%%F)" "$@" >&2'
      """
    #expect(
      Self.commandLines(in: text) == [
        ["runbook", "list", "--needs-me"], ["runbook", "cancel"], ["runbook", "resume"],
        ["runbook", "run", "a.yaml", "--key", "b-X", "X"],
      ])
  }

  // MARK: How

  /// The words of every `runbook …` of a script: up to the end of its command, with `X` for what a shell puts in.
  private static func commandLines(in text: String) -> [[String]] {
    var found: [[String]] = []
    // A folded scalar of YAML goes on in the next line too.
    let joined = text.replacing("\\\n", with: " ").replacing(/\n +(--\S)/, with: { " \($0.output.1)" })
    for line in joined.split(separator: "\n") where !line.trimmingPrefix(while: { $0 == " " }).hasPrefix("#") {
      for command in line.replacing("||", with: "\n").replacing("&&", with: "\n").split(separator: "\n") {
        guard let start = command.firstRange(of: /(?:^|[ '\/])runbook (?=[a-z])/) else { continue }
        found.append(words(of: command[start.lowerBound...].trimmingPrefix { " '/".contains($0) }))
      }
    }
    return found
  }

  private static func words(of command: some StringProtocol) -> [String] {
    var text = String(command)
    for pattern in [#/\$\((?!ssh)[^)]*\)/#, #/\$\{\{[^}]*\}\}/#, #/\$[A-Za-z_@]+/#] { text.replace(pattern, with: "X") }
    let end = text.firstRange(of: /[|;&>')]| \d>| >/)?.lowerBound ?? text.endIndex
    return text[..<end].split(separator: " ").map { $0.filter { $0 != "\"" } }
  }
}
