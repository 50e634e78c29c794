import Glibc

// `'%s is %d'.format([name, n])`.
extension EvaluationBudget {
  /// Verbs `%s %d %f %e %x %X %o %b %%`; `%f` and `%e` take a precision of at most 40 digits: `%.2f`.
  mutating func format(_ pattern: String, _ items: [Value]) throws(EvaluationFault) -> String {
    var result = ""
    var next = 0
    var letters = pattern.unicodeScalars.makeIterator()
    while let letter = letters.next() {
      guard letter == "%" else {
        result.unicodeScalars.append(letter)
        continue
      }
      guard var verb = letters.next() else {
        throw EvaluationFault("the format ends after a `%`; a literal one is `%%`")
      }
      if verb == "%" {
        result += "%"
        continue
      }
      var precision: Int32 = 6
      if verb == "." {
        precision = 0
        var digits = 0
        while let digit = letters.next() {
          verb = digit
          guard let value = digit.properties.numericType == .decimal ? Int32(String(digit)) : nil else { break }
          digits += 1
          precision = min(precision * 10 + value, 1000)
        }
        guard digits > 0, precision <= 40 else { throw EvaluationFault("a precision in a format is `.0` to `.40`") }
      }
      guard next < items.count else {
        throw EvaluationFault("the format asks for more than the \(items.count) values given")
      }
      result += try text(of: items[next], verb, precision)
      next += 1
      guard result.utf8.count <= ExpressionLimit.size else { throw EvaluationBudget.tooLarge("the formatted text") }
    }
    guard next == items.count else {
      throw EvaluationFault("the format asks for \(next) values, \(items.count) are given")
    }
    try build(result.utf8.count)
    return result
  }

  private func text(of value: Value, _ verb: Unicode.Scalar, _ precision: Int32) throws(EvaluationFault) -> String {
    switch (verb, value) {
    case ("s", .null): return "null"
    case ("s", _): return value.scalarText ?? JSONWriter.text(value)
    case ("d", .int(let number)): return String(number)
    case ("d", .double(let number)): return number.plainText
    case ("b", .int(let number)): return String(number, radix: 2)
    case ("b", .bool(let flag)): return flag ? "1" : "0"
    case ("o", .int(let number)): return String(number, radix: 8)
    case ("x", .int(let number)): return String(number, radix: 16)
    case ("X", .int(let number)): return String(number, radix: 16, uppercase: true)
    case ("x", .string(let text)): return Array(text.utf8).hexadecimal
    case ("X", .string(let text)):
      return String(decoding: Array(text.utf8).hexadecimal.utf8.map { $0 >= 0x61 ? $0 - 0x20 : $0 }, as: UTF8.self)
    case ("f", .double(let number)): return number.printed("%.*f", precision)
    case ("f", .int(let number)):
      return String(number) + (precision > 0 ? "." + String(repeating: "0", count: Int(precision)) : "")
    case ("e", .double(let number)): return number.printed("%.*e", precision)
    case ("e", .int(let number)): return Double(number).printed("%.*e", precision)
    case ("s", _), ("d", _), ("b", _), ("o", _), ("x", _), ("X", _), ("f", _), ("e", _):
      throw EvaluationFault("`%\(verb)` cannot show \(value.phrase)")
    default: throw EvaluationFault("`%\(verb)` is no verb of `format`; there are `%s %d %f %e %x %X %o %b %%`")
    }
  }
}

extension Double {
  /// - Parameter format: one of our literals, with `*` for the precision.
  fileprivate func printed(_ format: StaticString, _ precision: Int32) -> String {
    // The longest double has 309 digits before the point.
    var buffer = [CChar](repeating: 0, count: 400)
    let length = unsafe withVaList([precision, self]) { arguments in
      unsafe vsnprintf(&buffer, buffer.count, format.description, arguments)
    }
    return String(
      decoding: buffer.prefix(max(0, min(Int(length), buffer.count - 1))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
