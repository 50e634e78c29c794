import Posix
import Runbook

/// `--input NAME=VALUE` and `--inputs FILE`, as they were typed.
struct GivenInputs {
  private let texts: [(name: String, text: String)]
  private let file: String?
  /// Of an inputs file: 4 MiB.
  static let fileLimit = 4 << 20

  init(_ arguments: ParsedArguments) throws(UsageError) {
    var texts: [(name: String, text: String)] = []
    for word in arguments.values(of: "input") {
      guard let sign = word.firstIndex(of: "="), sign != word.startIndex else {
        throw UsageError(
          "`--input \(DisplayText.escaped(word, limit: 60))` has no name and value", hint: "write `--input NAME=VALUE`")
      }
      texts.append((String(word[..<sign]), String(word[word.index(after: sign)...])))
    }
    self.texts = texts
    file = arguments.value("inputs")
  }

  /// - Parameter isComplete: false for a plan, which leaves open what is missing.
  func read(for runbook: ValidatedRunbook, isComplete: Bool = true) throws(Refusal) -> [String: Value] {
    var values: [String: Value] = [:]
    if let file { values = try GivenInputs.map(in: file) }
    var declarations = runbook.inputs
    if !isComplete {
      let given = Set(texts.map(\.name)).union(values.keys)
      let names = Set(declarations.map(\.name))
      if given.isSubset(of: names) {
        declarations = declarations.filter { given.contains($0.name) || $0.defaultValue != nil }
      }
    }
    do throws(InputMistakes) {
      return try InputReader.read(texts: texts, values: values, for: declarations)
    } catch {
      let shown = error.messages.map { DisplayText.escaped($0, limit: 400) }
      throw Refusal(.usage, .input, shown.joined(separator: "\n       "), hint: nil)
    }
  }

  private static func standardInput() throws(Refusal) -> [UInt8] {
    do throws(FileFailure) { return try FileReading.standardInput(limit: fileLimit) } catch {
      throw Refusal(.usage, .file, "standard input \(error.reason)")
    }
  }

  /// A JSON object from a file; `-` is standard input.
  static func map(in file: String) throws(Refusal) -> [String: Value] {
    let bytes = file == "-" ? try standardInput() : try RunbookFile.read(file, limit: fileLimit, what: "file")
    let shown = file == "-" ? "standard input" : DisplayText.escaped(file, limit: 300)
    let value: Value
    do throws(JSONError) { value = try JSONReader.read(bytes) } catch {
      throw Refusal(.usage, .file, "`\(shown)` is not JSON: \(error.message), at byte \(error.offset)")
    }
    guard case .map(let values) = value else {
      throw Refusal(.usage, .file, "`\(shown)` is not a JSON object", hint: "write {\"name\": value}")
    }
    return values
  }
}
