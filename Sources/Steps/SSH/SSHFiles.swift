import Runbook

/// A file or a folder, as one of the two machines sees it.
struct FileFacts: Equatable {
  enum Kind: String { case absent, file, folder }
  var kind: Kind
  /// SHA-256 in hex; empty if it is absent.
  var hash: String
  /// Four octal digits.
  var mode: String
  /// In bytes, of a file that tells it; else 0.
  var size: Int
  /// `UID:GID`, and the names of both.
  var ids: String
  var names: String

  static let absent = FileFacts(kind: .absent, hash: "", mode: "", size: 0, ids: "", names: "")

  init(kind: Kind, hash: String, mode: String, size: Int, ids: String, names: String) {
    (self.kind, self.hash, self.mode, self.size, self.ids, self.names) = (kind, hash, mode, size, ids, names)
  }

  /// - Parameter lines: an answer of `copy.sh`.
  /// - Throws: what it refuses, `rejected`; the effect is `none`.
  init(_ lines: [String], at place: String, _ call: ActionCall) throws(StepFailure) {
    try SSHFiles.refusal(lines, at: place, call)
    let words = lines.first { $0.hasPrefix("i ") }?.split(separator: " ").map(String.init) ?? []
    guard words.count >= 7, let size = Int(words[4]), size >= 0, let kind = Kind(rawValue: words[1]) else {
      throw StepFailure(.rejected, "\(place) does not say which files are there")
    }
    self.kind = kind
    if kind == .absent {
      self = .absent
      return
    }
    (hash, mode, self.size, ids, names) = (words[2], words[3], size, words[5], words[6...].joined(separator: " "))
    guard hash.utf8.count == 64, hash.allSatisfy(\.isHexDigit), mode.utf8.count == 4,
      mode.allSatisfy({ ("0"..."7").contains($0) })
    else { throw StepFailure(.rejected, "\(place) does not say which files are there") }
  }
}

/// Runs `copy.sh` on this machine or on the other one, or on both with a connection between them.
struct SSHFiles {
  let ssh: SSHCommand
  let call: ActionCall

  static let library = String(decoding: PackageResources.copy_sh, as: UTF8.self)

  private var exchange: SSHExchange { SSHExchange(ssh, call) }
  /// Everything after this line is content.
  private var data: String { "runbook \(call.key) data" }
  static let here = "this machine"

  /// Longest time for reading and hashing what is there.
  private var share: Duration { max(call.deadline - call.clock.now, .seconds(1)) }

  /// The library and an order, as shell text.
  private func text(_ order: String, _ words: [String: String]) -> String {
    let variables = words.sorted { $0.key < $1.key }.map { "\($0.key)=\(ShellText.quoted($0.value))" }
    return (["rb_key=\(call.key)"] + variables).joined(separator: "\n") + "\n\(Self.library)\n\(order)\n"
  }

  func ask(_ order: String, _ words: [String: String], isRemote: Bool) async throws(StepFailure) -> [String] {
    let text = text(order, words)
    guard isRemote else { return try await here(text) }
    switch try await exchange.ask(text, share: share) {
    case .answered(let lines): return lines
    case .rejected(let failure): throw failure
    case .cut(let failure, _): throw failure
    }
  }

  private func here(_ text: String) async throws(StepFailure) -> [String] {
    let request = ScriptRequest(key: call.key, command: ["/bin/sh", "-s"])
    let input = Secret(exchange.text(text), named: [])
    let end = try await call.scripts.run(request, stdin: input, timeout: share)
    return String(decoding: end.stdout, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  func facts(of path: String, isRemote: Bool, follows: Bool = false) async throws(StepFailure) -> FileFacts {
    let words = ["rb_target": path, "rb_follows": follows ? "1" : ""]
    let lines: [String]
    do throws(StepFailure) { lines = try await ask("rb_facts", words, isRemote: isRemote) } catch {
      throw error.kind == .cancelled ? error : error.ofLook
    }
    return try FileFacts(lines, at: isRemote ? ssh.host : Self.here, call)
  }

  // MARK: Content on its way

  /// Sends what lies at `source` here, or `content`, and puts it in its place there.
  func upload(
    _ source: String, size: Int, content: Secret?, _ words: [String: String]
  ) async throws(StepFailure) -> SSHExchange.Outcome {
    let order = marked(text("rb_put", words))
    // The login's shell runs this, whichever it is. `dd` takes no byte more than it is told.
    let reader = ["/bin/sh", "-c", "'eval \"$(dd bs=1 count=\(order.utf8.count) 2>/dev/null)\"'"]
    if let content {
      let input = Secret.joined([.plain(order), .secret(content)])
      return try await exchange.run(reader, input: input, share: share)
    }
    let feeder =
      if words["rb_wants"] == FileFacts.Kind.folder.rawValue { "tar -C \"$from\" -cf - ." } else if size > 0 {
        "head -c \(size) \"$from\""
      } else { "cat \"$from\"" }
    let script = "from=$1; shift; { cat; \(feeder); } | exec \"$@\""
    return try await exchange.run(reader, input: Secret(order, named: []), share: share) { client in
      ["/bin/sh", "-c", script, "sh", source] + client
    }
  }

  /// Has what lies at `source` there sent, and puts it in its place here.
  func download(
    _ source: String, size: Int, _ words: [String: String]
  ) async throws(StepFailure) -> SSHExchange.Outcome {
    let sending = text("rb_send", ["rb_target": source, "rb_data": data, "rb_size": String(size)])
    let order = "{ ( eval \(ShellText.quoted(sending)) ); exit 0; }\n"
    let script = """
      "$@" | {
        while IFS= read -r rb_line; do [ "$rb_line" != '\(data)' ] || break; done
        [ "$rb_line" = '\(data)' ] || exit 255
      \(marked(text("rb_put", words)))
      }
      """
    return try await exchange.run(["/bin/sh", "-s"], input: Secret(order, named: []), share: share) { client in
      ["/bin/sh", "-c", script, "sh"] + client
    }
  }

  /// With the marks between which `SSHExchange` reads the answer.
  private func marked(_ text: String) -> String {
    "printf '\\n%s\\n' '\(exchange.beginning)'\n( eval \(ShellText.quoted(text)) )\n"
      + "printf '\\n%s\\n' '\(exchange.ending)'\nexit 0\n"
  }

  /// Throws what `copy.sh` refuses.
  static func refusal(_ lines: [String], at place: String, _ call: ActionCall) throws(StepFailure) {
    guard let line = lines.first(where: { $0.hasPrefix("n ") }) else { return }
    let words = String(decoding: call.mask(Array(line.dropFirst(2).utf8)), as: UTF8.self).prefix(1000)
    throw StepFailure(words.contains("disk is full") ? .limit : .rejected, "\(place): \(words)")
  }
}
