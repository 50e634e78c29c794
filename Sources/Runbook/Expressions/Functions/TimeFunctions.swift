// Accessors of timestamps and durations.
extension EvaluationBudget {
  func timePart(_ function: ExpressionFunction, _ values: [Value]) throws(EvaluationFault) -> Value {
    switch (values.first, values.dropFirst().first, values.count) {
    case (.timestamp(let timestamp)?, nil, 1): return .int(part(function, of: timestamp, offset: 0))
    case (.timestamp(let timestamp)?, .string(let zone)?, 2):
      return .int(part(function, of: timestamp, offset: try offset(of: zone, at: timestamp)))
    case (.duration(let duration)?, nil, 1):
      let (seconds, attoseconds) = duration.components
      switch function {
      case .getHours: return .int(seconds / 3600)
      case .getMinutes: return .int(seconds / 60)
      case .getSeconds: return .int(seconds)
      case .getMilliseconds: return .int(attoseconds / 1_000_000_000_000_000)
      default: throw wrongArguments(function, values)
      }
    default: throw wrongArguments(function, values)
    }
  }

  /// Months, days of the month and of the year count from 0 (`getDate` from 1), days of the week from Sunday.
  private func part(_ function: ExpressionFunction, of timestamp: Timestamp, offset: Int64) -> Int64 {
    let seconds = timestamp.seconds + offset
    let days = seconds.floorDivided(by: 86_400)
    let time = seconds - days * 86_400
    let date = CivilDate(daysSinceEpoch: days)
    return switch function {
    case .getFullYear: date.year
    case .getMonth: date.month - 1
    case .getDate: date.day
    case .getDayOfMonth: date.day - 1
    case .getDayOfWeek: days + 4 - (days + 4).floorDivided(by: 7) * 7
    case .getDayOfYear: days - CivilDate(year: date.year, month: 1, day: 1).daysSinceEpoch
    case .getHours: time / 3600
    case .getMinutes: time / 60 % 60
    case .getSeconds: time % 60
    default: Int64(timestamp.nanoseconds) / 1_000_000
    }
  }

  /// Seconds east of UTC.
  private func offset(of zone: String, at instant: Timestamp) throws(EvaluationFault) -> Int64 {
    if zone == "UTC" || zone == "Z" { return 0 }
    if let offset = TimeZones.offset(of: zone, at: instant) { return offset }
    let bytes = Array(zone.utf8)
    let isSigned = bytes.first == UInt8(ascii: "+") || bytes.first == UInt8(ascii: "-")
    let digits = isSigned ? Array(bytes.dropFirst()) : bytes
    guard digits.count == 5, digits[2] == UInt8(ascii: ":"),
      let hours = Int64(String(decoding: digits[..<2], as: UTF8.self)),
      let minutes = Int64(String(decoding: digits[3...], as: UTF8.self)), (0..<24).contains(hours),
      (0..<60).contains(minutes)
    else {
      throw EvaluationFault(
        "`\(shown(zone))` is no time zone known here; it is `UTC`, an offset such as `+02:00`, or a name such as "
          + "`Europe/Berlin` if this machine has a time zone database (`tzdata`)")
    }
    return (hours * 3600 + minutes * 60) * (bytes.first == UInt8(ascii: "-") ? -1 : 1)
  }
}
