/// The place of a step in a run: `update`, `always[0]`, `update.undo[0]`, `drill.before.health`; inside another step
/// `outer.inner`, in the third iteration of a loop `wave[2].one`, between two batches of it `wave.gate[0].errors`. It
/// is unique in the run, and the same in every process and release: the journal, the commands and the JSON name a step
/// by its text.
///
/// Whoever needs to know where a step belongs asks the path, and does not look into its text.
public struct StepPath: Hashable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  /// The run itself, as a scope.
  public static let root = StepPath("")

  /// The step of this name inside this one.
  func child(_ name: String) -> StepPath { self == .root ? StepPath(name) : StepPath("\(text).\(name)") }

  /// The step around it, as its text has it: what stands before the last dot.
  var outer: StepPath? { text.lastIndex(of: ".").map { StepPath(String(text[..<$0])) } }

  /// The iteration of this loop for the item at this position.
  func iteration(_ index: Int) -> StepPath { StepPath("\(text)[\(index)]") }

  /// Of a path that ends with a number in brackets what stands before that, and the number; nil for another.
  private var numbered: (StepPath, Int)? {
    guard text.hasSuffix("]"), let open = text.lastIndex(of: "["),
      let number = Int(text[text.index(after: open)...].dropLast())
    else { return nil }
    return (StepPath(String(text[..<open])), number)
  }

  /// Of an iteration, what is done for each item.
  var iterated: StepPath? { numbered?.0 }
  /// Of an iteration, the position of its item.
  var position: Int? { numbered?.1 }

  /// Whether it is this place, or inside it. Everything is inside the run.
  func isWithin(_ place: StepPath) -> Bool {
    if place == .root { return true }
    guard text.utf8.starts(with: place.text.utf8) else { return false }
    let rest = text.utf8.dropFirst(place.text.utf8.count)
    return rest.isEmpty || rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: "[")
  }

  /// As it is written in the file: without the numbers of iterations and batches.
  public var withoutNumbers: StepPath {
    var words = ""
    var isNumber = false
    for character in text {
      if character == "[" { isNumber = true }
      if !isNumber { words.append(character) }
      if character == "]" { isNumber = false }
    }
    return StepPath(words)
  }

  /// The undo step at this position in the `rollback` of the step.
  public func undo(_ index: Int) -> StepPath { StepPath("\(text).undo[\(index)]") }

  /// The step that this undo step undoes; nil for a step that is no undo step.
  public var undone: StepPath? {
    var bytes = text.utf8[...]
    while let dot = bytes.lastIndex(of: UInt8(ascii: ".")) {
      if bytes[dot...].starts(with: ".undo[".utf8) { return String(bytes[..<dot]).map { StepPath($0) } }
      bytes = bytes[..<dot]
    }
    return nil
  }

  /// The step to which it belongs: the step that it undoes, otherwise itself.
  public var owner: StepPath { undone ?? self }

  /// It looks again, after the last step of a drill, whether the service is as it should be.
  public var isSteadyStateAfter: Bool { text.hasPrefix(StepPath.steadyStateAfter) }

  /// Ids have no dot, so no other step has such a path.
  private static let steadyStateBefore = "drill.before"
  private static let steadyStateAfter = "drill.after"

  /// A step of `drill.steady_state` as it is done before the first step.
  /// - Parameter id: nil for a step without one.
  static func steadyState(_ index: Int, _ id: String?) -> StepPath {
    StepPath(steadyStateBefore + (id.map { ".\($0)" } ?? "[\(index)]"))
  }

  /// A step of `drill.stop_if`.
  /// - Parameter id: nil for a step without one.
  static func stopCondition(_ index: Int, _ id: String?) -> StepPath {
    StepPath("drill.stop_if" + (id.map { ".\($0)" } ?? "[\(index)]"))
  }

  /// The same step of `drill.steady_state` as it is done again after the last one.
  var again: StepPath { StepPath(StepPath.steadyStateAfter + text.dropFirst(StepPath.steadyStateBefore.count)) }
}

extension StepPath: CustomStringConvertible {
  public var description: String { text }
}

extension StepPath: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self.init(text) }
}

extension StepPath: Comparable {
  /// By text: the order in which tables of paths are written.
  public static func < (left: StepPath, right: StepPath) -> Bool { left.text < right.text }
}
