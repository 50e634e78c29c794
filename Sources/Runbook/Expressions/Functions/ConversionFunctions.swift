// `int double string bool duration timestamp type`.
extension EvaluationBudget {
  func convert(_ function: ExpressionFunction, _ values: [Value]) throws(EvaluationFault) -> Value {
    guard let value = values.first, values.count == 1 else { throw wrongArguments(function, values) }
    switch (function, value) {
    case (.type, _): return .string(value.typeName)
    case (.int, .int), (.double, .double), (.bool, .bool), (.duration, .duration), (.timestamp, .timestamp):
      return value
    case (.int, .double(let number)):
      // CEL leaves out the least int, which not every compiler gives back.
      guard number > -0x1p63, let whole = Int64(exactly: number.rounded(.towardZero)) else {
        throw EvaluationFault("\(number.plainText) does not fit into an int of 64 bits")
      }
      return .int(whole)
    case (.int, .string(let text)):
      guard let number = Int64(text) else { throw notA("int", text) }
      return .int(number)
    case (.int, .timestamp(let timestamp)): return .int(timestamp.seconds)
    case (.double, .int(let number)): return .double(Double(number))
    case (.double, .string(let text)):
      let isPlain = text.utf8.allSatisfy { $0.isDigit || "+-.eE".utf8.contains($0) }
      guard isPlain, let number = Double(text), number.isFinite else { throw notA("double", text) }
      return .double(number)
    case (.string, _):
      guard let text = value.scalarText else { throw wrongArguments(function, values) }
      return .string(text)
    case (.bool, .string(let text)):
      switch text {
      case "true", "True", "TRUE", "t", "1": return .bool(true)
      case "false", "False", "FALSE", "f", "0": return .bool(false)
      default: throw notA("bool", text)
      }
    case (.duration, .string(let text)):
      guard let duration = Duration(text: text) else {
        throw notA("duration", text, like: "`30s`, `5m`, `1h30m`, `2d`")
      }
      return .duration(duration)
    case (.timestamp, .string(let text)):
      guard let timestamp = Timestamp(text) else { throw notA("timestamp", text, like: "`2025-01-16T16:15:00Z`") }
      return .timestamp(timestamp)
    case (.timestamp, .int(let seconds)):
      guard seconds >= Timestamp.minimumSeconds, seconds <= Timestamp.maximumSeconds else {
        throw EvaluationFault("\(seconds) seconds since 1970 are not between the years 1 and 9999")
      }
      return .timestamp(Timestamp(seconds: seconds))
    default: throw wrongArguments(function, values)
    }
  }

  private func notA(_ type: String, _ text: String, like examples: String? = nil) -> EvaluationFault {
    EvaluationFault("`\(shown(text))` is no \(type)" + (examples.map { "; it looks like \($0)" } ?? ""))
  }
}

extension Double {
  /// Shortest digits that give this number again, without an exponent from 1e-7 to 1e21, and without `.0`: `1`,
  /// `0.001`, `1e+21`.
  var plainText: String {
    guard isFinite else { return isNaN ? "NaN" : self < 0 ? "-Infinity" : "Infinity" }
    var text = Array(magnitude.description.utf8)
    var exponent = 0
    if let mark = text.firstIndex(of: UInt8(ascii: "e")) {
      exponent = Int(String(decoding: text[(mark + 1)...], as: UTF8.self)) ?? 0
      text.removeSubrange(mark...)
    }
    let point = text.firstIndex(of: UInt8(ascii: ".")) ?? text.count
    var digits = text.filter { $0 != UInt8(ascii: ".") }
    // The number is 0.DIGITS × 10^scale.
    var scale = point + exponent
    while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
    while digits.count > 1, digits.first == UInt8(ascii: "0") {
      digits.removeFirst()
      scale -= 1
    }
    if digits == [UInt8(ascii: "0")] { return "0" }
    let sign = self < 0 ? "-" : ""
    let all = String(decoding: digits, as: UTF8.self)
    switch scale {
    case digits.count...21: return sign + all + String(repeating: "0", count: scale - digits.count)
    case 1..<max(digits.count, 2) where scale <= 21:
      return sign + String(all.prefix(scale)) + "." + String(all.dropFirst(scale))
    case -6...0: return sign + "0." + String(repeating: "0", count: -scale) + all
    default:
      let rest = String(all.dropFirst())
      return sign + String(all.prefix(1)) + (rest.isEmpty ? "" : "." + rest) + (scale > 0 ? "e+" : "e")
        + String(scale - 1)
    }
  }
}

extension Duration {
  /// To the millisecond, as `duration()` reads it: `1h30m`, `1m500ms`, `0s`; with a `-` in front if negative.
  var exactText: String {
    let total = milliseconds
    if total < 0 { return "-" + Duration.milliseconds(total == .min ? .max : -total).exactText }
    if total == 0 { return "0s" }
    let units: [(Int64, String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")]
    var rest = total
    var text = ""
    for (size, name) in units where rest >= size {
      text += "\(rest / size)\(name)"
      rest %= size
    }
    return text
  }
}
