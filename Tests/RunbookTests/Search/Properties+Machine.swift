@testable import Runbook

extension Passage {
  /// The facts, applied to the state before, give the state after. As this holds of every passage, the whole journal
  /// gives the state.
  /// - Parameter isCoded: the facts are written and read back first.
  func replayed(isCoded: Bool) -> Violation? {
    var machine = before.machine
    do { machine.apply(isCoded ? try SearchedMachine.readBack(facts) : facts) } catch {
      return Violation(.replayGivesTheSame, "a fact cannot be read back: \(error)")
    }
    if machine.picture == after.picture, machine.order == after.order { return nil }
    return Violation(.replayGivesTheSame, "the order is \(machine.order) and should be \(after.order)")
  }
}

extension Situation {
  /// Facts that should be in the journal already.
  var overdue: Violation? {
    var machine = machine
    let facts = machine.handle(.nothing)
    return facts.isEmpty ? nil : Violation(.nothingIsOverdue, "these facts were due: \(facts)")
  }

  /// The first word from elsewhere that changes something; nil: all are without consequence.
  var heededForeignWord: Violation? {
    // Facts that are overdue come with the first word.
    guard overdue == nil else { return nil }
    var machine = machine
    for (speaker, words) in [("a person", foreignWordsOfPeople), ("the engine", foreignWordsOfTheEngine)] {
      for word in words {
        // Without facts nothing can have changed.
        let facts = machine.handle(word)
        if facts.isEmpty { continue }
        guard SearchedMachine.isRefusal(facts), machine.picture == picture, machine.order == order else {
          return Violation(.foreignWordsChangeNothing, "what \(speaker) says is heeded, \(word): \(facts)")
        }
      }
    }
    return nil
  }

  /// Answers to questions that are not open, or that do not count, and a cancel that comes too late.
  private var foreignWordsOfPeople: [SearchedEvent] {
    var words: [SearchedEvent] = []
    if !picture.flags.contains(.isCancellable) {
      words += [.cancelRequested(rollback: true), .cancelRequested(rollback: false)]
    }
    for place in places.all.indices {
      let isActive = Int(picture.active) == place
      let leaf = picture.leaves[place]
      let question = isActive ? Int(leaf.question) - 1 : Int(picture.questions)
      words += Resolution.allCases.map { .resolved(place, $0, question: question) }
      words += [.answered(place, question: question, .approves), .answered(place, question: question, .rejects)]
      guard isActive, leaf.progress == .asking else { continue }
      words += [SearchedAnswer.byRequester, .ofAnotherText, .late].map {
        .answered(place, question: Int(leaf.question), $0)
      }
      if leaf.approvals > 0 { words.append(.answered(place, question: Int(leaf.question), .again)) }
    }
    return words
  }

  /// Reports about steps that are not under way, were not ordered, or are in another part of their life.
  private var foreignWordsOfTheEngine: [SearchedEvent] {
    var words: [SearchedEvent] = []
    for place in places.all.indices {
      guard Int(picture.active) != place else {
        words += untimelyWords(place, picture.leaves[place].progress)
        continue
      }
      words += [
        .succeeded(place), .failed(place, .applied, retries: false), .failed(place, .none, retries: true),
        .called(place), .replyLost(place), .resend(place, cleared: true), .cleared(place),
        .unknowable(place, asks: true), .attemptDue(place), .observed(place), .cancelled(place, .unknown),
        .askTimedOut(place), .approvalTimedOut(place),
      ]
      if order != .begin(place) { words += [.began(place), .skipped(place), .refused(place)] }
      guard order != .settle(place) else { continue }
      words += [
        .found(place), .settled(place, didNothing: true), .settled(place, didNothing: false), .unsettled(place),
      ]
    }
    return words
  }

  /// Reports that cannot be true of a step that is under way.
  private func untimelyWords(_ place: Int, _ progress: Picture.Progress) -> [SearchedEvent] {
    var words: [SearchedEvent] = [
      .began(place), .skipped(place), .refused(place), .settled(place, didNothing: true), .unsettled(place),
    ]
    if progress != .lost {
      words += [.resend(place, cleared: true), .cleared(place), .found(place), .unknowable(place, asks: true)]
    }
    if progress != .retrying { words.append(.attemptDue(place)) }
    if progress != .waiting { words.append(.observed(place)) }
    if progress != .parked { words.append(.askTimedOut(place)) }
    if progress != .asking { words.append(.approvalTimedOut(place)) }
    if progress != .calling, progress != .lost { words.append(.called(place)) }
    if progress == .retrying || progress == .parked || progress == .asking {
      words += [.succeeded(place), .replyLost(place)]
    }
    if progress == .retrying || progress == .parked { words.append(.failed(place, .none, retries: true)) }
    return words
  }
}
