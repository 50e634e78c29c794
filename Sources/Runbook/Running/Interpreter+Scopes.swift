// Steps that hold others: what they are found to hold when they are begun, and what they give when they have ended.
// Everything here is evaluated, nothing is called.
extension Interpreter {
  /// Most items of a loop.
  private static let itemLimit = 100_000

  func open(_ path: StepPath) {
    if path.undone != nil { return openUndo(path) }
    guard let place = machine.tree.place(at: path) else { return }
    let instant = clock.now
    do throws(StepFailure) {
      if let deadline = machine.deadline(around: path), instant >= deadline.at {
        throw StepFailure(.timeout, deadline.words)
      }
      switch place.here.node.content {
      case .run: return
      case .gate: record(MachineEvent.scope(path, .opened(ScopeOpened(title: "gate", kind: "gate"))), at: instant)
      case .step(let step):
        guard try holds(step.condition, path) else {
          record(MachineEvent.scope(path, .skipped), at: clock.now)
          return
        }
        record(MachineEvent.scope(path, .opened(try opened(step, path, at: instant))), at: instant)
      }
    } catch {
      record(MachineEvent.scope(path, .refused(masker.mask(error))), at: clock.now)
    }
  }

  /// What an undo step is done for is found out when it is its turn.
  private func openUndo(_ path: StepPath) {
    guard let step = machine.step(at: path), let each = step.each else { return }
    do throws(StepFailure) {
      var opened = ScopeOpened(title: step.title, kind: "for_each")
      opened.items = try items(of: each.items, scope(for: path))
      record(MachineEvent.scope(path, .opened(opened)), at: clock.now)
    } catch {
      record(MachineEvent.scope(path, .refused(masker.mask(error))), at: clock.now)
    }
  }

  private func opened(_ step: Step, _ path: StepPath, at instant: Timestamp) throws(StepFailure) -> ScopeOpened {
    var opened = ScopeOpened(
      title: step.title, kind: step.keyword ?? "", deadline: step.part?.timeout.map { instant + $0 })
    switch step {
    case .action, .block, .parallel: break
    case .loop(let loop): try fill(&opened, loop, scope(for: path))
    case .call(let call):
      let inputs = try self.inputs(of: call, scope(for: path))
      let file = context(of: call, inputs: inputs)
      if let problem = file.problem { throw StepFailure(.input, problem) }
      calledFiles[path] = file
      opened.inputs = inputs
    }
    return opened
  }

  private func holds(_ condition: Expression?, _ path: StepPath) throws(StepFailure) -> Bool {
    guard let condition else { return true }
    return try value(of: condition, "`if`", scope(for: path)).bool ?? false
  }

  private func value(of expression: Expression, _ name: String, _ scope: RunScope) throws(StepFailure) -> Value {
    do throws(ExpressionFailure) { return try evaluate(expression, in: scope) } catch {
      throw StepFailure(.expression, "\(name): \(error.message)")
    }
  }

  // MARK: Loops

  private func fill(_ opened: inout ScopeOpened, _ loop: LoopStep, _ scope: RunScope) throws(StepFailure) {
    let items = try items(of: loop.items, scope)
    opened.items = items
    opened.maxParallel = max(1, try number(loop.maxParallel, "`max_parallel`", of: items.count, least: 1, scope))
    opened.maxFailures = try number(loop.maxFailures, "`max_failures`", of: items.count, least: 0, scope)
    var left = items.count
    var position = 0
    while left > 0, !loop.batches.isEmpty {
      let share = loop.batches[min(position, loop.batches.count - 1)]
      let size = min(left, try number(share, "`batches`", of: items.count, least: 1, scope))
      opened.batches.append(size)
      left -= size
      position += 1
    }
  }

  private func items(of expression: Expression, _ scope: RunScope) throws(StepFailure) -> [Value] {
    let items: [Value]
    switch try value(of: expression, "`for_each`", scope) {
    case .list(let list): items = list
    case .map(let map): items = map.keys.sorted().map { .string($0) }
    default: throw StepFailure(.expression, "`for_each` gives no list")
    }
    let lost = Value.list(items).lostSecrets
    guard lost.isEmpty else { throw StepFailure(.input, "`for_each`: \(Value.lostWords(lost))") }
    guard items.count <= Interpreter.itemLimit else {
      throw StepFailure(.limit, "`for_each` has \(items.count) items; at most \(Interpreter.itemLimit)")
    }
    return items
  }

  /// A share of so many items is rounded down.
  private func number(
    _ share: LoopStep.Share, _ name: String, of count: Int, least: Int, _ scope: RunScope
  ) throws(StepFailure) -> Int {
    switch share {
    case .count(let number): return max(least, number)
    case .percent(let percent): return max(least, Interpreter.part(percent, of: count))
    case .expression(let expression):
      switch try value(of: expression, name, scope) {
      case .int(let number):
        guard let number = Int(exactly: number), number >= least else {
          throw StepFailure(.expression, "\(name) is \(number); at least \(least)")
        }
        return number
      case .string(let text):
        guard text.hasSuffix("%"), let percent = Int(text.dropLast()), (0...100).contains(percent) else {
          throw StepFailure(.expression, "\(name) is `\(text.excerpt(40))`, which is neither a number nor a share")
        }
        return max(least, Interpreter.part(percent, of: count))
      default: throw StepFailure(.expression, "\(name) gives neither a whole number nor a share such as `25%`")
      }
    }
  }

  private static func part(_ percent: Int, of count: Int) -> Int { count * min(max(percent, 0), 100) / 100 }

  // MARK: Calls

  private func inputs(of call: CallStep, _ scope: RunScope) throws(StepFailure) -> [String: Value] {
    var given: [String: Value] = [:]
    for (name, template) in call.with {
      do throws(ExpressionFailure) {
        let value = try template.evaluate(in: scope)
        if case .optional(nil) = value { continue }
        if case .optional(let inner?) = value { given[name] = inner } else { given[name] = value }
      } catch {
        throw StepFailure(.expression, "`with.\(name)`: \(error.message)")
      }
    }
    let lost = Value.map(given).lostSecrets
    guard lost.isEmpty else { throw StepFailure(.input, "`with`: \(Value.lostWords(lost))") }
    do throws(InputMistakes) {
      return try InputReader.read(texts: [], values: given, for: call.runbook.inputs)
    } catch {
      throw StepFailure(.input, error.messages.joined(separator: "; "))
    }
  }

  // MARK: Outputs

  func close(_ path: StepPath) {
    guard let step = machine.tree.place(at: path)?.step else { return }
    var outputs: [String: Value] = [:]
    let expressions: [(name: String, value: Expression)]
    if case .call(let call) = step {
      expressions = call.runbook.outputs
    } else {
      expressions = step.part?.outputs ?? []
    }
    // The outputs of a block see its steps; those of a called file see the file's.
    let scope = scope(inside: path)
    for (name, expression) in expressions {
      do throws(ExpressionFailure) {
        outputs[name] = try evaluate(expression, in: scope, keepsStored: true)
      } catch {
        let failure = StepFailure(.expression, "output `\(name)`: \(error.message)", effect: .applied)
        record(MachineEvent.scope(path, .closed(outputs: [:], failure)), at: clock.now)
        return
      }
    }
    record(MachineEvent.scope(path, .closed(outputs: outputs, nil)), at: clock.now)
  }
}
