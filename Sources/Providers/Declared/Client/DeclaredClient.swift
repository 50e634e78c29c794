import ProviderKit
import Runbook

/// An account of a declared cloud: templates out, servers and items or a `StepFailure` back.
struct DeclaredClient: RemoteCloud {
  /// More pages, or items, than any account has: a list that goes on is broken.
  static let pageLimit = 100
  static let itemLimit = 10_000

  let manifest: ProviderManifest
  let connection: Connection
  /// The block's own fields, as templates read them; null where one is not given.
  private let fields: Value
  private let secrets: [Secret]
  /// Of the run's secrets and this account's.
  let masker: Masker

  var service: String { manifest.service }

  init(_ manifest: ProviderManifest, connection: Connection, settings: Arguments) throws(StepFailure) {
    self.manifest = manifest
    self.connection = connection
    var fields: [String: Value] = [:]
    var secrets: [Secret] = []
    for field in manifest.fields {
      var value = settings[field.name] ?? field.defaultValue ?? .null
      if field.required, value.isNull || value == "" {
        throw StepFailure.unfit("`\(field.name)` is missing: \(field.help)")
      }
      if field.acceptsSecret, let text = value.string { value = .secret(Secret(text, named: [])) }
      if case .secret(let secret) = value {
        guard !secret.isEmpty || !field.required else {
          throw StepFailure.unfit("`\(field.name)` is empty: \(field.help)")
        }
        secrets.append(secret)
      }
      fields[field.name] = value
    }
    self.fields = .map(fields)
    self.secrets = secrets
    masker = Masker(secrets + connection.secrets)
  }

  /// What the templates of a request may read.
  struct Roots: Sendable {
    var with: [String: Value] = [:]
    var before: [String: Value] = [:]
    var key = ""
    var run = ""
  }

  /// Sends, and throws for every status but 2xx.
  func send(_ request: RequestRule, _ roots: Roots) async throws(StepFailure) -> DeclaredReply {
    let scope = scope(roots)
    return try await send(request, to: try target(request, scope), scope)
  }

  private func scope(_ roots: Roots) -> DictionaryScope {
    DictionaryScope(
      [
        "fields": fields, "with": .map(roots.with), "before": .map(roots.before),
        "call": ["key": .string(roots.key), "run": .string(roots.run)],
      ], now: connection.clock.now)
  }

  private func target(
    _ request: RequestRule, _ scope: DictionaryScope, argument: (name: String, value: String)? = nil
  ) throws(StepFailure) -> String {
    do throws(ExpressionFailure) {
      guard let path = try request.path.evaluateURL(in: scope).string, path.hasPrefix("/") else {
        throw ExpressionFailure("the path is no text")
      }
      var arguments: [String] = []
      for (name, template) in request.query where name != argument?.name {
        guard let text = try template.evaluate(in: scope).plainWord else { continue }
        arguments.append("\(name.percentEncoded)=\(text.percentEncoded)")
      }
      if let argument { arguments.append("\(argument.name.percentEncoded)=\(argument.value.percentEncoded)") }
      return connection.base.path + path + (arguments.isEmpty ? "" : "?" + arguments.joined(separator: "&"))
    } catch {
      throw StepFailure.unfit("\(request.text): \(error.message)")
    }
  }

