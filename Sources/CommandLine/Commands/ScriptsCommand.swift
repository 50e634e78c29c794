import Posix
import Runbook
import Steps

/// `runbook scripts HOST`.
struct ScriptsCommand: Command {
  static let spec = CommandSpec(
    name: "scripts", summary: "list the scripts that another machine keeps",
    details: """
      Logs in over the system's OpenSSH and lists the scripts that `ssh.run` has started there for this user: scripts \
      that run, and scripts whose output is still there. The output of a script is removed when its outcome is known. \
      It stays if the engine was killed or could not reach the machine; the next `ssh.run` there removes it after the \
      run has ended, and so does --remove.

      The command logs in as `ssh` does: with the user's own configuration, keys and agent. It takes no password.
      """,
    operands: [OperandSpec("HOST", .text, .one, "the machine: `host` or `user@host`")],
    options: [
      .value("port", "N", .number, "the port; default: that of the ssh configuration, else 22"),
      .value("key", "FILE", .file, "a private key"),
      .value("known-hosts", "FILE", .file, "known host keys, instead of the user's"),
      .value("jump", "HOST", .text, "the machine to go through: `user@host:port`"),
      .value("become", "USER", .text, "the user to become there, by sudo"),
      .flag("remove", "remove the files of ended runs"),
    ],
    examples: [
      .init("runbook scripts deploy@web01.example.com", "list the scripts there that run or have left output"),
      .init("runbook scripts deploy@web01.example.com --become root", "list the scripts of root"),
    ],
    group: .around)

  private let host: String
  private let fields: [String: Value]
  private let removes: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    let place = try arguments.required("HOST")
    let parts = place.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    host = parts.last ?? place
    var fields: [String: Value] = ["host": .string(host), "_cwd": .string(RunbookFile.realPath(".") ?? ".")]
    if parts.count == 2 { fields["user"] = .string(parts[0]) }
    if let port = try arguments.number("port", in: 1...65_535) { fields["port"] = .int(port) }
    for (option, field) in [("key", "key"), ("known-hosts", "known_hosts"), ("jump", "jump"), ("become", "become")] {
      if let text = arguments.value(option) { fields[field] = .string(text) }
    }
    self.fields = fields
    removes = arguments.flag("remove")
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let access = try storeIfAny(shell)
      let parent = Environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
      guard let scratch = Folder.makeTemporary(in: parent) else {
        throw Refusal(
          .failed, .temporary, "no folder can be made in `\(DisplayText.escaped(parent, limit: 300))`",
          hint: "TMPDIR names another place")
      }
      defer { _ = Folder.removeTree(scratch) }
      let world = Composition.realWorld(scripts: scratch)
      var kept: [KeptRemoteScript]
      var removed = 0
      do throws(StepFailure) {
        let remote = try RemoteScripts(fields, over: SSHProgram(), in: world)
        kept = try await remote.list()
        let runs = await runs(of: kept, access)
        let left = kept.filter { isLeft($0, runs) }
        if removes, !left.isEmpty {
          kept = try await remote.list(removing: left.map { $0.key })
          let still = Set(kept.map { $0.key })
          removed = left.count { !still.contains($0.key) }
        }
      } catch {
        throw refusal(error)
      }
      tell(kept, removed, await runs(of: kept, access), shell)
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  /// Without a store nothing is known of any run.
  private func storeIfAny(_ shell: Shell) throws(Refusal) -> StoreAccess? {
    do throws(Refusal) { return try StoreAccess(shell, creates: false) } catch {
      guard error.has(.notFound) else { throw error }
      return nil
    }
  }

  /// The runs of these scripts that the store knows, by id.
  private func runs(of scripts: [KeptRemoteScript], _ access: StoreAccess?) async -> [String: RunSummary] {
    var runs: [String: RunSummary] = [:]
    for script in scripts where runs[script.run] == nil {
      runs[script.run] = try? await access?.store.summary(of: script.run)
    }
    return runs
  }

