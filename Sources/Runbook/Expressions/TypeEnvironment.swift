/// What an expression at one place of a runbook may name, and of what type it is.
///
/// The validator keeps one and changes entries of `steps` as it walks down the file: a step is `.later` until it
/// has been passed.
public struct TypeEnvironment: Sendable {
  /// A step as seen from the place of the expression.
  public enum StepReference: Sendable {
    /// Certainly succeeded before.
    case ran(outputs: [String: ValueType])
    /// Comes before, but may have been skipped or have failed; `because` completes "it may not have run: …" (`it
    /// has an \`if\``).
    case mayNotHaveRun(outputs: [String: ValueType], because: String)
    /// Stands further down.
    case later(line: Int)
    /// Exists, but never visible from here; `because` is a whole clause (`it is in another branch of the same
    /// \`parallel\``).
    case hidden(line: Int, because: String)
  }

  /// A step with a `for_each`, as seen from behind it or from its `gate`.
  public struct LoopReference: Sendable {
    /// Of each item of the list.
    public var item: ValueType
    /// Of what is done for each.
    public var outputs: ValueType
    /// Seen from its `gate`: `items` are those that have come to their end so far.
    public var isUnderWay = false

    public init(item: ValueType, outputs: ValueType) {
      self.item = item
      self.outputs = outputs
    }
  }

  /// Type of each root but `steps`. `secrets` is an object of `.secret`s.
  public var roots: [String: ValueType]
  /// All ids of the file. A root named `steps` in `roots` replaces this (for `eval`, where nothing is declared).
  public var steps: [String: StepReference]
  /// Those of `steps` that are carried out once for each item of a list, by their ids.
  public var loops: [String: LoopReference] = [:]

  public init(roots: [String: ValueType] = [:], steps: [String: StepReference] = [:]) {
    self.roots = roots
    self.steps = steps
  }
}

extension ValueType {
  /// `error`, `failure`, `steps.x.error`.
  public static let stepError = ValueType.object([
    "kind": .string, "message": .string, "retryable": .bool, "step": .string, "attempt": .int, "detail": .any,
  ])
  /// `run`.
  public static let run = ValueType.object([
    "id": .string, "name": .string, "started_at": .timestamp, "outcome": .string, "requester": .string,
  ])
  /// `rollback`.
  public static let rollback = ValueType.object(["outcome": .string, "failed_step": .string, "error": .stepError])

  /// `steps.x`.
  ///
  /// - Parameter loop: nil for a step without `for_each`.
  public static func step(
    outputs: [String: ValueType], loop: TypeEnvironment.LoopReference? = nil
  ) -> ValueType {
    var members = stepMembers(outputs: outputs)
    if let loop { members["items"] = .list(item(of: loop)) }
    return .object(members)
  }

  /// One of `steps.x.items`.
  private static func item(of loop: TypeEnvironment.LoopReference) -> ValueType {
    var members = stepMembers(outputs: [:])
    members["item"] = loop.item
    members["outputs"] = loop.outputs
    return .object(members)
  }

  /// `self`: a step as its own `expect` and undo list see it.
  public static func `self`(outputs: [String: ValueType], before: [String: ValueType]) -> ValueType {
    var members = stepMembers(outputs: outputs)
    members["before"] = .object(before)
    return .object(members)
  }

  private static func stepMembers(outputs: [String: ValueType]) -> [String: ValueType] {
    [
      "status": .string, "outputs": .object(outputs), "error": .stepError, "started_at": .timestamp,
      "finished_at": .timestamp, "ended_at": .timestamp, "attempts": .int,
    ]
  }
}
