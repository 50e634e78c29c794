import Providers
import Steps
import Testing

@testable import Runbook

/// Several files, of which the first is started.
private struct Files {
  var root: String
  var others: [String: String] = [:]
  var isStrict = false

  /// "3:9 E-CALL: text; hint"
  var mistakes: [String] {
    do throws(Diagnostics) {
      return try validated(nil).warnings.map(Files.said)
    } catch {
      return error.items.map(Files.said)
    }
  }

  private static func said(_ diagnostic: Diagnostic) -> String {
    let hint = diagnostic.hint.map { "; \($0)" } ?? ""
    let start = diagnostic.range.start
    return "\(start.line):\(start.column) \(diagnostic.code): \(diagnostic.message)\(hint)"
  }

  /// - Parameter pinned: read in place of `others`.
  func validated(_ pinned: [String: [UInt8]]?) throws(Diagnostics) -> ValidatedRunbook {
    let files = pinned ?? others.mapValues { Array($0.utf8) }
    let context = ValidationContext(
      steps: standardSteps, actions: standardActions.map { $0.declaration }, providers: standardProviders,
      isStrict: isStrict
    ) { path, limit throws(FileRefusal) in
      guard let bytes = files[path] else { throw FileRefusal("it does not exist") }
      guard bytes.count <= limit else { throw FileRefusal("it is too large") }
      return bytes
    }
    return try ValidatedRunbook(ParsedDocument(yaml: root), in: context)
  }
}

@Suite("call") struct CallRulesTests {
  private static func file(_ steps: String, _ top: String = "") -> String {
    "runbook: v1\nname: t\n\(top)steps:\n\(steps)\n"
  }
  /// Of a file that only calls: its `call` is in line 4, column 8 onwards.
  private static func calling(_ call: String) -> String { file("- {\(call)}") }
  private static let pause = file("- {id: one, sleep: 1s}")

  private func mistakes(_ call: String, _ others: [String: String]) -> [String] {
    Files(root: Self.calling(call), others: others).mistakes
  }

  // MARK: The file

  @Test(
    "a path is static and stays below the folder",
    arguments: [
      (
        "call: \"${{ run.name }}.yaml\"",
        "E-INTERPOLATION: `call` is read before the run, so it cannot hold `${{ }}`; name one file, and choose "
          + "between several with `if`"
      ),
      ("call: ''", "E-TYPE: `call` is empty; write the path of a file: `call: ./snapshot.yaml`"),
      (
        "call: /etc/x.yaml",
        "E-FILE: `call` must be a path relative to the runbook; name a file in the runbook's folder or below it, "
          + "such as `./lib/snapshot.yaml`"
      ),
      (
        "call: ../x.yaml",
        "E-FILE: `call` cannot leave the runbook's folder (`..`); name a file in the runbook's folder or below it, "
          + "such as `./lib/snapshot.yaml`"
      ),
      (
        "call: lib/../../x.yaml",
        "E-FILE: `call` cannot leave the runbook's folder (`..`); name a file in the runbook's folder or below it, "
          + "such as `./lib/snapshot.yaml`"
      ),
      ("call: ./gone.yaml", "E-FILE: `gone.yaml` cannot be read: it does not exist"),
      ("call: [a]", "E-TYPE: `call` must be the path of a file, not a list"),
    ])
  func aPathIsStatic(_ call: String, _ message: String) {
    #expect(mistakes(call, [:]) == ["4:10 \(message)"])
  }

