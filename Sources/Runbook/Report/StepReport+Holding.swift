/// What is told of a step that holds others: what it was found to hold, and how its steps stand.
public struct Holding: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case block, parallel, call, gate
    case loop = "for_each"
  }

  /// How a step in it stands, as the step around it counts it.
  enum Count: Sendable { case going, succeeded, skipped, failed, cancelled }

  public var kind: Word<Kind>
  /// Of a loop: what it is done for.
  public var items: [Value] = []
  /// Of a loop: how many iterations each batch holds. Empty: one batch of all.
  public var batches: [Int64] = []
  /// Of a loop: how many iterations go on at once, and how many may fail before the loop does.
  public var maxParallel: Int64 = 1
  public var maxFailures: Int64 = 0
  /// Of a call: what its file was given.
  public var inputs: Value?
  /// Why its `rescue` was begun; nil: it was not.
  public var rescuedFrom: ReportedError?

  /// Positions of the steps in it, in the order in which something was told of them first.
  public internal(set) var children: [Int] = []
  /// Those that are begun and have not ended, or are being undone by themselves.
  public internal(set) var going: [Int] = []
  /// Those that have failed.
  public internal(set) var troubled: [Int] = []

  // How many of them; of a loop only iterations are counted.
  public internal(set) var running = 0
  public internal(set) var succeeded = 0
  public internal(set) var skipped = 0
  public internal(set) var failed = 0
  public internal(set) var cancelled = 0
  /// Iterations that are being undone by themselves, and that were.
  public internal(set) var undoing = 0
  public internal(set) var undone = 0

  public var ended: Int { succeeded + skipped + failed + cancelled }
  public var isLoop: Bool { kind == .loop }
  /// Of a loop: how many iterations it has in all; nil for other kinds, which are not told.
  public var total: Int? { isLoop ? items.count : nil }

  init(_ kind: Word<Kind>) { self.kind = kind }

  /// - Parameter fields: of `scope.started`.
  init(_ fields: [String: Value]) {
    kind = Word(fields["kind"]?.string ?? "")
    items = fields["items"]?.list ?? []
    batches = (fields["batches"]?.list ?? []).compactMap { $0.int }
    maxParallel = fields["max_parallel"]?.int ?? 1
    maxFailures = fields["max_failures"]?.int ?? 0
    inputs = fields["inputs"]
  }

  mutating func count(_ state: Count, by number: Int) {
    switch state {
    case .going: running += number
    case .succeeded: succeeded += number
    case .skipped: skipped += number
    case .failed: failed += number
    case .cancelled: cancelled += number
    }
  }
}

extension StepReport {
  /// How the undoing of an iteration by itself stands.
  public enum Unwinding: Sendable, Equatable {
    case going
    case ended(Word<RollbackOutcome>)
  }

  /// It holds other steps.
  public var isHolder: Bool { holds != nil }
  /// One of the times that a loop is carried out.
  public var isIteration: Bool { iteration != nil }

  /// It came to its end, and not as its author wished.
  public var hasFailed: Bool {
    status.isOne(of: .failed, .notApplied) || status == .unknown && endedAt != nil
  }

  /// It goes on, as far as the step around it is concerned: a person may be asked about it, or it is being undone.
  public var isGoing: Bool { counted == .going || unwinding == .going }

  var counted: Holding.Count? {
    switch status.known {
    case .pending: return nil
    case .started: return .going
    case .succeeded: return .succeeded
    case .skipped, .notRun: return .skipped
    case .cancelled: return .cancelled
    // A person is asked about it.
    case .unknown where endedAt == nil: return .going
    case .failed, .notApplied, .unknown, nil: return .failed
    }
  }
}
