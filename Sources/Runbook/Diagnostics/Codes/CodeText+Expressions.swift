/// Codes about expressions.
extension CodeText {
  static let expressionSyntax = CodeText(
    "an expression cannot be read",
    "The caret shows the place. `runbook eval 'EXPR'` tries an expression.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {size: {type: int}}
      steps:
        - {fail: too small, if: inputs.size <}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {size: {type: int}}
      steps:
        - {fail: too small, if: inputs.size < 10}
      """#))

  static let expressionName = CodeText(
    "an expression reads a name that is not known in this place",
    "`inputs`, `vars`, `steps` and `run` are known everywhere, `result` and `error` where an attempt is "
      + "judged, `self` in undo steps, `failure` after a failure.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {fail: it is empty, if: result.stdout == ''}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {run: df -h, effect: none, expect: result.stdout != ''}
      """#))

  static let expressionMember = CodeText(
    "a value has no such member",
    "The message names the nearest member that exists. `runbook help ACTION` lists the outputs of an action.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {server: {type: string}}
      steps:
        - {action: log.info, with: {message: "${{ inputs.sever }}"}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {server: {type: string}}
      steps:
        - {action: log.info, with: {message: "${{ inputs.server }}"}}
      """#))

  static let expressionType = CodeText(
    "the types in an expression do not fit together",
    "A condition is true or false, and both sides of a comparison have the same type. `int()`, `string()`, "
      + "`duration()` and the like convert.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {size: {type: string}}
      steps:
        - {fail: too small, if: inputs.size < 10}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {size: {type: int}}
      steps:
        - {fail: too small, if: inputs.size < 10}
      """#))

  static let expressionFunction = CodeText(
    "a function does not exist, or does not take these arguments",
    "The message names the nearest function. The page of the language lists all of them.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {name: {type: string}}
      steps:
        - {fail: no test server, if: '!inputs.name.startswith("test")'}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {name: {type: string}}
      steps:
        - {fail: no test server, if: '!inputs.name.startsWith("test")'}
      """#))

  static let expressionPattern = CodeText(
    "a regular expression in an expression cannot be read",
    "Patterns are matched in linear time, so back references and look-around do not exist.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {name: {type: string}}
      steps:
        - {fail: no test server, if: '!inputs.name.matches("^test[")'}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {name: {type: string}}
      steps:
        - {fail: no test server, if: '!inputs.name.matches("^test[0-9]")'}
      """#))

  static let expressionLimit = CodeText(
    "an expression is too long or nested too deeply",
    "An expression has at most 8 KiB and 64 levels. Divide it with `vars`, or let a script decide.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {fail: odd, if: "((((((((( and so on, more than 64 levels )))))))))"}
      """#
    ).repeated("((((((((( and so on, more than 64 levels )))))))))", "(", 70, ")", around: "true"),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {size: {type: int}}
      steps:
        - {fail: odd, if: "inputs.size % 2 == 1"}
      """#))

  static let expressionSecret = CodeText(
    "an expression computes with a secret",
    "The result of a comparison, or the length of a secret, would be stored. A secret may be joined to a text, go "
      + "through `base64()` or `url_encode()`, and be passed on.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      secrets: {token: {source: env, key: TOKEN}}
      steps:
        - {fail: no token, if: secrets.token == ''}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      secrets: {token: {source: env, key: TOKEN}}
      steps:
        - {run: test -n "$TOKEN", effect: none, env: {TOKEN: "${{ secrets.token }}"}}
      """#))

  static let expressionStep = CodeText(
    "an expression reads a step that does not exist",
    "The message names the nearest id.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: disk, run: df -h, effect: none, outputs: {text: result.stdout}}
        - {action: log.info, with: {message: "${{ steps.dsk.outputs.text }}"}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: disk, run: df -h, effect: none, outputs: {text: result.stdout}}
        - {action: log.info, with: {message: "${{ steps.disk.outputs.text }}"}}
      """#))

  static let expressionStepOrder = CodeText(
    "an expression reads a step that comes later",
    "Steps run from top to bottom. Move the step that is read before the one that reads it.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {action: log.info, with: {message: "${{ steps.disk.outputs.text }}"}}
        - {id: disk, run: df -h, effect: none, outputs: {text: result.stdout}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      steps:
        - {id: disk, run: df -h, effect: none, outputs: {text: result.stdout}}
        - {action: log.info, with: {message: "${{ steps.disk.outputs.text }}"}}
      """#))

  static let expressionOptional = CodeText(
    "an expression relies on a step that may not have run",
    "A step with `if` or `continue_on_error` may have no outputs. Write `steps.x.?outputs.?y.orValue(…)`, or "
      + "compare `steps.x.status`.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {disk: {type: bool}}
      steps:
        - {id: disk, run: df -h, effect: none, if: inputs.disk, outputs: {text: result.stdout}}
        - {action: log.info, with: {message: "${{ steps.disk.outputs.text }}"}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: check
      inputs: {disk: {type: bool}}
      steps:
        - {id: disk, run: df -h, effect: none, if: inputs.disk, outputs: {text: result.stdout}}
        - {action: log.info, with: {message: "${{ steps.disk.?outputs.?text.orValue('not asked') }}"}}
      """#))
}
