/// A pattern's tree to its instructions. Counted repeats are written out, within a limit.
struct PatternCompiler {
  private static let sizeLimit = 20_000
  private var program: [Pattern.Instruction] = []
  private var sets: [ScalarSet] = []

  static func compile(_ node: PatternNode) throws(PatternError) -> ([Pattern.Instruction], [ScalarSet]) {
    guard size(of: node) < sizeLimit else {
      throw PatternError("the pattern is too large once its repeats are written out")
    }
    var compiler = PatternCompiler()
    compiler.emit(node)
    compiler.program.append(.match)
    return (compiler.program, compiler.sets)
  }

  /// Instructions needed, at most `sizeLimit`. Counted before anything is written out; nothing at all counts as
  /// one, because repeating it a billion times takes its time too.
  private static func size(of node: PatternNode) -> Int {
    let size: Int
    switch node {
    case .empty, .scalar, .assert: size = 1
    case .sequence(let items): size = items.reduce(0) { min(sizeLimit, $0 + self.size(of: $1)) }
    case .either(let branches): size = branches.reduce(0) { min(sizeLimit, $0 + self.size(of: $1) + 2) }
    case .repeated(let inner, let minimum, let maximum):
      size = (self.size(of: inner) + 2) * max(maximum ?? minimum + 1, 1)
    }
    return min(size, sizeLimit)
  }

  private mutating func emit(_ node: PatternNode) {
    switch node {
    case .empty: break
    case .scalar(let set):
      program.append(.scalar(low: set.low, high: set.high, set: sets.count))
      sets.append(set)
    case .assert(let assertion): program.append(.assert(assertion))
    case .sequence(let items): for item in items { emit(item) }
    case .either(let branches): emitEither(branches)
    case .repeated(let inner, let minimum, let maximum):
      for _ in 0..<minimum { emit(inner) }
      if let maximum {
        emitOptional(inner, count: maximum - minimum)
      } else {
        // L: split(body, out); body; jump L
        let split = program.count
        program.append(.jump(0))
        emit(inner)
        program.append(.jump(split))
        program[split] = .split(split + 1, program.count)
      }
    }
  }

  private mutating func emitEither(_ branches: [PatternNode]) {
    var jumps: [Int] = []
    for (index, branch) in branches.enumerated() {
      guard index < branches.count - 1 else {
        emit(branch)
        break
      }
      let split = program.count
      program.append(.jump(0))
      emit(branch)
      jumps.append(program.count)
      program.append(.jump(0))
      program[split] = .split(split + 1, program.count)
    }
    for jump in jumps { program[jump] = .jump(program.count) }
  }

  /// `x{0,n}`: each one may be the last, so each may jump to the common end.
  private mutating func emitOptional(_ inner: PatternNode, count: Int) {
    var splits: [Int] = []
    for _ in 0..<count {
      splits.append(program.count)
      program.append(.jump(0))
      emit(inner)
    }
    for split in splits { program[split] = .split(split + 1, program.count) }
  }
}
