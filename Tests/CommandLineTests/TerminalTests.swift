import Runbook
import Testing
import TestSupport

@testable import CommandLine

/// As much of a terminal as the live tree uses: text, line feeds, carriage returns, cursor up, erase. Lines wrap at
/// the width (and the test sees that they never do).
struct ToyTerminal {
  private(set) var rows: [[Character]] = [[]]
  private var row = 0
  private var column = 0
  let width: Int
  private(set) var hasWrapped = false

  init(width: Int) { self.width = width }

  var text: String {
    rows.map { row in String(row).reversed().drop { $0 == " " }.reversed() }.map { String($0) }.joined(separator: "\n")
  }

  mutating func feed(_ bytes: String) {
    var rest = Array(bytes.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\n":
        row += 1
        column = 0
        if row == rows.count { rows.append([]) }
      case "\r": column = 0
      case "\u{1b}":
        rest = rest.dropFirst()
        var number = ""
        while let next = rest.first, next.value < 0x40 {
          number.unicodeScalars.append(next)
          rest = rest.dropFirst()
        }
        act(rest.popFirst() ?? "m", Int(number) ?? 1)
      default: put(Character(scalar))
      }
    }
  }

  private mutating func act(_ command: Unicode.Scalar, _ number: Int) {
    switch command {
    case "A": row = max(0, row - number)
    case "K": rows[row] = Array(rows[row].prefix(column))
    case "J":
      rows[row] = Array(rows[row].prefix(column))
      rows = Array(rows.prefix(row + 1))
    default: break
    }
  }

  private mutating func put(_ character: Character) {
    let cells = DisplayWidth.of(String(character))
    if column + cells > width {
      hasWrapped = true
      row += 1
      column = 0
      if row == rows.count { rows.append([]) }
    }
    while rows[row].count < column + cells { rows[row].append(" ") }
    rows[row][column] = character
    column += cells
  }
}

@Suite struct TerminalTests {
  private func play(
    _ story: RunStory, until seconds: Double, width: Int = 100, rows: Int = 30, glyphs: Glyphs = .unicode
  ) -> ToyTerminal {
    var tree = LiveTree(
      runID: story.runID, plan: RunStory.undoPlan, steps: ["stop", "snapshot", "update", "health"], glyphs: glyphs)
    var screen = Screen(paint: .ansi, glyphs: glyphs)
    var terminal = ToyTerminal(width: width)
    let end = RunStory.beginning + .milliseconds(Int64(seconds * 1000))
    for event in story.events where event.at <= end {
      tree.handle(event)
      let live = tree.live(at: event.at, frame: 0, rows: rows)
      terminal.feed(screen.frame(finished: tree.takeFinished(), live: live, size: .init(columns: width, rows: rows)))
    }
    let live = tree.live(at: end, frame: 3, rows: rows)
    terminal.feed(screen.frame(finished: tree.takeFinished(), live: live, size: .init(columns: width, rows: rows)))
    return terminal
  }

