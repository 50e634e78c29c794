import Runbook

extension Value {
  /// An element: `{"$": "text"}`.
  static func zomro(_ text: String) -> Value { .map(["$": .string(text)]) }
  static func zomro(_ number: Int64) -> Value { .zomro(String(number)) }
}

/// How the twin writes its documents.
struct ZomroTwinStyle: Sendable {
  /// A list of one is the object itself, as BILLmanager writes it; else a list, as in the documents.
  var singlesAsObjects = true
  /// `en` or `ru`.
  var language = "en"

  /// nil: there is none, and the field is left out.
  func many(_ elements: [Value]) -> Value? {
    guard let first = elements.first else { return nil }
    return elements.count == 1 && singlesAsObjects ? first : .list(elements)
  }

  /// An element whose code is `$orig` where its text is translated.
  func word(_ code: String, russian: String) -> Value {
    language == "en" ? .zomro(code) : ["$orig": .string(code), "$": .string(russian)]
  }

  /// A choice of a form: `{"$name": …, "val": […]}`.
  func choice(_ name: String, _ values: [Value]) -> Value {
    var entry: [String: Value] = ["$name": .string(name)]
    entry["val"] = many(values)
    return .map(entry)
  }
}

/// One list as it was asked for: filtered, sorted, cut into pages.
struct ZomroTwinList {
  /// Lines on a page unless asked otherwise.
  static let usualPage: Int64 = 50
  static let longestPage: Int64 = 1000

  var rows: [[String: Value]]

  /// Keeps the rows whose fields hold the texts; `id` and states must be equal to them.
  mutating func filter(_ wanted: [String: String]) {
    for (field, text) in wanted where !text.isEmpty {
      rows = rows.filter { row in
        let value = ZomroTwinList.text(row[field]).lowercased()
        let isExact = ["id", "instance_status", "fleio_status", "fleio_id"].contains(field)
        return isExact ? value == text.lowercased() : value.contains(text.lowercased())
      }
    }
  }

  /// `+field` or `-field`; numbers by their size.
  mutating func sort(_ column: String) {
    let isDescending = column.hasPrefix("-")
    let field = column.hasPrefix("-") || column.hasPrefix("+") ? String(column.dropFirst()) : column
    let keyed = rows.enumerated().map { index, row in (index: index, key: ZomroTwinList.text(row[field]), row: row) }
    rows = keyed.sorted { left, right in
      if left.key == right.key { return left.index < right.index }
      let isBefore =
        if let first = Int64(left.key), let second = Int64(right.key), first != second { first < second } else {
          left.key < right.key
        }
      return isBefore != isDescending
    }.map { $0.row }
  }

  /// The document of the page asked for.
  func document(_ form: ZomroTwinForm, _ style: ZomroTwinStyle) -> [String: Value] {
    var size = form["p_cnt"].flatMap { Int64($0) } ?? ZomroTwinList.usualPage
    if size < 1 { size = ZomroTwinList.usualPage }
    size = min(size, ZomroTwinList.longestPage)
    let number = max(form["p_num"].flatMap { Int64($0) } ?? 1, 1)
    let (skipped, overflow) = (number - 1).multipliedReportingOverflow(by: size)
    let part = overflow ? [] : rows.dropFirst(Int(clamping: skipped)).prefix(Int(clamping: size))
    var document: [String: Value] = [
      "p_num": .zomro(number), "p_cnt": .zomro(size), "p_elems": .zomro(Int64(rows.count)),
    ]
    document["elem"] = style.many(part.map { .map($0) })
    return document
  }

  /// The text of an element; its code where it is translated; of several the first.
  private static func text(_ value: Value?) -> String {
    let element = value?.list?.first ?? value
    return element?["$orig"]?.string ?? element?["$"]?.string ?? ""
  }
}
