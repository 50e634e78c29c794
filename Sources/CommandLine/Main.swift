import Glibc
import Posix
import Runbook
import Steps
import Synchronization

@main
enum Main {
  /// On the main thread, and before there is any other: only then can signals be taken over for all of them.
  @MainActor static func main() async {
    // Our own program file is also the keeper of scripts.
    ScriptKeeper.runIfAsked()
    // First of all: a descriptor that the caller closed must not be given to the store, and a reader that leaves must
    // not end us.
    StandardDescriptors.ensureOpen()
    Heap.keepTogether()
    Signals.ignoreBrokenPipe()
    TimeZones.install { try? FileReading.all(of: "/usr/share/zoneinfo/\($0)", limit: 1 << 20) }
    let output = Output()
    // Before anything waits: the runtime ends a process that has no descriptor left for its timers.
    if let refusal = shortage() {
      exit(output.finish(Shell(globals: GlobalOptions(), output: output).refuse(refusal).rawValue))
    }
    let code = await run(output)
    exit(output.finish(code.rawValue))
  }

  /// Files that a run may have open at once: the store's four, the runtime's, the keeper's socket, connections.
  private static let descriptors = 29

  /// A run must not begin that a shortage would end in its middle.
  private static func shortage() -> Refusal? {
    let free = DescriptorRoom.free(upTo: descriptors)
    if free >= descriptors { return nil }
    return Refusal(
      .usage, .descriptors, "this process may open \(free) more files; it needs \(descriptors)",
      hint: "raise the limit: `ulimit -n 64`")
  }

  /// One command line from beginning to end.
  private static func run(_ output: Output) async -> ExitCode {
    var globals = GlobalOptions()
    do throws(UsageError) {
      let words = try words()
      if CommandLineParser.wantsJSON(words) { globals.format = .json }
      let invocation = try CommandLineParser.parse(words == ["--version"] ? ["version"] : words)
      globals = invocation.globals
      Shell.isUTC.store(globals.utc, ordering: .relaxed)
      let shell = Shell(globals: globals, output: output)
      guard let command = invocation.command else { return overview(shell) }
      if globals.help {
        output.result(HelpText.page(for: command.spec))
        return .succeeded
      }
      let verb = try command.init(invocation.arguments)
      return await Advice.$commands.withValue(globals.advised) { await verb.run(in: shell) }
    } catch {
      return Shell(globals: globals, output: output).refuse(Refusal(error))
    }
  }

  /// `runbook` alone is a question and not a success for a script; `runbook --help` is answered.
  private static func overview(_ shell: Shell) -> ExitCode {
    if shell.globals.help {
      shell.output.result(HelpText.overview)
      return .succeeded
    }
    return shell.refuse(
      Refusal(.usage, .usage, "a command is missing", hint: "`runbook help` shows the commands, by example"))
  }

  private static func words() throws(UsageError) -> [String] {
    var words: [String] = []
    for index in 1..<max(1, Int(Swift.CommandLine.argc)) {
      guard let bytes = unsafe Swift.CommandLine.unsafeArgv[index] else { break }
      guard let word = unsafe String(validatingCString: bytes) else {
        throw UsageError(
          "word \(index) of the command line is not valid UTF-8", hint: "rename the file, or give a link to it")
      }
      words.append(word)
    }
    return words
  }
}
