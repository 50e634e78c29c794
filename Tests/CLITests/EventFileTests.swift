import Glibc
import Posix
import Runbook
import TestSupport
import Testing

/// `--events FILE` and `--summary FILE`: what is told of a run beside its text, and what happens when a file breaks.
@Suite struct EventFileTests {
  private func events(_ text: String) throws -> [String] {
    try text.split(separator: "\n").map { try #require(JSONReader.read(String($0))["event"]?.string) }
  }

  @Test func theFileHoldsTheEventsOfFormatJSONWhilePeopleReadText() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.fails)
    let text = try await place.run("run", "a.yaml", "--events", "events.jsonl")
    #expect(text.code == 3 && text.stdout.contains("rolling back"), "\(text)")
    let json = try await place.run("run", "a.yaml", "--format", "json")
    let wanted = try events(json.stdout).filter { $0 != "step.progress" }
    #expect(try events(place.read("events.jsonl")).filter { $0 != "step.progress" } == wanted)
    #expect(wanted.first == "run.started" && wanted.last == "run.ended")
    var status = stat()
    #expect(unsafe stat(place.path("events.jsonl"), &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test func laterRunsAddToTheFileAndALineThatWasCutOffStaysALine() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    try place.write("events.jsonl", "{\"cut\":")
    #expect(try await place.run("run", "a.yaml", "--events", "events.jsonl").code == 0)
    #expect(try await place.run("run", "a.yaml", "--events", "events.jsonl", "-q").code == 0)
    let lines = place.read("events.jsonl").split(separator: "\n")
    #expect(lines.first == "{\"cut\":")
    #expect(try events(lines.dropFirst().joined(separator: "\n")).filter { $0 == "run.ended" }.count == 2)
  }

  @Test func aDetachedRunAndAResumedOneWriteThemToo() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let started = try await place.run("run", "a.yaml", "--detach", "--events", "e", "--summary", "s")
    #expect(started.code == 6, "\(started)")
    let id = try #require(started.runID)
    try await place.waitFor("two", in: "trace")
    #expect(try await place.run("cancel", id).code == 0)
    try await place.waitFor("run.ended", in: "e")
    try await place.waitFor("### ", in: "s")
    let twice = try await place.run("resume", id, "--events", "e")
    #expect(twice.code == 2)
    let again = try place.start(["rerun", id, "--events", "again", "--on-term", "leave"])
    try await place.waitFor("step.started", in: "again")
    again.send(SIGTERM)
    #expect(try await again.finish().code == 9)
    try place.write("go", "")
    #expect(try await place.run("resume", "--events", "again").code == 0)
    let all = try events(place.read("again"))
    #expect(all.first == "run.started" && all.contains("run.left") && all.contains("run.resumed"))
    #expect(all.last == "run.ended")
  }

  @Test(arguments: [
    ("none/events.jsonl", "cannot be made: its folder does not exist"), ("folder", "is a directory, not a file"),
    ("pipe", "is a pipe that nobody reads"),
    ("folder/../a.yaml/x", "cannot be made: its folder does not exist"),
  ])
  func aFileThatCannotBeWrittenIsRefusedBeforeTheRunBegins(_ path: String, _ reason: String) async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    _ = try await place.shell("mkdir folder; mkfifo pipe")
    for option in ["--events", "--summary"] {
      let what = option == "--events" ? "event" : "summary"
      let ended = try await place.run("run", "a.yaml", option, path)
      #expect(ended.code == 2)
      #expect(ended.stderr.hasPrefix("error: the \(what) file `\(path)` \(reason)\n"), "\(ended.stderr)")
    }
    #expect(place.read("trace") == "")
  }

  /// `/dev/full` takes nothing, like a disk that is full.
  @Test func aFullDiskIsToldOnceAndEndsNoRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let ended = try await place.run("run", "a.yaml", "--events", "/dev/full", "--summary", "/dev/full")
    #expect(ended.code == 0, "\(ended)")
    #expect(place.read("trace") == "hello\ntwo\n")
    let told = ended.stderr.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
    #expect(
      told == [
        "warning: no more events are written to `/dev/full`: No space left on device; the run goes on",
        "warning: the summary file `/dev/full` cannot be written: No space left on device",
      ], "\(ended.stderr)")
  }

  @Test func aReaderThatGoesAwayIsToldOnceAndEndsNoRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let running = try place.start(
      program: "/bin/sh", ["sh", "-c", "mkfifo pipe; head -c 100 pipe > got & exec $R run a.yaml --events pipe"],
      ["R": Workplace.binary])
    try await place.waitFor("two", in: "trace")
    try await place.waitFor("{", in: "got")
    try place.write("go", "")
    let ended = try await running.finish()
    #expect(ended.code == 0)
    #expect(
      ended.stderr == "warning: no more events are written to `pipe`: its reader has gone; the run goes on\n")
  }

  @Test func aPipeWithAReaderGetsEveryEvent() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let ended = try await place.shell("mkfifo pipe; cat pipe > got & $R run a.yaml --events pipe; wait")
    #expect(try events(place.read("got")).last == "run.ended", "\(ended)")
  }

  @Test func aReaderThatStopsReadingHoldsUpNoRun() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let ended = try await place.shell(
      "mkfifo pipe; { exec 3< pipe; sleep 60; } & reader=$!; $R run a.yaml --events pipe; echo $? > code; kill $reader")
    #expect(place.read("code") == "0\n", "\(ended)")
  }

  @Test func theSummaryIsTheClosingReportInMarkdown() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.fails)
    let ended = try await place.run("run", "a.yaml", "--summary", "summary.md")
    let id = try #require(ended.runID)
    let text = place.read("summary.md")
    #expect(text.hasPrefix("### ✗ fails failed at `two` after "), "\(text)")
    for part in [
      "| run | `\(id)` |\n", "| runbook | `a.yaml` |\n", "| undone | one |\n", "| `one` | run | done in ",
      "| `two` | run | failed after ", "| `one.undo[0]` | run | done in ", "```sh\nrunbook logs \(id)   # ",
    ] {
      #expect(text.contains(part), "\(part) is not in\n\(text)")
    }
  }

  @Test func aSecretIsInNeitherFile() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: hides
      secrets: {token: {source: env, key: TOKEN}}
      steps:
        - {id: one, run: "echo \\"$T\\"; exit 1", env: {T: "${{ secrets.token }}"}, rollback: none}

      """)
    let ended = try await place.run(
      ["run", "a.yaml", "--events", "e", "--summary", "s", "--annotations", "github"], ["TOKEN": "hunter2-hunter2"])
    #expect(ended.code == 1)
    for text in [ended.stdout, ended.stderr, place.read("e"), place.read("s")] {
      #expect(!text.isEmpty && !text.contains("hunter2") && text.contains("***"), "\(text)")
    }
  }
}
