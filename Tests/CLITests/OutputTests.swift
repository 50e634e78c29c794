import Glibc
import Posix
import TestSupport
import Testing

/// What scripts write, from the script to whoever reads it.
struct OutputTests {
  private static let secret = SecretShreds.text

  private static let declared = "secrets: {token: {source: env, key: TOKEN}}"

  private func place(
    _ steps: String, secrets: String = OutputTests.declared, extra: String = ""
  ) throws -> Workplace {
    let place = try Workplace()
    try place.write(
      "output.yaml",
      """
      runbook: v1
      name: output
      \(secrets)
      \(extra)
      steps:
      \(steps)
      """)
    return place
  }

  private func run(_ place: Workplace, _ arguments: String...) async throws -> Finished {
    try await place.run(arguments, ["TOKEN": Self.secret])
  }

  private func id(_ place: Workplace) async throws -> String { try #require(try await firstID(place)) }

  private func firstID(_ place: Workplace) async throws -> String? {
    let listed = try await place.run("list", "--format", "json")
    let words = listed.stdout.split(separator: "\"").map(String.init)
    return words.first { $0.count == 20 && $0.first == "r" }
  }

  /// Every byte of every file below the test's folder, but for what the test itself wrote.
  private func holdsTheSecret(_ place: Workplace) async throws -> String {
    try await place.shell("grep -rl -e \"$NEEDLE\" -- state || true", ["NEEDLE": Self.secret]).stdout
  }

  @Test func theOutputOfAStepIsReadByLineAndByText() async throws {
    let place = try place(
      """
        - id: pack
          run: 'for n in $(seq 1 30000); do echo "line $n $T"; done; echo "no end $T" >&2; printf last >&2'
          env: {T: "${{ secrets.token }}"}
          rollback: none
        - {id: other, run: echo line 29999 here, rollback: none}
      """)
    #expect(try await run(place, "run", "output.yaml").code == 0)
    let id = try await id(place)
    let all = try await place.run("logs", id, "--output", "pack")
    #expect(all.code == 0 && all.lines.count == 30_002, "\(all.lines.count) \(all.stderr)")
    #expect(all.lines.first == "line 1 ***" && all.lines[29_999] == "line 30000 ***")
    #expect(Array(all.lines.suffix(2)) == ["no end ***", "last"])
    let from = try await place.run("logs", id, "--output", "pack", "--stream", "stdout", "--from", "29999")
    #expect(from.lines == ["line 29999 ***", "line 30000 ***"])
    let found = try await place.run("logs", id, "--grep", "line 29999")
    #expect(found.code == 0 && found.lines == ["pack:29999: line 29999 ***", "other:1: line 29999 here"])
    let matched = try await place.run("logs", id, "--grep", "^(no|line 777) ", "--regex", "--output", "pack")
    #expect(matched.lines == ["pack:777: line 777 ***", "pack stderr:1: no end ***"])
    let nothing = try await place.run("logs", id, "--grep", Self.secret)
    #expect(nothing.code == 1 && nothing.stdout.isEmpty)
    let json = try await place.run(
      "logs", id, "--output", "pack", "--stream", "stderr", "--from", "2", "--format", "json")
    #expect(
      json.stdout == """
        {"attempt":1,"line":2,"run_id":"\(id)","step":"pack","stream":"stderr","text":"last","v":1}

        """)
    #expect(try await place.run("logs", id, "--output", "none").code == 2)
    #expect(try await place.run("logs", id, "--grep", "(", "--regex").code == 2)
    #expect(try await holdsTheSecret(place).isEmpty)
  }

  @Test func theOutputOfARunningStepIsReadByAnotherProcess() async throws {
    let place = try place(
      """
        - id: slow
          run: 'echo "begun $T"; while [ ! -e go ]; do sleep 0.05; done; echo done; exit 4'
          env: {T: "${{ secrets.token }}"}
          rollback: none
      """)
    let running = try place.start(["run", "output.yaml"], ["TOKEN": Self.secret])
    var seen = ""
    for _ in 0..<1000 where seen.isEmpty {
      if let id = try await firstID(place) { seen = try await place.run("logs", id, "--output", "slow").stdout }
      if seen.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
    }
    #expect(seen == "begun ***\n")
    let id = try await id(place)
    let follower = try place.start(["logs", id, "--output", "slow", "--follow"])
    for _ in 0..<1000 where !follower.stdout.contains("begun") { try await Task.sleep(for: .milliseconds(20)) }
    #expect(follower.stdout == "begun ***\n")
    try place.write("go", "")
    let followed = try await follower.finish()
    #expect(followed.stdout == "begun ***\ndone\n" && followed.code == 1)
    #expect(try await running.finish().code == 1)
    let closing = try await place.run("show", id)
    #expect(closing.stdout.contains("| begun ***\n") && closing.stdout.contains("| done\n"), "\(closing.stdout)")
    #expect(try await place.run("logs", id).stdout.contains("| done\n"))
  }

