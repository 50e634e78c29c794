import Operations
import Posix
import Runbook
import Stores

/// `runbook logs RUN [--follow] [--output STEP] [--grep TEXT]`.
struct LogsCommand: Command {
  static let spec = CommandSpec(
    name: "logs", summary: "print the events of a run, one on each line, or the output of a step",
    details: """
      With `--output` it prints the stored output of a step's scripts, secrets masked: of the last attempt, first \
      stdout, then stderr. With `--grep` it prints every line of output that holds a text, with its step and number; \
      the exit code is 1 if there is none. Both can be used while the run goes on.
      """,
    operands: [RunOptions.run],
    options: [
      .value("step", "PATTERN", .text, "only these steps: `wave[3].*`, `wave[*].one`; quote it for the shell"),
      .flag("follow", "go on until the run ends, and end with its exit code"),
      .value("output", "STEP", .text, "the output of this step's script, instead of the events"),
      .value("stream", "stdout|stderr", .words(["stdout", "stderr"]), "only this stream of the output"),
      .value("from", "LINE", .number, "begin with this line of the output, counted from 1"),
      .value("grep", "TEXT", .text, "lines of output that hold this text, of all steps or of `--output`"),
      .flag("regex", "the text of `--grep` is an extended regular expression of POSIX"),
    ],
    examples: [
      .init("runbook logs r0123456789abcdefghi", "print the events of the run"),
      .init("runbook logs r0123456789abcdefghi --follow", "watch a run of another terminal or machine"),
      .init("runbook logs r0123456789abcdefghi -v", "with every event, and the outputs and attempts of each step"),
      .init("runbook logs r0123456789abcdefghi --output pack --follow", "see the output of `pack` while it runs"),
      .init("runbook logs r0123456789abcdefghi --step 'wave[*].update'", "one step of a loop, for all items"),
      .init("runbook logs r0123456789abcdefghi --grep ERROR", "find a line in the output of all steps"),
    ],
    group: .look)

  private var id: String
  private let isFollowing: Bool
  private let step: String?
  /// nil: all steps, and the run as a whole.
  private let only: StepPattern?
  private let stream: OutputStream?
  private let firstLine: Int64
  private let search: TextSearch?

  init(_ arguments: ParsedArguments) throws(UsageError) {
    id = arguments.operand("RUN") ?? ""
    isFollowing = arguments.flag("follow")
    step = arguments.value("output")
    only = try LogsCommand.pattern(arguments)
    stream = arguments.value("stream").flatMap { OutputStream(rawValue: $0) }
    let line = try arguments.number("from", in: 1...Int64.max)
    firstLine = line ?? 1
    search = try LogsCommand.search(arguments)
    if step == nil, search == nil, stream != nil || line != nil {
      throw UsageError("`--stream` and `--from` need `--output`", hint: "add `--output STEP`")
    }
    if search != nil, isFollowing || line != nil {
      throw UsageError(
        "`--grep` searches the stored output: it takes neither `--follow` nor `--from`",
        hint: "follow the step with `--output STEP --follow`")
    }
  }

  private static func pattern(_ arguments: ParsedArguments) throws(UsageError) -> StepPattern? {
    guard let text = arguments.value("step") else { return nil }
    if arguments.value("output") != nil {
      throw UsageError(
        "`--step` and `--output` do not go together", hint: "`--output` takes the path of one step: `wave[3].one`")
    }
    guard let pattern = StepPattern(text) else {
      throw UsageError(
        "`--step` needs the path of a step, in which `*` stands for any text within a word",
        hint: "write `wave[3].*`, `wave[*].one` or `outer.*`")
    }
    return pattern
  }

  private static func search(_ arguments: ParsedArguments) throws(UsageError) -> TextSearch? {
    guard let text = arguments.value("grep") else {
      if arguments.flag("regex") { throw UsageError("`--regex` needs `--grep`", hint: UsageError.help("logs")) }
      return nil
    }
    guard !text.isEmpty, !text.utf8.contains(0x0a) else {
      throw UsageError("`--grep` needs a text of one line", hint: UsageError.help("logs"))
    }
    guard arguments.flag("regex") else { return TextSearch(text: Array(text.utf8)) }
    do throws(TextSearch.Refusal) { return try TextSearch(pattern: text) } catch {
      throw UsageError("`--grep` is no regular expression: \(error.reason)", hint: "leave out `--regex`")
    }
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let (access, run) = try await StoreAccess.forRun(id, shell)
      var command = self
      command.id = run.id
      return try await command.carryOut(access, run, shell)
    } catch {
      return shell.refuse(error)
    }
  }

  private func carryOut(
    _ access: StoreAccess, _ run: RunSummary, _ shell: Shell
  ) async throws(Refusal) -> ExitCode {
    if let search {
      return try await OutputSearch(shell: shell, access: access, runID: id).find(search, stream) { place in
        (step ?? place) == place && only?.matches(place) ?? true
      }
    }
    if let step {
      let reader = OutputFollower(shell: shell, access: access, runID: id, step: step, stream: stream)
      return try await reader.print(from: firstLine, isFollowing: isFollowing)
    }
    if isFollowing {
      return try await RunFollower(shell, access.context, id, store: access.file.path, only: only).follow()
    }
    var text = EventText(
      runID: id, verbose: shell.globals.verbose, clockText: Shell.localTime, dayText: Shell.localDay,
      commands: Advice.commands, actions: Composition.actions)
    var bytes: [UInt8] = []
    let events = try await told { () throws(OperationRefusal) in try await access.context.events(of: id) }
    for event in events {
      let line = shell.wantsJSON ? nil : text.line(for: event)
      guard only?.matches(event) ?? true else { continue }
      if shell.wantsJSON {
        bytes += JSONWriter.bytes(event.json) + [0x0a]
      } else if let line {
        bytes += Array(line.utf8) + [0x0a]
        guard event.event.hasSuffix(".ended") else { continue }
        for line in RunWords.lastLines(event.fields["error"]) { bytes += Array("           \(line)\n".utf8) }
      }
    }
    shell.output.result(bytes: bytes)
    await access.tellOwnerless(shell)
    return .succeeded
  }
}
