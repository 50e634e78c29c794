extension Duration {
  /// Parses `250ms`, `30s`, `5m`, `1h30m`, `2d`: units in falling order, each once, no sign, at most 10 000 days.
  /// nil for anything else, a bare number included.
  public init?(text: String) {
    let units: [(name: String, milliseconds: Int64)] = [
      ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    let bytes = Array(text.utf8)
    var position = 0
    var nextUnit = 0
    var total: Int64 = 0
    while position < bytes.count {
      var number: Int64 = 0
      var digits = 0
      while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39, digits < 12 {
        number = number * 10 + Int64(bytes[position] - 0x30)
        position += 1
        digits += 1
      }
      var letters = ""
      while position < bytes.count, bytes[position] >= 0x61, bytes[position] <= 0x7a {
        letters.unicodeScalars.append(Unicode.Scalar(bytes[position]))
        position += 1
      }
      guard digits > 0, let unit = units.indices.first(where: { units[$0].name == letters }), unit >= nextUnit else {
        return nil
      }
      nextUnit = unit + 1
      let (product, overflow) = number.multipliedReportingOverflow(by: units[unit].milliseconds)
      guard !overflow, product <= 864_000_000_000 else { return nil }
      total += product
    }
    guard !bytes.isEmpty, total <= 864_000_000_000 else { return nil }
    self = .milliseconds(total)
  }

  /// `1h30m`, `30s`, `250ms`, `1.5s` below a minute; what an operator reads, rounded to the millisecond.
  public var text: String {
    let (seconds, attoseconds) = components
    if seconds < 0 || attoseconds < 0 { return "-" + (Duration.zero - self).text }
    let milliseconds = attoseconds / 1_000_000_000_000_000
    if seconds == 0 { return milliseconds == 0 ? "0s" : "\(milliseconds)ms" }
    var parts = ""
    if seconds >= 86_400 { parts += "\(seconds / 86_400)d" }
    if seconds / 3600 % 24 > 0 { parts += "\(seconds / 3600 % 24)h" }
    if seconds / 60 % 60 > 0 { parts += "\(seconds / 60 % 60)m" }
    if seconds % 60 > 0 { parts += "\(seconds % 60)s" }
    if milliseconds > 0, seconds < 60 { parts += "\(milliseconds)ms" }
    return parts
  }

  /// Whole milliseconds, saturating.
  public var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    if overflow { return seconds > 0 ? .max : .min }
    return product + attoseconds / 1_000_000_000_000_000
  }
}
