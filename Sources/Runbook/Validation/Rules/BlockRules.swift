/// `block`, `rescue` and `parallel`.
extension Validation {
  func block(_ holder: inout Holder) -> BlockStep {
    let rescue = holder.fields.takeEntry("rescue")
    let outputs = holder.fields.take("outputs")
    finish(holder.fields, holder.place.section)
    let own = Validation.ids(in: holder.keyword.value.items ?? [])
    let steps = self.steps(holder.keyword.value, in: .inside(holder.path, .block))
    var rescueSteps: [Step]?
    if let rescue {
      let succeeded = environment.steps
      doubt(own, because: "it is in a `block` that has failed")
      rescueSteps = self.rescue(rescue.value, of: holder.path)
      for (id, _) in own { environment.steps[id] = succeeded[id] }
      doubt(own, because: "it is in a `block` that may have failed")
      let inRescue = Validation.ids(in: rescue.value.items ?? [])
      doubt(inRescue, because: "`rescue` is carried out only when its `block` has failed")
    }
    finish(&holder, outputs, holding: own)
    return BlockStep(holder.part, steps: Body(steps), rescue: rescueSteps.map { Body($0) })
  }

  /// Its steps see why they are carried out.
  private func rescue(_ node: Node, of path: StepPath) -> [Step] {
    let roots = environment.roots
    environment.roots["failure"] = .stepError
    defer { environment.roots = roots }
    return steps(node, in: .inside(path, .rescue))
  }

  func parallel(_ holder: inout Holder) -> ParallelStep {
    let outputs = holder.fields.take("outputs")
    finish(holder.fields, holder.place.section)
    let section = StepSection.inside(holder.path, .parallel)
    let branches = items(holder.keyword.value, in: section) ?? []
    let own = Validation.ids(in: branches)
    let apart = "it is in another branch of the same `parallel`"
    hide(own, because: apart)
    let outer = around
    around.parallelLine = holder.keyword.keyRange.start.line
    var ended: [(id: String, seen: TypeEnvironment.StepReference)] = []
    var steps: [Step] = []
    for (index, branch) in branches.enumerated() {
      let ids = Validation.ids(in: [branch])
      for (id, place) in ids { environment.steps[id] = .later(line: place.start.line) }
      if let step = step(branch, index, in: section) { steps.append(step) }
      for (id, _) in ids { environment.steps[id].map { ended.append((id, $0)) } }
      hide(ids, because: apart)
    }
    around = outer
    for (id, seen) in ended { environment.steps[id] = seen }
    finish(&holder, outputs, holding: own)
    return ParallelStep(holder.part, branches: Body(steps))
  }

  /// Its outputs are evaluated when its steps have come to their end. After it, its steps are as certain as itself.
  private func finish(_ holder: inout Holder, _ outputs: Node?, holding own: [(id: String, place: SourceRange)]) {
    if let outputs {
      holder.part.outputs = self.outputs(outputs, "outputs")
      if let id = holder.part.id, holder.part.outputs.count != outputs.entries?.count { brokenSteps.append(id) }
    }
    var types: [String: ValueType] = [:]
    for output in holder.part.outputs { types[output.name] = output.value.type }
    register(holder.part, types)
    let what = "it is in a `\(holder.word.rawValue)`"
    if holder.part.condition != nil { doubt(own, because: "\(what) that has an `if`") }
    if holder.part.continuesOnError { doubt(own, because: "\(what) that may have failed (`continue_on_error`)") }
  }
}
