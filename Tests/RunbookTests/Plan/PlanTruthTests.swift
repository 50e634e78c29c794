import Runbook
import Testing

/// What a plan says of conditions, scripts, environments and undos.
@Suite struct PlanTruthTests {
  private func plan(_ steps: String, top: String = "") throws -> Plan {
    let inputs = "inputs: {minor: {type: bool, default: true}, odd: {type: bool}}"
    let text = "runbook: v1\nname: plan\n\(inputs)\n\(top)steps:\n"
    let document = try ParsedDocument(yaml: text + steps)
    return Plan(try ValidatedRunbook(document, in: CloudRunbook.context()), inputs: [:], at: Timestamp(seconds: 0))
  }

  private func lines(_ plan: Plan, isVerbose: Bool = false) -> [String] {
    PlanText.lines(plan, isVerbose: isVerbose).map { String($0.trimmingPrefix { $0 == " " }) }
  }

  @Test("a condition that is known is decided, and of another one it is told what it depends on")
  func aConditionThatIsKnownIsDecided() throws {
    let shown = lines(
      try plan(
        """
          - {id: a, run: echo a, if: inputs.minor, rollback: none}
          - {id: b, run: echo b, if: "!inputs.minor", rollback: none}
          - {id: c, run: echo c, if: steps.a.status == 'succeeded' && inputs.odd, rollback: none}
          - {id: d, run: echo d, if: "inputs.minor || inputs.odd", rollback: none}

        """))
    #expect(shown.contains("runs: `inputs.minor` is true"))
    #expect(shown.contains("2. b  run  (skipped)") && shown.contains("skipped: `!inputs.minor` is false"))
    #expect(!shown.contains("script: echo b"))
    #expect(
      shown.contains("only if `steps.a.status == 'succeeded' && inputs.odd` (depends on inputs.odd, steps.a)"))
    #expect(shown.contains("runs: `inputs.minor || inputs.odd` is true"))
    #expect(shown.contains("4 steps: 3 change, 1 is skipped."), "\(shown)")
    let skipped = try plan("  - {id: b, run: x, if: '!inputs.minor', rollback: none}\n")
    let json = try #require(PlanText.json(skipped)["steps"])
    #expect(json.list?.first?["decision"] == "skipped")
  }

  @Test("a script stands there as a whole, with its variables, secrets masked")
  func aScriptStandsThereAsAWhole() throws {
    let shown = lines(
      try plan(
        """
          - id: a
            run: |
              echo one

              echo "$WORD"
            env: {WORD: "minor=${{ inputs.minor }}", PW: "${{ secrets.pw }}"}
            rollback: none

        """, top: "secrets: {pw: {source: env, key: PW}}\n"))
    let start = try #require(shown.firstIndex(of: "script:"))
    let body = ["| echo one", "| ", "| echo \"$WORD\"", "env PW: ***", "env WORD: minor=true"]
    #expect(Array(shown[(start + 1)...].prefix(5)) == body)
  }

  @Test("undos are counted apart, what would stay is named, and a default is told only when it is asked for")
  func undosAreCountedApart() throws {
    let steps = """
        - {id: stop, action: server.stop, with: {server: a}, rollback: [{action: snapshot.restore, with: {server: a}}]}
        - {id: kept, run: echo, rollback: none}
        - {id: bare, run: echo}

      """
    let shown = lines(try plan(steps, top: "providers: {cloud: {type: iron}}\n"))
    for line in [
      "3 steps: 3 change.", "1 undo step: 1 destroys.",
      "1 of 3 changes can be undone; these stay: `kept` (line 7, on purpose), `bare` (line 8, no rollback is written).",
      "When its reply is lost, a person is asked what it did: `kept`, `bare`.",
      "E4: it is never repeated by itself, and a person is asked when its reply was lost.",
      "if a step fails or the run is cancelled, started steps are undone, newest first:",
      "locks iron/(account)/server/a",
    ] { #expect(shown.contains(line), "`\(line)` is missing in \(shown)") }
    #expect(!shown.contains("power: same"))
    #expect(lines(try plan(steps, top: "providers: {cloud: {type: iron}}\n"), isVerbose: true).contains("power: same"))
    let inert = try plan("  - {id: a, run: echo, rollback: [{run: echo, if: '!inputs.minor'}]}\n")
    let stays = "0 of 1 change can be undone; these stay: `a` (line 5, the condition of its undo is false)."
    #expect(lines(inert).contains(stays), "\(lines(inert))")
    let always = try plan(steps, top: "providers: {cloud: {type: iron}}\nrollback_policy: {after: [success]}\n")
    #expect(lines(always).contains("if all steps have succeeded, started steps are undone, newest first:"))
  }
}
