import ProviderKit
import Runbook

/// The fields of one request, from an urlencoded or a multipart body. Of a field given twice the last one counts;
/// what cannot be read is left out.
struct ZomroTwinForm: Sendable {
  private var fields: [String: String] = [:]

  /// More fields than any form has.
  private static let mostFields = 1000

  init() {}

  init(_ request: SimulatedRequest) {
    let type = request.header("content-type") ?? ""
    if type.lowercased().hasPrefix("multipart/form-data") {
      if let boundary = ZomroTwinForm.parameter("boundary", of: type) { read(request.body, boundary: boundary) }
    } else {
      readEncoded(request.body)
    }
  }

  /// nil when it is absent or empty.
  subscript(_ name: String) -> String? {
    guard let value = fields[name], !value.isEmpty else { return nil }
    return value
  }

  /// Whether it was sent at all, empty or not.
  func has(_ name: String) -> Bool { fields[name] != nil }
  var all: [String: String] { fields }
  /// For the ledger: without what says who asks; a password is only noted as given.
  var given: [String: Value] {
    Dictionary(
      fields.compactMap { name, text -> (String, Value)? in
        if ["auth", "authinfo"].contains(name) { return nil }
        return (name, .string(name == "password" ? "***" : text.excerpt(200)))
      }, uniquingKeysWith: { first, _ in first })
  }
  /// The form is committed; without it most functions only show it.
  var isCommitted: Bool { self["sok"] == "ok" }

  private mutating func readEncoded(_ body: [UInt8]) {
    for pair in body.split(separator: UInt8(ascii: "&"), maxSplits: ZomroTwinForm.mostFields) {
      let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = halves.first.map({ ZomroTwinForm.decoded($0) }), !name.isEmpty else { continue }
      fields[name] = halves.count > 1 ? ZomroTwinForm.decoded(halves[1]) : ""
    }
  }

  /// `+` is a space; `%` without two digits after it stays as it is.
  private static func decoded(_ text: ArraySlice<UInt8>) -> String {
    guard text.contains(UInt8(ascii: "%")) || text.contains(UInt8(ascii: "+")) else {
      return String(decoding: text, as: UTF8.self)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      if byte == UInt8(ascii: "%"), text.endIndex - index > 2, let high = hex(text[index + 1]),
        let low = hex(text[index + 2])
      {
        bytes.append(high << 4 | low)
        index += 3
        continue
      }
      bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      index += 1
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

// MARK: - Multipart

extension ZomroTwinForm {
  /// Parts between lines `--boundary`, each of header lines, an empty line and the value.
  private mutating func read(_ body: [UInt8], boundary: String) {
    let delimiter = Array("--\(boundary)".utf8)
    var marks = ZomroTwinForm.places(of: delimiter, in: body)
    marks = Array(marks.prefix(ZomroTwinForm.mostFields + 1))
    for (mark, next) in zip(marks, marks.dropFirst()) {
      let start = mark + delimiter.count
      guard start <= next else { continue }
      readPart(body[start..<next])
    }
  }

  private mutating func readPart(_ part: ArraySlice<UInt8>) {
    let newline: [UInt8] = part.starts(with: [0x0d, 0x0a]) ? [0x0d, 0x0a] : [0x0a]
    guard part.starts(with: newline),
      let gap = ZomroTwinForm.places(of: newline + newline, in: Array(part.prefix(4000))).first
    else { return }
    let headers = String(decoding: part.dropFirst(newline.count).prefix(max(0, gap - newline.count)), as: UTF8.self)
    for line in headers.split(whereSeparator: { $0.isNewline }) {
      guard line.lowercased().hasPrefix("content-disposition:"),
        let name = ZomroTwinForm.parameter("name", of: String(line)), !name.isEmpty
      else { continue }
      var value = part.dropFirst(gap + newline.count * 2)
      if value.suffix(newline.count).elementsEqual(newline) { value = value.dropLast(newline.count) }
      fields[name] = String(decoding: value, as: UTF8.self)
    }
  }

  /// A parameter of a header line: `name="func"`, `boundary=x`; nil when it has none of that name.
  private static func parameter(_ name: String, of header: String) -> String? {
    for part in header.split(separator: ";").dropFirst() {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2, halves[0].trimmed.lowercased() == name else { continue }
      var value = halves[1].trimmed
      if value.hasPrefix("\""), value.hasSuffix("\""), value.utf8.count >= 2 {
        value = String(value.dropFirst().dropLast())
      }
      return value.isEmpty ? nil : value
    }
    return nil
  }

  /// Where the pattern begins; no place twice.
  private static func places(of pattern: [UInt8], in bytes: [UInt8]) -> [Int] {
    guard let first = pattern.first else { return [] }
    var places: [Int] = []
    var rest = bytes[...]
    while let index = rest.firstIndex(of: first), bytes.count - index >= pattern.count {
      let isHere = bytes[index..<(index + pattern.count)].elementsEqual(pattern)
      if isHere { places.append(index) }
      rest = bytes[(index + (isHere ? pattern.count : 1))...]
    }
    return places
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
