import Runbook

/// `ssh.copy`: puts a file, a folder or a text on another machine, or brings a file or a folder from there.
///
/// The content arrives beside its place under another name, is compared with its hash there, and is then renamed:
/// readers see the old content or the new. What lay there before is kept beside it, so that `ssh.put_back` can undo it.
struct SSHCopyAction: StandardAction {
  static let modePattern = "^[0-7]{3,4}$"
  static let ownerPattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$"
  static let declaration = ActionDeclaration(
    "ssh.copy", "copies a file or a folder to another machine, or from there, over the system's OpenSSH",
    fields: SSHFields.declared + [
      Field("upload", .string, help: "file or folder of this machine; relative to the runbook's folder"),
      Field("content", .string, acceptsSecret: true, help: "a text to upload instead; at most 16 MiB; may be a secret"),
      Field("download", .string, help: "file or folder of the other machine; an absolute path"),
      Field(
        "to", .string, required: true,
        help: "the path it has afterwards, not the folder it lies in; absolute on the other machine"),
      Field(
        "mode", .string, pattern: modePattern,
        help: "permissions in octal, of a folder its own; default: those it has there, else the source's, `0600` for a "
          + "text"),
      Field(
        "owner", .string, pattern: ownerPattern,
        help: "`user` or `user:group`; default: whose it is there, else the login's"),
    ],
    outputs: ["path": .string, "changed": .bool, "hash": .string], effect: .change, class: .convergent,
    timeout: .seconds(1800),
    suggestedUndo: "{action: ssh.put_back, with: {host: HOST, before: \"${{ self.before }}\"}}", before: facts
  ).given(SSHFields.context)

  /// What `self.before` holds.
  static let facts: [String: ValueType] = [
    "exists": .bool, "kind": .string, "hash": .string, "mode": .string, "owner": .string, "path": .string,
    "remote": .bool, "key": .string,
  ]
  static let longest = 16 << 20

  let program: SSHProgram

  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let order = try CopyOrder(program, call)
    let found = try await order.files.facts(of: order.target, isRemote: order.isUpload)
    return [
      "exists": .bool(found.kind != .absent), "kind": .string(found.kind.rawValue),
      // A hash of a short secret could be guessed.
      "hash": .string(order.isSecret ? "" : found.hash), "mode": .string(found.mode), "owner": .string(found.ids),
      "path": .string(order.target), "remote": .bool(order.isUpload), "key": .string(call.key),
    ]
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let order = try CopyOrder(program, call)
    let source = try await order.sourceFacts()
    let found = try await order.files.facts(of: order.target, isRemote: order.isUpload)
    if order.isReached(found, source) { return order.result(source, changed: false) }
    switch try await order.send(source) {
    case .answered(let lines):
      try SSHFiles.refusal(lines, at: order.receiver, call)
      if lines.contains("t") {
        throw StepFailure(
          .unreachable, "the copy at \(order.receiver) differs from its source: it was cut off, or changed meanwhile",
          retryable: true)
      }
      guard lines.contains("c") else {
        throw StepFailure(.unreachable, "\(order.receiver) does not say whether the copy succeeded", effect: .unknown)
      }
      return order.result(source, changed: true)
    case .rejected(let failure): throw failure
    case .cut(let failure, _): throw failure
    }
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let order = try CopyOrder(program, call)
    do throws(StepFailure) {
      let source = try await order.sourceFacts()
      let found = try await order.files.facts(of: order.target, isRemote: order.isUpload)
      guard order.isReached(found, source) else { return .notApplied }
      return .applied(order.result(source, changed: true))
    } catch {
      guard error.kind == .unreachable else { throw error }
      // It only looked.
      throw StepFailure(error.kind, error.message, effect: .unknown, retryable: true, detail: error.detail)
    }
  }
}

