import Runbook
import Testing
import TestSupport

/// A loop is read in about twenty lines, however many items it has.
@Suite struct FoldedTreeTests {
  private func text(_ report: RunReport, isWhole: Bool = false) -> [String] {
    FoldedTree.lines(report, isWhole: isWhole).map { line in
      switch line {
      case .rest(let depth, let words): String(repeating: "  ", count: depth) + words
      case .step(let step, let note):
        String(repeating: "  ", count: step.depth) + "\(step.name): \(note.map { "\($0): " } ?? "")"
          + RunWords.end(of: step)
      }
    }
  }

  private func report(_ story: RunStory) -> RunReport {
    RunReport(id: story.runID, plan: RunStory.wavePlan, actions: .standard, events: story.events)
  }

  @Test func whatFailedAndTheSlowestAreShown() {
    #expect(
      text(report(.wave(of: 40, failing: [3, 7])))
        == [
          "prepare: done in 1.0s", "wave: 38 of 40 succeeded, 2 failed and were undone, in 7m04s",
          "  wave[3]: failed after 10s: `wave[3].update` failed; undone", "    stop: done in 5.0s",
          "    update: failed after 5.0s: exit code: the script ended with 1",
          "  wave[7]: failed after 10s: `wave[7].update` failed; undone", "    stop: done in 5.0s",
          "    update: failed after 5.0s: exit code: the script ended with 1",
          "  wave[5]: the slowest: done in 30s", "    stop: done in 15s", "    update: done in 15s",
        ].filter { !$0.contains("15s") })
  }

  @Test func ofManyFailuresTheFirstAreShownAndTheOthersCounted() {
    let lines = text(report(.wave(of: 100, failing: Set(10..<60))))
    #expect(lines.count <= 24, "\(lines)")
    #expect(lines.contains("  … and 46 more failed"), "\(lines)")
  }

  @Test func everythingIsShownOnRequest() {
    #expect(text(report(.wave(of: 40, failing: [3])), isWhole: true).count == 2 + 40 * 3)
  }

  @Test func tenThousandIterationsAreReadInASecond() {
    let story = RunStory.wave(of: 10_000, failing: Set((0..<10_000).filter { $0 % 50 == 0 }))
    let clock = ContinuousClock()
    var report = RunReport(id: story.runID, plan: RunStory.wavePlan, actions: .standard)
    var text = EventText(actions: .standard)
    let took = clock.measure {
      for event in story.events {
        report.apply(event)
        _ = text.line(for: event)
      }
      _ = FoldedTree.lines(report)
      _ = ClosingWords.lines(for: report)
      _ = MarkdownReport.text(for: report)
      _ = ReportJSON.document(report)
    }
    #expect(report.step("wave")?.holds?.succeeded == 9_800)
    #expect(ClosingWords.lines(for: report).count < 30)
    // A debug build on a busy machine is given much more; a list that is searched for every event takes minutes.
    #expect(took < .seconds(30), "\(took)")
  }
}
