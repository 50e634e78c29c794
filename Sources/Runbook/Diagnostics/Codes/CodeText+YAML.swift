/// Codes about how a file is written.
extension CodeText {
  static let yamlSyntax = CodeText(
    "the text is not YAML: a bracket, a quote or an indentation is wrong",
    "Look at the place that is shown and at the line above it: an open `[`, `{` or quote is often noticed "
      + "only later. Indent the lines of one list or map alike.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      description: "rests for a second
      steps:
        - {id: rest, sleep: 1s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      description: "rests for a second"
      steps:
        - {id: rest, sleep: 1s}
      """#))

  static let yamlTab = CodeText(
    "a tab indents a line",
    "YAML allows only spaces there. Use two spaces for each level.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
      \#t- {sleep: 1s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {sleep: 1s}
      """#))

  static let yamlQuote = CodeText(
    "YAML reads an expression differently than it looks, so it needs quotes",
    "` ? `, `: `, ` #`, a leading `!` or `'`, and `${{ }}` inside `{ }` mean something to YAML. The message "
      + "shows the line as it should be quoted.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: choice
      inputs: {size: {type: int}}
      steps:
        - {fail: the disk is too small, if: !(inputs.size > 10)}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: choice
      inputs: {size: {type: int}}
      steps:
        - {fail: the disk is too small, if: "!(inputs.size > 10)"}
      """#))

  static let yamlNumber = CodeText(
    "a number would be changed by reading it",
    "A number in `vars` is written back in its shortest form, so `3.10` would become `3.1`; and a number of "
      + "more than 64 bits does not fit. Quote it: then it is text and keeps every character.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: release
      vars: {version: 3.10}
      steps:
        - {action: log.info, with: {message: "version ${{ vars.version }}"}}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: release
      vars: {version: "3.10"}
      steps:
        - {action: log.info, with: {message: "version ${{ vars.version }}"}}
      """#))

  static let yamlDuplicate = CodeText(
    "a key is written twice in one map",
    "Other readers of YAML silently keep the last one. Remove one of the two; the message shows both.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {id: rest, sleep: 1s, id: again}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {id: rest, sleep: 1s}
      """#))

  static let yamlKey = CodeText(
    "a key is a list, a map or an alias, or has no value",
    "A key is one word of text. `${{ }}` without quotes at the beginning of a value also reads as a map whose "
      + "key is a map: quote it.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - ? [id, name]
          : rest
          sleep: 1s
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - id: rest
          sleep: 1s
      """#))

  static let yamlTag = CodeText(
    "a value has a tag such as `!!str`",
    "Tags are not read, because some of them create objects in other programs. Remove the tag. If `!` belongs "
      + "to the text, quote the text.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      description: !!str rests for a second
      steps:
        - {sleep: 1s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      description: rests for a second
      steps:
        - {sleep: 1s}
      """#))

  static let yamlMerge = CodeText(
    "a map uses the merge key `<<`",
    "Merge keys are not part of YAML 1.2. Write the keys out, or put shared keys under `defaults`.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      vars: {shared: &shared {timeout: 5s}}
      steps:
        - {<<: *shared, id: rest, sleep: 1s}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {id: rest, sleep: 1s, timeout: 5s}
      """#))

  static let yamlAlias = CodeText(
    "an alias (`*name`) has no anchor, refers to itself, or becomes too large",
    "Anchors and aliases may become 10 000 values at most, so that a small file cannot fill the memory. Write "
      + "the value out where it is needed.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {id: rest, sleep: *pause}
      """#),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      vars: {length: &pause 1s}
      steps:
        - {id: rest, sleep: *pause}
      """#))

  static let yamlDocuments = CodeText(
    "the file holds a second document after `---` or `...`",
    "One file is one runbook. Move the second document to a file of its own.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      steps:
        - {sleep: 1s}
      ---
      runbook: v1
      name: another
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

  static let yamlDirective = CodeText(
    "the file has a directive such as `%YAML`",
    "Directives are not read. The file is always YAML 1.2. Remove the line.",
    wrong: CodeExample(
      #"""
      %YAML 1.2
      ---
      runbook: v1
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

  static let yamlCharacter = CodeText(
    "the file holds a control character or another invisible one",
    "Control characters can hide text from the person who reviews the file. In a quoted text write an escape, "
      + "such as `\"\\u0007\"`.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      description: rings the bell ␇
      steps:
        - {sleep: 1s}
      """#
    ).replaced("␇", by: [0x07]),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      description: "rings the bell \u0007"
      steps:
        - {sleep: 1s}
      """#))

  static let yamlEncoding = CodeText(
    "the file is not UTF-8, or begins with a byte-order mark",
    "Save the file as UTF-8 without a byte-order mark. `iconv -f LATIN1 -t UTF-8` converts an old one.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: pause
      description: caf<E9>
      steps:
        - {sleep: 1s}
      """#
    ).replaced("<E9>", by: [0xe9]),
    right: CodeExample(
      #"""
      runbook: v1
      name: pause
      description: café
      steps:
        - {sleep: 1s}
      """#))

  static let yamlDepth = CodeText(
    "lists and maps are nested deeper than 64 levels",
    "No runbook needs that many. A bracket that is opened again and again is the usual reason.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: deep
      vars: {deep: [[[[[[[[ and so on, more than 64 levels ]]]]]]]]}
      steps:
        - {sleep: 1s}
      """#
    ).repeated("[[[[[[[[ and so on, more than 64 levels ]]]]]]]]", "[", 70, "]"),
    right: CodeExample(
      #"""
      runbook: v1
      name: deep
      vars: {deep: [[1, 2], [3, 4]]}
      steps:
        - {sleep: 1s}
      """#))

  static let yamlSize = CodeText(
    "the file is larger than 4 MiB, or has too many keys and values",
    "Keep data out of the runbook: let a script read it from a file.",
    wrong: CodeExample(
      #"""
      runbook: v1
      name: big
      vars: {hosts: [1, 2, 3, and so on, more than 500 000 values]}
      steps:
        - {sleep: 1s}
      """#
    ).repeated(" and so on, more than 500 000 values", "1,", 520_000, ""),
    right: CodeExample(
      #"""
      runbook: v1
      name: big
      vars: {hosts: [1, 2, 3]}
      steps:
        - {sleep: 1s}
      """#))
}
