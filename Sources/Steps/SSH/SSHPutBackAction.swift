import Runbook

/// `ssh.put_back`: the undo of `ssh.copy`. What lay in the place of the copy is there again, with its owner and mode;
/// if there was nothing, the copy is removed.
struct SSHPutBackAction: StandardAction {
  static let declaration = ActionDeclaration(
    "ssh.put_back", "undoes an `ssh.copy`: puts the old file back, or removes the copy if there was none",
    fields: SSHFields.declared + [
      Field("before", .map, required: true, help: "the state before the copy: `${{ self.before }}` in its `rollback`")
    ],
    outputs: ["path": .string], effect: .change, class: .convergent, timeout: .seconds(300), suggestedUndo: "none"
  ).given(SSHFields.context)

  let program: SSHProgram

  private struct Place {
    let path: String
    let key: String
    let kind: String
    let hash: String
    let isRemote: Bool
  }

  func perform(_ call: ActionCall) async throws(StepFailure) -> ActionResult {
    let place = try Self.place(call)
    let files = SSHFiles(ssh: try SSHCommand(program, call.with), call: call)
    // The key of the copy, by which what it kept is found.
    let words = ["rb_target": place.path, "rb_had": place.kind, "rb_hash": place.hash]
    let order = "rb_key=\(ShellText.quoted(place.key))\nrb_back"
    let lines = try await files.ask(order, words, isRemote: place.isRemote)
    let host = place.isRemote ? files.ssh.host : SSHFiles.here
    try SSHFiles.refusal(lines, at: host, call)
    if lines.contains("m") {
      throw StepFailure(
        .conflict,
        "the file that was at \(place.path) on \(host) before the copy is not kept any more, and something "
          + "else is there now")
    }
    guard lines.contains("c") || lines.contains("u") else {
      throw StepFailure(.unreachable, "\(host) does not say whether \(place.path) was put back", effect: .unknown)
    }
    return ActionResult(outputs: ["path": .string(place.path)])
  }

  private static func place(_ call: ActionCall) throws(StepFailure) -> Place {
    guard let before = call.with["before"]?.map, let path = before["path"]?.string, let key = before["key"]?.string,
      let kind = before["kind"]?.string, let isRemote = before["remote"]?.bool
    else {
      throw StepFailure.unfit("`before` must be the state before an `ssh.copy`: `${{ self.before }}` in its `rollback`")
    }
    guard key.utf8.allSatisfy({ $0.isKeyByte }), (1...64).contains(key.utf8.count), path.hasPrefix("/"),
      !path.utf8.contains(where: { $0 < 0x20 })
    else { throw StepFailure.unfit("`before` is not the state before an `ssh.copy`") }
    return Place(path: path, key: key, kind: kind, hash: before["hash"]?.string ?? "", isRemote: isRemote)
  }
}

extension UInt8 {
  /// `[a-z0-9_-]`: what keys of steps are made of.
  fileprivate var isKeyByte: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
