import Runbook

/// `notify.slack`: writes into a Slack channel through an incoming webhook. Without effect, for the reason that
/// `notify.webhook` has.
///
/// A hook belongs to one channel and one name: it ignores `channel` and `username`, so they are no fields. Mattermost
/// and others answer as Slack does.
struct SlackAction: HTTPAction {
  static let declaration = ActionDeclaration(
    "notify.slack", "writes a message into a Slack channel",
    fields: [
      Field(
        "url", .url, required: true, acceptsSecret: true,
        help: "the address of the incoming webhook; everybody who knows it can write"),
      Field("text", .string, required: true, help: "the message; `*bold*`, `_italic_` and `` `code` `` work"),
      Field(
        "mention", .string, pattern: "^(here|channel|everyone|[UWS][A-Z0-9]{2,20})$",
        help:
          "the people to call: `here`, `channel`, `everyone`, or a member's or group's id (`U024BE7LH`, `SAZ94GDB8`)"),
    ] + HTTPFields.common.filter { ["timeout", "ca_file", "plain_http"].contains($0.name) },
    effect: .none, class: .opaque, isDiagnostic: true
  ).given([.folder])

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let text = try call.with.text("text")
    var with = call.with.values.filter { !["text", "mention"].contains($0.key) }
    let body = SlackText.message(
      HTTPText.shown(text, call.mask), mention: try call.with.optionalText("mention"))
    with["json"] = ["text": .string(body)]
    with["redirects"] = "none"
    var inner = ActionCall(
      with: Arguments(with), key: call.key, runID: call.runID, clock: call.clock, transport: call.transport,
      scripts: call.scripts, files: call.files, deadline: call.deadline, before: call.before,
      intendedAt: call.intendedAt, report: call.report)
    inner.mask = call.mask
    do throws(StepFailure) { try await post(inner) } catch { throw error.withoutEffect }
    return ActionResult()
  }

  private func post(_ call: ActionCall) async throws(StepFailure) {
    let http = HTTPCall("POST", isSafe: false)
    let request = try http.request(call)
    let response = try await http.send(request, call)
    let refusal = HTTPRefusal(
      method: "POST", isSafe: false, request: request, secrets: HTTPText.secrets(in: .map(call.with.values)),
      mask: call.mask, response: response)
    let word = SlackAnswer.word(of: response.body)
    if (200..<300).contains(response.status) {
      guard word == "ok" else { throw refusal.notSlack(word) }
      return
    }
    var failure = refusal.failure(now: call.clock.now)
    if let word, let meaning = SlackAnswer.meanings[word] {
      failure.message += ", `\(word)`: \(meaning)"
      failure.detail["slack"] = .string(word)
    }
    throw failure
  }
}

/// The one word that Slack answers.
enum SlackAnswer {
  /// Text of an answer that is one word; nil: it is something else.
  static func word(of body: [UInt8]) -> String? {
    guard body.count <= 64 else { return nil }
    let text = String(decoding: body, as: UTF8.self).split { $0.isWhitespace }
    guard text.count == 1, text[0].utf8.allSatisfy({ $0 == 0x5f || $0 >= 0x61 && $0 <= 0x7a }) else { return nil }
    return String(text[0])
  }

  /// What an operator can do. The words are those of <https://api.slack.com/messaging/webhooks#handling_errors>.
  static let meanings = [
    "action_prohibited": "an administrator of the workspace does not allow this hook to write there",
    "channel_is_archived": "the hook's channel is archived: make a hook for another one",
    "channel_not_found": "the hook's channel is gone: make a hook for another one",
    "invalid_payload": "Slack could not read the message",
    "invalid_token": "the address of the hook is wrong or was withdrawn: copy it anew from the app's page",
    "no_active_hooks": "the hook is switched off: switch it on at the app's page",
    "no_service": "the hook is switched off or was removed: make a new one at the app's page",
    "no_service_id": "the address of the hook is not whole: copy it anew from the app's page",
    "no_team": "the workspace is gone, or the address is wrong",
    "no_text": "the message is empty",
    "posting_to_general_channel_denied": "only administrators may write into that channel",
    "rollup_error": "Slack has had a failure of its own",
    "team_disabled": "the workspace is switched off",
    "token_revoked": "the hook was withdrawn: make a new one at the app's page",
    "user_not_found": "the hook writes to a member who is gone",
  ]
}

extension HTTPRefusal {
  /// A good status without Slack's `ok`: something else answers at that address.
  fileprivate func notSlack(_ word: String?) -> StepFailure {
    StepFailure(
      .expect, "POST \(place) answered \(response.status) without Slack's `ok`: is it the address of a hook?",
      effect: .unknown,
      detail: [
        "status": .int(Int64(response.status)), "body": .string(HTTPExcerpt.of(mask(response.body), hiding: secrets)),
      ])
  }
}

/// A message as Slack wants it.
enum SlackText {
  /// In characters; beyond it Slack cuts without a word
  /// (<https://api.slack.com/changelog/2018-04-truncating-really-long-messages>). Counted in UTF-16 here, the strictest
  /// way to count.
  static let longest = 40_000

  /// Escaped, with the mention before it, cut where it is too long.
  static func message(_ text: String, mention: String?) -> String {
    let head = mention.map { Self.mention($0) + " " } ?? ""
    let whole = text.map { escape($0) }
    guard head.utf16.count + whole.reduce(0, { $0 + $1.utf16.count }) > longest else { return head + whole.joined() }
    let tail = "\n… (cut here: a message has at most \(longest) characters)"
    var kept = head
    var room = longest - head.utf16.count - tail.utf16.count
    for piece in whole {
      room -= piece.utf16.count
      if room < 0 { break }
      kept += piece
    }
    return kept + tail
  }

  private static func escape(_ character: Character) -> String {
    switch character {
    case "&": "&amp;"
    case "<": "&lt;"
    case ">": "&gt;"
    default: String(character)
    }
  }

  private static func mention(_ who: String) -> String {
    switch who {
    case "here", "channel", "everyone": "<!\(who)>"
    default: who.hasPrefix("S") ? "<!subteam^\(who)>" : "<@\(who)>"
    }
  }
}
