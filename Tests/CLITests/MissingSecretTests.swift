import Glibc
import Testing

/// A secret that is gone refuses a take-over, and never the way out.
@Suite struct MissingSecretTests {
  private static let text = """
    runbook: v1
    name: needs_secrets
    secrets:
      token: {source: env, key: A_TOKEN}
      hook: {source: env, key: A_HOOK}
    locks: [db]
    steps:
      - id: one
        run: 'echo one >> trace'
        env: {T: "${{ secrets.token }}"}
        rollback: [{run: 'echo undo-one >> trace', env: {T: "${{ secrets.token }}"}, retry: {attempts: 1}}]
      - {id: two, run: 'echo two >> trace; while ! test -e go; do sleep 0.05; done', rollback: none}
      - {id: three, fail: enough}
    always:
      - {run: 'echo always >> trace', env: {H: "${{ secrets.hook }}"}, continue_on_error: true}

    """

  @Test func aRunWhoseSecretsAreGoneCanStillBeEnded() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.text)
    try place.write("b.yaml", Sample.wantsTheLock)
    let running = try place.start(["run", "a.yaml"], ["A_TOKEN": "first-secret", "A_HOOK": "other-secret"])
    try await place.waitFor("two", in: "trace")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    running.send(SIGKILL)
    _ = try await running.finish()
    try place.write("go", "")

    let refused = try await place.run("resume", id)
    #expect(refused.code == 2)
    for word in ["2 secrets are missing", "`token`", "`hook`", "--without-secret token --without-secret hook"] {
      #expect(refused.stderr.contains(word), "\(refused.stderr)")
    }
    #expect(try await place.run("logs", id).stdout.contains("resumed") == false)
    let unknown = try await place.run("resume", id, "--without-secret", "tokn")
    #expect(unknown.code == 2)
    #expect(unknown.stderr.contains("did you mean `token`?"), "\(unknown.stderr)")

    let ended = try await place.run("resume", id, "--without-secret", "token", "--without-secret", "hook")
    #expect(ended.code == 4, "\(ended)")
    #expect(ended.stdout.contains("without secret hook, token"), "\(ended.stdout)")
    #expect(ended.stdout.contains("one.undo[0]") && ended.stdout.contains("`token`"), "\(ended.stdout)")
    #expect(place.read("trace") == "one\ntwo\n")
    #expect(try await place.run("rollback", "resume", id).code == 2)
    #expect(try await place.run("run", "b.yaml").code == 7)
    #expect(try await place.run("rollback", "abandon", id, "--reason", "the token is gone").code == 0)
    #expect(try await place.run("run", "b.yaml").code == 0)
  }

  @Test func aSecretThatNothingNeedsAnyMoreIsNotAskedFor() async throws {
    let place = try Workplace()
    try place.write(
      "a.yaml",
      """
      runbook: v1
      name: needs_secrets
      secrets:
        token: {source: env, key: A_TOKEN}
        hook: {source: env, key: A_HOOK}
        undo: {source: env, key: AN_UNDO}
      steps:
        - {id: one, run: 'echo one >> trace', env: {T: "${{ secrets.token }}"}, rollback: none}
        - id: two
          run: 'echo two >> trace; while ! test -e go; do sleep 0.05; done'
          rollback: [{run: 'echo undo >> trace; test -e healed', env: {U: "${{ secrets.undo }}"}, retry: {attempts: 1}}]
        - {id: three, fail: enough}
      always:
        - {run: 'echo always >> trace', env: {H: "${{ secrets.hook }}"}}

      """)
    let all = ["A_TOKEN": "first-secret", "A_HOOK": "other-secret", "AN_UNDO": "third-secret"]
    let running = try place.start(["run", "a.yaml"], all)
    try await place.waitFor("two", in: "trace")
    let id = try #require(Finished(stdout: running.stdout, stderr: "").runID)
    running.send(SIGKILL)
    _ = try await running.finish()
    try place.write("go", "")
    let refused = try await place.run("resume", id)
    #expect(refused.code == 2)
    #expect(refused.stderr.contains("2 secrets are missing"), "\(refused.stderr)")
    #expect(refused.stderr.contains("`hook`") && refused.stderr.contains("`undo`"), "\(refused.stderr)")
    #expect(!refused.stderr.contains("`token`"), "\(refused.stderr)")
    let ended = try await place.run(["resume", id], all.filter { $0.key != "A_TOKEN" })
    #expect(ended.code == 4, "\(ended)")
    #expect(place.read("trace") == "one\ntwo\nundo\nalways\n")
    // Only the undo is left.
    let asked = try await place.run("rollback", "resume", id)
    #expect(asked.code == 2)
    #expect(asked.stderr.contains("secret `undo` is missing"), "\(asked.stderr)")
    #expect(!asked.stderr.contains("`hook`"), "\(asked.stderr)")
    try place.write("healed", "")
    #expect(try await place.run(["rollback", "resume", id], ["AN_UNDO": "third-secret"]).code == 3)
  }

  @Test func allMissingSecretsAreNamedAtOnce() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.text)
    let refused = try await place.run("run", "a.yaml")
    #expect(refused.code == 2)
    #expect(
      refused.stderr.hasPrefix(
        """
        error: 2 secrets are missing:
               secret `token` is missing: the environment variable `A_TOKEN` is not set
               secret `hook` is missing: the environment variable `A_HOOK` is not set

        """), "\(refused.stderr)")
    #expect(!refused.stderr.contains("--without-secret"))
    #expect(try await place.run("list", "-q").stdout == "")
  }
}
