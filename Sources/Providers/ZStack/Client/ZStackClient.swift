import ProviderKit
import Runbook

/// The wire format of ZStack, and nothing else: requests out, typed models or a `StepFailure` back.
struct ZStackClient: RemoteCloud {
  let service = "ZStack"
  static let pageSize = 100
  /// More pages, or items, than any account has: a list that goes on is broken.
  static let pageLimit = 100
  static let itemLimit = 10_000

  let connection: Connection
  let credential: ZStackCredential
  let session: SharedSession
  let takenJobs: ZStackTakenJobs
  let zone: CloudZone
  /// Where backups go unless a step says otherwise.
  let backupStorage: String?
  var watch: CloudWatch?

  func limit(_ kind: ItemKind) -> Int? { nil }

  /// `/zstack/v1` below a bare host; what the author wrote, otherwise, with `/v1` at its end.
  private var root: String {
    let path = connection.base.path
    if path.isEmpty { return "/zstack/v1" }
    return path == "/v1" || path.hasSuffix("/v1") ? path : path + "/v1"
  }

  /// What no message may show.
  var hidden: [Secret] { connection.secrets + credential.secrets + (session.current.map { [$0.id] } ?? []) }

  /// Sends, and throws for every status but 2xx. A session that ZStack does not know any more is replaced once.
  func send(_ request: ZStackRequest) async throws(StepFailure) -> ZStackReply {
    let reply = try await exchange(request)
    if let failure = reply.failure { throw explained(failure, reply) }
    return reply
  }

  /// One request and its answer, whatever it is; repeated once with a new session if the old one was refused before
  /// anything happened.
  func exchange(_ request: ZStackRequest) async throws(StepFailure) -> ZStackReply {
    let pass = try await pass(refused: nil)
    let reply = try await once(request, pass)
    guard reply.error?.meaning == .session, credential.canLogIn else { return reply }
    return try await once(request, try await self.pass(refused: pass?.number))
  }

  func once(_ request: ZStackRequest, _ pass: SharedSession.Held?) async throws(StepFailure) -> ZStackReply {
    var headers: [(name: String, value: Secret)] = [
      (name: "Accept", value: .plain("application/json")),
      (name: "Content-Type", value: .plain("application/json;charset=UTF-8")),
    ]
    if let job = request.job { headers.append((name: "X-Job-UUID", value: .plain(job))) }
    var secrets = connection.secrets + credential.secrets
    switch credential {
    case .session(let uuid): headers.append(authorization(uuid))
    case .account:
      if let pass {
        headers.append(authorization(pass.id))
        secrets.append(pass.id)
      }
    case .accessKey(let id, let secret):
      headers += try ZStackCredential.signed(request, id: id, secret: secret, at: connection.clock.now)
    }
    let response = try await connection.send(
      request.method, root + request.target, headers: headers, body: request.json.map { JSONWriter.revealed($0) },
      isRead: request.isRead, text: request.text)
    return ZStackReply(request: request, response: response, secrets: secrets, now: connection.clock.now)
  }

  private func authorization(_ session: Secret) -> (name: String, value: Secret) {
    (name: "Authorization", value: Secret.joined([.plain("OAuth "), .secret(session)]))
  }

  private func explained(_ failure: StepFailure, _ reply: ZStackReply) -> StepFailure {
    guard reply.error?.meaning == .session || reply.response.status == 401 else { return failure }
    return refused(failure, reply.request)
  }

  /// What the end of a job means.
  func failure(_ error: ZStackError, of request: ZStackRequest) -> StepFailure {
    let failure = error.failure(of: request.text, hiding: hidden)
    return error.meaning == .session ? refused(failure, request) : failure
  }

  /// A refused credential is told by its name.
  private func refused(_ failure: StepFailure, _ request: ZStackRequest) -> StepFailure {
    failure.renamed(
      "ZStack does not accept \(credential.text) for \(request.text): it may have expired or been closed")
  }

  func checkID(_ id: String, _ what: String) throws(StepFailure) {
    guard id.isZStackID else { throw StepFailure.unfit("`\(id.excerpt(40))` cannot be the id of a \(what)") }
  }
}

// MARK: - Sessions

