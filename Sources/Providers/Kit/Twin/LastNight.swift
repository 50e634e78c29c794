package import Runbook

/// When the clouds' own schedules take a backup, in simulations.
package enum LastNight {
  /// The last 03:00 UTC that is at least an hour ago: a backup of then is less than 26 hours old.
  package static func backup(before now: Timestamp) -> Timestamp {
    let day: Int64 = 86_400
    let sinceMidnight = ((now.seconds % day) + day) % day
    let today = now.seconds - sinceMidnight + 3 * 3600
    return Timestamp(seconds: now.seconds - today >= 3600 ? today : today - day)
  }
}
