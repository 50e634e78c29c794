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

  enum Instruction: Sendable {
    case scalar(ScalarSet)
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
    program = try PatternCompiler.compile(try parser.parse())
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
      visits -= current.members.count + 1
      if visits < 0 { return nil }
      next.removeAll()
      for index in current.members {
        guard case .scalar(let set) = program[index], set.contains(scalar) else { continue }
        next.pending.append(index + 1)
      }
      swap(&current, &next)
      // The successors are followed once the scalar after them is known: assertions look both ways.
      previous = scalar
    }
    return add(isFirst: previous == nil, to: &current, between: previous, and: nil)
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
      case .scalar: break
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

  private func isWord(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { ScalarSet.word.contains($0) } ?? false }
}

/// The states of one moment, each once, in order of arrival.
private struct StateSet {
  private(set) var members: [Int] = []
  private var isMember: [Bool]
  /// Reached, not yet followed.
  var pending: [Int] = []

  init(count: Int) { isMember = Array(repeating: false, count: count) }

  mutating func insert(_ index: Int) -> Bool {
    guard !isMember[index] else { return false }
    isMember[index] = true
    members.append(index)
    return true
  }

  mutating func removeAll() {
    for index in members { isMember[index] = false }
    members.removeAll(keepingCapacity: true)
    pending.removeAll(keepingCapacity: true)
  }
}