  @Test("a file with mistakes is refused where it is called, with the first of them")
  func aFileWithMistakesIsRefusedWhereItIsCalled() {
    #expect(
      mistakes("call: ./lib/x.yaml", ["lib/x.yaml": Self.file("- {slep: 1s}")]) == [
        "4:10 E-CALL: `lib/x.yaml` cannot be called: line 4, column 4: unknown step kind `slep`; `runbook validate "
          + "lib/x.yaml`, in the runbook's folder, shows the place"
      ])
    #expect(
      mistakes("call: x.yaml", ["x.yaml": Self.file("- {slep: 1s}\n- {sleep: 5}")]) == [
        "4:10 E-CALL: `x.yaml` cannot be called: line 4, column 4: unknown step kind `slep`; `runbook validate "
          + "x.yaml`, "
          + "in the runbook's folder, shows all 2 mistakes"
      ])
    #expect(
      mistakes("call: x.yaml", ["x.yaml": "a: [\n"]).first?.hasPrefix(
        "4:10 E-CALL: `x.yaml` cannot be called: line 2, column 1: ") == true)
    #expect(
      mistakes("call: x.yaml", ["x.yaml": "- 1"]) == [
        "4:10 E-CALL: `x.yaml` cannot be called: line 1, column 1: a runbook must be a map (`key: value` lines), not a "
          + "list; `runbook validate x.yaml`, in the runbook's folder, shows the place"
      ])
  }

  @Test(
    "a key that has no effect in a called file is named",
    arguments: [
      ("always", "[{sleep: 1s}]"), ("on_failure", "[{sleep: 1s}]"), ("on_rollback_failure", "[{sleep: 1s}]"),
      ("on_waiting", "[]"), ("timeout", "1h"), ("rollback_policy", "{timeout: 1h}"), ("drill", "{}"),
      ("limits", "{parallel: 3}"), ("schedule", "x"),
    ])
  func aKeyWithoutEffectIsNamed(_ key: String, _ value: String) {
    #expect(
      mistakes("call: x.yaml", ["x.yaml": Self.pause + "\(key): \(value)\n"]) == [
        "4:10 E-CALL: `x.yaml` has `\(key)`, which has no effect when the file is called; write it in the file that is "
          + "started, or take it out"
      ])
  }

  @Test("a file that calls itself is refused with the chain")
  func aCycleIsNamed() {
    let a = Self.calling("call: b.yaml")
    let b = Self.calling("call: ./a.yaml")
    let found = Files(root: a, others: ["a.yaml": a, "b.yaml": b]).mistakes
    #expect(found.count == 1 && found[0].contains("E-CALL: `b.yaml` cannot be called: line 4, column 10: "))
    #expect(found[0].contains("`a.yaml` calls itself: a.yaml -> b.yaml -> a.yaml"))
    // Further down the file that is started has no part in it.
    let inner = Files(
      root: Self.calling("call: lib/b.yaml"),
      others: ["lib/b.yaml": Self.calling("call: c.yaml"), "lib/c.yaml": Self.calling("call: ./b.yaml")]
    ).mistakes
    #expect(inner.first?.contains("`lib/b.yaml` calls itself: lib/b.yaml -> lib/c.yaml -> lib/b.yaml") == true)
    let own = Files(root: Self.calling("call: me.yaml"), others: ["me.yaml": Self.calling("call: me.yaml")]).mistakes
    #expect(own.first?.contains("`me.yaml` calls itself: me.yaml -> me.yaml") == true)
  }

  @Test("calls go eight files deep")
  func callsGoEightFilesDeep() throws {
    func chain(_ count: Int) -> [String: String] {
      Dictionary(
        uniqueKeysWithValues: (1...count).map { number in
          ("f\(number).yaml", number == count ? Self.pause : Self.calling("call: f\(number + 1).yaml"))
        })
    }
    #expect(Files(root: Self.calling("call: f1.yaml"), others: chain(8)).mistakes == [])
    let found = Files(root: Self.calling("call: f1.yaml"), others: chain(9)).mistakes
    #expect(
      found.first?.contains(
        "calls go deeper than 8 files: f1.yaml -> f2.yaml -> f3.yaml -> f4.yaml -> f5.yaml -> f6.yaml -> f7.yaml -> "
          + "f8.yaml -> f9.yaml") == true)
    // Also when the lower part is known already.
    let twice = Self.file("- {call: f2.yaml}\n- {call: f1.yaml}")
    #expect(Files(root: twice, others: chain(9)).mistakes.map { $0.prefix(10) } == ["5:10 E-CAL"])
  }

  @Test("a file is read once however often it is called, and many calls of many calls are refused")
  func aFileIsReadOnce() throws {
    let ten = Self.file((0..<10).map { _ in "- {call: NEXT}" }.joined(separator: "\n"))
    let others = Dictionary(
      uniqueKeysWithValues: (1...7).map { number in
        ("f\(number).yaml", number == 7 ? Self.pause : ten.replacing("NEXT", with: "f\(number + 1).yaml"))
      })
    let found = Files(root: ten.replacing("NEXT", with: "f1.yaml"), others: others).mistakes
    #expect(found.first?.contains("the files that are called have more than 50000 steps in all") == true)
    #expect(found.count == 10)
  }

  // MARK: Paths

  @Test func aQuestionForSeveralPeopleInACalledFileIsFound() throws {
    let files = Files(
      root: Self.calling("call: a.yaml"),
      others: ["a.yaml": Self.file("- {id: ask, approve: {prompt: Go?, approvers: [ann, bob], min: 2}}")])
    let found = try files.validated(nil).value.questionsForSeveral
    #expect(found.map(\.field) == ["approvers"])
    #expect(found.first?.step.hasSuffix(".ask") == true)
  }

  @Test("paths in a called file begin in its folder, and what is read is pinned below that of the root")
  func pathsBeginInTheFoldersOfTheirFiles() throws {
    let files = Files(
      root: Self.file(
        "- {id: outer, call: ./lib/a.yaml}\n- {run: {script_file: x.sh}, effect: none}",
        "secrets: {own: {source: file, path: key}}\n"),
      others: [
        "lib/a.yaml": Self.file(
          "- {id: one, run: {script_file: ./x.sh}, effect: none}\n- {id: two, call: deep/b.yaml}",
          "secrets: {s: {source: file, path: key}, t: {source: command, argv: [./get, ./a]}, p: {source: command, "
            + "argv: [pass, x/y]}}\n"),
        "lib/deep/b.yaml": Self.file("- {run: {script_file: x.sh}, effect: none}"), "x.sh": "root\n",
        "lib/./x.sh": "lib\n",
        "lib/deep/x.sh": "deep\n",
      ])
    let runbook = try files.validated(nil)
    #expect(
      runbook.pinnedFiles.keys.sorted() == ["lib/./x.sh", "lib/a.yaml", "lib/deep/b.yaml", "lib/deep/x.sh", "x.sh"])
    guard case .call(let call)? = runbook.steps.steps.first, case .call(let inner) = call.runbook.steps.steps[1] else {
      Issue.record("it is no call")
      return
    }
    #expect(call.file == "lib/a.yaml" && call.folder == "lib/" && inner.file == "lib/deep/b.yaml")
    #expect(call.runbook.steps.leaves.map(\.path.text) == ["one"])
    #expect(runbook.steps.leaves.map(\.path.text) == ["steps[1]"])
    for path in ["outer.one", "outer.two.steps[0]", "steps[1]"] {
      #expect(runbook.step(at: StepPath(path)) != nil, "\(path)")
    }
    #expect(
      runbook.secrets.map(\.source) == [
        .file(path: "key"), .file(path: "lib/key"), .command(["lib/./get", "./a"]), .command(["pass", "x/y"]),
      ])
    // A run is carried on from what is pinned.
    let again = try files.validated(runbook.pinnedFiles)
    #expect(again.pinnedFiles == runbook.pinnedFiles)
  }

  @Test("a file below a folder calls no file above it")
  func aCalledFileCallsNothingAbove() {
    let found = Files(
      root: Self.calling("call: lib/a.yaml"),
      others: ["lib/a.yaml": Self.calling("call: ../b.yaml"), "b.yaml": Self.pause]
    ).mistakes
    #expect(found.first?.contains("`call` cannot leave the runbook's folder (`..`)") == true)
  }

  // MARK: Inputs and outputs

  private static let asking = file(
    "- {id: one, sleep: 1s}",
    """
    inputs:
      server: {type: string, pattern: '^[0-9]+$', description: id of the server}
      count: {type: int, default: 1, max: 5}
      names: {type: list, items: string, default: []}
      long: {type: duration, default: 1s}
    outputs: {tries: steps.one.attempts, word: inputs.server}

    """)

  @Test(
    "inputs are checked as `--input` is",
    arguments: [
      ("", "4:4 E-KEY-MISSING: `x.yaml` needs the input `server`; id of the server"),
      (", with: {}", "4:18 E-KEY-MISSING: `x.yaml` needs the input `server`; id of the server"),
      (", with: [a]", "4:24 E-TYPE: `with` must be a map (`name: value`), not a list"),
      (", with: {server: 12, cuont: 2}", "4:37 E-KEY-UNKNOWN: `x.yaml` has no input `cuont`; did you mean `count`?"),
      (", with: {server: web}", "4:33 E-TYPE: `with.server` is `web`, which does not match `^[0-9]+$`"),
      (", with: {server: 12, count: 6}", "4:44 E-TYPE: `with.count` is `6`; at most `5`"),
      (", with: {server: 12, count: two}", "4:44 E-TYPE: `with.count` must be a whole number, not `two`"),
      (
        ", with: {server: 12, long: 5}", "4:43 E-TYPE: `with.long` must be a duration such as `30s` or `1h30m`, not `5`"
      ),
      (", with: {server: }", "4:33 E-TYPE: `with.server` is null: give it text, or leave it out"),
      (", with: {server: 12, names: [1]}", "4:44 E-TYPE: `with.names` item 1 must be text, not `1`; put it in quotes"),
      (
        ", with: {server: \"${{ inputs.all }}\"}",
        "4:33 E-TYPE: `with.server` must be text, and the expression gives a list of int"
      ),
      (
        ", with: {server: 12, names: \"${{ inputs.all }}\"}",
        "4:44 E-TYPE: `with.names` must be a list, as JSON, and the expression gives a list of int"
      ),
      (
        ", with: {server: 12, count: \"${{ 'a' }}\"}",
        "4:44 E-TYPE: `with.count` must be a whole number, and the expression gives a string"
      ),
      (
        ", with: {server: \"${{ secrets.key }}\"}",
        "4:33 E-SECRET: `with.server` would hand over a secret, and inputs are not secret; declare the secret in "
          + "the file "
          + "that is called, too"
      ),
      (", with: {server: \"${{ inputs.alll }}\"}", "4:38 E-EXPR-MEMBER: no member `alll`; did you mean `all`?"),
    ])
  func inputsAreChecked(_ with: String, _ message: String) {
    let text =
      Self.calling("call: x.yaml\(with)")
      + "inputs: {all: {type: list, items: int}}\nsecrets: {key: {source: env, key: KEY}}\n"
    #expect(Files(root: text, others: ["x.yaml": Self.asking]).mistakes == [message])
  }

  @Test("expressions are given by their types, and outputs read by theirs")
  func expressionsAreGivenAndOutputsRead() {
    let top = "inputs: {all: {type: list, items: string}, n_: {type: int}}\n"
    let root = Self.file(
      """
      - id: x
        call: ./x.yaml
        with: {server: "${{ inputs.n_ }}", count: "${{ size(inputs.all) }}", names: "${{ inputs.all }}", long: 5m}
        rollback: [{action: log.info, with: {message: "${{ self.outputs.tries + 1 }}"}}]
      - {action: log.info, with: {message: "${{ steps.x.outputs.word + string(steps.x.outputs.tries + 1) }}"}}
      - id: each
        for_each: inputs.all
        call: ./x.yaml
        with: {server: "${{ item }}", names: ["a", "${{ item }}"]}
      - {action: log.info, with: {message: "${{ steps.each.items.map(i, i.item + i.outputs.word)[0] }}"}}
      """, top)
    #expect(Files(root: root, others: ["x.yaml": Self.asking]).mistakes == [])
    let wrong = Self.file(
      "- {id: x, call: ./x.yaml, with: {server: 1}}\n"
        + "- {action: log.info, with: {message: \"${{ steps.x.outputs.wrod }} ${{ steps.one.status }}\"}}", top)
    #expect(
      Files(root: wrong, others: ["x.yaml": Self.asking]).mistakes == [
        "6:43 E-EXPR-MEMBER: no member `wrod`; did you mean `word`?", "6:71 E-EXPR-STEP: there is no step `one`",
      ])
  }

  @Test("what a call undoes is a list of steps or that of its file")
  func aRollbackOfACallIsAList() throws {
    for word in ["none", "irreversible"] {
      #expect(
        mistakes("call: x.yaml, rollback: \(word)", ["x.yaml": Self.pause]) == [
          "4:28 E-TYPE: the `rollback` of a `call` must be a list of steps that undo all of it, not `\(word)`; take it "
            + "out: then what the steps of the file have done is undone as that file says"
        ])
    }
    let root = Self.calling("id: x, call: x.yaml, rollback: [{sleep: 1s}, {sleep: 2s}]")
    let runbook = try Files(root: root, others: ["x.yaml": Self.pause]).validated(nil)
    guard case .call(let call)? = runbook.steps.steps.first else {
      Issue.record("it is no call")
      return
    }
    #expect(call.undo.map(\.path.text) == ["x.undo[0]", "x.undo[1]"])
  }

  @Test("a key that means nothing beside a call says where it belongs")
  func aKeyBesideACallSaysWhereItBelongs() {
    #expect(
      mistakes("call: x.yaml, outputs: {a: '1'}, retry: {attempts: 2}, provider: p", ["x.yaml": Self.pause]) == [
        "4:18 E-CONTEXT: the outputs of a `call` are those of its file; write `outputs:` at the top level of that file",
        "4:37 E-CONTEXT: a `call` is not repeated as a whole; write `retry` at the steps of its file",
        "4:59 E-CONTEXT: the providers of a `call` are those of its file; declare them there under `providers:`",
      ])
  }

  // MARK: Secrets and scopes

  @Test("a name of a secret has one source in all files, and a file reads only its own")
  func aSecretHasOneSource() throws {
    func with(_ source: String) -> String { Self.file("- {sleep: 1s}", "secrets: {key: \(source)}\n") }
    let root = Self.file("- {call: x.yaml}\n- {call: y.yaml}", "secrets: {key: {source: env, key: KEY}}\n")
    let alike = Files(
      root: root, others: ["x.yaml": with("{source: env, key: KEY}"), "y.yaml": with("{source: env, key: KEY}")])
    #expect(try alike.validated(nil).secrets.count == 1)
    let other = Files(
      root: root, others: ["x.yaml": with("{source: env, key: KEY}"), "y.yaml": with("{source: file, path: k}")])
    #expect(
      other.mistakes == [
        "6:10 E-SECRET: the secret `key` comes from `env` KEY here, and from `file` k in `y.yaml`; declare it alike in "
          + "both files, or call one of them something else"
      ])
    let between = Files(
      root: Self.file("- {call: x.yaml}\n- {call: y.yaml}"),
      others: ["x.yaml": with("{source: env, key: KEY}"), "y.yaml": with("{source: file, path: k}")])
    #expect(
      between.mistakes.first?.contains("comes from `env` KEY in `x.yaml`, and from `file` k in `y.yaml`") == true)
    let unread = Files(
      root: Self.file("- {call: x.yaml}\n- {run: x, effect: none, env: {A: \"${{ secrets.key }}\"}}"),
      others: ["x.yaml": with("{source: env, key: KEY}")])
    #expect(unread.mistakes.map { $0.dropFirst(5).prefix(13) } == ["E-EXPR-MEMBER"])
  }

  @Test("a commit in a called file closes its own steps, so it may stand in a branch")
  func aCommitInACalledFileIsItsOwn() {
    let root = Self.file("- parallel:\n  - {call: x.yaml}\n  - {sleep: 1s}")
    #expect(Files(root: root, others: ["x.yaml": Self.file("- {sleep: 1s}\n- {commit: x}")]).mistakes == [])
  }

  @Test("a called file may delete what it is given")
  func aCalledFileMayDeleteWhatItIsGiven() {
    let cloud = "providers: {cloud: {type: zstack, url: https://z.example, session: \"${{ secrets.s }}\"}}\n"
    let lib = Self.file(
      "- {action: server.delete, with: {server: \"${{ inputs.server }}\"}, rollback: irreversible}",
      "inputs: {server: {type: string}}\nsecrets: {s: {source: env, key: S}}\n" + cloud)
    #expect(Files(root: lib).mistakes.map { $0.dropFirst(5).prefix(8) } == ["E-DELETE"])
    #expect(Files(root: Self.calling("call: x.yaml, with: {server: a}"), others: ["x.yaml": lib]).mistakes == [])
  }

  @Test("with --strict the warnings of a called file count")
  func warningsOfACalledFileCountWithStrict() {
    let others = ["x.yaml": Self.file("- {run: x}")]
    #expect(Files(root: Self.calling("call: x.yaml"), others: others).mistakes == [])
    let strict = Files(root: Self.calling("call: x.yaml"), others: others, isStrict: true).mistakes
    #expect(strict.first?.hasPrefix("4:10 E-CALL: `x.yaml` cannot be called: line 4, column 4: `run` changes") == true)
  }
}
