import Runbook
import Testing

@Suite struct ScriptRulesTests {
  @Test(arguments: [
    Refused(
      "- {run: ①'echo ${{ inputs.server }}', rollback: none}",
      "① E-INTERPOLATION: `${{ }}` cannot stand in `run`: another program would interpret the value; "
        + "give the value through `env: {NAME: \"${{ … }}\"}` and read \"$NAME\""),
    Refused(
      "- {run: ①, rollback: none}",
      "① E-TYPE: `run` is empty; text for `/bin/sh -eu`, or for the program that a first line `#!…` names; values come "
        + "in through `env`"),
    Refused("- {①run: {}, rollback: none}", "① E-KEY-MISSING: `run` needs one of `command`, `script` or `script_file`"),
    Refused(
      "- {run: {script: x, ①command: [x]}, rollback: none}",
      "① E-KEY-TOGETHER: `script` and `command` cannot stand together"),
    Refused(
      "- {run: {script_file: ①../x.sh}, rollback: none}",
      "① E-FILE: `script_file` cannot leave the runbook's folder (`..`); name a file in the runbook's folder or "
        + "below it"
    ),
    Refused(
      "- {run: {script_file: ①/etc/passwd}, rollback: none}",
      "① E-FILE: `script_file` must be a path relative to the runbook; "
        + "name a file in the runbook's folder or below it"),
    Refused(
      "- {run: {script_file: ①a%2f..%2fb}, rollback: none}",
      "① E-FILE: `script_file` must be written plainly, with `/` between folders; name a file in the runbook's "
        + "folder or below it"
    ),
    Refused(
      "- {run: {script_file: ①none.sh}, rollback: none}", "① E-FILE: `none.sh` cannot be read: there is no such file"),
    Refused(
      "- {run: 'true', env: {①1A: x, B: ②[x]}, rollback: none}",
      "① E-NAME: `1A` is no name of an environment variable", "② E-TYPE: `env.B` must be text, not a list"),
    Refused(
      "- {run: {command: [echo, ①3.10, ②null, ③[a]]}, rollback: none}",
      "① E-YAML-NUMBER: `3.10` is a number here, and would be written `3.1`; write \"3.10\" to keep its text, or 3.1 "
        + "if it is a number",
      "② E-TYPE: a word of `command` is empty; write \"null\" if it is meant as text",
      "③ E-TYPE: `command` is a list of words, and this is a list"),
    Refused(
      "- {run: {command: ①[]}, rollback: none}\n- {run: {command: [①'']}, rollback: none}",
      "① E-TYPE: `command` names no program; write `[PROGRAM, ARGUMENT, …]`",
      "① E-TYPE: `command` names no program; write `[PROGRAM, ARGUMENT, …]`"),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test func aScriptFileIsPinned() throws {
    let runbook = try Framed.validated("- {id: a, run: {script_file: ./update.sh}, rollback: none}")
    #expect(runbook.pinnedFiles == ["./update.sh": Array("true\n".utf8)])
    #expect(runbook.steps.leaves[0].timeout == .seconds(3600))
    #expect(runbook.steps.leaves[0].retry.attempts == 1)
  }
}