  @Test func aWaitShowsWhatItWaitsForAndTheNativeState() {
    #expect(
      play(.failedAndRolledBack, until: 14).text == """
        pre_upgrade  r0123456789abcdefghi  server=12345

          ⠸ stop         13s  until stopped · now stopping · at most 9m59s
          · snapshot
          · update
          · health

          14s · 0 of 4 · Ctrl-C cancels and undoes

        """)
  }

  @Test func aRetryCountsDown() {
    #expect(
      play(.failedAndRolledBack, until: 101).text == """
        pre_upgrade  r0123456789abcdefghi  server=12345

          ✓ stop         32s  stopped
          ✓ snapshot     58s  done
          ⠸ update       11s  attempt 1 failed, again in 1s: unreachable: connection refused
          · health

          1m41s · 2 of 4 · Ctrl-C cancels and undoes

        """)
  }

  @Test func undoStepsAreNestedUnderTheirStep() {
    #expect(
      play(.failedAndRolledBack, until: 175).text == """
        pre_upgrade  r0123456789abcdefghi  server=12345

          ✓ stop         32s  stopped
          ✓ snapshot     58s  done
          ✗ update       22s  exit code: the script ended with 1 · 2 attempts

          ↶ rolling back: `update` failed
          ↶ update
            ✓ snapshot.restore     58s  done
          ↶ stop
            ⠸ server.start      5s

          2m55s · undoing, newest first

        """)
  }

  @Test func whatIsFinishedStaysWhenTheRunHasEnded() {
    let text = play(.failedAndRolledBack, until: 200).text
    #expect(text.hasSuffix("  ↶ stop\n    ✓ server.start     12s  done\n"))
    #expect(!text.contains("Ctrl-C"))
  }

  @Test(arguments: [1, 2, 3, 7, 20, 40, 79, 80, 200], [2, 3, 5, 24])
  func noLineEverWraps(_ width: Int, _ rows: Int) {
    let terminal = play(.failedAndRolledBack, until: 1000, width: width, rows: rows)
    #expect(!terminal.hasWrapped)
  }

  @Test func wideCharactersAreCountedTwice() {
    #expect(DisplayWidth.of("漢字 ok") == 7)
    #expect(DisplayWidth.of("e\u{301}") == 1)
    #expect(DisplayWidth.of("🚀") == 2)
    #expect(DisplayWidth.cut(StyledText("漢字漢字"), to: 6).plain == "漢字…")
    #expect(DisplayWidth.cut(StyledText("abc"), to: 3).plain == "abc")
    #expect(DisplayWidth.cut(StyledText("abcd"), to: 3).plain == "ab…")
    #expect(DisplayWidth.cut(StyledText("abcd"), to: 0).plain == "")
  }

  @Test func aTerminalWithoutUTF8GetsASCII() {
    let text = play(.failedAndRolledBack, until: 175, glyphs: .ascii).text
    #expect(text.unicodeScalars.allSatisfy { $0.isASCII })
    #expect(text.contains("+ stop"))
  }

  @Test(arguments: [
    ([("LANG", "en_US.UTF-8")], true), ([("LANG", "C")], false), ([], false),
    ([("LC_ALL", "C"), ("LANG", "de_DE.utf8")], false),
    ([("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8")], true),
  ])
  func theLocaleDecidesAboutUTF8(_ variables: [(String, String)], _ isUnicode: Bool) {
    let environment = Dictionary(uniqueKeysWithValues: variables)
    #expect((Glyphs.forLocale { environment[$0] }.done == "✓") == isUnicode)
  }

  @Test func anUnchangedScreenIsNotDrawnAgain() {
    var screen = Screen(paint: .plain, glyphs: .unicode)
    let size = Screen.Size(columns: 80, rows: 24)
    #expect(screen.frame(finished: [], live: [StyledText("a")], size: size) != "")
    #expect(screen.frame(finished: [], live: [StyledText("a")], size: size) == "")
    #expect(screen.frame(finished: [], live: [StyledText("b")], size: size) == "\r\u{1b}[1Ab\u{1b}[K\n\u{1b}[J")
  }

  @Test func aNarrowedTerminalIsRedrawnFromWhereItFolded() {
    var screen = Screen(paint: .plain, glyphs: .unicode)
    _ = screen.frame(finished: [], live: [StyledText("0123456789")], size: .init(columns: 10, rows: 24))
    let frame = screen.frame(finished: [], live: [StyledText("0123456789")], size: .init(columns: 4, rows: 24))
    #expect(frame == "\r\u{1b}[3A012…\u{1b}[K\n\u{1b}[J")
  }

  @Test func theCursorIsNeverHidden() {
    var tree = LiveTree(runID: "r", plan: UndoPlan(), steps: [], glyphs: .unicode)
    var screen = Screen(paint: .ansi, glyphs: .unicode)
    var bytes = ""
    for event in RunStory.failedAndRolledBack.events {
      tree.handle(event)
      bytes += screen.frame(
        finished: tree.takeFinished(), live: tree.live(at: event.at, frame: 1, rows: 24),
        size: .init(columns: 80, rows: 24))
    }
    #expect(!bytes.contains("?25l"))
  }

  @Test func theLastLinesOfARunningScriptStandBelowItsStep() {
    var tree = LiveTree(runID: "r", plan: UndoPlan(), steps: ["a"], glyphs: .unicode)
    var story = RunStory()
    story.begin(name: "shown", inputs: [:])
    for event in story.events { tree.handle(event) }
    tree.handle(
      RunEvent(
        event: "step.started", runID: "r", sequence: 2, at: RunStory.beginning,
        fields: ["step": "a", "action": "run", "purpose": "do", "effect": "change", "attempt": 1]))
    tree.handle(RunProgress(step: "a", output: ["unpacking", "setting \u{1b}[2J up"]))
    let live = tree.live(at: RunStory.beginning, frame: 0, rows: 24).map(\.plain)
    #expect(live.contains("      | unpacking") && live.contains("      | setting \\x1b[2J up"), "\(live)")
  }
}
