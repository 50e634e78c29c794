/// What the steps of one file see and use: the run's own, or one that is called, with the inputs of that call.
struct FileContext {
  var runbook: ValidatedRunbook
  var inputs: [String: Value]
  var vars: [String: Value] = [:]
  /// By the author's name of the block.
  var providers: [String: any Provider] = [:]
  /// Why a provider could not be connected, by its name.
  var unconnected: [String: String] = [:]
  /// Where its paths begin, below the folder of the run's own file: `lib/`, or empty.
  var folder = ""
  /// Why its variables or providers could not be had; nil: they could.
  var problem: String?
}

extension Interpreter {
  /// The file in which the step at this place stands.
  func file(of path: StepPath?) -> FileContext {
    guard let path, let call = machine.tree.place(at: path.owner)?.file, call != .root else { return ownFile }
    return file(calledAt: call)
  }

  /// The file that is called there, once it is known with what inputs.
  func file(calledAt path: StepPath) -> FileContext {
    if let known = calledFiles[path] { return known }
    guard case .call(let call)? = machine.tree.place(at: path)?.step else { return ownFile }
    let made = context(of: call, inputs: machine.scope(at: path)?.opened?.inputs ?? [:])
    // Before the call is begun its inputs are not known.
    if machine.scope(at: path)?.opened != nil { calledFiles[path] = made }
    return made
  }

  /// The same in every process, because everything is evaluated at the run's start, with the inputs of the journal.
  func context(of call: CallStep, inputs: [String: Value]) -> FileContext {
    var file = FileContext(runbook: call.runbook, inputs: inputs, folder: call.folder)
    do throws(StepFailure) {
      let context = try RunContext(
        call.runbook, inputs: inputs, secrets: launch.secrets, without: launch.without, world: launch.world,
        transport: launch.transport, at: machine.startedAt)
      file.vars = context.vars
      file.providers = context.providers
      file.unconnected = context.unconnected
    } catch {
      file.problem = masker.mask(error.message)
    }
    return file
  }
}
