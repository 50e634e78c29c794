/// Codes about steps, actions, providers and rollback.
extension CodeText {
  static let stepKind = CodeText(
    "a step does not say what it does, or says two things",
    "A step has exactly one of `action`, `run`, `wait_for`, `sleep`, `fail` and `commit`.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {id: rest, slep: 1s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {id: rest, sleep: 1s}
      """#))

  static let action = CodeText(
    "an action does not exist",
    "`runbook help actions` lists all of them. The message names the nearest one.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: notify
      steps:
        - {action: log.inform, with: {message: done}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: notify
      steps:
        - {action: log.info, with: {message: done}}
      """#))

  static let provider = CodeText(
    "there is no such provider, no provider for an action, or several",
    "Declare the cloud under `providers:`. If several blocks can do the action, say which with `provider:`. "
      + "`runbook providers` shows which cloud can do what.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: look
      steps:
        - {action: server.status, with: {server: 12345}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: look
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {action: server.status, with: {server: 12345}}
      """#))

  static let probe = CodeText(
    "a declared change does not say how a lost reply is found again",
    "A request may take effect although its reply is lost. `recovery` says how the file finds that out; "
      + "without it a run could do the change twice.",
    wrong: CodeExample(
      #"""
      provider: v1
      type: acme
      summary: machines at Acme
      url: https://api.acme.example/v1
      fields:
        token: {secret: true, required: true, help: the token}
      headers: {Authorization: "Bearer ${{ fields.token }}"}
      servers:
        get: {path: "/m/${{ with.server }}", item: result.m}
        list: {path: /m, items: result.ms}
        read: {id: item.id, name: item.name, state: item.state}
        states: {up: running, down: stopped}
      snapshots:
        list: {path: "/m/${{ with.server }}/s", items: result.s}
        read: {id: item.id, name: item.name, state: item.state, created_at: item.at, mark: item.note}
        states: {done: ready}
      actions:
        snapshot.create:
          request: {method: POST, path: "/m/${{ with.server }}/s", json: {note: "made by a runbook"}}
          found_by: mark
      """#),
    right: CodeExample(
      #"""
      provider: v1
      type: acme
      summary: machines at Acme
      url: https://api.acme.example/v1
      fields:
        token: {secret: true, required: true, help: the token}
      headers: {Authorization: "Bearer ${{ fields.token }}"}
      servers:
        get: {path: "/m/${{ with.server }}", item: result.m}
        list: {path: /m, items: result.ms}
        read: {id: item.id, name: item.name, state: item.state}
        states: {up: running, down: stopped}
      snapshots:
        list: {path: "/m/${{ with.server }}/s", items: result.s}
        read: {id: item.id, name: item.name, state: item.state, created_at: item.at, mark: item.note}
        states: {done: ready}
      actions:
        snapshot.create:
          request: {method: POST, path: "/m/${{ with.server }}/s", json: {note: "${{ call.key }}"}}
          found_by: mark
      """#))

  static let state = CodeText(
    "a step needs a power state that the steps before it rule out",
    "The message names the step that leaves the server in another state. Change the order, or put the action "
      + "between them that brings the server to the needed state.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: nightly
      inputs: {server: {type: string}}
      secrets: {password: {source: env, key: ZSTACK_PASSWORD}}
      providers:
        cloud: {type: zstack, url: "https://zstack.example.com", account: ops, password: "${{ secrets.password }}"}
      defaults:
        "server.*": {with: {server: "${{ inputs.server }}"}}
        "backup.*": {with: {server: "${{ inputs.server }}"}}
      steps:
        - {id: stop, action: server.stop, rollback: [{action: server.start}]}
        - {id: save, action: backup.create, with: {name: nightly}, rollback: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: nightly
      inputs: {server: {type: string}}
      secrets: {password: {source: env, key: ZSTACK_PASSWORD}}
      providers:
        cloud: {type: zstack, url: "https://zstack.example.com", account: ops, password: "${{ secrets.password }}"}
      defaults:
        "server.*": {with: {server: "${{ inputs.server }}"}}
        "backup.*": {with: {server: "${{ inputs.server }}"}}
      steps:
        - {id: save, action: backup.create, with: {name: nightly}, rollback: none}
        - {id: stop, action: server.stop, rollback: [{action: server.start}]}
      """#))

  static let warnState = CodeText(
    "a step probably needs another power state than it finds",
    "It is no error, because a script or another request between the steps may have changed the state, or "
      + "because the run goes on without this step.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: nightly
      inputs: {server: {type: string}}
      secrets: {password: {source: env, key: ZSTACK_PASSWORD}}
      providers:
        cloud: {type: zstack, url: "https://zstack.example.com", account: ops, password: "${{ secrets.password }}"}
      defaults:
        "server.*": {with: {server: "${{ inputs.server }}"}}
        "backup.*": {with: {server: "${{ inputs.server }}"}}
      steps:
        - {id: stop, action: server.stop, rollback: [{action: server.start}]}
        - {run: ./wait_for_it.sh, rollback: none}
        - {id: save, action: backup.create, with: {name: nightly}, rollback: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: nightly
      inputs: {server: {type: string}}
      secrets: {password: {source: env, key: ZSTACK_PASSWORD}}
      providers:
        cloud: {type: zstack, url: "https://zstack.example.com", account: ops, password: "${{ secrets.password }}"}
      defaults:
        "server.*": {with: {server: "${{ inputs.server }}"}}
        "backup.*": {with: {server: "${{ inputs.server }}"}}
      steps:
        - {id: stop, action: server.stop, rollback: [{action: server.start}]}
        - {run: ./wait_for_it.sh, rollback: none}
        - {id: start, action: server.start, rollback: none}
        - {id: save, action: backup.create, with: {name: nightly}, rollback: none}
      """#))

  static let delete = CodeText(
    "`server.delete` is not given the server that this run has created",
    "A deleted server cannot be restored. The engine deletes only servers that the run made, by the output `id` "
      + "of the step that creates it.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: proof
      inputs: {server: {type: string}}
      secrets: {password: {source: env, key: ZSTACK_PASSWORD}}
      providers:
        cloud: {type: zstack, url: "https://zstack.example.com", account: ops, password: "${{ secrets.password }}"}
      steps:
        - {action: server.delete, with: {server: "${{ inputs.server }}"}, rollback: irreversible}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: proof
      inputs: {server: {type: string}}
      secrets: {password: {source: env, key: ZSTACK_PASSWORD}}
      providers:
        cloud: {type: zstack, url: "https://zstack.example.com", account: ops, password: "${{ secrets.password }}"}
      steps:
        - {id: newest, action: backup.find, with: {server: "${{ inputs.server }}", newest: true}}
        - id: copy
          action: backup.restore_as
          with: {backup: "${{ steps.newest.outputs.id }}", name: proof}
          rollback: [{action: server.delete, with: {server: "${{ self.outputs.id }}"}, if: self.outputs.id != null}]
        - {action: server.delete, with: {server: "${{ steps.copy.outputs.id }}"}, rollback: irreversible}
      """#))

  static let warnDelete = CodeText(
    "`server.delete` is given a server that a step has found, not created",
    "The run deletes it only if the run has created it. Use the output `id` of the step that creates the "
      + "server.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: proof
      inputs: {server: {type: string}}
      secrets: {password: {source: env, key: ZSTACK_PASSWORD}}
      providers:
        cloud: {type: zstack, url: "https://zstack.example.com", account: ops, password: "${{ secrets.password }}"}
      steps:
        - {id: old, action: server.find, with: {name: proof}}
        - {action: server.delete, with: {server: "${{ steps.old.outputs.id }}"}, rollback: irreversible}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: proof
      inputs: {server: {type: string}}
      secrets: {password: {source: env, key: ZSTACK_PASSWORD}}
      providers:
        cloud: {type: zstack, url: "https://zstack.example.com", account: ops, password: "${{ secrets.password }}"}
      steps:
        - {id: newest, action: backup.find, with: {server: "${{ inputs.server }}", newest: true}}
        - id: copy
          action: backup.restore_as
          with: {backup: "${{ steps.newest.outputs.id }}", name: proof}
          rollback: [{action: server.delete, with: {server: "${{ self.outputs.id }}"}, if: self.outputs.id != null}]
        - {action: server.delete, with: {server: "${{ steps.copy.outputs.id }}"}, rollback: irreversible}
      """#))

  static let warnRollback = CodeText(
    "a step changes something and does not say how that is undone",
    "Write the undo steps, `rollback: none` if nothing is to be undone, or `rollback: irreversible` if it "
      + "cannot be undone. `validate --strict` makes this an error.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: restart
      steps:
        - {run: systemctl restart web}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: restart
      steps:
        - {run: systemctl restart web, rollback: none}
      """#))

  static let warnRollbackEffect = CodeText(
    "a step that changes nothing has undo steps",
    "Either the step changes something, then remove `effect: none`; or it has nothing to undo, then remove "
      + "`rollback`.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, rollback: [{run: ./undo.sh}]}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none}
      """#))

  static let warnUnreachable = CodeText(
    "a step comes after one that always fails",
    "`fail` without `if` ends the run. Give it a condition, or remove the steps after it.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {fail: not today}
        - {sleep: 1s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      inputs: {today: {type: bool}}
      steps:
        - {fail: not today, if: "!inputs.today"}
        - {sleep: 1s}
      """#))

  static let warnField = CodeText(
    "a field is safe only beside another one",
    "The message says what may happen. Write the other field, too.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: nightly
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {action: snapshot.prune, with: {server: "12345", older_than: 30d}, rollback: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: nightly
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {action: snapshot.prune, with: {server: "12345", older_than: 30d, keep: 2}, rollback: none}
      """#))

  static let warnPipe = CodeText(
    "a script goes on although the first part of a pipe has failed",
    "`/bin/sh` looks at the last program of a pipe alone. Let bash run the script with `pipefail`, or use a file.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: dump
      steps:
        - {run: "pg_dump shop | gzip > shop.gz", rollback: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: dump
      steps:
        - rollback: none
          run: |
            #!/bin/bash
            set -euo pipefail
            pg_dump shop | gzip > shop.gz
      """#))

  static let warnWord = CodeText(
    "a state is compared with a word that is no state",
    "States of servers, snapshots and backups are written in small letters. The cloud's own word is `native_state`.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: look
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {action: server.status, with: {server: "12345"}, expect: "result.state == 'Running'"}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: look
      secrets: {token: {source: env, key: TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {action: server.status, with: {server: "12345"}, expect: "result.state == 'running'"}
      """#))

  static let mock = CodeText(
    "a mock file says something that no simulation can do",
    "The message says why. A mock file names steps, actions or faults of the runbook that is simulated.",
    wrong: CodeExample(
      #"""
      mock: v1
      steps:
        update: {fails: {kind: exit_code}}
      """#),
    right: CodeExample(
      #"""
      mock: v1
      steps:
        update: {fail: {kind: exit_code}}
      """#))
}
