@testable import Runbook

/// A runbook as a line of text, for tables: `a^ b{x^ y}rescue{z} p[l^ r^] w*4(parallel 2, failures 1){one^ two}`.
///
/// `name` is a step that changes something, with marks behind it: `^` has an undo step, `!` is irreversible, `~` goes
/// on after an error, `=` is a commit, `?` only reads. `{}` is a block, `[]` parallel, `*N` a loop over N items (of a
/// step or of a block), `<>` a call (`<>^` with an undo step of its own).
struct TreeText {
  private var words: [String]
  private var position = 0
  private var parent = StepPath.root

  static func runbook(_ text: String, policy: RollbackPolicy = .standard, limit: Int = 50) -> ValidatedRunbook {
    var reader = TreeText(text)
    var runbook = MachineFixture.runbook([], policy: policy)
    runbook.steps = Body(reader.list(until: nil))
    runbook.maxParallel = limit
    return runbook
  }

  private init(_ text: String) {
    var words: [String] = []
    var word = ""
    for character in text {
      if character.isLetter || character.isNumber {
        word.append(character)
      } else {
        if !word.isEmpty { words.append(word) }
        word = ""
        if character != " " { words.append(String(character)) }
      }
    }
    if !word.isEmpty { words.append(word) }
    self.words = words
  }

  private var next: String? { position < words.count ? words[position] : nil }

  private mutating func take(_ word: String) -> Bool {
    guard next == word else { return false }
    position += 1
    return true
  }

  private mutating func word() -> String {
    defer { position += 1 }
    return next ?? ""
  }

  private mutating func list(until end: String?) -> [Step] {
    var steps: [Step] = []
    while let word = next, word != end { steps.append(step()) }
    if end != nil { position += 1 }
    return steps
  }

  private mutating func list(in path: StepPath, until end: String) -> Body {
    let outer = parent
    parent = path
    defer { parent = outer }
    return Body(list(until: end))
  }

  private mutating func step() -> Step {
    let name = word()
    let path = parent.child(name)
    var part = CompositePart(path: path, id: name, title: name, range: .beginning)
    if take("*") {
      let count = Int(word()) ?? 0
      return .loop(loop(&part, count))
    }
    let step = single(path, name)
    guard var held = step.part else { return step }
    held.continuesOnError = take("~")
    return TreeText.step(step, with: held)
  }

  private mutating func single(_ path: StepPath, _ name: String) -> Step {
    let part = CompositePart(path: path, id: name, title: name, range: .beginning)
    if take("{") {
      let steps = list(in: path, until: "}")
      guard take("rescue") else { return .block(BlockStep(part, steps: steps)) }
      _ = take("{")
      return .block(BlockStep(part, steps: steps, rescue: list(in: path, until: "}")))
    }
    if take("[") { return .parallel(ParallelStep(part, branches: list(in: path, until: "]"))) }
    if take("<") {
      let steps = list(in: .root, until: ">")
      var file = MachineFixture.runbook([])
      file.steps = steps
      let undo = take("^") ? [MachineFixture.step(path.undo(0))] : []
      return .call(CallStep(part, file: "\(name).yaml", runbook: file, undo: undo))
    }
    return .action(action(path))
  }

  private mutating func action(_ path: StepPath) -> ActionStep {
    var rollback = RollbackClause.none
    var effect = ActionEffect.change
    var (goesOn, isCommit) = (false, false)
    while let mark = next, ["^", "!", "~", "=", "?"].contains(mark) {
      position += 1
      switch mark {
      case "^": rollback = .steps([MachineFixture.step(path.undo(0))], undo: .started)
      case "!": rollback = .irreversible
      case "~": goesOn = true
      case "=": isCommit = true
      default: effect = .none
      }
    }
    return MachineFixture.step(
      path, effect: isCommit ? .none : effect, rollback: isCommit ? .absent : rollback, continuesOnError: goesOn,
      isCommit: isCommit)
  }

  private mutating func loop(_ part: inout CompositePart, _ count: Int) -> LoopStep {
    var loop = LoopStep(part, items: TreeText.items(count), step: .action(MachineFixture.step(part.path)))
    if take("(") {
      while let option = next, option != ")" {
        position += 1
        switch option {
        case "parallel": loop.maxParallel = .count(Int(word()) ?? 1)
        case "failures": loop.maxFailures = .count(Int(word()) ?? 0)
        case "batches":
          while let size = next.flatMap({ Int($0) }) {
            (loop.batches, position) = (loop.batches + [.count(size)], position + 1)
          }
        case "gate":
          _ = take("{")
          loop.gate = list(in: StepPath("\(part.path.text).gate"), until: "}")
        default: break
        }
      }
      position += 1
    }
    loop.step = single(part.path, part.id ?? "")
    part.continuesOnError = take("~")
    if case .action(var action) = loop.step, action.continuesOnError {
      action.continuesOnError = false
      loop.step = .action(action)
      part.continuesOnError = true
    }
    loop.part = part
    return loop
  }

  /// `[0, 1, 2]`
  static func items(_ count: Int) -> Expression {
    let text = "[" + (0..<count).map { String($0) }.joined(separator: ", ") + "]"
    guard case .success(let expression) = Expression.parse(text, at: .beginning, in: TypeEnvironment()) else {
      preconditionFailure("`\(text)` is no expression")
    }
    return expression
  }

  private static func step(_ step: Step, with part: CompositePart) -> Step {
    switch step {
    case .action: return step
    case .block(var block):
      block.part = part
      return .block(block)
    case .parallel(var parallel):
      parallel.part = part
      return .parallel(parallel)
    case .loop(var loop):
      loop.part = part
      return .loop(loop)
    case .call(var call):
      call.part = part
      return .call(call)
    }
  }
}
