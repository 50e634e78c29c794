/// Why a text is not a pattern.
public struct PatternError: Error, Sendable, Equatable {
  public let message: String
  public init(_ message: String) { self.message = message }
}

/// A regular expression that matches in time linear in the text, whatever the pattern: the RE2 syntax without captures,
/// run as a set of states (Thompson), never by backtracking. Characters are Unicode scalars.
///
/// Limits: 4 KiB of source, 64 levels of groups, a counted repeat of at most 1 000, 20 000 instructions once expanded.
public struct Pattern: Sendable {
  public let source: String
  private let program: [Instruction]
  private let sets: [ScalarSet]

  enum Instruction: Sendable {
    /// One character of a set: a bit for each of ASCII, `sets[set]` for the rest.
    case scalar(low: UInt64, high: UInt64, set: Int)
    case split(Int, Int)
    case jump(Int)
    case assert(Assertion)
    case match
  }

  enum Assertion: Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
  }

  public init(_ source: String) throws(PatternError) {
    self.source = source
    var parser = try PatternParser(source)
    (program, sets) = try PatternCompiler.compile(try parser.parse())
  }

  /// Whether any part of the text matches; anchor with `^` and `$` for the whole.
  public func matches(_ text: String) -> Bool {
    var visits = Int.max
    return matches(text, visits: &visits) ?? false
  }

  /// - Parameter visits: how many states may be looked at; what is left of them afterwards.
  /// - Returns: nil if they did not suffice.
  func matches(_ text: String, visits: inout Int) -> Bool? {
    var current = StateSet(count: program.count)
    var next = StateSet(count: program.count)
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      if add(isFirst: previous == nil, to: &current, between: previous, and: scalar) { return true }
      if isAnchored, current.members.isEmpty { return false }
      visits -= current.visits
      if visits < 0 { return nil }
      next.removeAll()
      for index in current.members {
        if takes(index, scalar.value) { next.pending.append(index + 1) }
      }
      swap(&current, &next)
      // The successors are followed once the scalar after them is known: assertions look both ways.
      previous = scalar
    }
    return add(isFirst: previous == nil, to: &current, between: previous, and: nil)
  }

  private func takes(_ index: Int, _ value: UInt32) -> Bool {
    guard case .scalar(let low, let high, let set) = program[index] else { return false }
    if value < 64 { return low &>> UInt64(value) & 1 == 1 }
    if value < 128 { return high &>> UInt64(value & 63) & 1 == 1 }
    return sets[set].contains(value)
  }

  /// Can match only from the very beginning of the text.
  private var isAnchored: Bool { if case .assert(.textStart)? = program.first { true } else { false } }

  /// Follows everything that costs no scalar from the beginning and from the states just reached. True: a match.
  private func add(
    isFirst: Bool, to set: inout StateSet, between previous: Unicode.Scalar?, and next: Unicode.Scalar?
  ) -> Bool {
    if isFirst || !isAnchored { set.pending.append(0) }
    while let index = set.pending.popLast() {
      guard set.insert(index) else { continue }
      switch program[index] {
      case .match: return true
      case .scalar: set.members.append(index)
      case .jump(let target): set.pending.append(target)
      case .split(let first, let second):
        set.pending.append(second)
        set.pending.append(first)
      case .assert(let assertion): if assertion.holds(between: previous, and: next) { set.pending.append(index + 1) }
      }
    }
    return false
  }
}

extension Pattern.Assertion {
  func holds(between previous: Unicode.Scalar?, and next: Unicode.Scalar?) -> Bool {
    switch self {
    case .textStart: previous == nil
    case .textEnd: next == nil
    case .lineStart: previous == nil || previous == "\n"
    case .lineEnd: next == nil || next == "\n"
    case .wordBoundary: isWord(previous) != isWord(next)
    case .notWordBoundary: isWord(previous) == isWord(next)
    }
  }

  private func isWord(_ scalar: Unicode.Scalar?) -> Bool {
    scalar.map { $0.isASCII && UInt8(ascii: $0).isNameByte } ?? false
  }
}

/// The states of one moment that take a character, each once.
private struct StateSet {
  var members: [Int] = []
  /// Per instruction, the moment at which it was last reached; every moment has a number of its own.
  private var reached: [UInt64]
  private var moment: UInt64 = 1
  /// Reached, not yet followed.
  var pending: [Int] = []
  /// Instructions looked at in this moment, and one for the moment itself.
  private(set) var visits = 1

  init(count: Int) { reached = Array(repeating: 0, count: count) }

  /// False if it was there already.
  mutating func insert(_ index: Int) -> Bool {
    visits += 1
    guard reached[index] != moment else { return false }
    reached[index] = moment
    return true
  }

  mutating func removeAll() {
    moment += 1
    visits = 1
    members.removeAll(keepingCapacity: true)
    pending.removeAll(keepingCapacity: true)
  }
}
