import Runbook
import Testing

@Suite struct StepRulesTests {
  @Test(arguments: [
    Refused(
      "- ①aktion: log.info\n  with: {message: x}", "① E-STEP-KIND: unknown step kind `aktion`; did you mean `action`?"),
    Refused(
      "- ①{id: a, name: b}",
      "① E-STEP-KIND: the step does not say what it does; give it one of `action`, `run`, `wait_for`, `sleep`, "
        + "`fail`, `commit`, `approve`, `block`, `parallel`, `call`"
    ),
    Refused(
      "- {run: 'true', ①sleep: 1s, rollback: none}",
      "① E-STEP-KIND: a step does one thing, and this one has `run` and `sleep`; make two steps of it"),
    Refused(
      "- {action: http.get, with: {url: 'https://h/', headers: {①Content-Length: 5, ②TE: x, Host: y}}}",
      "① E-CONTEXT: `Content-Length` cannot be given in `headers`: the length is that of the body; take it out",
      "② E-CONTEXT: `TE` cannot be given in `headers`: it is about the connection, which is kept by the client; take "
        + "it out"),
    Refused(
      "- {action: log.info, with: {message: ①'{{ inputs.server }}'}}\n"
        + "- {action: log.info, with: {message: ②'on ${server}'}}\n"
        + "- {action: log.info, with: {message: '{{ other }} ${X}'}}",
      "① E-INTERPOLATION: `{{ }}` and `${ }` are not replaced: the text would be used as it is; "
        + "write `${{ inputs… }}`, or `${{ '{{' }}` for the braces themselves",
      "② E-INTERPOLATION: `{{ }}` and `${ }` are not replaced: the text would be used as it is; "
        + "write `${{ inputs.server }}`, or `${{ '{{' }}` for the braces themselves"),
    Refused(
      "- ①uses: log.info", "① E-KEY-FOREIGN: `uses` is a word of other tools; write `action: NAME` with `with:`"),
    Refused(
      "- {action: log.info, with: {message: x}, ①when: 'true', ②needs: [a], ③register: r, ④loop: [a]}",
      "① E-KEY-FOREIGN: `when` is a word of other tools; write `if: EXPRESSION`",
      "② E-KEY-FOREIGN: `needs` is a word of other tools; take it out: steps run in the order of the file, and those "
        + "under `parallel:` at once",
      "③ E-KEY-FOREIGN: `register` is a word of other tools; take it out: read `steps.ID.outputs` of a step "
        + "with an `id`",
      "④ E-KEY-FOREIGN: `loop` is a word of other tools; write `for_each: LIST`; the item is `item`"),
    Refused(
      "- {sleep: ①31d}\n- {wait_for: net.tcp, with: {host: a, port: ②0}}\n"
        + "- {wait_for: net.tcp, with: {host: a, port: ③70000}}",
      "① E-RANGE: `sleep` is 31d; it must be 1ms to 30d",
      "② E-RANGE: `port` is 0; it must be 1 to 65535", "③ E-RANGE: `port` is 70000; it must be 1 to 65535"),
    Refused(
      "- {action: ①server.stopp, with: {server: a}}",
      "① E-ACTION: unknown action `server.stopp`; did you mean `server.stop`?"),
    Refused(
      "- {action: ①run, with: {script: x}}",
      "① E-ACTION: `run` is not an action; write `run: …` instead of `action: run`"),
    Refused(
      "- {action: ①report.publish}",
      "① E-UNSUPPORTED: `report.publish` is not supported yet; take it out; a later release will read it"),
    Refused(
      "- {action: log.info, with: {message: x, ①mesage: y}}",
      "① E-KEY-UNKNOWN: `log.info` has no field `mesage`; did you mean `message`?"),
    Refused("- {action: ①log.info}", "① E-KEY-MISSING: `log.info` needs `message`; the line; may hold `${{ }}`"),
    Refused("- {action: log.info, with: {message: ①''}}", "① E-TYPE: `message` is empty; the line; may hold `${{ }}`"),
    Refused("- {action: log.info, with: {message: ①}}", "① E-TYPE: `message` is empty; the line; may hold `${{ }}`"),
    Refused("- {action: log.info, with: {message: ①[a]}}", "① E-TYPE: `message` must be text, not a list"),
    Refused("- {action: log.info, with: ①text}", "① E-TYPE: `with` must be a map (`name: value`), not `text`"),
    Refused("- ①just text", "① E-TYPE: a step must be a map (`key: value` lines), not `just text`"),
    Refused(
      "- {id: ①My-Step, sleep: 1s}",
      "① E-NAME: the id `My-Step` must be a lower-case letter and then letters, digits or `_`, at most 64; write "
        + "`my_step`"
    ),
    Refused(
      "- {id: ①in, sleep: 1s}", "① E-NAME-RESERVED: the id `in` is a word of expressions; write `in_` or another name"),
    Refused("- {id: ①on, sleep: 1s}", "① E-NAME-RESERVED: the id `on` is a word of YAML; write `on_` or another name"),
    Refused(
      "- {id: a, sleep: 1s}\n- {id: ①a, sleep: 1s}",
      "① E-ID-DUPLICATE: the id `a` is given twice; first on line 7; ids are unique in a file"),
    Refused("- {sleep: ①0s}", "① E-RANGE: `sleep` is 0s; it must be 1ms to 30d"),
    Refused("- {sleep: ①-1s}", "① E-RANGE: `sleep` is -1s; it must be 1ms to 30d"),
    Refused("- {sleep: ①9223372036854775807s}", "① E-RANGE: `sleep` is 9223372036854775807s; it must be 1ms to 30d"),
    Refused(
      "- {sleep: ①5}",
      "① E-TYPE: `sleep` must be a duration such as `30s`, `5m` or `1h30m`, not `5`; did you mean `5s`?"),
    Refused("- {sleep: ①NaN}", "① E-TYPE: `sleep` must be a duration such as `30s`, `5m` or `1h30m`, not `NaN`"),
    Refused("- {sleep: 1s, timeout: ①0s}", "① E-RANGE: `timeout` is 0s; it must be 1ms to 30d"),
    Refused(
      "- {sleep: 1s, retry: {attempts: ①1000000000, delay: ②0s, backoff: ③0.5, jitter: ④2, ⑤tries: 3}}",
      "① E-RANGE: `attempts` is 1000000000; it must be 1 to 100", "② E-RANGE: `delay` is 0s; it must be 1ms to 1h",
      "③ E-RANGE: `backoff` is 0.5; it must be 1 to 10", "④ E-RANGE: `jitter` is 2; it must be 0 to 1",
      "⑤ E-KEY-UNKNOWN: `retry` has no key `tries`; known here: `attempts`, `delay`, `backoff`, `max_delay`, `jitter`, "
        + "`attempt_timeout`, `connect_timeout`, `if`"),
    Refused("- {sleep: 1s, retry: ①3}", "① E-TYPE: `retry` must be a map; write `{attempts: 3}`"),
    Refused(
      "- {sleep: 1s, continue_on_error: ①yes, idempotent: ②1}",
      "① E-TYPE: `continue_on_error` must be `true` or `false`, not `yes`; write true, without quotes",
      "② E-TYPE: `idempotent` must be `true` or `false`, not `1`; write true, without quotes"),
    Refused(
      "- {sleep: 1s, on_crash: ①retry, effect: ②change}",
      "① E-CHOICE: `on_crash` must be `ask` or `fail`, not `retry`", "② E-CHOICE: `effect` must be `none`, not `change`"
    ),
    Refused(
      "- {wait_for: ①server.stop, with: {server: a}}",
      "① E-CONTEXT: `wait_for` repeats its action, and `server.stop` changes something; write `action: "
        + "server.stop`, or wait for an action that only reads"
    ),
    Refused(
      "- {wait_for: net.tcp, with: {host: a, port: 22}, wait: ①5m}",
      "① E-TYPE: `wait` must be a map or `false`, not `5m`; write `{timeout: 5m}`; for a pause, `sleep:`"),
    Refused(
      "- {wait_for: net.tcp, with: {host: a, port: 22}, wait: {timeout: 10m, every: ①0s, stable: ②0}, timeout: ③5m}",
      "① E-RANGE: `every` is 0s; it must be 1ms to 1h", "② E-RANGE: `stable` is 0; it must be 1 to 1000",
      "③ E-RANGE: `timeout` covers the whole step, and its wait alone may take 10m; make it longer, or shorten "
        + "`wait.timeout`"
    ),
    Refused(
      "- {sleep: 1s, ①with: {a: b}}", "① E-CONTEXT: `sleep` takes no `with`; put the fields below `sleep:` itself"),
    Refused(
      "- {sleep: 1s, ①env: {A: b}}", "① E-CONTEXT: `sleep` runs no script, so `env` means nothing to it; take it out"),
    Refused("- {sleep: 1s, ①provider: cloud}", "① E-CONTEXT: `sleep` needs no provider; take the line out"),
    Refused(
      "- {sleep: 1s, name: ①'${{ inputs.server }}'}",
      "① E-INTERPOLATION: `name` is read before the run, so it cannot hold `${{ }}`; write its text"),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }
}
