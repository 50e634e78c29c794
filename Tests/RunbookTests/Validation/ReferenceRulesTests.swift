import Runbook
import Testing

/// What an expression may read depends on where it stands. The words of these mistakes are tested beside the checker.
@Suite struct ReferenceRulesTests {
  @Test(arguments: [
    ("- {sleep: 1s, if: steps.nobody.status == 'failed'}", ["E-EXPR-STEP"]),
    ("- {sleep: 1s, if: steps.b.status == 'failed'}\n- {id: b, sleep: 1s}", ["E-EXPR-STEP-ORDER"]),
    (
      "- {id: a, wait_for: net.tcp, with: {host: a, port: 1}, if: inputs.count > 1, outputs: {total: '1'}}\n"
        + "- {sleep: 1s, if: steps.a.outputs.total == 1}", ["E-EXPR-OPTIONAL"]
    ),
    (
      "- {id: a, sleep: 1s, if: inputs.count > 1, outputs: {total: '1'}}\n- {sleep: 1s, if: "
        + "'steps.a.?outputs.total.orValue(0) == 1'}",
      []
    ),
    ("- {id: a, sleep: 1s, outputs: {total: '1'}}\n- {sleep: 1s, if: steps.a.outputs.total == 1}", []),
    ("- {id: a, sleep: 1s}\n- {sleep: 1s, if: steps.a.outputs.total == 1}", ["E-EXPR-MEMBER"]),
    ("- {sleep: 1s, if: self.status == 'x'}", ["E-EXPR-NAME"]), ("- {sleep: 1s, if: result.x == 1}", ["E-EXPR-NAME"]),
    ("- {sleep: 1s, if: failure.kind == 'x'}", ["E-EXPR-NAME"]),
    ("- {sleep: 1s, if: error.kind == 'x'}", ["E-EXPR-NAME"]),
    ("- {sleep: 1s, if: rollback.outcome == 'x'}", ["E-EXPR-NAME"]),
    ("- {run: x, rollback: none, expect: \"result.exit_code == 0 && self.attempts == 1\"}", []),
    ("- {run: x, rollback: none, retry: {if: error.kind == 'timeout'}}", []),
    (
      "- {wait_for: net.tcp, with: {host: a, port: 1}, wait: {until: 'has(error.kind)', "
        + "fail_if: error.kind == 'auth'}}",
      []
    ),
    ("- {run: x, rollback: [{run: y, if: self.status == 'failed' && failure.kind == 'timeout'}]}", []),
    ("- {id: a, run: x, rollback: [{run: y, if: steps.a.status == 'failed'}]}", ["E-EXPR-STEP-ORDER"]),
    ("- {sleep: 1s, if: inputs.sever == 'x'}", ["E-EXPR-MEMBER"]),
    ("- {sleep: 1s, if: inputs.server}", ["E-EXPR-TYPE"]),
    ("- {sleep: 1s, if: secrets.token == 'x'}", ["E-EXPR-SECRET"]),
    ("- {sleep: 1s, outputs: {t: secrets.token}}", ["E-SECRET"]),
    ("- {action: log.info, with: {message: '${{ secrets.token }}'}}", ["E-SECRET"]),
    ("- {action: log.info, with: {message: 'token ${{ secrets.token }}'}}", ["E-SECRET"]),
    ("- {run: x, rollback: none, env: {T: 'Bearer ${{ secrets.token }}'}}", []),
    ("- {action: server.stop, with: {server: '${{ inputs.names }}'}, rollback: none}", ["E-TYPE"]),
    ("- {action: server.stop, with: {server: '${{ inputs.count }}'}, rollback: none}", []),
    ("- {sleep: 1s, if: failure()}", ["E-KEY-FOREIGN"]), ("- {sleep: 1s, if: env.HOME == 'x'}", ["E-KEY-FOREIGN"]),
    ("- {sleep: 1s, if: '${{ true }}'}", []), ("- {sleep: 1s, if: '${{ true }} && false'}", ["E-EXPR-SYNTAX"]),
    ("- {id: a, aktion: x}\n- {sleep: 1s, if: steps.a.outputs.total == 1}", ["E-STEP-KIND"]),
    ("- {action: server.stop, with: {server: a}, rollback: none, provider: other}", ["E-PROVIDER"]),
    ("- {action: server.stop, with: {server: a}, rollback: none, provider: cloud}", []),
  ])
  func findsExactly(_ steps: String, codes: [String]) { Refused(steps).checkCodes(codes) }

  @Test(arguments: [
    ("on_failure: [{action: log.info, with: {message: '${{ failure.kind }}'}}]", []),
    ("always: [{action: log.info, with: {message: \"${{ run.outcome }} ${{ rollback.outcome }}\"}}]", []),
    ("always: [{action: log.info, with: {message: x}, if: failure != null && failure.kind == 'timeout'}]", []),
    ("always: [{action: log.info, with: {message: x}, if: steps.only.outputs.x == 1}]", ["E-EXPR-OPTIONAL"]),
    ("always: [{action: log.info, with: {message: x}, if: steps.only.status == 'failed'}]", []),
    ("on_failure: [{action: log.info, with: {message: '${{ rollback.outcome }}'}}]", ["E-EXPR-NAME"]),
    ("locks: ['${{ steps.only.status }}']", ["E-EXPR-STEP"]), ("locks: ['${{ secrets.t }}']", ["E-EXPR-NAME"]),
    ("outputs: {state: steps.only.status}", []),
    ("vars: {a: 1, b: '${{ vars.a + 1 }}', c: '${{ vars.d }}'}", ["E-EXPR-MEMBER"]),
    ("vars: {a: '${{ secrets.t }}'}\nsecrets: {t: {source: env, key: T}}", ["E-SECRET"]),
    ("always: [{action: server.stop, with: {server: a}}]", ["E-PROVIDER"]),
    (
      "providers: {a: {type: vps_org, token: '${{ secrets.t }}'}, b: {type: vps_org, token: '${{ secrets.t }}'}}\n"
        + "secrets: {t: {source: env, key: T}}\nalways: [{action: server.stop, with: {server: a}}]", ["E-PROVIDER"]
    ),
  ])
  func findsExactlyAtTheTop(_ keys: String, codes: [String]) { Refused(keys).checkCodes(codes) }

  @Test func everyStepKindsExampleIsValid() throws {
    for kind in Framed.context().steps {
      #expect(throws: Never.self, "\(kind.example)") { try Framed.validated(kind.example) }
    }
  }

  @Test func twoThousandStepsAreReadInOnePass() throws {
    let steps = (0..<2000).map { "- {id: s\($0), sleep: 1s, if: inputs.count > \($0)}" }.joined(separator: "\n")
    #expect(try Framed.validated(steps).steps.leaves.count == 2000)
  }
}
