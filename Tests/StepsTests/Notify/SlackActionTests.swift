import Runbook
import Testing

@testable import Steps

@Suite struct SlackActionTests {
  private let hook: Value = .secret(Secret("https://hooks.example.com/services/T0/B0/HOOKSECRET", named: ["hook"]))

  private func post(
    _ web: FakeWeb, _ fields: [String: Value], mask: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
  ) async -> Result<ActionResult, StepFailure> {
    await web.perform(SlackAction(), fields.merging(["url": hook]) { own, _ in own }, mask: mask)
  }

  private func text(_ web: FakeWeb) throws -> String {
    let body = try #require(web.requests.first?.body)
    return try #require(try JSONReader.read(body).map?["text"]?.string)
  }

  @Test(
    arguments: [
      (["text": "disk *full*\n`df`"], #"{"text":"disk *full*\n`df`"}"#),
      (["text": "a < b & c > d"], #"{"text":"a &lt; b &amp; c &gt; d"}"#),
      (["text": "<!channel> <@U1>"], #"{"text":"&lt;!channel&gt; &lt;@U1&gt;"}"#),
      (["text": "down", "mention": "here"], #"{"text":"<!here> down"}"#),
      (["text": "down", "mention": "U024BE7LH"], #"{"text":"<@U024BE7LH> down"}"#),
      (["text": "down", "mention": "SAZ94GDB8"], #"{"text":"<!subteam^SAZ94GDB8> down"}"#),
    ] as [([String: Value], String)])
  func theMessageIsEscapedAsSlackAsks(_ fields: [String: Value], _ body: String) async throws {
    let web = FakeWeb(200, "ok")
    #expect(await post(web, fields).success != nil)
    let request = try #require(web.requests.first)
    #expect(request.method == "POST" && request.url == "https://hooks.example.com/services/T0/B0/HOOKSECRET")
    #expect(request.headers.contains { $0.name == "content-type" && $0.value.reveal() == "application/json" })
    #expect(String(decoding: request.body ?? [], as: UTF8.self) == body)
  }

  @Test func aMessageThatIsTooLongIsCutWithAWord() async throws {
    let web = FakeWeb(200, "ok")
    #expect(await post(web, ["text": .string(String(repeating: "<", count: 20_000))]).success != nil)
    let sent = try text(web)
    #expect(sent.utf16.count <= SlackText.longest && sent.utf16.count > SlackText.longest - 100)
    #expect(sent.hasSuffix("&lt;\n… (cut here: a message has at most 40000 characters)"))
    let whole = FakeWeb(200, "ok")
    #expect(await post(whole, ["text": .string(String(repeating: "x", count: 40_000))]).success != nil)
    #expect(try text(whole) == String(repeating: "x", count: 40_000))
  }

  @Test func aSecretThatStandsInTheMessageIsMasked() async throws {
    let web = FakeWeb(200, "ok")
    let masker = Masker([Secret("hunter22", named: ["p"])])
    #expect(await post(web, ["text": "it said hunter22"], mask: { masker.mask($0) }).success != nil)
    #expect(try text(web) == "it said ***")
  }

  @Test(
    arguments: [
      (404, "no_service", StepFailure.Kind.notFound, "the hook is switched off or was removed"),
      (404, "channel_not_found", .notFound, "the hook's channel is gone"),
      (410, "channel_is_archived", .notFound, "the hook's channel is archived"),
      (403, "invalid_token", .auth, "the address of the hook is wrong or was withdrawn"),
      (403, "action_prohibited", .auth, "does not allow this hook"),
      (400, "invalid_payload", .input, "could not read the message"),
    ] as [(Int, String, StepFailure.Kind, String)])
  func whatSlackRefusesIsToldInItsWords(
    _ status: Int, _ word: String, _ kind: StepFailure.Kind, _ meaning: String
  ) async throws {
    let failure = try #require(await post(FakeWeb(status, word), ["text": "a"]).failure)
    #expect(failure.kind == kind && !failure.retryable && failure.effect == .none)
    #expect(failure.message.hasPrefix("POST https://hooks.example.com answered \(status)"))
    #expect(failure.message.contains("`\(word)`") && failure.message.contains(meaning), "\(failure.message)")
    #expect(failure.detail["slack"] == .string(word))
    #expect(!"\(failure)".contains("HOOKSECRET"))
  }

  @Test func aLimitIsObeyed() async throws {
    let web = FakeWeb(429, "", headers: [("retry-after", "30")])
    let failure = try #require(await post(web, ["text": "a"]).failure)
    #expect(failure.kind == .rateLimited && failure.retryable && failure.retryAfter == .seconds(30))
  }

  /// A login page, another program's port.
  @Test(arguments: ["<html>sign in</html>", "", "no_text"])
  func aGoodStatusWithoutOkIsAFailure(_ body: String) async throws {
    let failure = try #require(await post(FakeWeb(200, body), ["text": "a"]).failure)
    #expect(failure.kind == .expect && !failure.retryable)
    #expect(failure.message.contains("without Slack's `ok`"))
    #expect(failure.detail["arrival"] == "unknown")
  }

  @Test func aLostAnswerIsNoReasonToAskAPerson() async throws {
    let web = FakeWeb(HTTPFailure(.timeout, "no answer", beforeFirstByte: false))
    let failure = try #require(await post(web, ["text": "a"]).failure)
    #expect(failure.effect == .none && failure.retryable)
    #expect(failure.detail["arrival"] == "unknown")
  }

  @Test(arguments: ["channel", "username", "icon_emoji"])
  func whatAHookIgnoresIsNoField(_ name: String) {
    #expect(!SlackAction.declaration.fields.contains { $0.name == name })
  }
}
