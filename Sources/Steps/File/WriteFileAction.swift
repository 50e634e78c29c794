import Runbook

/// `file.write`: puts a text into a file of this machine, atomically: readers see the old content or the new.
struct WriteFileAction: StandardAction {
  static let longest = 16 << 20
  static let declaration = ActionDeclaration(
    "file.write", "writes a file, atomically",
    fields: [
      Field("path", .string, required: true, help: "absolute, or relative to the runbook's folder"),
      Field("content", .string, required: true, acceptsSecret: true, help: "the text; at most 16 MiB; may be a secret"),
      Field("mode", .string, default: "0600", pattern: "^0?[0-7]{3}$", help: "permissions in octal; default `0600`"),
    ],
    outputs: ["path": .string], effect: .change, class: .convergent, isDiagnostic: true
  ).given([.folder])

  var maxRequestLife: Duration { .zero }
  var answersAtOnce: Bool { true }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let (path, content) = try request(call)
    guard let mode = UInt16(try call.with.optionalText("mode") ?? "0600", radix: 8), mode <= 0o777 else {
      throw StepFailure.unfit("`mode` must be octal permissions such as \"0644\"")
    }
    try await call.files.write(path, content: content, mode: mode)
    return ActionResult(outputs: ["path": .string(path)])
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
