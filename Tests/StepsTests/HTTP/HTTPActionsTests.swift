import Runbook
import Testing

@testable import Steps

struct HTTPActionsTests {
  static let actions: [any Action] = [
    HTTPGetAction(), HTTPPostAction(), HTTPPutAction(), HTTPPatchAction(), HTTPDeleteAction(),
  ]
  static let secret = Secret("t0psecret", named: ["token"])

  @Test(arguments: zip(actions.indices, ["GET", "POST", "PUT", "PATCH", "DELETE"]))
  func anActionSendsItsMethod(index: Int, method: String) async {
    let web = FakeWeb(200)
    _ = await web.perform(Self.actions[index], ["url": "https://h/"])
    #expect(web.requests.map { $0.method } == [method])
  }

  @Test func fieldsBecomeTheRequest() async throws {
    let web = FakeWeb(200)
    _ = await web.perform(
      HTTPPostAction(),
      [
        "url": "https://h/p?a=1#f", "query": ["b c": "d&e", "n": 2],
        "headers": ["X-Token": .secret(Self.secret), "A": "b"],
        "json": ["pw": .secret(Self.secret), "list": [1, .secret(Self.secret)]], "timeout": .duration(.seconds(5)),
        "ca_file": "ca.pem", "_cwd": "/srv", "plain_http": "allow", "redirects": "none",
      ])
    let request = try #require(web.requests.first)
    #expect(request.url == "https://h/p?a=1&b%20c=d%26e&n=2")
    #expect(
      request.headers.map { "\($0.name): \($0.value.reveal())" } == [
        "A: b", "X-Token: t0psecret", "content-type: application/json",
      ])
    #expect(String(decoding: request.body ?? [], as: UTF8.self) == #"{"list":[1,"t0psecret"],"pw":"t0psecret"}"#)
    #expect(request.totalTimeout == .seconds(5))
    #expect(request.connectTimeout == .seconds(5))
    #expect(request.caFile == "/srv/ca.pem")
    #expect(request.allowsPlainHTTP)
    #expect(request.redirects == .none)
  }

  @Test func safeDefaults() async throws {
    let web = FakeWeb(200)
    _ = await web.perform(HTTPPutAction(), ["url": .secret(Secret("https://h/s3cret", named: ["u"])), "body": "text"])
    let request = try #require(web.requests.first)
    #expect(request.url == "https://h/s3cret")
    #expect(request.headers.map { $0.name } == ["content-type"])
    #expect(request.totalTimeout == .seconds(30))
    #expect(!request.allowsPlainHTTP)
    #expect(request.redirects == .sameHost)
  }

  @Test func anAnswerIsReadInTheCharacterSetThatItNames() async throws {
    for (type, bytes) in [
      ("application/json; charset=windows-1252", [0x22, 0x80, 0x22]),
      ("application/json;charset=\"ISO-8859-15\"", [0x22, 0xa4, 0x22]), ("application/json", Array("\"€\"".utf8)),
      ("application/json; charset=no-such-set", Array("\"€\"".utf8)),
    ] as [(String, [UInt8])] {
      let answer = HTTPResponse(
        status: 200, headers: [("content-type", type)], body: bytes)
      let result = HTTPCall.result(of: answer)
      #expect(result["body"] == "\"€\"" && result["json"] == "€", "\(type)")
    }
  }

  @Test func aRequestEndsWithItsStep() async throws {
    let web = FakeWeb(200)
    _ = await web.perform(HTTPGetAction(), ["url": "https://h/"], timeout: .seconds(3))
    #expect(web.requests.first?.totalTimeout == .seconds(3))
    let late = await web.perform(HTTPGetAction(), ["url": "https://h/"], timeout: .zero)
    #expect(late.failure?.kind == .timeout)
    #expect(web.requests.count == 1)
  }

  @Test(
    arguments: [
      ["url": ""], ["url": nil], ["url": "https://h/", "json": 1, "body": "x"], ["url": "https://h/", "headers": "x"],
      ["url": "https://h/", "headers": ["a": []]], ["url": "https://h/", "query": ["a": [[1]]]],
      ["url": "https://h/", "query": ["a": .secret(secret)]], ["url": "https://h/", "timeout": .duration(.zero)],
    ] as [[String: Value]])
  func wrongFieldsAreRefusedBeforeAnythingIsSent(_ with: [String: Value]) async {
    let web = FakeWeb(200)
    let failure = await web.perform(HTTPPostAction(), with).failure
    #expect(failure?.kind == .input)
    #expect(failure?.effect == StepFailure.Effect.none)
    #expect(web.requests.isEmpty)
  }

  // MARK: Answers

  @Test func theAnswerIsTheResult() async throws {
    let web = FakeWeb(201, #"{"a":[1]}"#, headers: [("x", "1"), ("y", "2"), ("x", "3")])
    let result = try #require(await web.perform(HTTPPostAction(), ["url": "https://h/"]).success).result
    #expect(
      Value.map(result) == [
        "status": 201, "headers": ["x": "1, 3", "y": "2"], "body": #"{"a":[1]}"#, "json": ["a": [1]],
        "duration": .duration(.milliseconds(12)),
      ])
  }

  @Test(arguments: ["", "<html>", "{", #"{"a":1}x"#, "\u{0}"])
  func whatIsNotJSONIsNull(_ body: String) async {
    let result = await FakeWeb(200, body).perform(HTTPGetAction(), ["url": "https://h/"]).success?.result
    #expect(result?["json"] == .null)
    #expect(result?["body"] == .string(body))
  }

  @Test(arguments: [
    (301, StepFailure.Kind.expect, false), (302, .expect, false), (303, .expect, false), (304, .expect, false),
    (307, .expect, false), (308, .expect, false), (400, .input, false), (401, .auth, false), (403, .auth, false),
    (404, .notFound, false), (408, .timeout, true), (409, .conflict, false), (410, .notFound, false),
    (412, .conflict, false),
    (422, .input, false), (425, .input, true), (429, .rateLimited, true), (431, .input, false), (444, .input, false),
    (460, .input, false), (499, .input, false), (500, .server, true), (501, .server, false),
    (502, .server, true), (503, .server, true), (504, .server, true), (599, .server, true),
  ])
  func aStatusSaysWhatFailed(status: Int, kind: StepFailure.Kind, retryable: Bool) async throws {
    // A form that has done what was asked may answer with a redirect; a proxy may speak for a server that is at work.
    let isUncertain = status >= 500 || [301, 302, 303, 304, 408, 444, 460, 499].contains(status)
    for (action, isSafe) in [(HTTPGetAction() as any Action, true), (HTTPPostAction(), false)] {
      let failure = try #require(await FakeWeb(status, "why").perform(action, ["url": "https://h:1/p?q"]).failure)
      #expect(failure.kind == kind)
      #expect(failure.retryable == retryable)
      #expect(failure.effect == (isSafe || !isUncertain ? .none : .unknown))
      #expect(failure.detail["status"] == .int(Int64(status)))
      #expect(failure.detail["body"] == "why")
      #expect(failure.message.contains("https://h:1 answered \(status)"))
      #expect(!failure.beforeFirstByte)
    }
  }

  @Test(arguments: [199, 302, 404, 500])
  func noStatusFailsWhenTheAuthorReadsIt(_ status: Int) async {
    let with: [String: Value] = ["url": "https://h/", "_accept_any_status": true]
    #expect(await FakeWeb(status).perform(HTTPGetAction(), with).success?.result["status"] == .int(Int64(status)))
  }

  @Test(arguments: [
    ("7", Duration.seconds(7)), ("0", .zero), ("999999", .seconds(999_999)),
    ("99999999999999999999999", RetryAfter.longest), ("9223372036854775807", RetryAfter.longest),
    ("Tue, 14 Nov 2023 22:13:50 GMT", .seconds(30)), ("Tue, 14 Nov 2000 22:13:50 GMT", .zero),
    ("Tue, 14 Nov 2023 23:13:20 GMT", .seconds(3600)),
    ("-7", nil), ("", nil), ("soon", nil), ("1.5", nil), ("Tue, 34 Nov 2023 22:13:50 GMT", nil), ("٣", nil),
  ])
  func retryAfterIsHonoured(header: String, pause: Duration?) async {
    for status in [429, 503] {
      let web = FakeWeb(status, headers: [("retry-after", header)])
      #expect(await web.perform(HTTPGetAction(), ["url": "https://h/"]).failure?.retryAfter == pause)
    }
  }

  /// Without `Retry-After` the next try comes after the limit is reset: so many seconds from now, or since 1970.
  @Test(arguments: [
    ("40", Duration.seconds(40)), ("0", .zero), ("1700000040", .seconds(40)), ("1700000040000", .seconds(41)),
    ("1699999990", .zero), ("39.2", .seconds(40)), ("Tue, 14 Nov 2023 22:14:00 GMT", .seconds(40)),
    ("999999999999999999", nil), ("-7", nil), ("soon", nil), ("", nil), ("4e3", nil),
  ])
  func theResetOfALimitIsWaitedFor(header: String, pause: Duration?) async {
    for name in ["ratelimit-reset", "x-ratelimit-reset"] {
      let web = FakeWeb(429, headers: [(name, header)])
      #expect(await web.perform(HTTPGetAction(), ["url": "https://h/"]).failure?.retryAfter == pause)
      // What is not "too many requests" is no matter of a limit; what is asked for goes before.
      let other = FakeWeb(503, headers: [(name, header)])
      #expect(await other.perform(HTTPGetAction(), ["url": "https://h/"]).failure?.retryAfter == nil)
      let both = FakeWeb(429, headers: [(name, header), ("retry-after", "7")])
      #expect(await both.perform(HTTPGetAction(), ["url": "https://h/"]).failure?.retryAfter == .seconds(7))
    }
  }

  /// The other side's own clock says how long that is.
  @Test func aResetIsSeenFromTheClockThatTellsIt() async {
    let headers = [("ratelimit-reset", "1700003640"), ("date", "Tue, 14 Nov 2023 23:13:20 GMT")]
    let web = FakeWeb(429, headers: headers)
    #expect(await web.perform(HTTPGetAction(), ["url": "https://h/"]).failure?.retryAfter == .seconds(40))
  }

  @Test func thePauseThatIsAskedForStandsInTheMessage() async {
    for (header, words) in [("7200", "it asks for a pause of 2h"), ("99999999999999999", "no further request")] {
      let web = FakeWeb(503, headers: [("retry-after", header)])
      let failure = await web.perform(HTTPPutAction(), ["url": "https://h/"]).failure
      #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }
    // Nobody waits for what is not tried again.
    let failure = await FakeWeb(404, headers: [("retry-after", "7")]).perform(HTTPPutAction(), ["url": "https://h/"])
      .failure
    #expect(failure?.message.contains("pause") == false)
  }

  // MARK: How late a request may take effect

  @Test func theAuthorSaysHowLateARequestMayTakeEffect() async {
    let web = FakeWeb(200)
    for action in Self.actions + [WebhookAction()] {
      func life(_ with: [String: Value]) -> Duration { action.maxRequestLife(of: web.call(with)) }
      #expect(life([:]) == .seconds(90))
      #expect(life(["timeout": .duration(.seconds(300))]) == .seconds(360))
      #expect(life(["max_request_life": .duration(.seconds(5)), "timeout": .duration(.seconds(300))]) == .seconds(5))
      let refused = await web.perform(
        action, ["url": "https://h/", "text": "x", "max_request_life": .duration(.zero)]
      ).failure
      #expect(refused == .unfit("`max_request_life` must be more than 0s"))
    }
    #expect(web.requests.isEmpty)
  }

  @Test func anExcerptIsShortAndHidesSecrets() async throws {
    let secret = Self.secret
    let body =
      "you sent t0psecret \u{1b}[31m" + String(repeating: "a", count: 990) + "t0psecret"
      + String(repeating: "b", count: 9999)
    let failure = try #require(
      await FakeWeb(400, body).perform(
        HTTPPostAction(),
        ["url": "https://h/", "headers": ["Authorization": .secret(Secret("Bearer t0psecret", named: secret.names))]]
      ).failure)
    let excerpt = try #require(failure.detail["body"]?.string)
    #expect(excerpt.hasPrefix("you sent *** .[31m"))
    #expect(excerpt.utf8.count <= 1024 + 3)
    #expect(!excerpt.contains("t0ps"))
    #expect(!"\(failure)".contains("t0ps"))
  }

  @Test func aURLThatIsSecretIsNotShown() async throws {
    let url = Secret("https://hooks.example/services/T000/HOOKSECRET", named: ["hook"])
    let failure = try #require(
      await FakeWeb(404, "no hook at https://hooks.example/services/T000/HOOKSECRET").perform(
        HTTPPostAction(), ["url": .secret(url)]
      ).failure)
    #expect(!"\(failure)".contains("HOOKSECRET"))
    #expect(failure.message.hasPrefix("POST https://hooks.example answered 404"))
  }

  // MARK: No answer

  @Test(arguments: [
    (HTTPFailure.Kind.lookup, true, StepFailure.Kind.unreachable, true), (.connect, true, .unreachable, true),
    (.tls, true, .unreachable, true), (.timeout, true, .unreachable, true), (.timeout, false, .timeout, true),
    (.reset, false, .unreachable, true), (.badReply, false, .server, true), (.tooLarge, false, .server, false),
    (.badURL, true, .input, false), (.refusedAddress, true, .input, false), (.cancelled, true, .cancelled, false),
    (.cancelled, false, .cancelled, false),
  ])
  func aMissingAnswerSaysWhatItMayHaveDone(
    kind: HTTPFailure.Kind, before: Bool, becomes: StepFailure.Kind, retryable: Bool
  ) async throws {
    for (action, isSafe) in [(HTTPGetAction() as any Action, true), (HTTPPutAction(), false)] {
      let web = FakeWeb(HTTPFailure(kind, "what happened", beforeFirstByte: before))
      let failure = try #require(await web.perform(action, ["url": "https://h/"]).failure)
      #expect(failure.kind == becomes)
      #expect(failure.message == "what happened")
      #expect(failure.retryable == retryable)
      #expect(failure.effect == (before || isSafe ? .none : .unknown))
      #expect(failure.beforeFirstByte == (before && becomes == .unreachable))
    }
  }

  @Test func whatMayBeRepeatedIsDeclared() {
    let declared = Self.actions.map {
      "\($0.declaration.name) \($0.declaration.effect.rawValue) \($0.declaration.effectClass.rawValue)"
    }
    #expect(
      declared == [
        "http.get none E3", "http.post change E4", "http.put change E3", "http.patch change E4",
        "http.delete destroy E3",
      ])
  }
}