extension ZStackClient {
  /// The session to send with; nil where none is used.
  func pass(refused: Int?) async throws(StepFailure) -> SharedSession.Held? {
    guard case .account(let name, let password) = credential else { return nil }
    return try await session.held(at: connection.clock.monotonic, refused: refused) {
      (old: SharedSession.Held?) async throws(StepFailure) -> SharedSession.Held in
      if let old, let prolonged = await prolong(old) { return prolonged }
      return try await logIn(name, password)
    }
  }

  private func logIn(_ name: String, _ password: Secret) async throws(StepFailure) -> SharedSession.Held {
    let digest = try ZStackCredential.digest(password)
    let body: Value = ["logInByAccount": ["accountName": .string(name), "password": .secret(digest)]]
    let request = ZStackRequest(method: "PUT", path: ["accounts", "login"], json: body, label: "PUT /accounts/login")
    let openedAt = connection.clock.monotonic
    let reply = try await direct(request, hiding: connection.secrets + [password, digest], authorization: nil)
    if var failure = reply.failure {
      // A second log-in does no harm: nothing but a session can have come of the first.
      failure.effect = .none
      guard failure.kind == .auth else { throw failure }
      throw failure.renamed("\(failure.message); check \(credential.text)")
    }
    let json: Value
    do throws(StepFailure) { json = try reply.json() } catch {
      var failure = error
      failure.effect = .none
      throw failure
    }
    do throws(SchemaError) {
      guard let inventory = json["inventory"] else { throw SchemaError(message: "`inventory` is missing") }
      let uuid = try inventory.id("uuid")
      return SharedSession.Held(
        id: Secret(uuid, named: password.names), account: try inventory.optionalText("accountUuid"),
        openedAt: openedAt, life: ZStackClient.life(inventory))
    } catch {
      var failure = reply.malformed(error.message)
      failure.effect = .none
      throw failure
    }
  }

  /// What the two times of a session leave, whatever their zone; two hours if they cannot be read.
  private static func life(_ inventory: Value) -> Duration {
    guard let end = inventory["expiredDate"]?.string.flatMap({ ZStackTime.local($0) }),
      let start = inventory["createDate"]?.string.flatMap({ ZStackTime.local($0) }), end > start
    else { return .seconds(7200) }
    return end - start
  }

  /// nil: it could not be prolonged, so a new one is opened.
  private func prolong(_ old: SharedSession.Held) async -> SharedSession.Held? {
    var request = ZStackRequest(
      method: "PUT", path: ["accounts", "sessions", old.id.reveal(), "renew"],
      json: ["renewSession": ["duration": 7200]], label: "PUT /accounts/sessions/{uuid}/renew")
    let job = ZStackID.make(old.id.reveal(), "renew", old.number)
    request.job = job
    let openedAt = connection.clock.monotonic
    let secrets = connection.secrets + credential.secrets + [old.id]
    do throws(StepFailure) {
      let reply = try await direct(request, hiding: secrets, authorization: old.id)
      guard reply.failure == nil || reply.isDuplicateJob else { return nil }
      for pause in [1, 2, 3] as [Int64] {
        await connection.clock.sleep(for: .seconds(pause))
        let look = try await direct(.read(["api-jobs", job]), hiding: secrets, authorization: old.id)
        switch try ZStackClient.job(from: look) {
        case .running: continue
        case .done:
          return SharedSession.Held(id: old.id, account: old.account, openedAt: openedAt, life: .seconds(7200))
        case .failed, .unknown: return nil
        }
      }
    } catch { return nil }
    return nil
  }

  /// A request of the session itself, which must not ask for the session.
  private func direct(
    _ request: ZStackRequest, hiding secrets: [Secret], authorization: Secret?
  ) async throws(StepFailure) -> ZStackReply {
    var headers: [(name: String, value: Secret)] = [
      (name: "Accept", value: .plain("application/json")),
      (name: "Content-Type", value: .plain("application/json;charset=UTF-8")),
    ]
    if let authorization { headers.append(self.authorization(authorization)) }
    if let job = request.job { headers.append((name: "X-Job-UUID", value: .plain(job))) }
    let response = try await connection.send(
      request.method, root + request.target, headers: headers, body: request.json.map { JSONWriter.revealed($0) },
      isRead: true, text: request.text)
    return ZStackReply(request: request, response: response, secrets: secrets, now: connection.clock.now)
  }
}
