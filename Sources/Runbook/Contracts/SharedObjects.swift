import Synchronization

/// What all runs of one process share, by name: an account's gate and lists. It lives in the `RunWorld`, so that each
/// simulated world has its own.
public final class SharedObjects: Sendable {
  private let objects = Mutex<[String: any AnyObject & Sendable]>([:])

  public init() {}

  /// The object of this name and type; made, and kept as long as the world lives, if there is none yet.
  public func object<Shared: AnyObject & Sendable>(for key: String, make: () -> Shared) -> Shared {
    objects.withLock { objects in
      if let known = objects[key] as? Shared { return known }
      let new = make()
      objects[key] = new
      return new
    }
  }
}
