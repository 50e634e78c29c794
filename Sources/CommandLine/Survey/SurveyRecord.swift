import Glibc
import Posix
import Runbook

/// What `--record FILE` writes: every exchange of a survey, without what could give an account or its owner away. Names
/// and types of fields stay, and values that tell a state, a time or a size.
struct SurveyRecord {
  private var pseudonyms: [String: String] = [:]
  private let masker: Masker

  /// - Parameter secrets: those of the block; what was sent in headers and as a session is masked too.
  static func document(
    _ exchanges: [Exchange], of name: String, _ findings: [SurveyFinding], secrets: [Secret], at instant: Timestamp
  ) -> Value {
    var record = SurveyRecord(masker: Masker(secrets + SurveyRecord.passes(in: exchanges)))
    return [
      "v": 1, "provider": .string(name), "at": .timestamp(instant),
      "exchanges": .list(exchanges.map { record.exchange($0) }),
      "findings": .list(findings.map { $0.json }),
    ]
  }

  private init(masker: Masker) { self.masker = masker }

  /// Words of headers and of fields that prove who asks.
  private static func passes(in exchanges: [Exchange]) -> [Secret] {
    var words: Set<String> = []
    for exchange in exchanges {
      for header in exchange.headers where isSecret(header.name) {
        words.formUnion(header.value.split(separator: " ").map { String($0) })
      }
      for pair in Exchange.pairs(in: exchange.body) where isSecret(pair.name) { words.insert(pair.value) }
    }
    return words.filter { $0.utf8.count >= 6 }.map { Secret($0, named: []) }
  }

  // MARK: One exchange

  private mutating func exchange(_ exchange: Exchange) -> Value {
    let kept = ["content-type", "content-length", "date", "retry-after"]
    let headers = exchange.response.headers.map { header -> (String, Value) in
      let isShown = kept.contains(header.name) || header.name.contains("ratelimit")
      return (header.name, .string(isShown ? shown(header.value) : "***"))
    }
    let reply: Value
    if let json = exchange.json {
      reply = value(json, named: "")
    } else {
      reply = .string("(\(exchange.response.body.count) bytes that are no JSON)")
    }
    return [
      "request": [
        "method": .string(exchange.method), "target": .string(target(exchange.url)),
        "headers": .list(exchange.headers.map { .string($0.name) }), "body": body(exchange.body),
      ],
      "response": [
        "status": .int(Int64(exchange.response.status)),
        "headers": .map(Dictionary(headers, uniquingKeysWith: { first, _ in first })), "body": reply,
      ],
    ]
  }

  /// Path and query; the host is the account's own.
  private func target(_ url: String) -> String {
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    return shown(parts.count == 4 ? "/\(parts[3])" : "/")
  }

  private mutating func body(_ bytes: [UInt8]) -> Value {
    if bytes.isEmpty { return .null }
    if let json = try? JSONReader.read(bytes) { return value(json, named: "") }
    let pairs = Exchange.pairs(in: bytes)
    guard !pairs.isEmpty else { return .string("(\(bytes.count) bytes)") }
    return .map(
      Dictionary(
        pairs.map { pair in (pair.name, value(.string(pair.value), named: pair.name)) },
        uniquingKeysWith: { first, _ in first }))
  }

  // MARK: Values

  private mutating func value(_ value: Value, named name: String) -> Value {
    switch value {
    case .map(let entries):
      // The names in them are their owner's.
      if ["labels", "tags", "metadata"].contains(name.lowercased()), !entries.isEmpty {
        return .string("(object of \(entries.count) fields)")
      }
      // In the order of the names, so that the same account gives the same file.
      var redacted: [String: Value] = [:]
      for (key, inner) in entries.sorted(by: { $0.key < $1.key }) {
        redacted[shown(key)] = self.value(inner, named: key == "$" ? name : key)
      }
      return .map(redacted)
    case .list(let items): return .list(items.map { self.value($0, named: name) })
    case .string(let text): return .string(self.text(text, named: name))
    case .int, .double: return SurveyRecord.isSecret(name) ? .string("***") : value
    default: return value
    }
  }

  private mutating func text(_ text: String, named name: String) -> String {
    if text.isEmpty { return text }
    if SurveyRecord.isSecret(name) { return "***" }
    let masked = masker.mask(text)
    if masked != text { return "***" }
    if SurveyRecord.isPersonal(name) || text.contains("@") || SurveyRecord.isAddress(text) {
      let word = name.isEmpty ? "text" : name.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "_" }
      let known = pseudonyms[text] ?? "\(word)-\(pseudonyms.count + 1)"
      pseudonyms[text] = known
      return known
    }
    return text.utf8.count > 80 ? "(text of \(text.unicodeScalars.count) characters)" : text
  }

  private func shown(_ text: String) -> String { masker.mask(text) }

  /// Fields that prove who somebody is.
  private static func isSecret(_ name: String) -> Bool {
    let name = name.lowercased().filter { $0 != "_" && $0 != "-" }
    let words = [
      "password", "passwd", "token", "secret", "session", "auth", "cookie", "signature", "apikey", "accesskey",
      "privatekey", "qrcode", "totp", "otp", "hash", "credential", "sshkey", "publickey", "fingerprint", "certificate",
      "userdata",
    ]
    return words.contains { name.contains($0) } || ["key", "pass", "pin", "sid"].contains(name)
  }

  /// Fields that tell who or where somebody is.
  private static func isPersonal(_ name: String) -> Bool {
    let name = name.lowercased()
    let parts = name.split { !$0.isLetter }.map { String($0) }
    let words: Set<String> = [
      "name", "hostname", "host", "fqdn", "domain", "title", "description", "comment", "note", "notes", "ip",
      "ips", "ipv", "address", "addresses", "mac", "gateway", "netmask", "email", "mail", "phone", "user", "username",
      "login", "owner", "label", "labels", "tag", "tags", "metadata", "account", "company", "city", "street",
      "displayname", "url", "link", "href",
    ]
    return !words.isDisjoint(with: parts) || name.hasSuffix("name") || name.hasSuffix("ip")
  }

  /// An IPv4 or IPv6 address, alone or with a length of its prefix.
  private static func isAddress(_ text: String) -> Bool {
    let host = text.split(separator: "/", maxSplits: 1).first.map { String($0) } ?? text
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) { return true }
    return host.filter { $0 == ":" }.count >= 2 && host.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
      && !host.allSatisfy { $0.isNumber || $0 == ":" }
  }

  // MARK: The file

  static func write(_ document: Value, to file: Descriptor, path: String) throws(Refusal) {
    do throws(PosixError) { try file.write(JSONWriter.bytes(document) + [0x0a]) } catch {
      let shown = DisplayText.escaped(path, limit: 300)
      throw Refusal(.failed, error.isDiskFull ? .diskFull : .file, "`\(shown)` cannot be written: \(error.reason)")
    }
  }

  /// - Throws: a file that is there already, which stays as it is; or a place that cannot be written.
  static func open(_ path: String) throws(Refusal) -> Descriptor {
    let shown = DisplayText.escaped(path, limit: 300)
    do throws(PosixError) { return try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600) } catch {
      if error.isExisting {
        throw Refusal(.usage, .file, "`\(shown)` exists already, and is not replaced", hint: "name another file")
      }
      throw Refusal(
        .usage, .file, "`\(shown)` cannot be written: \(error.reason)", hint: "name a file in a folder that exists")
    }
  }
}
