import Runbook
import Testing

@testable import ProviderKit
@testable import ZomroCloud

/// BILLmanager's JSON and Zomro's words.
struct ZomroEnvelopeTests {
  private func read(_ text: String) throws -> Value { try JSONReader.read(Array(text.utf8)) }

  @Test(arguments: [
    ("{}", 0), (#"{"elem":null}"#, 0), (#"{"elem":[]}"#, 0), (#"{"elem":{"id":{"$":"1"}}}"#, 1),
    (#"{"elem":[{"id":{"$":"1"}}]}"#, 1), (#"{"elem":[{},{}]}"#, 2),
  ])
  func noneOneOrMany(text: String, count: Int) throws { #expect(try read(text).many("elem").count == count) }

  @Test(arguments: [#"{"elem":7}"#, #"{"elem":"x"}"#, #"{"elem":[7]}"#, #"{"elem":[{},null]}"#])
  func whatIsNoListIsRefused(text: String) throws {
    let json = try read(text)
    #expect(throws: SchemaError.self) { try json.many("elem") }
  }

  @Test(
    arguments: [
      (#"{"a":{"$":"x"}}"#, "x"), (#"{"a":{"$":7}}"#, "7"), (#"{"a":{"$":""}}"#, nil), (#"{"a":{}}"#, nil),
      (#"{"a":null}"#, nil), ("{}", nil), (#"{"a":[{"$":"x"},{"$":"y"}]}"#, "x"), (#"{"a":[]}"#, nil),
      (#"{"a":{"$orig":"2","$":"x"}}"#, "x"),
    ] as [(String, String?)])
  func anElementIsItsText(text: String, expected: String?) throws {
    #expect(try read(text).element("a") == expected)
  }

  @Test(
    arguments: [
      (#"{"a":{"$orig":"on","$":"Да"}}"#, "on"), (#"{"a":{"$":"on"}}"#, "on"), (#"{"a":{"$orig":"","$":"on"}}"#, "on"),
      (#"{"a":[{"$orig":"on","$":"Да"},{"$":"x"}]}"#, "on"), ("{}", nil),
    ] as [(String, String?)])
  func aCodeIsNotTheTranslatedWord(text: String, expected: String?) throws {
    #expect(try read(text).code("a") == expected)
  }

  @Test(
    arguments: [
      ("active", .running), (" Active ", .running), ("stopped", .stopped), ("rescued", .rescue),
      ("booted_from_iso", .rescue), ("suspended", .suspended), ("error", .error), ("resized", .unknown),
      ("stopping", .changing), ("image_uploading", .changing), ("quiescing", .changing), ("", .changing),
    ] as [(String, PowerState)])
  func aServersWordIsItsState(word: String, state: PowerState) throws {
    let line: Value = ["id": ["$": "5"], "instance_status": ["$": .string(word)]]
    #expect(try CloudServer(zomro: line).state == state)
  }

  @Test(
    arguments: [
      (#""item_status":{"$orig":"3_employeesuspend","$":"Suspended"}"#, "stopped", .stopped),
      (#""item_status":{"$orig":"4","$":"x"}"#, "active", .absent),
      (#""item_status":{"$orig":"5_open","$":"x"}"#, "", .changing),
      (#""item_status":{"$":"2"}"#, "active", .running),
    ] as [(String, String, PowerState)])
  func theBillingTellsOnlyWhatIsGone(billing: String, word: String, state: PowerState) throws {
    let line = try read(#"{"id":{"$":"5"},"instance_status":{"$":"\#(word)"},\#(billing)}"#)
    #expect(try CloudServer(zomro: line).state == state)
  }

  @Test(
    arguments: [
      ("Active", .ready), ("ACTIVE", .ready), ("Saving", .creating), ("Queued", .creating), ("Killed", .failed),
      ("Suspended", .failed), ("Deactivated", .failed), ("Error", .failed), ("Pending_delete", .deleting),
      ("Deleted", .absent), ("quiescing", .creating),
    ] as [(String, ItemState)])
  func anImagesWordIsItsState(word: String, state: ItemState) { #expect((ZomroWords.item(word) ?? .creating) == state) }

  private func image(_ more: String, zone: String? = nil) throws -> ZomroImage {
    try ZomroImage(try read(#"{"id":{"$":"5"}\#(more)}"#), .backup, server: "1", zone: try CloudZone(zone))
  }

  @Test func aProtectionIsReadInAnyLanguage() throws {
    #expect(try image(#","protected":{"$orig":"on","$":"Да"}"#).item.isProtected)
    #expect(try image(#","protected":{"$":"on"}"#).item.isProtected)
    #expect(try !image(#","protected":{"$orig":"off","$":"on"}"#).item.isProtected)
    #expect(try !image("").item.isProtected)
    #expect(try image(#","backup_type":{"$orig":"manual","$":"Вручную"}"#).item.isManual)
    #expect(try !image(#","backup_type":{"$":"auto"}"#).item.isManual)
  }

  @Test(
    arguments: [
      ("+03:00", "2025-01-15T21:00:00Z", 24), ("UTC", "2025-01-16T00:00:00Z", 24),
      (nil, "2025-01-15T10:00:00Z", 50),
    ] as [(String?, String, Int64)])
  func aDateIsTheEarliestInstantItCanBe(zone: String?, at: String, hours: Int64) throws {
    for date in [
      #"{"$":"2025-01-16"}"#, #"[{"$":"2025-01-16"},{"$":"2025-01-17"}]"#, #"{"$":"2025-01-16 12:30:00"}"#,
    ] {
      let item = try image(#","createdate":\#(date)"#, zone: zone).item
      #expect(item.createdAt == Timestamp(at))
      #expect(item.createdAtError == .seconds(hours * 3600))
    }
  }

  /// One whose age nobody knows is never older than anything.
  @Test func aMissingDateIsNoAge() throws {
    let item = try image("").item
    #expect(item.createdAt + item.createdAtError > (Timestamp("2100-01-01T00:00:00Z") ?? item.createdAt))
  }

  @Test(arguments: ["", "3.5", "-", "99999999999999999999", "9223372036854775807"])
  func aSizeThatIsNoneIsLeftOut(size: String) throws {
    #expect(try image(#","image_size":{"$":"\#(size)"}"#).item.sizeMB == nil)
  }

  @Test func aSizeIsInGigabytes() throws { #expect(try image(#","image_size":{"$":"3"}"#).item.sizeMB == 3072) }

  @Test func choicesLeaveOutTheEmptyOne() throws {
    let form = try read(
      """
      {"slist":{"$name":"select_boot","val":[{"$depend":"pub","$key":"a","$":"Debian 12"},{"$key":"null","$":"none"},
      {"$depend":"own","$name":"foo","$key":"b","$":"Centos 9"},{"$":"no key"}]}}
      """)
    let choices = try form.choices("select_boot")
    #expect(choices.map { $0.key } == ["a", "b"])
    #expect(choices.map { $0.zone } == ["pub", "own"])
    #expect(choices.map { $0.shownName } == ["Debian 12", "foo"])
    #expect(try form.choices("zone").isEmpty)
  }

  // MARK: The second factor

  /// RFC 4226, appendix D.
  @Test(
    arguments: zip(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as [Int64],
      [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
      ]))
  func codesByCounter(counter: Int64, code: String) throws {
    #expect(try ZomroSecondFactor.code(Array("12345678901234567890".utf8), counter: counter) == code)
  }

  /// RFC 6238, appendix B: the last six of the eight digits.
  @Test(
    arguments: [
      (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
      (2_000_000_000, "279037"), (20_000_000_000, "353130"),
    ] as [(Int64, String)])
  func codesByTime(seconds: Int64, code: String) throws {
    for text in ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "gezd gnbv gy3t qojq gezd gnbv gy3t qojq=="] {
      let factor = ZomroSecondFactor(secret: Secret(text, named: ["t"]))
      #expect(try factor.code(at: Timestamp(seconds: seconds)).reveal() == code)
    }
  }

  @Test func aCodeIsSentAsItIs() throws {
    let factor = ZomroSecondFactor(secret: Secret("012345", named: []))
    #expect(try factor.code(at: Timestamp(seconds: 0)).reveal() == "012345")
  }

  @Test(arguments: ["", "12345", "1234567", "GEZDGNBV", "GEZDGNBVGY3TQOJ0", "ключ-ключ-ключ-ключ"])
  func whatIsNoFactorIsRefused(text: String) {
    let factor = ZomroSecondFactor(secret: Secret(text, named: []))
    let failure = #expect(throws: StepFailure.self) { try factor.code(at: Timestamp(seconds: 0)) }
    #expect(failure?.kind == .input)
    if !text.isEmpty { #expect(failure?.message.contains(text) == false) }
  }
}
