/// A word of a journal: one that this release knows, or the text of one that a later release has written.
public enum Word<Known: RawRepresentable<String> & Hashable & Sendable>: Sendable, Hashable {
  case known(Known)
  case other(String)

  public init(_ text: String) { self = Known(rawValue: text).map { .known($0) } ?? .other(text) }

  /// As it is written.
  public var text: String {
    switch self {
    case .known(let word): word.rawValue
    case .other(let text): text
    }
  }
  /// nil: of a later release.
  public var known: Known? { if case .known(let word) = self { word } else { nil } }

  public func isOne(of words: Known...) -> Bool { known.map { words.contains($0) } ?? false }

  public static func == (word: Self, known: Known) -> Bool { word.known == known }
  public static func != (word: Self, known: Known) -> Bool { word.known != known }
}

/// Of a word that may be missing.
public func == <Known>(word: Word<Known>?, known: Known) -> Bool { word?.known == known }
public func != <Known>(word: Word<Known>?, known: Known) -> Bool { word?.known != known }

extension Optional {
  public func isOne<Known>(of words: Known...) -> Bool where Wrapped == Word<Known> {
    self?.known.map { words.contains($0) } ?? false
  }
}

/// Where a run is.
public enum RunStatus: String, Sendable {
  case queued, running, waiting, ending, ended
  case rollingBack = "rolling_back"
}

/// What became of an undo step.
public enum UndoStatus: String, Sendable {
  case pending, started, succeeded, failed, skipped, cancelled, unknown
  case notApplied = "not_applied"
  case notRun = "not_run"
  /// It is not owed any more: its step had changed nothing, or a `commit` came after it.
  case closed
}

/// Why a step failed, as the journal tells it.
public struct ReportedError: Sendable, Equatable {
  /// As it is journaled, and as programs are given it.
  public let value: Value

  /// nil: nothing is told.
  init?(_ value: Value?) {
    guard let value, !value.isNull else { return nil }
    self.value = value
  }

  public var kind: Word<StepFailure.Kind>? { value["kind"]?.string.map { Word($0) } }
  public var message: String { value["message"]?.string ?? "" }
  /// What is known to have happened.
  public var effect: Word<StepFailure.Effect>? { value["effect"]?.string.map { Word($0) } }
  public var detail: Value? { value["detail"] }
}
