@testable import Runbook

/// How lost requests are found or given up, and how steps come to rest before their undo.
extension Environment {
  /// By the class of the effect: found, sent again, or left to a person.
  mutating func addFindings(_ place: Int) {
    let call = call(place)
    guard situation.places.all[place].changes else { return add(.sendsAgain(place, cleared: false)) }
    // Without a secret nothing can be asked.
    if call.effectClass != .opaque || call.isIdempotent || !isMain(place) { add(.cannotTell(place, asks: false), 1) }
    if call.isIdempotent, isMain(place), !call.isScript { return addLostAttempts(place) }
    switch call.effectClass {
    case .keyed: addResends(place, cleared: false)
    case .convergent:
      addFound(place)
      addResends(place, cleared: false)
      if mayHaveDoneNothing(place) { addResends(place, cleared: true) }
    case .findable:
      addFound(place)
      if mayHaveDoneNothing(place) { addResends(place, cleared: true) }
      if !isMain(place) { addResends(place, cleared: false) }
    case .opaque where call.isScript: addScriptFindings(place)
    case .opaque: if isMain(place) { add(.cannotTell(place, asks: false)) } else { addResends(place, cleared: false) }
    }
  }

  private mutating func addScriptFindings(_ place: Int) {
    if deed(place).now != .no { addFound(place) }
    if deed(place).now != .yes { addResends(place, cleared: true) }
    if call(place).runsElsewhere {
      // Its machine cannot be reached.
      add(isMain(place) ? .cannotTell(place, asks: true) : .losesAttempt(place, retries: false), 1)
    }
    if call(place).isIdempotent || !isMain(place) {
      addLostAttempts(place)
    } else {
      add(.cannotTell(place, asks: false))
    }
  }

  /// It is possible that none of its requests took effect.
  private func mayHaveDoneNothing(_ place: Int) -> Bool {
    deed(place).now != .yes && (deed(place).before != .yes || !call(place).isFoundInTheWorld)
  }

  private mutating func addFound(_ place: Int) {
    let deed = deed(place)
    guard deed.now != .no || call(place).isFoundInTheWorld && deed.before != .no else { return }
    add(.finds(place, call(place).wait == .awaited ? .accepted : .done))
    add(.finds(place, .failed), 1)
    if mayBeRetried(place) { add(.finds(place, .failedAndIsRetried), 1) }
  }

  private mutating func addResends(_ place: Int, cleared: Bool) {
    if mayBeResent(place) {
      add(.sendsAgain(place, cleared: cleared))
      add(.givesUp(place, cleared: cleared), 1)
    } else {
      add(.givesUp(place, cleared: cleared))
    }
  }

  private mutating func addLostAttempts(_ place: Int) {
    if mayBeRetried(place) {
      add(.losesAttempt(place, retries: true))
      add(.losesAttempt(place, retries: false), 1)
    } else {
      add(.losesAttempt(place, retries: false))
    }
  }

  /// A step is looked at before it is undone.
  mutating func addRest(_ place: Int) {
    let leaf = leaf(place)
    let isLookedFor = leaf.effect == .unknown || leaf.error == nil && leaf.status != .succeeded
    add(.neverRests(place), 1)
    add(.comesToRest(place, .unsure))
    let call = call(place)
    guard isLookedFor, call.effectClass != .opaque || call.isScript else { return }
    let deed = deed(place)
    if deed.now != .no || call.isFoundInTheWorld && deed.before != .no { add(.comesToRest(place, .found)) }
    if mayHaveDoneNothing(place) { add(.comesToRest(place, .nothingHappened)) }
  }
}
