import Runbook
import Testing

@Suite struct TopLevelRulesTests {
  @Test(arguments: [
    Refused(
      "①name: x\nsteps: [{sleep: 1s}]\n#runbook:",
      "① E-KEY-MISSING: a runbook needs `runbook`; begin with `runbook: v1`"),
    Refused(
      "runbook: ①v2\nname: x\nsteps: [{sleep: 1s}]",
      "① E-VERSION: `runbook` is the version of the language, not `v2`; write `v1`"),
    Refused("①#runbook:", "① E-EMPTY: the file is empty; begin with `runbook: v1`"),
    Refused("①- runbook: v1", "① E-TYPE: a runbook must be a map (`key: value` lines), not a list"),
    Refused(
      "①runbook: v1\nname: x", "① E-KEY-MISSING: a runbook needs `steps`; a list: `steps:` and below it `- id: …`"),
    Refused("runbook: v1\nname: x\nsteps: ①[]", "① E-EMPTY: `steps` is empty"),
    Refused("①discription: x", "① E-KEY-UNKNOWN: a runbook has no key `discription`; did you mean `description`?"),
    Refused(
      "①schedule: {}\n②targets: []",
      "① E-UNSUPPORTED: `schedule` is not supported yet; take it out; a later release will read it",
      "② E-UNSUPPORTED: `targets` is not part of the language; name the servers in `inputs`"),
    Refused("①jobs: {}", "① E-KEY-FOREIGN: `jobs` is a word of other tools; write `steps:`"),
    Refused(
      "timeout: ①3600",
      "① E-TYPE: `timeout` must be a duration such as `30s`, `5m` or `1h30m`, not `3600`; did you mean `3600s`?"),
    Refused(
      "rollback_policy: {after: [failure, ①always], timeout: ②0s, destroy: ③never, ④befor: x}",
      "① E-CHOICE: `rollback_policy.after` must be `failure`, `cancel` or `success`, not `always`",
      "② E-RANGE: `rollback_policy.timeout` is 0s; it must be 1ms to 30d",
      "③ E-CHOICE: `rollback_policy.destroy` must be `proceed` or `ask`, not `never`",
      "④ E-KEY-UNKNOWN: `rollback_policy` has no key `befor`; known here: `after`, `timeout`, `destroy`"),
    Refused(
      "rollback_policy: {destroy: ①ask}",
      "① E-UNSUPPORTED: `rollback_policy.destroy: ask` is not supported yet; take it out; a later release will read "
        + "it"),
    Refused(
      "secrets: {a: ①hunter2, ③c: {source: env}, d: {source: file, path: /x, ④key: y}, e: {source: ⑤vault}}",
      "① E-SECRET: `secrets.a` must say where the secret is, and never hold it; write `{source: env, key: NAME}`, "
        + "and change the secret if this was one",
      "③ E-KEY-MISSING: `secrets.c` needs `key`; the name of the environment variable",
      "④ E-KEY-UNKNOWN: `secrets.d` has no key `key`; known here: `source`, `path`",
      "⑤ E-CHOICE: `secrets.e.source` must be `env`, `file`, `command` or `credential`, not `vault`"),
    Refused(
      "secrets: {①a: {source: command}, b: {source: command, argv: ②[]}, c: {source: command, argv: ③pass show x}, "
        + "d: {source: command, argv: [pass, ④'${{ inputs.x }}']}, e: {source: command, argv: [⑤'', x]}, "
        + "f: {source: command, argv: [pass, ''], ⑥key: y}}",
      "① E-KEY-MISSING: `secrets.a` needs `argv`; the program and its arguments, such as `[pass, show, cloud]`",
      "② E-TYPE: `secrets.b.argv` names no program; write `[PROGRAM, ARGUMENT, …]`",
      "③ E-TYPE: `secrets.c.argv` must be a list of words, not `pass show x`; write `[PROGRAM, ARGUMENT, …]`; "
        + "no shell reads it",
      "④ E-INTERPOLATION: `secrets.d.argv` is read before the run, so it cannot hold `${{ }}`; write its text",
      "⑤ E-TYPE: `secrets.e.argv` is empty; write its text, in quotes if it is meant to look like `null`",
      "⑥ E-KEY-UNKNOWN: `secrets.f` has no key `key`; known here: `source`, `argv`"),
    Refused(
      "secrets: {①a: {source: credential}, b: {source: credential, key: ②../shadow}, "
        + "c: {source: credential, key: token, ③path: x}}",
      "① E-KEY-MISSING: `secrets.a` needs `key`; the name in `LoadCredential=` of the systemd unit",
      "② E-NAME: `secrets.b.key` is the name of a credential, which has no `/` in it; write the name that stands in "
        + "`LoadCredential=NAME:PATH`",
      "③ E-KEY-UNKNOWN: `secrets.c` has no key `path`; known here: `source`, `key`"),
    Refused(
      "secrets: {①a: {②from: env}}",
      "① E-KEY-MISSING: `secrets.a` needs `source`; `env`, `file`, `command` or `credential`",
      "② E-KEY-UNKNOWN: `secrets.a` has no key `from`; known here: `source`, `key`, `path`, `argv`"),
    Refused(
      "vars: {version: ①3.10, big: ②1e5, fine: 3.1, list: [1, ③0x1F], quoted: '3.10', mask: 0644}",
      "① E-YAML-NUMBER: `3.10` is a number here, and would be written `3.1`; write \"3.10\" to keep its text, or "
        + "3.1 if it is a number",
      "② E-YAML-NUMBER: `1e5` is a number here, and would be written `100000`; write \"1e5\" to keep its text, or "
        + "100000 if it is a number",
      "③ E-YAML-NUMBER: `0x1F` is a number here, and would be written `31`; write \"0x1F\" to keep its text, or 31 "
        + "if it is a number"),
    Refused(
      "providers: {①a: {②tpye: vps_org}}",
      "① E-KEY-MISSING: `providers.a` needs `type`; one of digitalocean, hetzner, vps_org, zomro, zstack",
      "② E-KEY-UNKNOWN: `providers.a` has no key `tpye`; did you mean `type`?"),
    Refused(
      "providers: {a: {type: vps_org, url: \"http://127.0.0.1:1\", token: x, max_requests_per_second: ①-1, "
        + "timeout: ②0s, max_request_life: ③0s}}",
      "① E-RANGE: `providers.a.max_requests_per_second` is -1; it must be 0.001 to 1000",
      "② E-RANGE: `providers.a.timeout` is 0s; it must be 1ms to 366d",
      "③ E-RANGE: `providers.a.max_request_life` is 0s; it must be 1ms to 366d"),
    Refused(
      "providers: {a: {type: ①zstak}, b: {type: ②vps}, ③c: {}}",
      "① E-PROVIDER: unknown provider type `zstak`; did you mean `zstack`?",
      "② E-PROVIDER: unknown provider type `vps`; known here: `digitalocean`, `hetzner`, `vps_org`, "
        + "`zomro`, `zstack`",
      "③ E-KEY-MISSING: `providers.c` needs `type`; one of digitalocean, hetzner, vps_org, zomro, zstack"),
    Refused(
      "providers: {a: {type: vps_org, token: ①'${{ secrets.token }}', url: ②http://example.com, ③tokn: "
        + "x}}\nsecrets: {token: {source: env, key: T}}"
        .replacing("①", with: ""),
      "② E-URL: `providers.a.url` would send credentials unencrypted; write `https://`, or `plain_http: allow` if "
        + "the network to it is safe",
      "③ E-KEY-UNKNOWN: `providers.a` has no key `tokn`; did you mean `token`?"),
    Refused("locks: ①name", "① E-TYPE: `locks` must be a list of names, not `name`; begin each with `- `"),
    Refused(
      "defaults: {①'servr.*': {timeout: 1m}, 'server.*': {with: {②servr: a}, ③id: x}}",
      "① E-ACTION: `servr.*` matches no action",
      "② E-KEY-UNKNOWN: none of these actions has a field `servr`; did you mean `server`?",
      "③ E-KEY-UNKNOWN: `defaults.server.*` has no key `id`; known here: `with`, `env`, `retry`, `wait`, `timeout`, "
        + "`rollback`, "
        + "`idempotent`, `on_crash`, `continue_on_error`, `provider`"),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test func whatIsNotWrittenHasItsDefault() throws {
    let runbook = try Framed.validated("labels: {team: 012}")
    #expect(runbook.labels == ["team": "012"])
    #expect(runbook.timeout == .seconds(86_400))
    #expect(runbook.rollbackPolicy.timeout == .seconds(4 * 3600))
    #expect(runbook.rollbackPolicy.after == [.failure, .cancel])
    #expect(runbook.steps.leaves[0].path == "only")
    #expect(runbook.steps.leaves[0].timeout == .seconds(300))
    #expect(runbook.steps.leaves[0].retry.attempts == 5)
    #expect(runbook.warnings.isEmpty)
  }

  @Test func theLongestGlobOfDefaultsWinsAndTheStepBeforeAll() throws {
    let runbook = try Framed.validated(
      """
      defaults:
        "*": {timeout: 1m, with: {server: all}}
        "server.*": {timeout: 2m, retry: {attempts: 7}}
      """ + "\n"
        + Framed.top.split(separator: "\n").filter { $0.hasPrefix("providers") || $0.hasPrefix("secrets") }
        .joined(separator: "\n")
          + """

          always:
          - {action: server.stop}
          - {action: server.start, timeout: 3m, with: {server: 12345}, retry: {delay: 5s}}
          """)
    #expect(runbook.always.leaves.map { $0.timeout } == [.seconds(120), .seconds(180)])
    #expect(runbook.always.leaves.map { $0.with["server"]?.constant } == ["all", "12345"])
    #expect(runbook.always.leaves.map { $0.retry.attempts } == [7, 7])
    #expect(runbook.always.leaves.map { $0.provider } == ["cloud", "cloud"])
    #expect(runbook.steps.leaves[0].timeout == .seconds(60))
    #expect(runbook.steps.leaves[0].with["server"] == nil || runbook.steps.leaves[0].with.count == 1)
  }
}
