/// A runbook in which everything that can be checked without running has been: the kinds are known, the fields typed,
/// the names unique, the references resolved. The planner and the interpreter read this and never the document.
public typealias ValidatedRunbook = Boxed<RunbookDefinition>

/// What is known of a runbook.
public struct RunbookDefinition: Sendable {
  public var name: String
  public var description: String?
  public var labels: [String: String]
  public var inputs: [InputDeclaration]
  /// In file order; each may read those before it.
  public var vars: [(name: String, value: Template)]
  public var secrets: [SecretDeclaration]
  public var providers: [ProviderBlock]
  public var locks: [Template]
  /// Of the run, without its rollback. Default 24 h.
  public var timeout: Duration
  public var rollbackPolicy: RollbackPolicy
  /// nil: the run is no drill.
  public var drill: DrillDefinition?
  public var steps: Body
  public var onFailure: Body
  public var onRollbackFailure: Body
  /// What tells somebody that the run waits for a person.
  public var onWaiting: Body
  public var always: Body
  public var outputs: [(name: String, value: Expression)]
  /// Files that were read while validating (`script_file`), pinned by content: path as written → bytes.
  public var pinnedFiles: [String: [UInt8]]
  public var warnings: [Diagnostic]
  /// How many steps of the run may go on at once, in all its `parallel` and `for_each` together.
  public var maxParallel: Int = 50
}

public struct InputDeclaration: Sendable {
  public enum Kind: String, Sendable, CaseIterable { case string, int, number, bool, duration, list, map, url }
  public var name: String
  public var kind: Kind
  /// nil: required.
  public var defaultValue: Value?
  public var allowed: [Value]
  public var pattern: String?
  public var minimum: Value?
  public var maximum: Value?
  public var minimumItems: Int?
  /// Of a list's items.
  public var itemKind: Kind?
  public var description: String?
}

public struct SecretDeclaration: Sendable {
  public enum Source: Sendable, Equatable {
    case environment(key: String)
    case file(path: String)
    /// What a program prints; the first word is the program.
    case command([String])
    /// What systemd hands to its service under this name.
    case credential(key: String)
  }
  public var name: String
  public var source: Source
}

public struct ProviderBlock: Sendable {
  /// The author's name for it: `cloud`.
  public var name: String
  /// `vps_org`; the path as written if a file declares it: `./my_cloud.yaml`.
  public var type: String
  /// What the file declares; nil for a provider that comes with the program.
  public var declared: (any ProviderKind)?
  /// All fields but `type`.
  public var settings: [String: Template]

  /// Whether it is of this type: the word after `type:`, or the one that its file declares.
  public func isOf(type: String) -> Bool { self.type == type || declared?.type == type }
}

public struct RollbackPolicy: Sendable {
  public enum Trigger: String, Sendable, CaseIterable { case failure, cancel, success }
  public var after: Set<Trigger>
  public var timeout: Duration
  public static let standard = RollbackPolicy(
    after: [.failure, .cancel], timeout: .seconds(4 * 3600))
}
