import Runbook
import Testing

/// Lines of `expression => what it gives`, so that a case costs one line. Blank lines and those that begin with
/// `#` are skipped.
struct ExpressionCase: CustomTestStringConvertible, Sendable {
  var source: String
  var expected: String
  var testDescription: String { source }

  static func table(_ text: String) -> [ExpressionCase] {
    text.split(separator: "\n").filter { !$0.isEmpty && !$0.hasPrefix("#") }.map { line in
      guard let arrow = line.range(ofLast: " => ") else { preconditionFailure("no ` => ` in: \(line)") }
      return ExpressionCase(source: String(line[..<arrow.lowerBound]), expected: String(line[arrow.upperBound...]))
    }
  }
}

extension Substring {
  fileprivate func range(ofLast mark: String) -> Range<Index>? {
    var end = endIndex
    while let start = index(end, offsetBy: -mark.count, limitedBy: startIndex) {
      if self[start..<end] == mark { return start..<end }
      end = index(before: end)
    }
    return nil
  }
}

/// Evaluates with nothing declared, so that the evaluator itself is seen; a refusal at load is shown as `refused: …`.
func result(of source: String, in roots: [String: Value] = [:]) -> String {
  let environment = TypeEnvironment(roots: roots.mapValues { _ in .any })
  switch Expression.parse(source, at: .beginning, in: environment) {
  case .failure(let diagnostics):
    return "refused: " + diagnostics.items.map(\.text).joined(separator: " | ")
  case .success(let expression):
    do throws(ExpressionFailure) {
      return shown(try expression.evaluate(in: DictionaryScope(roots, now: Timestamp(seconds: 1_700_000_000))))
    } catch {
      return "error: " + error.message
    }
  }
}

/// A value with its type in sight.
func shown(_ value: Value) -> String {
  switch value {
  case .null: "null"
  case .bool(let flag): "\(flag)"
  case .int(let number): "\(number)"
  case .double(let number): "\(number)"
  case .string(let text): "'\(text)'"
  case .stored(let text): "stored \(text.shown)"
  case .list(let items): "[" + items.map(shown).joined(separator: ", ") + "]"
  case .map(let entries):
    "{" + entries.sorted { $0.key < $1.key }.map { "\($0.key): \(shown($0.value))" }.joined(separator: ", ") + "}"
  case .duration(let duration): "duration \(duration.text)"
  case .timestamp(let timestamp): "timestamp \(timestamp)"
  case .optional(nil): "none"
  case .optional(let value?): "some \(shown(value))"
  case .secret(let secret): "secret \(secret.reveal())"
  case .lost: "lost"
  case .unknown: "unknown"
  }
}

extension Diagnostic {
  /// `CODE: message; hint`.
  var text: String { "\(code): \(message)" + (hint.map { "; \($0)" } ?? "") }
}
