/// Codes about keys, values and names.
extension CodeText {
  static let version = CodeText(
    "the first key is not `runbook: v1` (`provider: v1`, `mock: v1`)",
    "It names the version of the language in which the file is written. This release reads `v1`.",
    wrong: CodeExample(
      #"""
      runbook: v2
      name: pause
      steps:
        - {sleep: 1s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {sleep: 1s}
      """#))

  static let empty = CodeText(
    "the file, a list of steps or a rollback is empty",
    "Write its content, or remove the key. For a step that needs no undo write `rollback: none`.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps: []
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {sleep: 1s}
      """#))

  static let keyUnknown = CodeText(
    "a key does not exist here",
    "A misspelt key would otherwise be ignored. The message names the nearest key that exists.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {sleep: 1s, timout: 5s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {sleep: 1s, timeout: 5s}
      """#))

  static let keyForeign = CodeText(
    "a key or function belongs to another tool",
    "Other tools use this word, often with another meaning. The message says how it is written here.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, ignore_errors: true}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, continue_on_error: true}
      """#))

  static let keyMissing = CodeText(
    "a key that is needed is not there",
    "The message says which one and what it holds.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: notify
      steps:
        - {action: log.info}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: notify
      steps:
        - {action: log.info, with: {message: done}}
      """#))

  static let keyTogether = CodeText(
    "two keys that exclude each other are both there",
    "Keep the one that you mean.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: update
      steps:
        - action: ssh.run
          with: {host: web01.example.com, script: apt-get update, command: [apt-get, update]}
          rollback: none
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: update
      steps:
        - action: ssh.run
          with: {host: web01.example.com, command: [apt-get, update]}
          rollback: none
      """#))

  static let unsupported = CodeText(
    "a word of the language that this release does not support",
    "It is refused so that nobody relies on something that does not happen. Write the steps without it.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      schedule: "0 3 * * *"
      steps:
        - {sleep: 1s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {sleep: 1s}
      """#))

  static let context = CodeText(
    "a key or an action exists, but not in this place",
    "The message says why it has no meaning here, and where it belongs.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {sleep: 1s, env: {LANG: C}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, env: {LANG: C}}
      """#))

  static let type = CodeText(
    "a value is of the wrong type, or empty",
    "A duration has a unit (`30s`), a list has `- ` lines, `true` and `false` have no quotes. The message "
      + "says which type it takes.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, timeout: 30}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, timeout: 30s}
      """#))

  static let range = CodeText(
    "a value is too small, too large or too long",
    "The message says what is allowed.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, retry: {attempts: 0}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, retry: {attempts: 1}}
      """#))

  static let choice = CodeText(
    "a value is not one of the allowed words",
    "The message lists them.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: nothing, rollback: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none}
      """#))

  static let pattern = CodeText(
    "a regular expression cannot be read",
    "Patterns are matched in linear time, so back references and look-around do not exist.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {server: {type: string, pattern: '^[0-9'}}
      steps:
        - {action: log.info, with: {message: "${{ inputs.server }}"}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {server: {type: string, pattern: '^[0-9]+$'}}
      steps:
        - {action: log.info, with: {message: "${{ inputs.server }}"}}
      """#))

  static let interpolation = CodeText(
    "`${{ }}` stands where it is not allowed",
    "A script would run the value as code, so values reach a script through `env`. Names, limits and the "
      + "like are read before the run, so they hold no expression at all.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: greet
      inputs: {who: {type: string}}
      steps:
        - {run: 'echo "hello ${{ inputs.who }}"', effect: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: greet
      inputs: {who: {type: string}}
      steps:
        - {run: 'echo "hello $WHO"', effect: none, env: {WHO: "${{ inputs.who }}"}}
      """#))

  static let name = CodeText(
    "a name has characters that a name cannot have",
    "A name is a lower-case letter and then letters, digits and `_`, at most 64. Names of environment "
      + "variables may have upper-case letters.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: disk-space, run: df -h, effect: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: disk_space, run: df -h, effect: none}
      """#))

  static let nameReserved = CodeText(
    "a name already means something else: to YAML, to expressions, or to a loop around it",
    "Choose another name, or append `_`.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: in, run: df -h, effect: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: inside, run: df -h, effect: none}
      """#))

  static let idDuplicate = CodeText(
    "two steps have the same `id`",
    "Expressions, `logs --output` and `resolve` find a step by its id. Give one of them another id.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: disk, run: df -h, effect: none}
        - {id: disk, run: df -i, effect: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: disk, run: df -h, effect: none}
        - {id: inodes, run: df -i, effect: none}
      """#))

  static let secret = CodeText(
    "a secret is written down, is missing, or would be shown",
    "A secret is declared with its source (`env`, `file`, `command` or `credential`) and is put only into fields that "
      + "are made for it. "
      + "Addresses, messages and outputs are shown and stored. On the command line every user of the machine "
      + "could read it.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: announce
      secrets: {token: {source: env, key: TOKEN}}
      steps:
        - {action: log.info, with: {message: "token ${{ secrets.token }}"}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: announce
      secrets: {token: {source: env, key: TOKEN}}
      steps:
        - {run: ./announce.sh, effect: none, env: {TOKEN: "${{ secrets.token }}"}}
      """#))

  static let warnSecret = CodeText(
    "a credential stands in the file itself",
    "Everybody who can read the file or its history knows it. Declare it under `secrets:`, and "
      + "change it at the cloud, because it is no secret any more. `validate --strict` makes this an error.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: look
      providers: {cloud: {type: vps_org, token: vps_0123456789abcdef}}
      steps:
        - {action: server.status, with: {server: 12345}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: look
      secrets: {token: {source: env, key: VPS_TOKEN}}
      providers: {cloud: {type: vps_org, token: "${{ secrets.token }}"}}
      steps:
        - {action: server.status, with: {server: 12345}}
      """#))

  static let url = CodeText(
    "an address is not one that may be used",
    "An address begins with `https://`. `http://` is for this machine, because it shows credentials and "
      + "content to the network.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: health
      steps:
        - {action: http.get, with: {url: "web01.example.com/health"}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: health
      steps:
        - {action: http.get, with: {url: "https://web01.example.com/health"}}
      """#))

  static let file = CodeText(
    "a file that is named cannot be read",
    "The file must be an ordinary file in the folder of the runbook or below it: then the runbook and its "
      + "files move together. On the command line: check the path, which starts from the current folder.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: {script_file: ./missing.sh}, effect: none}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: {script_file: ./check.sh}, effect: none}
      """#, beside: ["check.sh"]))
}
