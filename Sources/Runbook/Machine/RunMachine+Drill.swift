/// What the expressions of `drill.measure` gave, before it is judged.
public struct DrillMoments: Sendable, Equatable {
  public var instants: [DrillMoment: Timestamp] = [:]
  /// Why a moment is not set: one clause, by moment.
  public var unset: [DrillMoment: String] = [:]
}

/// A drill is judged once: after its steps, before anything is undone.
extension RunMachine {
  /// The steps have come to their end, and nothing is said yet about the objectives.
  var isToBeJudged: Bool { runbook.drill != nil && stop == nil && borne == nil && verdict == nil && root.isThrough }

  func judgement(of moments: DrillMoments) -> DrillVerdict {
    var verdict = DrillVerdict()
    guard let drill = runbook.drill else { return verdict }
    verdict.outageAt = moments.instants[.outageAt]
    verdict.dataAsOf = moments.instants[.dataAsOf]
    verdict.restoredAt = moments.instants[.restoredAt]
    verdict.rto = drill.rto.map { RunMachine.judge($0, from: .outageAt, to: .restoredAt, moments) }
    verdict.rpo = drill.rpo.map { RunMachine.judge($0, from: .dataAsOf, to: .outageAt, moments) }
    if !drill.after.isEmpty { verdict.steadyState = steadyState(drill.after.leaves) }
    return verdict
  }

  /// What is not set is missed, and so is a time that ends before it begins: a clock or an expression is wrong then,
  /// and nothing is proved.
  private static func judge(
    _ objective: Duration, from first: DrillMoment, to last: DrillMoment, _ moments: DrillMoments
  ) -> DrillVerdict.Objective {
    guard let begin = moments.instants[first], let end = moments.instants[last] else {
      let reasons = [first, last].compactMap { moment in
        moments.instants[moment] == nil ? "`\(moment.rawValue)` \(moments.unset[moment] ?? "is not set")" : nil
      }
      return DrillVerdict.Objective(
        objective: objective, measured: nil, met: PlantedMistake.unsetIsMet.isMade,
        reason: reasons.joined(separator: "; "))
    }
    // To the millisecond, as it is journaled: what is judged is what is told.
    let measured = Duration.milliseconds((end - begin).milliseconds)
    let isReversed = measured < .zero
    return DrillVerdict.Objective(
      objective: objective, measured: measured, met: !isReversed && measured <= objective,
      reason: isReversed ? "`\(last.rawValue)` lies before `\(first.rawValue)`" : nil)
  }

  private func steadyState(_ steps: [ActionStep]) -> DrillVerdict.SteadyState {
    guard let lost = steps.first(where: { !state(of: $0.path).status.isDone }) else {
      return DrillVerdict.SteadyState(regained: true)
    }
    let error = state(of: lost.path).error
    let reason = error.map { "\(RunWords.spaced($0.kind.rawValue)): \($0.message)" }
    return DrillVerdict.SteadyState(
      regained: false, step: lost.path.text, reason: reason ?? RunWords.spaced(state(of: lost.path).status.rawValue))
  }
}
