/// Templates to the values an action is called with: evaluated, converted to each field's kind, defaults filled in.
enum FieldValues {
  static func evaluate(
    _ templates: [String: Template], fields: [Field], in scope: some ExpressionScope
  ) throws(StepFailure) -> [String: Value] {
    var values: [String: Value] = [:]
    for field in fields {
      guard let template = templates[field.name] else {
        if let value = field.defaultValue { values[field.name] = value }
        if field.required, field.defaultValue == nil { throw missing(field) }
        continue
      }
      let value = try evaluate(template, field, in: scope)
      switch value {
      case .null, .optional(nil):
        if field.required { throw missing(field) }
        if let value = field.defaultValue { values[field.name] = value }
      case .string("") where field.required && !field.acceptsEmpty: throw missing(field)
      case .string(""): values[field.name] = value
      case .secret(let secret) where secret.isEmpty && field.required && !field.acceptsEmpty: throw missing(field)
      default:
        let value = try convert(value, to: field)
        if let bounds = field.bounds, !bounds.contains(value) { throw wrong(field, bounds.words) }
        values[field.name] = value
      }
    }
    return values
  }

  private static func evaluate(
    _ template: Template, _ field: Field, in scope: some ExpressionScope
  ) throws(StepFailure) -> Value {
    do throws(ExpressionFailure) {
      return field.kind == .url ? try template.evaluateURL(in: scope) : try template.evaluate(in: scope)
    } catch {
      throw StepFailure(.expression, "`\(field.name)`: \(error.message)")
    }
  }

  /// A required field that is null or empty never becomes a request (no `DELETE /snapshots/`).
  private static func missing(_ field: Field) -> StepFailure {
    .unfit("`\(field.name)` is empty, and the action needs it")
  }

  private static func convert(_ value: Value, to field: Field) throws(StepFailure) -> Value {
    switch (field.kind, value) {
    case (_, .unknown), (_, .secret): return value
    case (.map, .map(let entries)) where !field.members.isEmpty: return .map(try members(entries, of: field))
    case (_, .optional(let inner?)): return try convert(inner, to: field)
    case (.string, .int(let number)): return .string(String(number))
    case (.string, .double), (.string, .bool): return .string(JSONWriter.text(value))
    case (.string, .timestamp(let instant)): return .string(instant.description)
    case (.string, .string(let text)):
      guard let source = field.pattern, let pattern = try? Pattern(source), !pattern.matches(text) else { return value }
      throw StepFailure(.input, "`\(field.name)` does not match `\(source)`")
    case (.duration, .string(let text)):
      guard let duration = Duration(text: text) else { throw wrong(field, "a duration such as `30s`") }
      return .duration(duration)
    case (.duration, .duration), (.int, .int), (.bool, .bool), (.list, .list), (.map, .map), (.stringMap, .map),
      (.number, .int), (.number, .double), (.url, .string), (.any, _), (.expression, _):
      return value
    case (.choice(let words), .string(let text)):
      guard words.contains(text) else { throw wrong(field, words.map { "`\($0)`" }.joined(separator: ", ")) }
      return value
    case (.int, .double(let number)):
      guard let whole = Int64(exactly: number) else { throw wrong(field, "a whole number") }
      return .int(whole)
    case (.int, _): throw wrong(field, "a whole number")
    case (.number, _): throw wrong(field, "a number")
    case (.bool, _): throw wrong(field, "true or false")
    case (.list, _): throw wrong(field, "a list")
    case (.map, _), (.stringMap, _): throw wrong(field, "a map")
    case (.duration, _): throw wrong(field, "a duration such as `30s`")
    default: throw wrong(field, "text")
    }
  }

  /// A map of which the keys are known. One that is null is left out.
  private static func members(
    _ entries: [String: Value], of field: Field
  ) throws(StepFailure) -> [String: Value] {
    var values: [String: Value] = [:]
    for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
      guard var member = field.members.first(where: { $0.name == key }) else {
        let names = field.members.map { $0.name }.joined(separator: ", ")
        throw .unfit("`\(field.name)` has no key `\(key.excerpt(60))`: it takes \(names)")
      }
      if value.unwrapped.isNull { continue }
      member.name = "\(field.name).\(key)"
      let converted = try convert(value, to: member)
      if let bounds = member.bounds, !bounds.contains(converted) { throw wrong(member, bounds.words) }
      values[key] = converted
    }
    return values
  }

  private static func wrong(_ field: Field, _ expected: String) -> StepFailure {
    .unfit("`\(field.name)` must be \(expected)")
  }

  /// A digest of what is sent, keyed by the store so that secrets cannot be guessed from it. Unlike the journal it
  /// covers the secrets' bytes: a resend under the same key with other content is noticed.
  static func digest(_ values: [String: Value], key: [UInt8]) -> String {
    Hex.text(HMACSHA256.authenticate(JSONWriter.bytes(revealed(.map(values))), key: key))
  }

  private static func revealed(_ value: Value) -> Value {
    switch value {
    case .secret(let secret): .string(secret.reveal())
    case .list(let items): .list(items.map { revealed($0) })
    case .map(let entries): .map(entries.mapValues { revealed($0) })
    default: value
    }
  }
}
