import Glibc
import Posix
import Runbook
import Testing

@Suite struct UsageTests {
  struct Case: Sendable {
    var arguments: [String]
    var code: Int32
    var stderr: String
    init(_ arguments: [String], _ code: Int32, _ stderr: String) {
      self.arguments = arguments
      self.code = code
      self.stderr = stderr
    }
  }

  @Test(arguments: [
    Case([], 2, "error: a command is missing\n"),
    Case(["rnu"], 2, "error: there is no command `rnu`\n  did you mean `run`?\n"),
    Case(["run"], 2, "error: `FILE` is missing"),
    Case(["run", "missing.yaml"], 2, "error: the runbook `missing.yaml` does not exist\n"),
    Case(["run", "/tmp"], 2, "error: the runbook `/tmp` is a directory, not a file\n"),
    Case(["validate", "/dev/zero"], 2, "error: the runbook `/dev/zero` is not an ordinary file\n"),
    Case(["resume", "nonsense"], 2, "error: `nonsense` is not the id of a run\n"),
    Case(["show", "r0123456789abcdefghi"], 2, "error: there is no run `r0123456789abcdefghi` in this store\n"),
    Case(["cancel", "r0123456789abcdefghi"], 2, "error: there is no run `r0123456789abcdefghi` in this store\n"),
    Case(["resolve", "r0123456789abcdefghi", "s"], 2, "error: say what happened to the step\n"),
    Case(["rollback", "skip", "r0123456789abcdefghi"], 2, "error: `ENTRY` is missing"),
    Case(["rollback", "abandon", "r0123456789abcdefghi"], 2, "error: `--reason` is missing"),
    Case(["simulate", "vps_ogr"], 2, "error: there is no simulation of `vps_ogr`\n  did you mean `vps_org`?\n"),
    Case(["list", "--store", "postgres://u:p@h/db"], 2, "error: `--store` holds a password"),
    Case(["list", "--limit", "0"], 2, "error: `--limit` is `0`; it must be a whole number from 1 to 100000\n"),
    Case(["run", "--mock", "x", "y"], 2, "error: `--mock` is for simulations\n  add --simulate\n"),
    Case(["serve", "."], 2, "error: `serve` is not supported yet\n"),
    Case(["eval", "1 +"], 1, "error: "),
  ])
  func isToldOnStderrAndDoesNothing(_ wrong: Case) async throws {
    let place = try Workplace()
    let ended = try await place.run(wrong.arguments)
    #expect(ended.code == wrong.code)
    #expect(ended.stderr.hasPrefix(wrong.stderr), "\(ended.stderr)")
    #expect(ended.stdout == "")
    #expect(!place.exists("state"))
  }

  @Test(arguments: [
    (["rnu"], "E-UNKNOWN-COMMAND"), (["show", "r0123456789abcdefghi"], "E-NOT-FOUND"),
    (["run", "missing.yaml"], "E-FILE"),
    (["list", "--store", ""], "E-USAGE"),
  ])
  func programsGetOneDocument(_ arguments: [String], _ code: String) async throws {
    let ended = try await Workplace().run(["--format", "json"] + arguments)
    #expect(ended.code == 2)
    let document = try JSONReader.read(ended.stdout)
    #expect(document["v"] == 1)
    #expect(document["error"]?["code"]?.string == code)
    #expect(document["error"]?["message"]?.string?.isEmpty == false)
  }

  @Test func aFifoIsNotWaitedFor() async throws {
    let place = try Workplace()
    let made = unsafe mkfifo(place.path("pipe"), 0o600)
    #expect(made == 0)
    let ended = try await place.run("validate", "pipe")
    #expect(ended.code == 2)
    #expect(ended.stderr == "error: the runbook `pipe` is not an ordinary file\n")
  }

  @Test func aNameThatIsNotUTF8IsRefused() async throws {
    let ended = try await Workplace().shell("$R validate \"$(printf 'a\\377b')\"")
    #expect(ended.code == 2)
    #expect(ended.stderr.hasPrefix("error: word 2 of the command line is not valid UTF-8\n"))
  }

  @Test func aFileOfTenGigabytesIsNotRead() async throws {
    let place = try Workplace()
    let ended = try await place.shell("truncate -s 10G big.yaml && $R validate big.yaml")
    #expect(ended.code == 2)
    #expect(ended.stderr.hasPrefix("error: the runbook `big.yaml` is longer than 4194304 bytes\n"))
  }

  @Test func withoutAHomeTheStoreMustBeNamed() async throws {
    let place = try Workplace()
    let named = try await place.run(["list", "--store", "here.db"], ["HOME": "-", "XDG_STATE_HOME": "-"])
    #expect(named.code == 0)
    #expect(try await place.run(["version"], ["HOME": "-", "XDG_STATE_HOME": "-"]).code == 0)
  }

  @Test(arguments: [
    ["help"], ["help", "run"], ["--help"], ["run", "--help"], ["--version"], ["version"], ["help", "exit-codes"],
  ])
  func aQuestionIsAnswered(_ arguments: [String]) async throws {
    let ended = try await Workplace().run(arguments)
    #expect(ended.code == 0)
    #expect(!ended.stdout.isEmpty)
    #expect(ended.stderr == "")
  }
}

@Suite struct StdoutTests {
  @Test func aFullDeviceIsAFailureThatIsTold() async throws {
    let ended = try await Workplace().shell("$R help > /dev/full")
    #expect(ended.code == 1)
    #expect(ended.stderr == "error: the results could not be written to stdout: No space left on device\n")
  }

  @Test func aReaderThatLeavesIsNone() async throws {
    let ended = try await Workplace().shell("{ $R help; echo $? >&2; } | head -1 > /dev/null")
    #expect(ended.stderr == "0\n")
    let gone = try await Workplace().shell("{ sleep 0.2; $R help; echo $? >&2; } | true")
    #expect(gone.stderr == "0\n")
  }

  @Test func aClosedStdoutIsNone() async throws {
    let ended = try await Workplace().shell("$R help >&-")
    #expect(ended.code == 0)
    #expect(ended.stderr == "")
  }

  @Test func theCompletionsOfBashAreBash() async throws {
    let ended = try await Workplace().shell("$R completion bash | bash -n")
    #expect(ended.code == 0)
    #expect(ended.stderr == "")
  }

  @Test func bashCompletesCommandsOptionsAndWords() async throws {
    let ask = """
      complete_for() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _runbook; echo "${COMPREPLY[*]}"; }
      . ./completion
      complete_for runbook val
      complete_for runbook run --sim
      complete_for runbook rollback ab
      complete_for runbook --format j
      """
    let place = try Workplace()
    try place.write("ask", ask)
    let ended = try await place.shell("$R completion bash > completion; bash ask")
    #expect(ended.lines == ["validate", "--simulate", "abandon", "json"], "\(ended.stderr)")
  }

  @Test func theManualPageIsRoff() async throws {
    let ended = try await Workplace().shell(
      "$R help --man > page; command -v groff > /dev/null || exit 0; groff -man -Tutf8 -ww page > /dev/null")
    #expect(ended.code == 0)
    #expect(ended.stderr == "")
  }
}
