import Glibc
import Testing

/// Secrets that a program prints, or that systemd hands over.
@Suite struct SecretSourceTests {
  private static func text(_ source: String) -> String {
    """
    runbook: v1
    name: asks
    secrets:
      token: {\(source)}
    steps:
      - {id: use, run: 'printf "%s" "$T" > used', env: {T: "${{ secrets.token }}"}, rollback: none}
      - {id: show, run: 'echo "it is $T"', env: {T: "${{ secrets.token }}"}, effect: none}

    """
  }

  /// A password manager that counts how often it is asked.
  private func place(_ answer: String, argv: String = "[./manager, show, cloud]") throws -> Workplace {
    let place = try Workplace()
    try place.write("manager", "#!/bin/sh\necho asked >> asked\n\(answer)\n", mode: 0o700)
    try place.write("a.yaml", Self.text("source: command, argv: \(argv)"))
    return place
  }

  @Test func whatAProgramPrintsIsTheSecretAndIsNeverShown() async throws {
    let place = try place("printf 'pass-%s-%s\\n' \"$1\" \"$2\"; echo pass-show-cloud >&2")
    let run = try await place.run("run", "a.yaml")
    #expect(run.code == 0, "\(run.stdout)\(run.stderr)")
    #expect(place.read("used") == "pass-show-cloud")
    #expect(place.read("asked") == "asked\n")
    let id = try #require(run.runID)
    let logs = try await place.run("logs", id, "--output", "show")
    #expect(logs.stdout.contains("it is ***"), "\(logs.stdout)\(logs.stderr)")
    for shown in [run.stdout, run.stderr, logs.stdout] { #expect(!shown.contains("pass-show-cloud")) }
  }

  @Test func whatDoesNotRunTheStepsDoesNotRunTheProgram() async throws {
    let place = try place("echo secret-value")
    for words in [["validate", "a.yaml"], ["plan", "a.yaml"], ["run", "--simulate", "--speed", "600", "a.yaml"]] {
      let ended = try await place.run(words)
      #expect(ended.code == 0, "\(words): \(ended.stdout)\(ended.stderr)")
    }
    #expect(!place.exists("asked"))
  }

  @Test(
    arguments: [
      ("echo secret-value; echo secret-value >&2; exit 2", "`./manager` ended with exit code 2"),
      (":", "what `./manager` prints is empty"), ("echo", "what `./manager` prints is empty"),
      ("printf 'secret-value\\377'", "what `./manager` prints is not UTF-8 text"),
      ("head -c 66000 /dev/zero | tr '\\0' x", "`./manager` prints more than 64 KiB"),
    ])
  func aProgramThatDoesNotAnswerLeavesTheRunUntouched(_ answer: String, _ told: String) async throws {
    let place = try place(answer)
    let run = try await place.run("run", "a.yaml")
    #expect(run.code == 2, "\(run.stdout)\(run.stderr)")
    #expect(run.stderr.contains("secret `token` is missing: \(told)"), "\(run.stderr)")
    #expect(run.stderr.contains("to see it, run it yourself: (cd "), "\(run.stderr)")
    #expect(run.stderr.contains(" && ./manager show cloud)"), "\(run.stderr)")
    #expect(!(run.stdout + run.stderr).contains("secret-value"))
    #expect(try await place.run("list", "-q").stdout == "")
  }

  @Test func anInterruptEndsTheProgram() async throws {
    // It interrupts the command itself: no test that waits for a processor lets its time pass.
    let place = try place("echo $$ > pid; kill -INT $PPID; exec sleep 1000")
    let ended = try await place.run("run", "a.yaml")
    #expect(ended.code == 5, "\(ended)")
    let pid = try #require(Int32(place.read("pid").dropLast()))
    // Nobody reaps an orphan here at once.
    while kill(pid, 0) == 0, Self.state(of: pid) != "Z" { try await Task.sleep(for: .milliseconds(5)) }
  }

  private static func state(of pid: Int32) -> Character? {
    guard let file = unsafe fopen("/proc/\(pid)/stat", "r") else { return nil }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    guard unsafe fgets(&line, 512, file) != nil else { return nil }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.split(separator: ")").last.flatMap { $0.first { $0 != " " } }
  }

  @Test func aCredentialOfSystemdIsReadFromItsFolder() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.text("source: credential, key: cloud.token"))
    let folder = place.path("credentials")
    _ = unsafe mkdir(folder, 0o700)
    // systemd gives the service's user a right of its own, which a mode shows as the group's.
    try place.write("credentials/cloud.token", "from-systemd\n", mode: 0o440)
    let run = try await place.run(["run", "a.yaml"], ["CREDENTIALS_DIRECTORY": folder])
    #expect(run.code == 0, "\(run.stdout)\(run.stderr)")
    #expect(place.read("used") == "from-systemd")
    #expect(!(run.stdout + run.stderr).contains("from-systemd"))

    let outside = try await place.run("run", "a.yaml")
    #expect(outside.code == 2)
    #expect(
      outside.stderr.contains(
        "secret `token` is missing: `CREDENTIALS_DIRECTORY` is not set, as it is in a service of systemd that has "
          + "credentials"), "\(outside.stderr)")
    #expect(outside.stderr.contains("add `LoadCredential=cloud.token:PATH` to the unit"))
    _ = unsafe unlink("\(folder)/cloud.token")
    let missing = try await place.run(["run", "a.yaml"], ["CREDENTIALS_DIRECTORY": folder])
    #expect(missing.code == 2)
    #expect(missing.stderr.contains("cloud.token` does not exist"), "\(missing.stderr)")
    #expect(missing.stderr.contains("LoadCredential=cloud.token:PATH"))
  }
}
