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
    let ruled = try #require(TimeZones.Zone(file(rule: "CET-1CEST,M3.5.0,M10.5.0/3")))
    #expect([999, 1000, 2000].map { ruled.offset(at: $0) } == [3600, 7200, nil])
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
