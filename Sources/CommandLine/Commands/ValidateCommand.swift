import Providers
import Runbook
import Simulator

/// `runbook validate FILE...`: every mistake at once, and nothing touched but the files.
struct ValidateCommand: Command {
  static let spec = CommandSpec(
    name: "validate", summary: "find every mistake in a runbook, a declared provider or a mock file; touch nothing",
    details: """
      Reads only the file and the files that it names: no network, no command, no secret, no store. Mistakes are \
      printed as `file:line:column: error CODE: text` with the nearest right word; exit 0 valid, 2 not. \
      `runbook help CODE` explains a code with a wrong and a right file. `run --mock` checks whether a mock \
      file fits its runbook.
      """,
    operands: [OperandSpec("FILE", .file, .oneOrMore, "the runbook, the file of a declared provider, or a mock file")],
    options: [.flag("strict", "count warnings as mistakes"), RunReporting.annotations],
    examples: [
      .init("runbook validate deploy.yaml", "say what is wrong in deploy.yaml, and where"),
      .init("runbook validate --strict runbooks/*.yaml", "check a folder in CI, warnings included"),
      .init(
        "runbook validate --annotations github deploy.yaml", "show the mistakes beside the lines of a pull request"),
      .init("runbook validate --format json deploy.yaml", "print the mistakes for an editor"),
    ],
    group: .write)

  private let files: [String]
  private let isStrict: Bool
  private let annotates: Bool

  init(_ arguments: ParsedArguments) throws(UsageError) {
    files = arguments.operands("FILE")
    isStrict = arguments.flag("strict")
    annotates = arguments.value("annotations") != nil
  }

  func run(in shell: Shell) async -> ExitCode {
    var isValid = true
    var found: [(file: String, diagnostics: [Diagnostic])] = []
    for path in files {
      do throws(Refusal) {
        let file = try RunbookFile(path)
        let items = ValidateCommand.diagnostics(of: file, isStrict: isStrict)
        if items.contains(where: { $0.severity == .error }) { isValid = false }
        if annotates { for item in items { shell.output.message(GitHubAnnotations.command(for: item, in: path)) } }
        if shell.wantsJSON {
          found.append((path, items))
        } else {
          shell.printDiagnostics(items, path, file.bytes)
        }
      } catch {
        if shell.wantsJSON || files.count == 1 { return shell.refuse(error) }
        _ = shell.refuse(error)
        isValid = false
      }
    }
    if shell.wantsJSON { shell.output.result(json: Diagnostics.json(found)) }
    if isValid, !shell.wantsJSON, !shell.globals.quiet {
      shell.output.result(files.map { "\(DisplayText.escaped($0)): valid\n" }.joined())
    }
    return isValid ? .succeeded : .usage
  }

  private static func diagnostics(of file: RunbookFile, isStrict: Bool) -> [Diagnostic] {
    do throws(Diagnostics) {
      if ProviderFile.isMeant(by: file.bytes) {
        _ = try ProviderFile.read(file.bytes)
        return []
      }
      if MockFile.isMock(in: file.bytes) {
        _ = try MockFile(yaml: file.bytes)
        return []
      }
      return try CheckedRunbook(file, isStrict: isStrict).runbook.warnings
    } catch {
      return error.items
    }
  }
}
