/// The rule for the years after the last time of a zone's file, as in the variable `TZ` of POSIX with the extension of
/// RFC 9636: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct TimeZoneRule: Sendable, Equatable {
  /// Seconds east of UTC.
  private var standard: Int64
  /// nil: standard time all year.
  private var summer: Summer?

  private struct Summer: Sendable, Equatable {
    var offset: Int64
    var start: Change
    var end: Change
  }

  /// A day of any year, and the seconds after its midnight at which the clocks change.
  private struct Change: Sendable, Equatable {
    var day: Day
    var seconds: Int64
  }

  private enum Day: Sendable, Equatable {
    /// 1 to 365, where 29 February is never counted.
    case julian(Int64)
    /// 0 to 365, where it is.
    case ofYear(Int64)
    /// `week` 5 is the last one; `weekday` 0 is Sunday.
    case ofMonth(Int64, week: Int64, weekday: Int64)
  }

  /// nil: it is no such rule.
  init?(_ text: String) {
    var reader = RuleReader(bytes: Array(text.utf8))
    guard reader.skipName(), let west = reader.time(hours: 24) else { return nil }
    standard = -west
    guard !reader.isAtEnd else { return }
    guard reader.skipName() else { return nil }
    var offset = standard + 3600
    if reader.peek != UInt8(ascii: ",") {
      guard let west = reader.time(hours: 24) else { return nil }
      offset = -west
    }
    guard let start = TimeZoneRule.change(&reader), let end = TimeZoneRule.change(&reader), reader.isAtEnd else {
      return nil
    }
    summer = Summer(offset: offset, start: start, end: end)
  }

  func offset(at seconds: Int64) -> Int64 {
    guard let summer else { return standard }
    let year = CivilDate(daysSinceEpoch: (seconds &+ standard).floorDivided(by: 86_400)).year
    let start = TimeZoneRule.instant(of: summer.start, in: year) - standard
    let end = TimeZoneRule.instant(of: summer.end, in: year) - summer.offset
    // South of the equator summer goes over the turn of the year.
    let isSummer = start < end ? start <= seconds && seconds < end : !(end <= seconds && seconds < start)
    return isSummer ? summer.offset : standard
  }

  /// Seconds since 1970 as the local clock shows them.
  private static func instant(of change: Change, in year: Int64) -> Int64 {
    let firstOfYear = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
    let day: Int64
    switch change.day {
    case .julian(let number):
      let isAfterLeapDay = CivilDate.days(inMonth: 2, of: year) == 29 && number >= 60
      day = firstOfYear + number - (isAfterLeapDay ? 0 : 1)
    case .ofYear(let number): day = firstOfYear + number
    case .ofMonth(let month, let week, let weekday):
      let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
      // 1970-01-01 was a Thursday.
      let firstWeekday = (first + 4) - (first + 4).floorDivided(by: 7) * 7
      let number = (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
      day = first + (number < CivilDate.days(inMonth: month, of: year) ? number : number - 7)
    }
    return day * 86_400 + change.seconds
  }

  private static func change(_ reader: inout RuleReader) -> Change? {
    guard reader.skip(UInt8(ascii: ",")), let day = day(&reader) else { return nil }
    guard reader.skip(UInt8(ascii: "/")) else { return Change(day: day, seconds: 2 * 3600) }
    return reader.time(hours: 167).map { Change(day: day, seconds: $0) }
  }

  private static func day(_ reader: inout RuleReader) -> Day? {
    if reader.skip(UInt8(ascii: "J")) { return reader.number(in: 1...365).map { .julian($0) } }
    guard reader.skip(UInt8(ascii: "M")) else { return reader.number(in: 0...365).map { .ofYear($0) } }
    guard let month = reader.number(in: 1...12), reader.skip(UInt8(ascii: ".")), let week = reader.number(in: 1...5),
      reader.skip(UInt8(ascii: ".")), let weekday = reader.number(in: 0...6)
    else { return nil }
    return .ofMonth(month, week: week, weekday: weekday)
  }
}

/// Reads the parts of a rule.
private struct RuleReader {
  let bytes: [UInt8]
  private var position = 0
  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }
  var peek: UInt8? { isAtEnd ? nil : bytes[position] }

  mutating func skip(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  /// At least three letters, or anything between `<` and `>`.
  mutating func skipName() -> Bool {
    let start = position
    if skip(UInt8(ascii: "<")) {
      while let byte = peek, byte != UInt8(ascii: ">") { position += 1 }
      return skip(UInt8(ascii: ">"))
    }
    while let byte = peek, byte | 0x20 >= 0x61, byte | 0x20 <= 0x7a { position += 1 }
    return position - start >= 3
  }

  mutating func number(in range: ClosedRange<Int64>) -> Int64? {
    let digits = bytes[position...].prefix { $0 >= 0x30 && $0 <= 0x39 }.prefix(4)
    guard !digits.isEmpty else { return nil }
    position += digits.count
    let value = digits.reduce(0 as Int64) { $0 * 10 + Int64($1 - 0x30) }
    return range.contains(value) ? value : nil
  }

  /// `[+-]hours[:minutes[:seconds]]` in seconds.
  mutating func time(hours limit: Int64) -> Int64? {
    let isNegative = skip(UInt8(ascii: "-"))
    if !isNegative { _ = skip(UInt8(ascii: "+")) }
    guard let hours = number(in: 0...limit) else { return nil }
    var seconds = hours * 3600
    for unit in [60, 1] as [Int64] where skip(UInt8(ascii: ":")) {
      guard let part = number(in: 0...59) else { return nil }
      seconds += part * unit
    }
    return isNegative ? -seconds : seconds
  }
}
