import Runbook
import Testing

@testable import Steps

struct WebhookActionTests {
  private let hook: Value = .secret(Secret("https://chat/hook/HOOKSECRET", named: ["hook"]))

  @Test(
    arguments: [
      (["text": "hi \"there\""], #"{"text":"hi \"there\""}"#), (["json": ["a": 1]], #"{"a":1}"#),
      (["json": [1]], "[1]"),
      (["text": "hi", "json": ["channel": "#ops"]], ##"{"channel":"#ops","text":"hi"}"##),
    ] as [([String: Value], String)])
  func theMessageIsPosted(fields: [String: Value], body: String) async throws {
    let web = FakeWeb(200, "ok")
    let result = await web.perform(WebhookAction(), fields.merging(["url": hook]) { own, _ in own }).success
    let request = try #require(web.requests.first)
    #expect(request.method == "POST")
    #expect(request.url == "https://chat/hook/HOOKSECRET")
    #expect(String(decoding: request.body ?? [], as: UTF8.self) == body)
    #expect(result?.result == ["status": 200, "body": "ok", "json": .null])
  }

  @Test(arguments: [[:], ["text": "a", "json": [1]], ["text": "a", "json": ["text": "b"]]] as [[String: Value]])
  func anUnclearMessageIsRefused(_ fields: [String: Value]) async {
    let web = FakeWeb(200)
    #expect(await web.perform(WebhookAction(), fields.merging(["url": hook]) { own, _ in own }).failure?.kind == .input)
    #expect(web.requests.isEmpty)
  }

  @Test func aSecretThatStandsInTheTextIsMasked() async throws {
    let web = FakeWeb(200)
    let masker = Masker([Secret("hunter22", named: ["p"])])
    let fields: [String: Value] = ["url": hook, "text": "it said hunter22", "json": ["channel": "#ops"]]
    #expect(await web.perform(WebhookAction(), fields, mask: { masker.mask($0) }).success != nil)
    let body = String(decoding: web.requests.first?.body ?? [], as: UTF8.self)
    #expect(body == ##"{"channel":"#ops","text":"it said ***"}"##)
  }

  @Test func aFailureShowsTheHostAlone() async throws {
    let failure = try #require(await FakeWeb(410).perform(WebhookAction(), ["url": hook, "text": "a"]).failure)
    #expect(failure.message == "POST https://chat answered 410 (gone)")
    #expect(failure.effect == .none)
  }

  @Test func aLostAnswerIsNoReasonToAskAPerson() async throws {
    let web = FakeWeb(HTTPFailure(.timeout, "no answer", beforeFirstByte: false))
    let failure = try #require(await web.perform(WebhookAction(), ["url": hook, "text": "a"]).failure)
    #expect(failure.effect == .none)
    #expect(failure.retryable)
    // But nobody knows whether the message has arrived, and that is told.
    #expect(failure.detail["arrival"] == "unknown")
    let unsent = HTTPFailure(.connect, "refused", beforeFirstByte: true)
    let known = try #require(await FakeWeb(unsent).perform(WebhookAction(), ["url": hook, "text": "a"]).failure)
    #expect(known.detail["arrival"] == nil)
  }
}