  /// Whether nobody will ask for it again.
  private func isLeft(_ script: KeptRemoteScript, _ runs: [String: RunSummary]) -> Bool {
    !script.isRunning && runs[script.run]?.isOver == true
  }

  private func refusal(_ failure: StepFailure) -> Refusal {
    if failure.kind == .input { return Refusal(.usage, .ssh, failure.message, hint: UsageError.help("scripts")) }
    let words = failure.detail["stderr"]?.string?.split(separator: "\n").last.map(String.init)
    return Refusal(
      .failed, .ssh, DisplayText.escaped(failure.message, limit: 1000),
      hint: words.map { "\(host) or the OpenSSH client says: \(DisplayText.escaped($0, limit: 500))" })
  }

  // MARK: Telling

  private func tell(_ kept: [KeptRemoteScript], _ removed: Int, _ runs: [String: RunSummary], _ shell: Shell) {
    if shell.wantsJSON {
      shell.output.result(
        json: [
          "v": 1, "host": .string(host), "removed": .int(Int64(removed)),
          "scripts": .list(kept.map { json($0, runs) }),
        ])
      return
    }
    if removed > 0 { shell.note("removed the files of \(Self.count(removed))") }
    guard !kept.isEmpty else {
      shell.note("\(host) keeps no script of this user")
      return
    }
    var lines = [StyledText("RUN                   STARTED      STATE               OUTPUT", .faint)]
    for script in kept {
      let run = runs[script.run]
      let age = script.age.map { "\($0.elapsedSeconds) ago" } ?? "never"
      let (state, role) = Self.state(script)
      let name = run.map { "\(DisplayText.escaped($0.name, limit: 32)), \(Self.state($0))" } ?? "not in this store"
      lines.append(
        StyledText("\(DisplayText.escaped(script.run, limit: 20))  \(DisplayWidth.padded(age, to: 11))  ")
          + StyledText(DisplayWidth.padded(state, to: 18) + "  ", role)
          + "\(DisplayWidth.padded(ByteCount.text(script.bytes), to: 10))  \(name)")
      lines.append(StyledText("  " + DisplayText.escaped(script.folder, limit: 300), .faint))
    }
    shell.print(lines)
    let left = kept.count { isLeft($0, runs) }
    if left > 0 { shell.note("\(Self.count(left)) of a run that has ended: --remove removes the files") }
  }

  private func json(_ script: KeptRemoteScript, _ runs: [String: RunSummary]) -> Value {
    let run = runs[script.run]
    return [
      "key": .string(script.key), "run_id": .string(script.run), "folder": .string(script.folder),
      "state": .string(script.state), "exit_code": script.exitCode.map { .int(Int64($0)) } ?? .null,
      "cause": script.cause.map { .string($0) } ?? .null, "bytes": .int(script.bytes),
      "started_ago": script.age.map { .int($0.components.seconds) } ?? .null,
      "run_status": run.map { .string($0.status) } ?? .null, "over": .bool(isLeft(script, runs)),
    ]
  }

  private static func state(_ script: KeptRemoteScript) -> (String, StyledText.Role) {
    switch script.state {
    case "running", "starting": (script.state, .active)
    case "unkept": ("running, no keeper", .warning)
    case "absent": ("not started", .faint)
    case "lost": ("ended, code unknown", .warning)
    case "rebooted": ("ended by a reboot", .warning)
    default:
      switch (script.cause, script.exitCode) {
      case ("exited", let code?): ("ended, exit \(code)", code == 0 ? .good : .bad)
      case ("timeout", _): ("stopped, too late", .bad)
      case ("cancelled", _): ("cancelled", .warning)
      default: (DisplayText.escaped(script.state, limit: 18), .faint)
      }
    }
  }

  private static func state(_ run: RunSummary) -> String {
    run.status == "ended"
      ? RunWords.outcome(run.outcome, rollback: run.rollback)
      : RunWords.spaced(DisplayText.escaped(run.status, limit: 40))
  }

  private static func count(_ number: Int) -> String { number == 1 ? "1 script" : "\(number) scripts" }
}
