import Runbook

/// `file.write`: puts a text into a file of this machine, atomically: readers see the old content or the new.
struct WriteFileAction: StandardAction {
  static let longest = 16 << 20
  static let declaration = ActionDeclaration(
    "file.write", "writes a file, atomically",
    fields: [
      Field("path", .string, required: true, help: "absolute, or relative to the runbook's folder"),
      Field(
        "content", .string, required: true, acceptsSecret: true,
        help: "the text; at most 16 MiB; may be a secret, and may be empty"
      ).orEmpty,
      Field(
        "mode", .string, pattern: "^0?[0-7]{3}$",
        help: "permissions in octal; default: those of the existing file, `0600` for a new one"),
    ],
    outputs: ["path": .string], effect: .change, class: .convergent,
    suggestedUndo: "{action: file.write, if: self.before.exists, with: {path: PATH, content: "
      + "\"${{ self.before.content }}\", mode: \"${{ self.before.mode }}\"}}",
    before: ["exists": .bool, "content": .optional(.string), "mode": .optional(.string)], isDiagnostic: true
  ).given([.folder]).setting(\.changesOnlyThisMachine, to: true)

  /// Longest content that is read for the undo, in bytes.
  static let longestBefore = 1 << 20

  var maxRequestLife: Duration { .zero }
  var answersAtOnce: Bool { true }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let (path, content) = try request(call)
    var mode: UInt16?
    if let text = try call.with.optionalText("mode") {
      mode = UInt16(text, radix: 8)
      guard let mode, mode <= 0o777 else {
        throw StepFailure.unfit("`mode` must be octal permissions such as \"0644\"")
      }
    }
    try await call.files.write(path, content: content, mode: mode)
    return ActionResult(outputs: ["path": .string(path)])
  }

  /// The content is read only for an undo that puts it back. One that could not be put back is not replaced.
  func capture(_ call: ActionCall) async throws(StepFailure) -> [String: Value] {
    let path = try call.with.inFolder(call.with.text("path"))
    guard let status = try await call.files.status(path) else {
      return ["exists": false, "content": .null, "mode": .null]
    }
    let digits = String(status.mode & 0o777, radix: 8)
    var before: [String: Value] = [
      "exists": true, "content": .null, "mode": .string(String(repeating: "0", count: 4 - digits.count) + digits),
    ]
    guard call.neededBefore.contains("content") else { return before }
    guard status.size <= Self.longestBefore,
      let bytes = try await call.files.read(path, limit: Self.longestBefore),
      let text = String(validating: bytes, as: UTF8.self)
    else {
      throw StepFailure.unfit(
        "`\(path)` is longer than 1 MiB or no text, so the undo could not put it back; copy the file in a step before")
    }
    before["content"] = .string(text)
    return before
  }

  func probe(_ call: ActionCall) async throws(StepFailure) -> ProbeAnswer {
    let (path, content) = try request(call)
    do throws(StepFailure) {
      guard try await call.files.read(path, limit: content.count) == content else { return .notApplied }
    } catch {
      // Longer than what we write, or no file at all: not ours.
      if error.kind == .input { return .notApplied }
      throw error
    }
    return .applied(ActionResult(outputs: ["path": .string(path)]))
  }

  private func request(_ call: ActionCall) throws(StepFailure) -> (path: String, content: [UInt8]) {
    let path = try call.with.text("path")
    guard let content = try call.with.revealed("content") else { throw StepFailure.unfit("`content` is missing") }
    guard content.utf8.count <= Self.longest else { throw StepFailure.unfit("`content` is longer than 16 MiB") }
    return (try call.with.inFolder(path), Array(content.utf8))
  }
}
