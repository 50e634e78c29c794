import Providers
import Runbook
import Steps
import Testing

/// A text with signs (①, ②, …) where mistakes must be found, and what must be said of each: "① CODE: text; hint". A
/// text that is not a whole runbook stands in one: as steps if it begins with `- `, else as top-level keys.
struct Refused: Sendable, CustomTestStringConvertible {
  let text: String
  let expected: [String]
  var isStrict = false

  init(_ text: String, _ expected: String...) {
    self.text = text
    self.expected = expected
  }

  static func strictly(_ text: String, _ expected: String...) -> Refused {
    var refused = Refused(text)
    refused = Refused(text: text, expected: expected, isStrict: true)
    return refused
  }

  private init(text: String, expected: [String], isStrict: Bool) {
    self.text = text
    self.expected = expected
    self.isStrict = isStrict
  }

  var testDescription: String { text }

  func check() {
    let (source, places) = Refused.placed(Framed.runbook(text))
    let found = Refused.mistakes(source, isStrict: isStrict).map { diagnostic -> String in
      let line = DiagnosticText.line(diagnostic, file: "f")
      let place = "\(diagnostic.range.start.line):\(diagnostic.range.start.column)"
      let sign = places[place].map { String($0) } ?? place
      let said = line.drop { $0 != " " }.dropFirst().drop { $0 != " " }.dropFirst()
      return "\(sign) \(said)"
    }
    #expect(found == expected)
  }

  static func mistakes(_ source: String, isStrict: Bool = false) -> [Diagnostic] {
    do throws(Diagnostics) {
      let document = try ParsedDocument(yaml: source)
      return try ValidatedRunbook(document, in: Framed.context(isStrict: isStrict)).warnings
    } catch {
      return error.items
    }
  }

  /// Takes the signs out and notes where they stood.
  private static func placed(_ text: String) -> (String, [String: Character]) {
    var source = ""
    var places: [String: Character] = [:]
    var (line, column) = (1, 1)
    for character in text {
      if "①②③④⑤⑥⑦⑧⑨".contains(character) {
        places["\(line):\(column)"] = character
        continue
      }
      source.append(character)
      if character == "\n" { (line, column) = (line + 1, 1) } else { column += character.unicodeScalars.count }
    }
    return (source, places)
  }
}

/// Fragments of runbooks made whole, and validated against the real steps and providers.
enum Framed {
  static func context(isStrict: Bool = false) -> ValidationContext {
    ValidationContext(
      steps: standardSteps, actions: standardActions.map { $0.declaration }, providers: standardProviders,
      isStrict: isStrict
    ) { path, _ throws(FileRefusal) in
      guard path == "./update.sh" else { throw FileRefusal("there is no such file") }
      return Array("true\n".utf8)
    }
  }

  static let top = """
    runbook: v1
    name: test
    inputs: {server: {type: string}, count: {type: int, default: 1}, names: {type: list, items: string}}
    secrets: {token: {source: env, key: TOKEN}}
    providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}

    """

  static func runbook(_ fragment: String) -> String {
    if fragment.contains("runbook:") { return fragment }
    if fragment.hasPrefix("-") || fragment.hasPrefix("①-") {
      return top + "steps:\n"
        + fragment.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)\n" }.joined()
    }
    return "runbook: v1\nname: test\n\(fragment)\nsteps: [{id: only, action: log.info, with: {message: hello}}]\n"
  }

  /// A fragment that must be valid.
  static func validated(_ fragment: String) throws -> ValidatedRunbook {
    try ValidatedRunbook(ParsedDocument(yaml: runbook(fragment)), in: context())
  }
}
