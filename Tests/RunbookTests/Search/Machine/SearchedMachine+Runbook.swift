@testable import Runbook

extension SearchedMachine {
  static func runbook(_ places: SearchedPlaces) -> ValidatedRunbook {
    let searched = places.runbook
    func steps(_ purpose: Purpose) -> [ActionStep] {
      places.all.filter { $0.purpose == purpose }.map { step($0, places) }
    }
    var runbook = MachineFixture.runbook(
      steps(.do), onFailure: steps(.onFailure), onRollbackFailure: steps(.onRollbackFailure), always: steps(.always),
      policy: RollbackPolicy(after: searched.after, timeout: .seconds(3600)))
    if searched.tells { runbook.onWaiting = Body([MachineFixture.step("on_waiting[0]", effect: .none)]) }
    if searched.isChecked {
      runbook.providers = [ProviderBlock(name: "cloud", type: "cloud", declared: nil, settings: [:])]
    }
    if searched.isDrill {
      runbook.drill = DrillDefinition(
        rto: .seconds(60), rpo: nil, measure: [:], before: Body([Step]()), after: Body([Step]()))
    }
    return runbook
  }

  private static func step(_ place: SearchedPlaces.Place, _ places: SearchedPlaces) -> ActionStep {
    let number = places.main.first { places.all[$0].path == place.path }
    let source = number.flatMap { number in places.main.firstIndex(of: number) }.map { places.runbook.steps[$0] }
    let call = place.call
    var rollback = RollbackClause.none
    switch place.rollback {
    case .none: break
    case .irreversible: rollback = .irreversible
    case .steps(_, let onlyAfterSuccess):
      rollback = .steps(
        place.undo.map { Self.step(places.all[$0], places) }, undo: onlyAfterSuccess ? .succeeded : .started)
    }
    var step = MachineFixture.step(
      StepPath(place.path), effect: call.effect, class: call.effectClass, rollback: rollback, onCrash: source?.onCrash,
      continuesOnError: place.purpose != .undo && place.continuesOnError, isCommit: call.isCommit,
      undoContinuesOnError: place.purpose == .undo && place.continuesOnError)
    step.isIdempotent = call.isIdempotent
    step.action.cancellable = call.isScript
    step.action.runsElsewhere = call.runsElsewhere
    step.action.asksPeople = call.question != nil
    if call.wait == .awaited || call.wait == .notAwaited {
      step.action.wait = WaitDefaults(until: "ready", failsOn: "error", timeout: .seconds(600))
    }
    step.wait.isSkipped = call.wait == .notAwaited
    if call.wait == .polled { step.mode = .waitFor }
    return step
  }
}
