import Foundation
import Testing

@testable import Runbook

@Suite struct TimeZoneTests {
  /// A zone of two offsets: UTC+1 until 1000, UTC+2 from then on, and a rule behind that if asked for.
  private func file(rule: String) -> [UInt8] {
    func number(_ value: Int64, _ count: Int) -> [UInt8] {
      (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> Int64($0 * 8)) }
    }
    func block(_ bytes: Int) -> [UInt8] {
      Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        + [0, 0, 0, 2, 2, 4].flatMap { number($0, 4) } + number(1000, bytes) + number(2000, bytes) + [1, 0]
        + number(3600, 4) + [0, 0] + number(7200, 4) + [1, 0] + Array("ABC\u{0}".utf8)
    }
    return block(4) + block(8) + Array("\n\(rule)\n".utf8)
  }

  @Test func theOffsetIsThatOfTheLastChangeBefore() throws {
    let zone = try #require(TimeZones.Zone(file(rule: "CET-1")))
    #expect([999, 1000, 1999, 2000, 9999].map { zone.offset(at: $0) } == [3600, 7200, 7200, 3600, 3600])
    let odd = try #require(TimeZones.Zone(file(rule: "CET-1CEST,easter,M10.5.0/3")))
    #expect([999, 1000, 2000].map { odd.offset(at: $0) } == [3600, 7200, nil])
  }

  @Test func aFileThatIsDamagedAnywhereIsNoTrap() {
    let whole = file(rule: "CET-1")
    for length in 0..<whole.count { _ = TimeZones.Zone(Array(whole.prefix(length)))?.offset(at: 1500) }
    for position in whole.indices {
      for value in [0, 0x7f, 0xff] as [UInt8] {
        var bytes = whole
        bytes[position] = value
        _ = TimeZones.Zone(bytes)?.offset(at: 1500)
      }
    }
  }

  @Test(
    arguments: [
      ("2041-03-31T00:59:59Z", 3600), ("2041-03-31T01:00:00Z", 7200), ("2041-10-27T00:59:59Z", 7200),
      ("2041-10-27T01:00:00Z", 3600),
    ] as [(String, Int64)])
  func afterTheLastTimeOfTheFileItsRuleHolds(_ instant: String, _ offset: Int64) throws {
    let zone = try #require(TimeZones.Zone(file(rule: "CET-1CEST,M3.5.0,M10.5.0/3")))
    #expect(zone.offset(at: try #require(Timestamp(instant)).seconds) == offset)
  }

  /// Every hour of three years.
  @Test(arguments: [
    "CET-1CEST,M3.5.0,M10.5.0/3", "AEST-10AEDT,M10.1.0,M4.1.0/3", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
    "EST5EDT,M3.2.0,M11.1.0",
    "IST-2IDT,M3.4.4/26,M10.5.0", "<+0530>-5:30", "ABC3DEF2:30,J60/0,J300/25", "ABC3DEF,59/0,300",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
  ])
  func aRuleSaysWhatTheCLibrarySays(_ text: String) throws {
    let rule = try #require(TimeZoneRule(text))
    let first = try #require(Timestamp("2040-01-01T00:00:00Z")).seconds
    let hours = (0..<(3 * 366 * 24)).map { first + Int64($0) * 3600 }
    #expect(hours.map { rule.offset(at: $0) } == (try Clock.offsets(of: text, at: hours)))
  }

  @Test(arguments: [
    "", "CE-1", "CET", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
    "CET-1CEST,M3.5.0,M10.5.0/3x", "<a",
  ])
  func whatIsNoRuleIsNone(_ text: String) { #expect(TimeZoneRule(text) == nil) }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Australia/Sydney"), "there is no tzdata"),
    arguments: [("2026-01-15T12:00:00Z", 23), ("2026-07-15T12:00:00Z", 22)] as [(String, Int64)])
  func aNameIsLookedUpInTheMachinesDatabase(_ instant: String, _ hour: Int64) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/Australia/Sydney"))
    let zone = try #require(TimeZones.Zone([UInt8](bytes)))
    let time = try #require(Timestamp(instant))
    let offset = try #require(zone.offset(at: time.seconds))
    #expect((time.seconds + offset) / 3600 % 24 == hour)
  }

  @Test(arguments: ["../../etc/passwd", "/etc/passwd", "a.b", "", "9", String(repeating: "a", count: 65)])
  func aNameThatIsAPathIsNone(_ name: String) {
    #expect(TimeZones.offset(of: name, at: Timestamp(seconds: 0)) == nil)
  }
}

/// The C library's own answer, by `date`, which is a process of its own: `TZ` is one for a whole process.
private enum Clock {
  static func offsets(of rule: String, at seconds: [Int64]) throws -> [Int64] {
    let list = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try seconds.map { "@\($0)\n" }.joined().write(to: list, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: list) }
    let date = Process()
    date.executableURL = URL(fileURLWithPath: "/bin/date")
    date.arguments = ["-f", list.path, "+%::z"]
    date.environment = ["TZ": rule]
    let output = Pipe()
    date.standardOutput = output
    try date.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    date.waitUntilExit()
    return text.split(separator: "\n").map { line in
      let parts = line.dropFirst().split(separator: ":").compactMap { Int64($0) }
      return (line.hasPrefix("-") ? -1 : 1) * parts.reduce(0) { $0 * 60 + $1 }
    }
  }
}
