import Glibc
import Runbook

@main
enum Main {
  static func main() async {
    unsafe Main.prepareProcess()
    let output = Output()
    let code = await run(unsafe Main.words(), environment: unsafe Main.environment(), output)
    exit(output.finish(code).rawValue)
  }

  /// One command line from beginning to end.
  private static func run(_ words: Result<[String], UsageError>, environment: [String: String], _ output: Output) async -> ExitCode {
    var globals = GlobalOptions()
    do throws(UsageError) {
      let words = try words.get()
      if CommandLineParser.wantsJSON(words) { globals.format = .json }
      let invocation = try CommandLineParser.parse(words)
      globals = invocation.globals
      let shell = Shell(globals: globals, output: output, environment: environment)
      guard let command = invocation.command else { return overview(words, shell) }
      if globals.help {
        output.result(HelpText.page(for: command.spec))
        return .succeeded
      }
      return try await command.init(invocation.arguments).run(in: shell)
    } catch {
      return Shell(globals: globals, output: output, environment: environment).refuse(Refusal(error))
    }
  }

  /// `runbook` alone is a question and not a success for a script; `runbook --help` is answered.
  private static func overview(_ words: [String], _ shell: Shell) -> ExitCode {
    if shell.globals.help {
      shell.output.result(HelpText.overview)
      return .succeeded
    }
    return shell.refuse(Refusal(.usage, "E-USAGE", "a command is missing", hint: "`runbook help` shows what there is, by example"))
  }

  /// A reader that leaves must not end us (SIGPIPE), and a descriptor 0, 1 or 2 that the caller closed must not be given to
  /// the store, into which results would then be printed.
  @unsafe private static func prepareProcess() {
    unsafe signal(SIGPIPE, SIG_IGN)
    for descriptor in Int32(0)...2 where unsafe fcntl(descriptor, F_GETFD) == -1 {
      _ = unsafe open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
    }
  }

  @unsafe private static func words() -> Result<[String], UsageError> {
    var words: [String] = []
    for index in 1..<max(1, Int(Swift.CommandLine.argc)) {
      guard let bytes = unsafe Swift.CommandLine.unsafeArgv[index] else { break }
      guard let word = unsafe String(validatingCString: bytes) else {
        return .failure(UsageError("word \(index) of the command line is not valid UTF-8", hint: "rename the file, or pass a link to it"))
      }
      words.append(word)
    }
    return .success(words)
  }

  @unsafe private static func environment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = unsafe environ
    while let entry = unsafe next.pointee {
      let text = unsafe String(cString: entry)
      if let sign = text.firstIndex(of: "=") { variables[String(text[..<sign])] = String(text[text.index(after: sign)...]) }
      unsafe next += 1
    }
    return variables
  }
}
