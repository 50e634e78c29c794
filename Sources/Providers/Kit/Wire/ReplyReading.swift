package import Runbook

/// Why a reply does not have the shape it should: "`status` is missing".
package struct SchemaError: Error {
  package let message: String

  package init(message: String) { self.message = message }
}

extension StepFailure {
  /// With the pause that the answer asks for (`RetryAfter`), told in the message as well: the pause may outlast the
  /// step. Nothing for what is not tried again.
  package func heeding(_ response: HTTPResponse, now: Timestamp) -> StepFailure {
    guard retryable, let pause = RetryAfter.pause(of: response, now: now) else { return self }
    var failure = self
    failure.retryAfter = pause
    failure.message += "; \(RetryAfter.words(pause))"
    return failure
  }
}

/// Typed reads of a reply. A wrong type is an error that names the field.
extension Value {
  package func text(_ key: String) throws(SchemaError) -> String {
    guard let text = try optionalText(key) else { throw SchemaError(message: "`\(key)` is missing") }
    return text
  }

  package func optionalText(_ key: String) throws(SchemaError) -> String? {
    guard case .map(let entries) = self else { throw SchemaError(message: "an object was expected") }
    switch entries[key] {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw SchemaError(message: "`\(key)` is not text")
    }
  }

  /// A number without a fraction; nil if it is missing or null.
  package func wholeNumber(_ key: String) throws(SchemaError) -> Int64? {
    switch self[key] {
    case .int(let number): return number
    case .double(let number): return Int64(exactly: number.rounded())
    case nil, .null: return nil
    // One that fits no number of ours is read as its text: more than anything that is counted here.
    case .string(let text) where text.utf8.count > 18 && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }: return nil
    default: throw SchemaError(message: "`\(key)` is not a number")
    }
  }

  /// The first of these fields that is there.
  package func firstText(_ keys: String...) throws(SchemaError) -> String? {
    for key in keys {
      if let text = try optionalText(key) { return text }
    }
    return nil
  }

  /// An id is opaque: a whole number or any text that can stand in a path once it is encoded.
  package func id(_ key: String) throws(SchemaError) -> String {
    guard case .map(let entries) = self else { throw SchemaError(message: "an object was expected") }
    switch entries[key] {
    case .int(let number): return String(number)
    case .string(let text) where text.isUsableID: return text
    case nil, .null: throw SchemaError(message: "`\(key)` is missing")
    default: throw SchemaError(message: "`\(key)` is not an id")
    }
  }
}

extension String {
  /// 1 to 128 bytes, no control characters, and nothing that a path would swallow.
  package var isUsableID: Bool {
    !isEmpty && utf8.count <= 128 && self != "." && self != ".." && utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
  }
}
