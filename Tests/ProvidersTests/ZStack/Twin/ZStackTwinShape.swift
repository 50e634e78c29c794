import Runbook

/// What a JSON text looks like, without its values: names, nesting, and the type of each value.
///
/// A UUID, a time as ZStack writes it, a whole number and one with a fraction or an exponent are types of their own.
indirect enum ZStackTwinShape: Sendable, Equatable, CustomStringConvertible {
  case null, flag, whole, float, uuid, time, text
  /// The different shapes of its elements, in a fixed order.
  case list([ZStackTwinShape])
  case object([String: ZStackTwinShape])
  case other

  init(_ value: Value) {
    switch value {
    case .null: self = .null
    case .bool: self = .flag
    case .int: self = .whole
    case .double: self = .float
    case .string(let text): self = ZStackTwinShape.isUUID(text) ? .uuid : ZStackTwinShape.isTime(text) ? .time : .text
    case .list(let elements):
      let shapes = elements.map { ZStackTwinShape($0) }.sorted { "\($0)" < "\($1)" }
      self = .list(shapes.reduce(into: []) { if $0.last != $1 { $0.append($1) } })
    case .map(let fields): self = .object(fields.mapValues { ZStackTwinShape($0) })
    default: self = .other
    }
  }

  /// Of a JSON text.
  static func of(_ json: String) throws -> ZStackTwinShape { ZStackTwinShape(try JSONReader.read(json)) }

  private static func isUUID(_ text: String) -> Bool {
    text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// `Nov 14, 2017 10:20:57 PM`.
  private static func isTime(_ text: String) -> Bool {
    text.wholeMatch(of: /[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d{2}:\d{2} [AP]M/) != nil
  }

  var description: String {
    switch self {
    case .null: "null"
    case .flag: "flag"
    case .whole: "whole"
    case .float: "float"
    case .uuid: "uuid"
    case .time: "time"
    case .text: "text"
    case .other: "other"
    case .list(let elements): "[\(elements.map { "\($0)" }.joined(separator: " | "))]"
    case .object(let fields):
      "{\(fields.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
    }
  }
}
