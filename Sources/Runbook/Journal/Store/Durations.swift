/// How long waits took in earlier runs. It is advice to people and to the rhythm of looks: nothing is decided by it, so
/// nothing here throws.
public protocol Durations: Sendable {
  /// How long waits of this kind usually take: the middle one of the last twenty that succeeded; nil if there is none,
  /// or if the store cannot tell.
  func usualDuration(of key: String) async -> Duration?

  /// Remembers how long such a wait took. The store forgets a duration that it cannot write.
  func noteDuration(_ duration: Duration, of key: String) async
}
