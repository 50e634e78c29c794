import Testing

@testable import Runbook

@Suite struct ScriptLintTests {
  @Test(arguments: [
    ("pg_dump db | gzip > x", "pg_dump db | gzip"), ("a\nif b c | d; then e; fi", "b c | d"),
    ("x=$(curl -s h | jq .a)", "curl -s h | jq"), ("#!/bin/sh\ncat f | sort", "cat f | sort"),
    ("echo 'a' && b |c", "b | c"),
  ])
  func aPipeThatHidesAFailureIsFound(_ script: String, _ pipe: String) {
    #expect(ScriptLint(script.utf8).uncheckedPipe == pipe)
  }

  @Test(arguments: [
    "echo a | sort", "a || b", "echo 'a | b'", "echo \"a | b\" ; c", "# a | b\nc", "case $x in a|b) c ;; esac",
    "#!/bin/bash\na | b", "#!/usr/bin/env python3\na | b", "set -o pipefail; a | b", "printf '%s' x | b", "a >| b",
    "cat <<EOF | tee x\nEOF",
  ])
  func aPipeThatHidesNothingIsNot(_ script: String) {
    #expect(ScriptLint(script.utf8).uncheckedPipe == nil)
  }

  @Test(arguments: [("a\r\nb", true), ("a\nb", false), ("#!/usr/bin/env python3\r\na", false), ("a\rb", false)])
  func aCarriageReturnAtTheEndOfALineIsFound(_ script: String, _ isFound: Bool) {
    #expect(ScriptLint(script.utf8).hasCarriageReturns == isFound)
  }

  @Test(arguments: [
    Refused.strictly(
      "- {run: ①'pg_dump db | gzip > x', rollback: none}",
      "① W-PIPE: when the first part of `pg_dump db | gzip` fails, the script goes on; "
        + "begin it with `#!/bin/bash` and `set -euo pipefail`, or write the first part into a file"),
    Refused(
      "- {run: ①\"a\\r\\nb\", rollback: none}",
      "① E-FILE: lines of `run` end with a carriage return, which a shell takes for a part of its words; "
        + "save it with line feeds alone: `sed -i 's/\\r$//' FILE`"),
  ])
  func itIsToldWithAWayOut(_ refused: Refused) { refused.check() }
}
