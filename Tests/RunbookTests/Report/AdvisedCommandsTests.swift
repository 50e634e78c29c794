import Runbook
import Testing
import TestSupport

/// An advised command can be pasted as it stands.
@Suite struct AdvisedCommandsTests {
  @Test(
    arguments: [
      (["resume", "r0123456789abcdefghi"], nil, "runbook resume r0123456789abcdefghi"),
      (["rollback", "skip", "r1", "update.undo[0]"], nil, "runbook rollback skip r1 'update.undo[0]'"),
      (["show", "r1"], "/data/runs.db", "runbook show r1 --store /data/runs.db"),
      (["show", "r1"], "sqlite:my runs.db", "runbook show r1 --store 'sqlite:my runs.db'"),
      (["show", "r1"], "it's.db", "runbook show r1 --store 'it'\\''s.db'"),
      (["show", "r1"], "-x.db", "runbook show r1 --store=-x.db"),
      (["show", "r1"], "~/x.db", "runbook show r1 --store '~/x.db'"),
      (["show", "r1"], "$(id)`x`.db", "runbook show r1 --store '$(id)`x`.db'"),
      (["show", "r1"], "a\u{202e}b\n.db", "runbook show r1 --store $'a\\xe2\\x80\\xaeb\\x0a.db'"),
      (["validate", ""], nil, "runbook validate ''"),
    ] as [([String], String?, String)])
  func aWordThatAShellWouldChangeIsQuoted(_ words: [String], _ store: String?, _ line: String) {
    #expect(AdvisedCommands(store: store).line(words) == line)
  }

  @Test func everyLineOfTheClosingWordsNamesTheStore() {
    for story in [RunStory.failedAndRolledBack, .rollbackFailed] {
      let report = RunReport(id: story.runID, plan: RunStory.undoPlan, events: story.events)
      let lines = ClosingWords.lines(for: report, AdvisedCommands(store: "x y.db")).map(\.plain)
        .filter { $0.hasPrefix("  runbook ") }
      #expect(lines.count >= 2)
      for line in lines { #expect(line.contains(" --store 'x y.db'  "), "\(line)") }
    }
  }
}