/// One copy: from where, to where, and when it is done.
struct CopyOrder {
  let files: SSHFiles
  let call: ActionCall
  let isUpload: Bool
  let source: String
  let target: String
  let content: Secret?
  let isSecret: Bool
  private let mode: String?
  private let owner: String?

  init(_ program: SSHProgram, _ call: ActionCall) throws(StepFailure) {
    self.call = call
    files = SSHFiles(ssh: try SSHCommand(program, call.with), call: call)
    let given = ["upload", "content", "download"].filter { call.with[$0] != nil }
    guard let form = given.first, given.count == 1 else {
      throw StepFailure.unfit("exactly one of `upload`, `content` and `download` must be given")
    }
    isUpload = form != "download"
    let to = try call.with.text("to")
    target = isUpload ? to : try call.with.inFolder(to)
    switch form {
    case "content":
      let text = try call.with.revealed("content") ?? ""
      guard text.utf8.count <= SSHCopyAction.longest else {
        throw StepFailure.unfit("`content` is longer than 16 MiB")
      }
      if case .secret(let secret)? = call.with["content"] {
        (content, isSecret) = (secret, true)
      } else {
        (content, isSecret) = (Secret(text, named: []), false)
      }
      source = ""
    default:
      let path = try call.with.text(form)
      (content, isSecret) = (nil, false)
      source = isUpload ? try call.with.inFolder(path) : path
      try Self.check(source, form)
    }
    try Self.check(target, "to")
    mode = try call.with.optionalText("mode").map { String(repeating: "0", count: max(0, 4 - $0.utf8.count)) + $0 }
    owner = try call.with.optionalText("owner")
  }

  /// Whoever receives it, for messages.
  var receiver: String { isUpload ? files.ssh.host : SSHFiles.here }

  private static func check(_ path: String, _ field: String) throws(StepFailure) {
    guard path.hasPrefix("/") else { throw StepFailure.unfit("`\(field)` must be an absolute path") }
    guard !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
      throw StepFailure.unfit("`\(field)` holds a control character")
    }
    guard field != "to" || !["", ".", ".."].contains(path.split(separator: "/", omittingEmptySubsequences: false).last)
    else { throw StepFailure.unfit("`to` must end with the name that the copy is to have") }
  }

  func sourceFacts() async throws(StepFailure) -> FileFacts {
    if let content {
      let hash = Hex.text(SHA256.hash(Array(content.reveal().utf8)))
      return FileFacts(kind: .file, hash: hash, mode: "0600", size: 0, ids: "", names: "")
    }
    let facts = try await files.facts(of: source, isRemote: !isUpload, follows: true)
    guard facts.kind != .absent else {
      throw StepFailure(.notFound, "`\(source)` does not exist on \(isUpload ? SSHFiles.here : files.ssh.host)")
    }
    return facts
  }

  func isReached(_ found: FileFacts, _ source: FileFacts) -> Bool {
    guard found.kind == source.kind, found.hash == source.hash, mode == nil || mode == found.mode else { return false }
    guard let owner else { return true }
    let isGroupFree = !owner.contains(":")
    return [found.ids, found.names].contains { place in
      place == owner || isGroupFree && place.split(separator: ":").first.map(String.init) == owner
    }
  }

  func send(_ source: FileFacts) async throws(StepFailure) -> SSHExchange.Outcome {
    let words = [
      "rb_target": target, "rb_wants": source.kind.rawValue, "rb_hash": source.hash, "rb_source_mode": source.mode,
      "rb_given_mode": mode ?? "", "rb_given_owner": owner ?? "",
    ]
    return isUpload
      ? try await files.upload(self.source, size: source.size, content: content, words)
      : try await files.download(self.source, size: source.size, words)
  }

  func result(_ source: FileFacts, changed: Bool) -> ActionResult {
    ActionResult(outputs: [
      "path": .string(target), "changed": .bool(changed), "hash": .string(isSecret ? "" : source.hash),
    ])
  }
}
