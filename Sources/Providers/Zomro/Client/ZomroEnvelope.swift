import ProviderKit
import Runbook

/// BILLmanager's JSON: every element is `{"$": "text"}`, what were attributes in XML are `$name`; a list of one is the
/// element itself, and a list of none is absent.
extension Value {
  /// The text of an element below this one; nil if it is absent or empty. Of several (a date told twice) the first.
  func element(_ key: String) throws(SchemaError) -> String? {
    guard case .map(let entries) = self else { throw SchemaError(message: "an object was expected") }
    var entry = entries[key] ?? .null
    if let several = entry.list { entry = several.first ?? .null }
    switch entry {
    case .null: return nil
    case .map(let parts):
      switch parts["$"] {
      case nil, .null, .string(""): return nil
      case .string(let text): return text
      case .int(let number): return String(number)
      default: throw SchemaError(message: "`\(key)` is not text")
      }
    default: throw SchemaError(message: "`\(key)` is not an element")
    }
  }

  /// The code of an element: `$orig` where the text itself is translated.
  func code(_ key: String) throws(SchemaError) -> String? {
    let entry = self[key]
    if let code = (entry?.list == nil ? entry : entry?.list?.first)?["$orig"]?.string, !code.isEmpty { return code }
    return try element(key)
  }

  /// The first of these elements that is there.
  func firstElement(_ keys: String...) throws(SchemaError) -> String? {
    for key in keys {
      if let text = try element(key) { return text }
    }
    return nil
  }

  /// As `element`, for what must be there.
  func requiredElement(_ key: String) throws(SchemaError) -> String {
    guard let text = try element(key) else { throw SchemaError(message: "`\(key)` is missing") }
    return text
  }

  /// What stands under the key, however many there are.
  func many(_ key: String) throws(SchemaError) -> [Value] {
    switch self[key] {
    case nil, .null: return []
    case .list(let items):
      guard items.allSatisfy({ $0.map != nil }) else { throw SchemaError(message: "`\(key)` is not a list of objects") }
      return items
    case .map(let entries)?: return [.map(entries)]
    default: throw SchemaError(message: "`\(key)` is neither an object nor a list")
    }
  }

  /// The choices of a form's field: the `val` of the `slist` entry of this name.
  func choices(_ name: String) throws(SchemaError) -> [ZomroChoice] {
    var choices: [ZomroChoice] = []
    for list in try many("slist") where list["$name"]?.string == name {
      for entry in try list.many("val") {
        guard let key = entry["$key"]?.string, key != "null", !key.isEmpty else { continue }
        choices.append(
          ZomroChoice(
            key: key, zone: entry["$depend"]?.string, name: entry["$name"]?.string, text: entry["$"]?.string ?? key))
      }
    }
    return choices
  }
}

/// One entry of a form's list.
struct ZomroChoice: Sendable {
  var key: String
  /// The zone it belongs to, as the reply calls it: `pub`, `own`, `image`, `shr`.
  var zone: String?
  /// What its owner called it.
  var name: String?
  var text: String

  var shownName: String { name ?? text }
  /// With the system of an image that its owner has named: `foo (Centos 9 x64)`.
  var fullName: String { name.map { $0 == text ? text : "\($0) (\(text))" } ?? text }
}
