import Runbook
import Testing

@testable import CommandLine

@Suite struct ProgressLinesTests {
  private func news(_ message: String, _ step: StepPath = "stop") -> RunProgress {
    RunProgress(step: step, message: message)
  }

  @Test func theFirstWordIsPrintedAtOnceAndTheSameWordOnce() {
    var lines = ProgressLines()
    lines.add(news("it is still changing"))
    #expect(lines.due(at: .seconds(1)) == [news("it is still changing")])
    lines.add(news("it is still changing"))
    #expect(lines.due(at: .seconds(60)).isEmpty)
  }

  @Test func aChangedWordWaitsForItsTimeAndTheNewestIsPrinted() {
    var lines = ProgressLines()
    lines.add(news("one"))
    _ = lines.due(at: .seconds(0))
    lines.add(news("two"))
    lines.add(news("three"))
    #expect(lines.due(at: .seconds(9)).isEmpty)
    #expect(lines.isWaiting)
    #expect(lines.due(at: .seconds(10)) == [news("three")])
    #expect(!lines.isWaiting)
  }

  @Test func stepsDoNotWaitForOneAnother() {
    var lines = ProgressLines()
    lines.add(news("one", "a"))
    _ = lines.due(at: .seconds(0))
    lines.add(news("two", "b"))
    #expect(lines.due(at: .seconds(1)) == [news("two", "b")])
  }

  @Test func anEventOfTheStepMakesWhatWasKeptOld() {
    var lines = ProgressLines()
    lines.add(news("one"))
    _ = lines.due(at: .seconds(0))
    lines.add(news("two"))
    lines.forget("stop")
    #expect(lines.due(at: .seconds(60)).isEmpty)
  }

  @Test func newsWithoutWordsIsNoLine() {
    var lines = ProgressLines()
    lines.add(RunProgress(step: "stop", nativeState: "stopping"))
    #expect(lines.due(at: .seconds(0)).isEmpty)
  }
}
