import ProviderKit
import Runbook

/// The wire format of Zomro, and nothing else: calls out, typed models or a `StepFailure` back.
struct ZomroClient: Sendable {
  let connection: Connection
  let credential: ZomroCredential
  /// Of all runs of the process on this account.
  let session: SharedSession
  let filters: ZomroFilters
  let rebuilds: ZomroRebuildLooks
  let zone: CloudZone
  var watch: CloudWatch?

  /// Between two looks at a slow call, and how long it is followed.
  private static let longPause: Duration = .seconds(2)
  private static let longestRequest: Duration = .seconds(600)

  /// Sends, and throws for every refusal. A session that has ended is opened anew, once.
  func send(_ call: ZomroCall) async throws(StepFailure) -> ZomroReply {
    let pass = try await pass(refused: nil)
    var reply = try await once(call, pass.fields)
    // `access` also says that the account may not do this: only a dead session is replaced.
    if reply.error?.type == "access", try await isDead(pass) {
      guard case .login = credential else {
        throw StepFailure(
          .auth, "Zomro does not accept \(credential.text): the session has ended, or never was; refused \(call.text)",
          detail: ["type": "access"])
      }
      reply = try await once(call, try await self.pass(refused: pass.held?.number).fields)
    }
    _ = try reply.document()
    return reply
  }

  /// - Throws: why it cannot be told; a refusal of any other kind comes from a session that lives.
  private func isDead(_ pass: Pass) async throws(StepFailure) -> Bool {
    let reply = try await once(.read("keepalive"), pass.fields)
    if let error = reply.error { return error.type == "access" }
    _ = try reply.document()
    return false
  }

  /// One request, and the answer it leads to if Zomro takes its time.
  private func once(
    _ call: ZomroCall, _ pass: [(name: String, value: SecretPart)]
  ) async throws(StepFailure) -> ZomroReply {
    let target = connection.base.path + "/"
    let passes = pass.compactMap { if case .secret(let secret) = $0.value { secret } else { nil } }
    let secrets = connection.secrets + passes + credential.secrets + call.secrets
    let response = try await connection.send(
      "POST", target,
      headers: [
        (name: "Content-Type", value: .plain("application/x-www-form-urlencoded")),
        (name: "Accept", value: .plain("application/json")),
      ], body: call.body(pass), isRead: call.isRead, text: call.text)
    let reply = ZomroReply(call: call, response: response, secrets: secrets, now: connection.clock.now)
    return try await followed(reply)
  }

  /// The link of a slow call is asked until JSON comes. It is not sent the credential, and leads to our own host only.
  private func followed(_ first: ZomroReply) async throws(StepFailure) -> ZomroReply {
    guard let link = first.longRequest else { return first }
    let path = link.hasPrefix("/") || link.contains("://") ? link : "/" + link
    guard let target = connection.base.target(of: path) else {
      throw first.malformed("it links to another host")
    }
    let end = connection.clock.monotonic + ZomroClient.longestRequest
    while true {
      await connection.clock.sleep(for: ZomroClient.longPause)
      let response: HTTPResponse
      do throws(StepFailure) {
        response = try await connection.send(
          "GET", target, headers: [], isRead: true, text: "the link of \(first.call.text)")
      } catch {
        guard error.retryable, connection.clock.monotonic < end, !Task.isCancelled else {
          throw first.malformed("the link of its slow answer leads nowhere")
        }
        continue
      }
      let reply = ZomroReply(call: first.call, response: response, secrets: first.secrets, now: connection.clock.now)
      // A page of whatever stands before the panel says nothing of what the call did.
      switch response.status {
      case 200..<300: break
      case 408, 429, 500...:
        guard connection.clock.monotonic < end, !Task.isCancelled else { fallthrough }
        continue
      default: throw first.malformed("the link of its slow answer leads nowhere (\(response.status))")
      }
      let isText = (200..<300).contains(response.status) && !response.body.contains(UInt8(ascii: "{"))
      guard isText, !Task.isCancelled else { return reply }
      guard connection.clock.monotonic < end else {
        throw first.malformed("its slow answer did not come within \(ZomroClient.longestRequest.text)")
      }
    }
  }
}

// MARK: - Sessions

extension ZomroClient {
  private struct Pass {
    var fields: [(name: String, value: SecretPart)]
    var held: SharedSession.Held?
  }

  private func pass(refused: Int?) async throws(StepFailure) -> Pass {
    switch credential {
    case .session(let id): return Pass(fields: [("auth", .secret(id))])
    case .authinfo(let username, let password):
      return Pass(fields: [("authinfo", .secret(Secret.joined([.plain(username + ":"), .secret(password)])))])
    case .login(let username, let password, let factor):
      let held = try await session.held(at: connection.clock.monotonic, refused: refused) { _ throws(StepFailure) in
        try await logIn(username, password, factor)
      }
      return Pass(fields: [("auth", .secret(held.id))], held: held)
    }
  }

  /// Never repeated by itself: Zomro blocks who fails too often.
  private func logIn(
    _ username: String, _ password: Secret, _ factor: ZomroSecondFactor?
  ) async throws(StepFailure) -> SharedSession.Held {
    var call = ZomroCall(
      function: "auth", parameters: [("username", .plain(username)), ("password", .secret(password))],
      isCommitted: true, isRead: true)
    var id = try sessionID(try await once(call, []))
    let who = try await once(.read("whoami"), [("auth", .secret(id))]).document()
    if (try? who.element("ok"))?.contains("totp.confirm") == true {
      guard let factor else {
        throw StepFailure(.auth, "Zomro asks for a second factor: give `totp` in the provider's block")
      }
      call = ZomroCall(
        function: "totp.confirm",
        parameters: [
          ("qrcode", .secret(try factor.code(at: connection.clock.now))), ("clicked_button", .plain("ok")),
        ], isCommitted: true, isRead: true)
      let reply = try await once(call, [("auth", .secret(id))])
      do throws(StepFailure) { id = try sessionID(reply) } catch {
        guard error.kind == .input else { throw error }
        throw error.renamed("Zomro does not accept the code of the second factor: \(error.message)", kind: .auth)
      }
    }
    return SharedSession.Held(id: id, account: who["user"]?["$name"]?.string, openedAt: connection.clock.monotonic)
  }

  private func sessionID(_ reply: ZomroReply) throws(StepFailure) -> Secret {
    let entry = try reply.document()["auth"]
    guard let id = entry?["$id"]?.string ?? entry?["$"]?.string, !id.isEmpty, id.utf8.count <= 1000 else {
      throw reply.malformed("`auth` holds no session")
    }
    return Secret(id, named: [])
  }

  /// Whose session it is; a failure if it is none.
  func whoAmI() async throws(StepFailure) -> (name: String?, skew: Duration?) {
    let reply = try await send(.read("whoami"))
    let user = try reply.document()["user"]
    return (
      (user?["$name"]?.string ?? user?["$"]?.string)?.excerpt(200),
      reply.response.clockSkew(now: connection.clock.now)
    )
  }
}
