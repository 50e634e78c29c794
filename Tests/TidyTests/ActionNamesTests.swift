import Providers
import Runbook
import Steps
import TestSupport
import Testing

/// The engine asks an action's declaration what the action is, and never its name: an action or a cloud that is added
/// changes nothing in `Sources/Runbook`.
@Suite struct ActionNamesTests {
  /// Words that are names of actions, too, and mean something else here.
  static let otherMeanings: [(text: String, reason: String)] = [
    (#"["action"]"#, "a key of events"), (#"text("action")"#, "a key of events"),
    (#""action": .string("#, "a key of events and of documents for programs"),
    (#""run": .map("#, "the root `run` of expressions, and a key of documents for programs"),
    (#"roots["run"]"#, "the root `run` of expressions"), (#"case "run":"#, "the root `run` of expressions"),
    (#"["approve", runID"#, "the command `runbook approve`"),
    (#"["ask", "fail"]"#, "the words of `on_crash`"),
    (#"line("approve", "#, "the command `runbook approve`"),
    (#"approval = "approve""#, "a kind of message to a run"),
    (#"+ "server.","#, "the end of a sentence"),
  ]

  static let names: Set<String> = Set(
    standardSteps.map { $0.keyword } + standardActions.map { $0.declaration.name }
      + standardProviders.flatMap { $0.actions.map { $0.name } })

  /// Whole names, and the parts by which one could be asked for: `server.`, `.delete`.
  static let parts: Set<String> = names.reduce(into: []) { parts, name in
    parts.insert(name)
    guard let dot = name.firstIndex(of: ".") else { return }
    parts.insert(String(name[...dot]))
    parts.insert(String(name[dot...]))
  }

  /// Those that a line of code holds as a text.
  static func found(in line: Substring) -> [String] {
    guard !line.trimmingPrefix(while: { $0 == " " }).hasPrefix("//") else { return [] }
    let rest = otherMeanings.reduce(String(line)) { $0.replacing($1.text, with: "") }
    return parts.filter { rest.contains("\"\($0)\"") }.sorted()
  }

  @Test(
    arguments: SourceTree.sources.filter { file in
      file.target == "Runbook"
    })
  func noActionIsAskedForByItsName(_ file: ProjectFile) {
    for (index, line) in file.lines.enumerated() {
      for name in Self.found(in: line) {
        Issue.record("\(file.path):\(index + 1): `\(name)`: let the action declare what matters (ActionDeclaration)")
      }
    }
  }

  @Test(arguments: [
    (#"if step.action.name == "sleep" {"#, ["sleep"]), (#"name.hasPrefix("server.")"#, ["server."]),
    (#"name.hasSuffix(".delete")"#, [".delete"]), (#"["commit", "fail"].contains(kind.key)"#, ["commit", "fail"]),
    (#"["run", "ssh.run"].contains(fields["action"]?.string)"#, ["run", "ssh.run"]),
    (#"sink.error("`sleep` and `server.stop` are words of this message")"#, []), (#"/// As "sleep" does."#, []),
  ])
  func aNameIsFoundWhereverItIsAskedFor(_ line: String, _ names: [String]) {
    #expect(Self.found(in: Substring(line)) == names)
  }

  /// A text that no longer stands anywhere would excuse the next mistake.
  @Test(arguments: otherMeanings.map { $0.text })
  func everyOtherMeaningIsUsed(_ text: String) {
    #expect(SourceTree.sources.contains { $0.target == "Runbook" && $0.text.contains(text) }, "\(text)")
  }
}
