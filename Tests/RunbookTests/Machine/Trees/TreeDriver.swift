@testable import Runbook

/// Drives a machine by words: `ok a`, `fail w[1].one`, `begin p.l`, `cancel`, `crash`.
struct TreeDriver {
  var machine: RunMachine
  var facts: [Fact] = []

  init(_ tree: String, policy: RollbackPolicy = .standard, limit: Int = 50) {
    let runbook = TreeText.runbook(tree, policy: policy, limit: limit)
    machine = RunMachine(runbook)
    keep(.run(.started(RunStarted(name: "test", file: "t.yaml", inputs: [:], requester: "ops"))))
    facts += machine.followUp(at: MachineFixture.start)
    settle()
  }

  private mutating func keep(_ fact: Fact) {
    machine.apply(fact, at: MachineFixture.start)
    facts.append(fact)
  }

  mutating func handle(_ event: MachineEvent) { facts += machine.handle(event, at: MachineFixture.start) }

  /// What is evaluated and never waits: the steps that hold others are opened, outputs are read.
  mutating func settle() {
    while let order = machine.orders.first(where: { $0.isInstant }) { carryOut(order) }
  }

  mutating func carryOut(_ order: Order) {
    switch order {
    case .open(let path): handle(.scope(path, .opened(opened(path))))
    case .close(let path): handle(.scope(path, .closed(outputs: [:], nil)))
    case .check: handle(.run(.checked(problems: [])))
    case .evaluateOutputs: handle(.run(.outputs([:], nil)))
    case .begin(let path, let purpose): begin(path, purpose)
    default: break
    }
  }

  private func opened(_ path: StepPath) -> ScopeOpened {
    guard let step = machine.tree.place(at: path)?.step else { return ScopeOpened(title: "gate", kind: "gate") }
    var opened = ScopeOpened(title: step.title, kind: step.keyword ?? "")
    guard case .loop(let loop) = step, case .list(let items)? = try? loop.items.evaluate(in: DictionaryScope([:]))
    else { return opened }
    func number(_ share: LoopStep.Share) -> Int { if case .count(let number) = share { number } else { 1 } }
    opened.items = items
    opened.maxParallel = number(loop.maxParallel)
    opened.maxFailures = number(loop.maxFailures)
    var left = items.count
    while left > 0, let last = loop.batches.last {
      let index = opened.batches.count
      let size = min(left, number(index < loop.batches.count ? loop.batches[index] : last))
      opened.batches.append(size)
      left -= size
    }
    return opened
  }

  mutating func begin(_ path: StepPath, _ purpose: Purpose) {
    guard let step = machine.step(at: path) else { return }
    handle(
      .step(
        path,
        .began(
          StepStarted(
            purpose: purpose, title: path.text, action: step.action.name, effectClass: step.effectClass,
            effect: step.effect, key: "key-\(path)", digest: "", with: [:], before: [:],
            deadline: MachineFixture.start + .seconds(300), isWait: false))))
  }

  /// One event, in words. A step that is not begun yet is begun first, if it is its turn.
  mutating func take(_ words: Substring) {
    let parts = words.split(separator: " ")
    guard let verb = parts.first else { return }
    let path = StepPath(parts.count > 1 ? String(parts[1]) : "")
    switch verb {
    case "cancel": handle(.run(.cancelRequested(by: "ops", rollback: true, request: 1)))
    case "keep": handle(.run(.cancelRequested(by: "ops", rollback: false, request: 1)))
    case "crash":
      var again = RunMachine(machine.runbook)
      for fact in facts { again.apply(fact, at: MachineFixture.start) }
      machine = again
      keep(.run(.resumed(RunResumed(epoch: 2, host: "h", pid: 1))))
    default:
      if machine.state(of: path).status == .pending, let begin = beginning(of: path) { carryOut(begin) }
      report(String(verb), path)
    }
    settle()
  }

  private func beginning(of path: StepPath) -> Order? {
    machine.orders.first { if case .begin(path, _) = $0 { true } else { false } }
  }

  private mutating func report(_ verb: String, _ path: StepPath) {
    let effect: StepFailure.Effect = verb == "fail" ? .applied : .none
    switch verb {
    case "ok": handle(.step(path, .succeeded(outputs: [:])))
    case "fail", "refuse":
      let failure = StepFailure(.server, "it failed", effect: effect)
      handle(.step(path, .failed(failure, retries: false, delay: .zero)))
    case "lost": handle(.step(path, .replyLost(StepFailure(.unreachable, "no reply", effect: .unknown))))
    case "unknown": handle(.step(path, .unknowable(StepFailure(.crashed, "lost", effect: .unknown))))
    case "timeout": handle(.step(path, .askTimedOut))
    case "rest": handle(.step(path, .settled(.unsure)))
    case "stop":
      let order = machine.orders.first { $0.path == path }
      if let event = order.flatMap({ machine.cancelled($0) }) { handle(.step(path, event)) }
    default: break
    }
  }

  /// `begin a, call p.l, settle w[1].one, end 3`; an order that stops its step has a `!`.
  var orders: String { machine.orders.map { text($0) }.joined(separator: ", ") }

  private func text(_ order: Order) -> String {
    let mark = machine.cancelled(order) == nil ? "" : "!"
    return switch order {
    case .begin(let path, .undo): "undo \(path.undone ?? path)"
    case .begin(let path, _): "begin \(path)"
    case .call(let path): "call\(mark) \(path.undone.map { "undo of \($0)" } ?? path.text)"
    case .reconcile(let path): "reconcile\(mark) \(path)"
    case .settle(let path): "settle \(path)"
    case .park(let path, _): "park\(mark) \(path)"
    case .watch(let path): "watch\(mark) \(path)"
    case .retry(let path, _): "retry\(mark) \(path)"
    case .ask(let path, _): "ask\(mark) \(path)"
    case .tell(let path): "tell\(mark) \(path)"
    case .open(let path): "open \(path)"
    case .close(let path): "close \(path)"
    case .check: "check"
    case .judge: "judge"
    case .evaluateOutputs: "outputs"
    case .awaitRestored: "await"
    case .done(let ended): "end \(ended.exitCode)"
    }
  }
}

extension Order {
  /// Nothing is called and nobody is waited for.
  fileprivate var isInstant: Bool {
    switch self {
    case .open, .close, .check, .evaluateOutputs: true
    default: false
    }
  }
}
