import Runbook
import Testing

@testable import CommandLine

@Suite struct CommandLineParserTests {
  struct Refused: Sendable {
    var words: [String]
    var message: String
    var hint: String
    init(_ words: String..., message: String, hint: String) {
      self.words = words
      self.message = message
      self.hint = hint
    }
  }

  @Test(arguments: [
    Refused("rnu", message: "there is no command `rnu`", hint: "did you mean `run`?"),
    Refused("", message: "there is no command ``", hint: "`runbook help` lists the commands"),
    Refused("valdiate", message: "there is no command `valdiate`", hint: "did you mean `validate`?"),
    Refused("fmt", "x", message: "`fmt` is not supported yet", hint: "`runbook help` lists the commands"),
    Refused("run", message: "`FILE` is missing: the runbook, a YAML file", hint: "usage: \(RunCommand.spec.usage)"),
    Refused("run", "", message: "`FILE` is empty: the runbook, a YAML file", hint: "see `runbook help run`"),
    Refused("run", "a", "b", message: "`b` is one word too many", hint: "usage: \(RunCommand.spec.usage)"),
    Refused(
      "run", "a", "--input", message: "`--input` needs a value: `--input NAME=VALUE`", hint: "see `runbook help run`"),
    Refused(
      "run", "a", "--key", "--detach", message: "`--key` needs a value, and `--detach` looks like an option",
      hint: "if it is the value, write `--key=--detach`"),
    Refused("run", "a", "--key=", message: "the value of `--key` is empty", hint: "see `runbook help run`"),
    Refused("run", "a", "--key", "x", "--key", "y", message: "`--key` is given twice", hint: "leave one of them out"),
    Refused("run", "a", "--detach", "--detach", message: "`--detach` is given twice", hint: "leave one of them out"),
    Refused("-q", "run", "a", "-q", message: "`--quiet` is given twice", hint: "leave one of them out"),
    Refused("run", "a", "--detach=yes", message: "`--detach` takes no value", hint: "see `runbook help run`"),
    Refused(
      "run", "a", "--simlate", message: "`--simlate` is no option of `runbook run`",
      hint: "did you mean `--simulate`?"),
    Refused(
      "--simulate", "run", "a", message: "`--simulate` stands before the command",
      hint: "write the command first: `runbook COMMAND --simulate`"),
    Refused("list", "--follow", message: "`--follow` is no option of `runbook list`", hint: "see `runbook help list`"),
    Refused("run", "-x", "a", message: "`-x` is no option of `runbook run`", hint: "see `runbook help run`"),
    Refused(
      "--format", "xml", "list", message: "`--format` is `xml`; it must be `text` or `json`", hint: "see `runbook help`"
    ),
    Refused(
      "rollback", "skp", "r1", message: "`skp` is not `resume` or `skip` or `abandon`", hint: "did you mean `skip`?"),
    Refused(
      "run", "a", "--password", "p",
      message: "secrets are not taken from the command line, where every user of this machine can read them",
      hint: "declare it under `secrets:` in the runbook, with `source: env` or `source: file`"),
    Refused(
      "eval", "-1 + 2", message: "`-1 + 2` looks like an option",
      hint: "put `--` before an expression that begins with `-`: `runbook eval -- '-1 + 2'`"),
    Refused("run", "a\u{1b}[2J", "b", message: "`b` is one word too many", hint: "usage: \(RunCommand.spec.usage)"),
    Refused(
      "\u{1b}]0;x\u{7}", message: #"there is no command `\x1b]0;x\x07`"#, hint: "`runbook help` lists the commands"),
  ])
  func isRefusedWithAHint(_ refused: Refused) throws {
    let error = #expect(throws: UsageError.self) { try CommandLineParser.parse(refused.words) }
    #expect(error?.message == refused.message)
    #expect(error?.hint.hasPrefix(refused.hint) == true, "\(error?.hint ?? "")")
  }

  @Test func globalOptionsStandAnywhere() throws {
    for words in [
      ["--format", "json", "-q", "list"], ["list", "--format=json", "-q"], ["-q", "list", "--format", "json"],
    ] {
      let invocation = try CommandLineParser.parse(words)
      #expect(invocation.globals.format == .json)
      #expect(invocation.globals.quiet)
      #expect(invocation.command?.spec.name == "list")
    }
  }

  @Test func twoDashesEndTheOptions() throws {
    let arguments = try CommandLineParser.parse(["eval", "--", "--help"]).arguments
    #expect(arguments.operand("EXPR") == "--help")
    #expect(!arguments.flag("help"))
  }

  @Test func aSingleDashIsAnOperand() throws {
    #expect(try CommandLineParser.parse(["validate", "-"]).arguments.operands("FILE") == ["-"])
  }

  @Test func valuesKeepWhatFollowsTheFirstEqualsSign() throws {
    let arguments = try CommandLineParser.parse(["run", "f", "--input=a=b=c", "--input", "x=", "--input=y=-1"])
      .arguments
    #expect(arguments.values(of: "input") == ["a=b=c", "x=", "y=-1"])
  }

  @Test func helpNeedsNoOperands() throws {
    #expect(try CommandLineParser.parse(["run", "--help"]).globals.help)
  }

  @Test(arguments: [
    (["--format", "json", "bad"], true), (["bad", "--format=json"], true), (["eval", "--", "--format=json"], false),
    (["--format", "text"], false), ([], false),
  ])
  func jsonIsRecognisedInALineThatIsWrong(_ words: [String], _ wants: Bool) {
    #expect(CommandLineParser.wantsJSON(words) == wants)
  }

  @Test(
    arguments: [
      (["run", "a.yaml", "--check"], "`runbook run --simulate` tries it out"),
      (["run", "a.yaml", "--dry-run"], "`runbook plan` shows what would be done"),
      (["run", "a.yaml", "-n"], "`runbook plan` shows what would be done"),
      (["run", "a.yaml", "-e", "x=1"], "`--input NAME=VALUE` gives an input"),
      (["plan", "a.yaml", "-e", "x=1"], "`--input NAME=VALUE` gives an input"),
      (["run", "a.yaml", "-ex=1"], "`--input NAME=VALUE` gives an input"),
      (["run", "a.yaml", "--extra-vars", "x=1"], "`--input NAME=VALUE` gives an input"),
      (["resume", "--dry-run"], "`runbook show` shows what is left to do"),
      (["gc", "--dry-run"], "`--list` shows what would be removed"),
    ] as [([String], String)])
  func aHabitOfOtherToolsIsAnsweredWithOurWord(_ words: [String], _ hint: String) {
    do throws(UsageError) {
      _ = try CommandLineParser.parse(words)
      Issue.record("\(words) was accepted")
    } catch {
      #expect(error.code == .unknownOption)
      #expect(error.hint.contains(hint), "\(error.hint)")
    }
  }

  @Test func aRunThatIsLeftOutLeavesTheOtherWordsInTheirPlaces() throws {
    func operands(_ words: String...) throws(UsageError) -> [String: [String]] {
      try CommandLineParser.parse(words).arguments.operands
    }
    #expect(try operands("resume") == [:])
    #expect(try operands("resolve", "update", "--fail") == ["STEP": ["update"]])
    #expect(try operands("resolve", "r1", "update", "--fail") == ["RUN": ["r1"], "STEP": ["update"]])
    #expect(try operands("rollback", "abandon", "--reason", "x") == ["WHAT": ["abandon"]])
    #expect(try operands("rollback", "skip", "r1", "a") == ["WHAT": ["skip"], "RUN": ["r1"], "ENTRY": ["a"]])
  }

  @Test func noRubbishTraps() {
    let words = [
      "run", "-", "--", "--input", "=", "--=", "", "-q", "--format", "\u{0}", "eval", "--x=y", "rollback", "skip", "é",
    ]
    var random = SystemRandomNumberGenerator()
    for _ in 0..<5000 {
      let count = Int.random(in: 0...6, using: &random)
      let line = (0..<count).map { _ in words[Int.random(in: words.indices, using: &random)] }
      _ = try? CommandLineParser.parse(line)
      _ = CommandLineParser.wantsJSON(line)
    }
  }
}

@Suite struct CommandTableTests {
  @Test func everyExampleParsesAsItsCommand() throws {
    for spec in CommandTable.all.map({ $0.spec }) {
      #expect(!spec.examples.isEmpty, "\(spec.name)")
      for example in spec.examples {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in example.command {
          switch character {
          case "'": isQuoted.toggle()
          case " " where !isQuoted:
            words.append(word)
            word = ""
          default: word.append(character)
          }
        }
        words.append(word)
        words = Array(words.prefix { $0 != ">" }).filter { !["source"].contains($0) }
        if words.first == "<(runbook" {
          words = ["runbook"] + words.dropFirst().map { $0.hasSuffix(")") ? String($0.dropLast()) : $0 }
        }
        #expect(words.first == "runbook", "\(example.command)")
        let invocation = try CommandLineParser.parse(Array(words.dropFirst()))
        #expect(invocation.command?.spec.name == spec.name)
      }
    }
  }

  @Test func helpNamesEveryCommandAndOption() {
    for spec in CommandTable.all.map({ $0.spec }) {
      #expect(HelpText.overview.contains("  \(spec.name) "))
      let page = HelpText.page(for: spec)
      for option in spec.options { #expect(page.contains(option.heading)) }
      #expect(ManPage.text.contains(ManPage.escaped(spec.summary)))
    }
  }

  @Test func completionsOfferEveryCommandAndOption() {
    for script in [BashCompletion.script, ZshCompletion.script, FishCompletion.script] {
      for spec in CommandTable.all.map({ $0.spec }) {
        #expect(script.contains(spec.name))
        for option in spec.options { #expect(script.contains(option.name)) }
      }
    }
  }

  @Test func noLineOfHelpIsWiderThan100Columns() {
    let pages = CommandTable.all.map { HelpText.page(for: $0.spec) } + [HelpText.overview, HelpText.exitCodes]
    for line in pages.flatMap({ $0.split(separator: "\n") }) where !line.hasPrefix("  runbook ") {
      #expect(line.count <= 100, "\(line)")
    }
  }

  @Test func exitCodesAreThoseOfTheLanguage() {
    #expect(ExitCode.allCases.map(\.rawValue) == Array(0...9))
  }
}
