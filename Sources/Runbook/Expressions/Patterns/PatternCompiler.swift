/// A pattern's tree to its instructions. Counted repeats are written out, within a limit.
enum PatternCompiler {
  private static let sizeLimit = 20_000

  static func compile(_ node: PatternNode) throws(PatternError) -> [Pattern.Instruction] {
    var program: [Pattern.Instruction] = []
    try emit(node, into: &program)
    program.append(.match)
    return program
  }

  private static func emit(_ node: PatternNode, into program: inout [Pattern.Instruction]) throws(PatternError) {
    guard program.count < sizeLimit else { throw PatternError("the pattern is too large once its repeats are written out") }
    switch node {
    case .empty: break
    case .scalar(let set): program.append(.scalar(set))
    case .assert(let assertion): program.append(.assert(assertion))
    case .sequence(let items): for item in items { try emit(item, into: &program) }
    case .either(let branches): try emitEither(branches, into: &program)
    case .repeated(let inner, let minimum, let maximum):
      for _ in 0..<minimum { try emit(inner, into: &program) }
      if let maximum {
        try emitOptional(inner, count: maximum - minimum, into: &program)
      } else {
        // L: split(body, out); body; jump L
        let split = program.count
        program.append(.jump(0))
        try emit(inner, into: &program)
        program.append(.jump(split))
        program[split] = .split(split + 1, program.count)
      }
    }
  }

  private static func emitEither(
    _ branches: [PatternNode], into program: inout [Pattern.Instruction]
  ) throws(PatternError) {
    var jumps: [Int] = []
    for (index, branch) in branches.enumerated() {
      guard index < branches.count - 1 else {
        try emit(branch, into: &program)
        break
      }
      let split = program.count
      program.append(.jump(0))
      try emit(branch, into: &program)
      jumps.append(program.count)
      program.append(.jump(0))
      program[split] = .split(split + 1, program.count)
    }
    for jump in jumps { program[jump] = .jump(program.count) }
  }

  /// `x{0,n}`: each one may be the last, so each may jump to the common end.
  private static func emitOptional(
    _ inner: PatternNode, count: Int, into program: inout [Pattern.Instruction]
  ) throws(PatternError) {
    var splits: [Int] = []
    for _ in 0..<count {
      splits.append(program.count)
      program.append(.jump(0))
      try emit(inner, into: &program)
    }
    for split in splits { program[split] = .split(split + 1, program.count) }
  }
}
