import Glibc
import Posix
import Providers
import Runbook

/// `runbook init [NAME] [FILE]`.
struct InitCommand: Command {
  private static let clouds = standardProviders.map { $0.type }

  static let spec = CommandSpec(
    name: "init", summary: "write a first runbook",
    details: """
      NAME is its purpose:

      \(FirstRunbook.Purpose.allCases.map { "  \($0.rawValue): \($0.meaning)" }.joined(separator: "\n"))

      Without NAME it asks on a terminal for the purpose, the cloud and the file. The new runbook is valid without \
      changes and can be simulated at once. It replaces no file.
      """,
    operands: [
      OperandSpec("NAME", .words(FirstRunbook.Purpose.allCases.map(\.rawValue)), .optional, "what the runbook does"),
      OperandSpec("FILE", .file, .optional, "the file to write; default the name with `.yaml`, in this folder"),
    ],
    options: [.value("cloud", "TYPE", .words(clouds), "the cloud; default `\(clouds.first ?? "")`")],
    examples: [
      .init("runbook init", "ask three questions and write a runbook"),
      .init("runbook init pre-upgrade", "write pre_upgrade.yaml for \(clouds.first ?? "")"),
      .init("runbook init backup nightly.yaml --cloud hetzner", "write a backup for Hetzner Cloud to nightly.yaml"),
    ],
    group: .write)

  private let purpose: FirstRunbook.Purpose?
  private let file: String?
  private let cloud: String?

  init(_ arguments: ParsedArguments) throws(UsageError) {
    purpose = arguments.operand("NAME").flatMap { FirstRunbook.Purpose(rawValue: $0) }
    file = arguments.operand("FILE")
    cloud = arguments.value("cloud")
    if let purpose, !purpose.needsCloud, cloud != nil {
      throw UsageError(
        "`\(purpose.rawValue)` needs no cloud, so it takes no `--cloud`", hint: "leave it out")
    }
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let runbook = try chosen(shell)
      let path = runbook.path
      try InitCommand.write(runbook.text, to: path)
      let shown = DisplayText.escaped(path, limit: 300)
      if shell.wantsJSON {
        shell.output.result(json: [
          "v": 1, "file": .string(path), "name": .string(runbook.purpose.rawValue),
          "cloud": runbook.cloud.map { .string($0.type) } ?? .null,
        ])
        return .succeeded
      }
      let place = runbook.cloud.map { " for \($0.type)" } ?? ""
      shell.output.result("wrote \(shown)\(place): \(runbook.purpose.meaning)\n")
      shell.note("`\(runbook.trial)` tries it out, and touches nothing")
      if purpose != nil, cloud == nil, runbook.cloud != nil { shell.note("`--cloud TYPE` writes it for another cloud") }
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  private func chosen(_ shell: Shell) throws(Refusal) -> FirstRunbook {
    if let purpose {
      return try InitCommand.runbook(for: purpose, at: cloud ?? InitCommand.clouds[0], file ?? "\(purpose.name).yaml")
    }
    let names = FirstRunbook.Purpose.allCases.map(\.rawValue)
    guard Terminal.isTerminal(0), Terminal.isTerminal(2), !shell.wantsJSON else {
      throw Refusal(
        .usage, .usage, "`NAME` is missing: the purpose of the runbook",
        hint: "write one of \(names.joined(separator: ", "))")
    }
    for purpose in FirstRunbook.Purpose.allCases { shell.output.message("  \(purpose.rawValue): \(purpose.meaning)") }
    let word = try InitCommand.ask("What should the runbook do?", names, shell)
    let purpose = FirstRunbook.Purpose(rawValue: word) ?? .preUpgrade
    var type = cloud ?? InitCommand.clouds[0]
    if purpose.needsCloud, cloud == nil { type = try InitCommand.ask("At which cloud?", InitCommand.clouds, shell) }
    let path = try InitCommand.ask("Into which file?", "\(purpose.name).yaml", shell)
    return try InitCommand.runbook(for: purpose, at: type, path)
  }

  private static func runbook(
    for purpose: FirstRunbook.Purpose, at type: String, _ path: String
  ) throws(Refusal) -> FirstRunbook {
    let cloud = purpose.needsCloud ? standardProviders.first { $0.type == type } : nil
    let runbook = FirstRunbook(purpose: purpose, cloud: cloud, path: path)
    if let missing = runbook.missingActions.first {
      throw Refusal(
        .usage, .provider, "`\(type)` cannot do `\(missing)`, which `\(purpose.rawValue)` needs",
        hint: "`runbook providers` shows which cloud can")
    }
    return runbook
  }

  /// - Throws: a file that is there already, which stays as it is; or a place that cannot be written.
  private static func write(_ text: String, to path: String) throws(Refusal) {
    let shown = DisplayText.escaped(path, limit: 300)
    do throws(PosixError) {
      let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
      try file.write(Array(text.utf8))
    } catch {
      if error.isExisting {
        throw Refusal(.usage, .file, "`\(shown)` exists already, and is not replaced", hint: "name another file")
      }
      throw Refusal(
        .usage, .file, "`\(shown)` cannot be written: \(error.reason)", hint: "name a file in a folder that exists")
    }
  }

  // MARK: Questions

  /// One of `words`; an empty line is the first of them.
  private static func ask(_ question: String, _ words: [String], _ shell: Shell) throws(Refusal) -> String {
    for _ in 0..<3 {
      let answer = try ask("\(question) \(words.joined(separator: ", "))", words[0], shell)
      if words.contains(answer) { return answer }
      let hint = Suggestion.question(for: answer, among: words) ?? "write one of the words"
      shell.output.message("  `\(DisplayText.escaped(answer, limit: 60))` is none of them; \(hint)")
    }
    throw Refusal(.usage, .usage, "none of three answers was one of the words", hint: UsageError.help("init"))
  }

  private static func ask(_ question: String, _ usual: String, _ shell: Shell) throws(Refusal) -> String {
    shell.output.message("\(question) [\(usual)]")
    guard let answer = readLine() else {
      throw Refusal(
        .usage, .usage, "the questions were not answered, and nothing was written", hint: UsageError.help("init"))
    }
    let word = answer.drop { $0 == " " }
    return word.isEmpty ? usual : String(word)
  }
}