  /// The script is not stopped by the death of its engine, but by a cancel after it; what it wrote is masked by the
  /// next one, and then gone.
  @Test(arguments: ["resume", "cancel"])
  func whatAScriptWroteUnmaskedGoesAlsoAfterAKill(_ command: String) async throws {
    let place = try place(
      """
        - id: slow
          run: 'echo $$ >pid; echo "begun $T"; while [ ! -e go ]; do sleep 0.05; done; echo "ended $T"'
          env: {T: "${{ secrets.token }}"}
          rollback: none
      """)
    let running = try place.start(["run", "output.yaml"], ["TOKEN": Self.secret])
    for _ in 0..<1000 where try await holdsTheSecret(place).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
    #expect(try await !holdsTheSecret(place).isEmpty, "it never was there")
    running.send(SIGKILL)
    _ = try await running.finish()
    let id = try await id(place)
    if command == "resume" { try place.write("go", "") }
    if command == "cancel" { _ = try await place.run("cancel", id) }
    let ended = try await run(place, "resume", id)
    #expect(ended.code == (command == "resume" ? 0 : 5), "\(ended.stdout)\(ended.stderr)")
    if command == "resume" {
      #expect(try await place.run("logs", id, "--output", "slow").stdout == "begun ***\nended ***\n")
    } else {
      let pid = try #require(Int32(place.read("pid").trimmingPrefix { $0 == " " }.prefix { $0.isNumber }))
      #expect(ProcessEntry(pid)?.isZombie ?? true, "the script was left running")
    }
    #expect(try await holdsTheSecret(place).isEmpty)
  }

  /// A long output is a value like every other: for the next step, for another process, for a run that takes it over.
  @Test func aWholeStreamIsAValueByReference() async throws {
    let place = try place(
      """
        - id: big
          run: 'for n in $(seq 1 60000); do echo "line $n $T"; done'
          env: {T: "${{ secrets.token }}"}
          rollback: none
          outputs: {log: result.stdout, size: size(result.stdout)}
        - {id: gate, run: test -e go, rollback: none}
        - id: use
          action: file.write
          with: {path: "copy.txt", content: "${{ steps.big.outputs.log.split('\\\\n')[59998] }}"}
          rollback: none
        - {action: assert, with: {that: "${{ size(steps.big.outputs.log) == steps.big.outputs.size }}"}}
      """, extra: "outputs: {all: steps.big.outputs.log}")
    #expect(try await run(place, "run", "output.yaml").code == 1)
    let first = try await id(place)
    try place.write("go", "")
    let again = try await run(place, "rerun", first, "--from", "gate")
    #expect(again.code == 0, "\(again.stdout)\(again.stderr)")
    #expect(place.read("copy.txt") == "line 59999 \(Self.secret)")
    let second = try await id(place)
    #expect(second != first)
    // Nothing of it is in the journals but its beginning.
    let story = try await place.run("logs", second, "--format", "json")
    #expect(story.stdout.contains("line 1 ***\\nline 2 ***") && story.stdout.utf8.count < 20_000)
    #expect(story.stdout.contains("bytes left out]"))
    #expect(try await holdsTheSecret(place).isEmpty)
    // The first run goes; the second one still has what it took over.
    #expect(try await place.run("logs", second, "--output", "big", "--from", "60000").stdout == "line 60000 ***\n")
    let removed = try await place.run("gc", "--older-than", "0s")
    #expect(removed.code == 0)
  }

  @Test func moreThan64MiBLeavesItsBeginningItsEndAndTheRightNumber() async throws {
    let place = try place(
      """
        - id: big
          run: 'echo first; head -c 80000000 /dev/zero | tr "\\000" "x" | fold -w 99; echo; echo last'
          rollback: none
          expect: "result.stdout.startsWith('first') && result.stdout.endsWith('last')"
      """, secrets: "")
    let ended = try await run(place, "run", "output.yaml")
    #expect(ended.code == 0, "\(ended.stdout)\(ended.stderr)")
    let id = try await id(place)
    let output = try await place.shell(
      "$R logs \(id) --output big > out.txt; grep -n 'left out' out.txt; tail -n 1 out.txt")
    let marker = try #require(output.lines.first?.split(separator: "[").last?.split(separator: " ").first)
    #expect(output.lines.last == "last")
    let kept = try #require(Int(try await place.shell("wc -c < out.txt").stdout.filter(\.isNumber)))
    let written = 6 + 80_000_000 + 808_081 + 5
    let marks = "\n[\(marker) bytes left out]\n".utf8.count
    #expect(kept - marks + (Int(marker) ?? 0) == written)
  }
}
