import Runbook
import Testing

@testable import ProviderKit
@testable import ZStackCloud

/// Times without a zone, and what is made of them.
struct ZStackTimeTests {
  @Test(
    arguments: [
      ("Nov 14, 2017 10:20:57 PM", "2017-11-14T22:20:57Z"), ("Nov 14, 2017, 10:20:57 PM", "2017-11-14T22:20:57Z"),
      ("Nov 14, 2017, 10:20:57\u{202f}PM", "2017-11-14T22:20:57Z"), ("Jan 1, 2017 12:00:00 AM", "2017-01-01T00:00:00Z"),
      ("Jan 1, 2017 12:00:00 PM", "2017-01-01T12:00:00Z"), ("Feb 29, 2024 1:02:03 AM", "2024-02-29T01:02:03Z"),
      ("Feb 29, 2023 1:02:03 AM", nil), ("Jan 16, 2025 13:00:00 PM", nil), ("Jan 16, 2025 0:00:00 AM", nil),
      ("Jan 16, 2025 1:60:00 AM", nil), ("Jab 16, 2025 1:00:00 AM", nil), ("2025-01-16T16:15:00Z", nil), ("", nil),
      ("Jan 99999999999999999999, 2025 1:00:00 AM", nil), ("Jan 16, 2025 1:00 AM", nil),
      (String(repeating: "x ", count: 100_000), nil),
    ] as [(String, String?)])
  func aTimeIsReadAsItStands(text: String, utc: String?) {
    #expect(ZStackTime.local(text) == utc.flatMap { Timestamp($0) })
  }

  @Test(arguments: [
    ("2025-01-16T16:15:30Z", "Thu, 16 Jan 2025 16:15:30 GMT"),
    ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
    ("2026-11-26T00:00:00Z", "Thu, 26 Nov 2026 00:00:00 GMT"),
    ("2024-02-29T12:00:00.5Z", "Thu, 29 Feb 2024 12:00:00 GMT"),
  ])
  func aDateIsWrittenAsHTTPWants(text: String, date: String) throws {
    #expect(ZStackTime.httpDate(try #require(Timestamp(text))) == date)
  }

  @Test(
    arguments: [
      ("UTC", "2025-01-16T12:00:00Z", 0), ("Z", "2025-01-16T12:00:00Z", 0), ("+08:00", "2025-01-16T04:00:00Z", 0),
      ("-05:30", "2025-01-16T17:30:00Z", 0), (nil, "2025-01-15T22:00:00Z", 26 * 3600),
    ] as [(String?, String, Int64)])
  func theEarliestInstantIsTold(zone: String?, at: String, error: Int64) throws {
    let local = try #require(ZStackTime.local("Jan 16, 2025 12:00:00 PM"))
    let told = try CloudZone(zone).instant(local)
    #expect(told.at == Timestamp(at))
    #expect(told.error == .seconds(error))
  }

  @Test(arguments: ["", "CET", "Asia/Shanghai", "8", "+8:00", "+25:00", "+08:00:00", "08:00", "+08.00"])
  func aZoneThatIsNoOffsetIsRefused(text: String) {
    let failure = #expect(throws: StepFailure.self) { try CloudZone(text) }
    #expect(failure?.kind == .input)
  }

  @Test func anIDIsAUUIDOfVersionFourAndFollowsFromTheKey() throws {
    let id = ZStackID.make("r0-1", "stop")
    #expect(id == ZStackID.make("r0-1", "stop"))
    #expect(id.contains(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/))
    let all = Set(
      ["r0-1", "r0-2"].flatMap { key in
        ["", "stop", "power"].flatMap { purpose in [0, 1].map { ZStackID.make(key, purpose, $0) } }
      })
    #expect(all.count == 12)
  }
}
