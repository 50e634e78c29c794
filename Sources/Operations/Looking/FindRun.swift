public import Runbook

/// Which run a person means.
public enum RunName: Sendable, Equatable {
  /// The only run that needs a person.
  case needed
  case newest
  case id(String)
  /// The beginning of an id.
  case beginning(String)

  /// - Parameter word: an id or the beginning of one, `latest`, or nothing.
  /// - Throws: `notAnID`.
  public init(_ word: String) throws(OperationRefusal) {
    if word.isEmpty {
      self = .needed
    } else if word == "latest" {
      self = .newest
    } else if RunID.isWellFormed(word) {
      self = .id(word)
    } else {
      guard RunName.isBeginning(word) else { throw .notAnID(word) }
      self = .beginning(word)
    }
  }

  private static func isBeginning(_ word: String) -> Bool {
    let isOfID = word.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x61 && $0 <= 0x7a }
    return word.hasPrefix("r") && word.utf8.count <= 20 && isOfID
  }

  /// Why there is no such run in a store without runs.
  public var notThere: OperationRefusal {
    switch self {
    case .needed: .noRunNeedsAPerson
    case .newest: .noRun
    case .id(let word), .beginning(let word): .noSuchRun(word)
    }
  }
}

/// Finds the run that a person means.
public struct FindRun: Sendable {
  private let context: OperationContext
  public init(_ context: OperationContext) { self.context = context }

  /// - Throws: `noSuchRun`, `noRun`, `noRunNeedsAPerson`, `severalNeedAPerson`, `ambiguous`, `store`.
  public func find(_ name: RunName) async throws(OperationRefusal) -> RunSummary {
    let found: [RunSummary]
    switch name {
    case .id(let id):
      return try await context.asked { () throws(StoreFailure) in try await context.store.summary(of: id) }
    case .needed:
      found = try await ListRuns(context).needs().map(\.run)
      if found.count > 1 { throw .severalNeedAPerson(found) }
    case .newest: found = try await ListRuns(context).newest(1)
    case .beginning(let word):
      found = try await context.asked { () throws(StoreFailure) in try await context.store.runs(beginningWith: word) }
      if found.count > 1 { throw .ambiguous(word, found) }
    }
    guard let run = found.first else { throw name.notThere }
    return run
  }
}