  private func send(
    _ request: RequestRule, to target: String, _ scope: DictionaryScope
  ) async throws(StepFailure) -> DeclaredReply {
    var headers: [(name: String, value: Secret)] = []
    var body: [UInt8]?
    do throws(ExpressionFailure) {
      for (name, template) in manifest.headers {
        switch try template.evaluate(in: scope) {
        case .secret(let secret): headers.append((name: name, value: secret))
        case let value: if let text = value.plainWord { headers.append((name: name, value: .plain(text))) }
        }
      }
      body = try request.json.map { template throws(ExpressionFailure) in
        JSONWriter.revealed(try template.evaluate(in: scope).withoutNulls)
      }
    } catch {
      throw StepFailure.unfit("\(request.text): \(error.message)")
    }
    for (name, value) in headers where value.reveal().utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
      throw StepFailure.unfit("the header `\(name)` would hold a line break or a control character")
    }
    for (name, value) in [("Accept", "application/json"), ("Content-Type", "application/json")]
    where !headers.contains(where: { $0.name.lowercased() == name.lowercased() }) {
      headers.append((name: name, value: .plain(value)))
    }
    let response = try await connection.send(
      request.method, target, headers: headers, body: body, isRead: request.isRead, text: request.text)
    let reply = DeclaredReply(
      service: service, rules: manifest.errors, request: request, response: response, secrets: secrets,
      masker: masker, now: connection.clock.now)
    if let failure = reply.failure { throw failure }
    return reply
  }

  // MARK: Lists

  /// All pages of a list, each item through `model`. The link to a page may lead only to our own host.
  func list<Model>(
    _ rule: ListRule, _ roots: Roots, id: (Model) -> String, _ model: (Value) throws(SchemaError) -> Model
  ) async throws(StepFailure) -> [Model] {
    let scope = scope(roots)
    var target = try target(rule.request, scope)
    var visited: Set<String> = []
    var ids: Set<String> = []
    var models: [Model] = []
    while true {
      guard visited.insert(target).inserted, visited.count <= DeclaredClient.pageLimit,
        models.count <= DeclaredClient.itemLimit
      else {
        throw StepFailure(.server, "the list at \(rule.request.text) of \(service) does not end")
      }
      let reply = try await send(rule.request, to: target, scope)
      let result = DictionaryScope(["result": try reply.json()], now: connection.clock.now, masker: masker)
      let items = try items(rule, result, reply)
      do throws(SchemaError) {
        for item in items {
          let model = try model(item)
          if ids.insert(id(model)).inserted { models.append(model) }
        }
      } catch { throw reply.misshapen(error.message) }
      guard !rule.isFirstPageEnough, let next = try next(result, reply) else { return models }
      guard let query = manifest.paging?.query else {
        guard let link = connection.base.target(of: next) else {
          throw reply.malformed("the link to the next page leads to another host")
        }
        target = link
        continue
      }
      target = try self.target(rule.request, scope, argument: (query, next))
    }
  }

  private func items(
    _ rule: ListRule, _ result: DictionaryScope, _ reply: DeclaredReply
  ) throws(StepFailure) -> [Value] {
    do throws(SchemaError) {
      if let items = try rule.items.value(in: result).list { return items }
      throw SchemaError(message: "`\(rule.items.source)` is no list")
    } catch { throw reply.misshapen(error.message) }
  }

  private func next(_ result: DictionaryScope, _ reply: DeclaredReply) throws(StepFailure) -> String? {
    do throws(SchemaError) {
      let next = try manifest.paging?.next.value(in: result).plainWord
      return next?.isEmpty == true ? nil : next
    } catch { throw reply.misshapen(error.message) }
  }

  /// Whose credential it is, if the provider tells, and the difference of the clocks.
  func whoAmI() async throws(StepFailure) -> (identity: String?, skew: Duration?) {
    guard let check = manifest.check else {
      let rule = manifest.servers.list
      let reply = try await send(rule.request, Roots())
      _ = try items(
        rule, DictionaryScope(["result": try reply.json()], now: connection.clock.now, masker: masker), reply)
      return (nil, reply.response.clockSkew(now: connection.clock.now))
    }
    let reply = try await send(check.request, Roots())
    let result = DictionaryScope(["result": try reply.json()], masker: masker)
    let identity: String?
    do throws(SchemaError) { identity = try check.identity?.value(in: result).plainWord?.excerpt(200) } catch {
      throw reply.misshapen(error.message)
    }
    return (identity, reply.response.clockSkew(now: connection.clock.now))
  }

  func checkID(_ id: String, _ what: String) throws(StepFailure) {
    guard id.isUsableID else { throw StepFailure.unfit("`\(id.excerpt(40))` cannot be the id of a \(what)") }
  }
}

extension Expression {
  /// As `evaluate`, for what a reply holds; an absent optional is null.
  func value(in scope: DictionaryScope) throws(SchemaError) -> Value {
    do throws(ExpressionFailure) { return try evaluate(in: scope).unwrapped } catch {
      throw SchemaError(message: error.message.excerpt(300))
    }
  }
}

extension Value {
  /// A scalar as text; nil for null.
  var plainWord: String? {
    switch self {
    case .string(let text): text
    case .int(let number): String(number)
    case .double(let number): Int64(exactly: number).map { String($0) } ?? String(number)
    case .bool(let flag): String(flag)
    case .duration(let duration): duration.text
    case .timestamp(let time): time.description
    default: nil
    }
  }

  /// Entries that are null are left out: a field that was not given is not sent.
  var withoutNulls: Value {
    switch self {
    case .map(let entries): .map(entries.filter { !$0.value.unwrapped.isNull }.mapValues { $0.withoutNulls })
    case .list(let items): .list(items.map { $0.withoutNulls })
    default: self
    }
  }
}
