/// A large value that is kept once and pointed to. It behaves as the value itself does (a copy that is changed leaves
/// the others alone), but costs eight bytes wherever it is handed around.
///
/// Suspended functions keep what they hold in their frames: with a thousand waiting runs, a kilobyte in a frame is a
/// megabyte of memory. See `docs/decisions/shared-watchers.md`.
@dynamicMemberLookup
public struct Boxed<Value: Sendable>: Sendable {
  private var storage: Storage

  public init(_ value: Value) { storage = Storage(value) }

  public var value: Value {
    get { storage.value }
    set { change { $0 = newValue } }
  }

  public subscript<Member>(dynamicMember member: KeyPath<Value, Member>) -> Member {
    @inline(__always) get { storage.value[keyPath: member] }
  }

  public subscript<Member>(dynamicMember member: WritableKeyPath<Value, Member>) -> Member {
    @inline(__always) get { storage.value[keyPath: member] }
    set { change { $0[keyPath: member] = newValue } }
  }

  private mutating func change(_ body: (inout Value) -> Void) {
    if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
    body(&storage.value)
  }

  /// `@unchecked Sendable`: it is changed only while one box alone points to it.
  private final class Storage: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
  }
}
