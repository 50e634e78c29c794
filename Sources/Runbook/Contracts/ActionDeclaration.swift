/// What an action does to the world.
public enum ActionEffect: String, Sendable {
  /// Reads only; may be repeated freely.
  case none
  case change
  /// Removes or overwrites something for good.
  case destroy
}

/// What the other side gives us after a lost reply or a crash between intent and outcome. See `docs/guarantees.md`.
public enum EffectClass: String, Sendable, Comparable {
  /// Honours an idempotency key: the same key and bytes are sent again.
  case keyed = "E1"
  /// Can be found again (unique name, marker, read-back): look first, adopt, wait out `maxRequestLife` before "absent"
  /// counts.
  case findable = "E2"
  /// Desired state: read, compare, repeat if needed.
  case convergent = "E3"
  /// Leaves no trace: never repeated; a person is asked.
  case opaque = "E4"

  public static func < (left: EffectClass, right: EffectClass) -> Bool { left.rawValue < right.rawValue }
}

/// How long, how often and for what an action waits after its call, unless the author says otherwise.
public struct WaitDefaults: Sendable {
  /// In words for `plan` and the live tree: "stopped", "ready".
  public var until: String
  /// In words: "error, suspended, absent".
  public var failsOn: String
  public var timeout: Duration
  /// The first pause between two probes; grows by half up to `slowest`, and falls back when the observed state changes.
  public var fastest: Duration
  public var slowest: Duration

  public init(
    until: String, failsOn: String, timeout: Duration, fastest: Duration = .seconds(2), slowest: Duration = .seconds(15)
  ) {
    self.until = until
    self.failsOn = failsOn
    self.timeout = timeout
    self.fastest = fastest
    self.slowest = slowest
  }
}

/// A warning for `plan`: one sentence for the author of a step in which a field has a certain value.
public struct PlanCaution: Sendable {
  public var field: String
  public var value: Value
  public var text: String
  public init(field: String, is value: Value, _ text: String) {
    self.field = field
    self.value = value
    self.text = text
  }
}

/// What `validate` says of fields that are written without others.
public struct FieldRule: Sendable {
  public var field: String
  /// Only where the field has this constant value; nil: wherever it is written.
  public var value: Value?
  /// What must be written beside it.
  public var without: String
  public var isError: Bool
  /// A sentence without its full stop.
  public var text: String

  public init(_ field: String, is value: Value? = nil, without: String, isError: Bool, _ text: String) {
    self.field = field
    self.value = value
    self.without = without
    self.isError = isError
    self.text = text
  }
}

/// What the line that an action writes for the reader of a run is.
public enum LogLine: Sendable, Equatable {
  case information
  /// Shown with that word before it.
  case warning
}

/// What an action does to the room that a cloud gives a server for things of a kind. The kind is the family of the
/// actions on them: `snapshot`, `backup`.
public enum RoomChange: Sendable, Equatable {
  /// It makes one more of them.
  case takes(String)
  /// It deletes some of them.
  case frees(String)
  /// Nobody can say what it deletes.
  case mayFree

  var kind: String? {
    switch self {
    case .takes(let kind), .frees(let kind): kind
    case .mayFree: nil
    }
  }
}

/// A fact about the run or the runbook that an action needs beside the author's fields, and that the engine hands over
/// with each call.
public enum CallContext: Sendable {
  /// The runbook's folder, against which the author's relative paths are read.
  case folder
  /// The pinned text of `script_file`.
  case scriptFile
  /// The step's `env`, evaluated. An action that `runsElsewhere` gets no variable of this machine.
  case environment
  /// The servers that the run has put into rescue, if the author asks for `host_key: rescue`.
  case rescuedServers
  /// The ids of the servers that the run has created.
  case createdServers
}

/// Everything about an action that is known without running it. Validator, planner, `schema`, help and docs read only
/// this.
public struct ActionDeclaration: Sendable {
  /// `snapshot.create`. For a provider's action the same name on every provider.
  public var name: String
  public var summary: String
  public var fields: [Field]
  public var outputs: [String: ValueType]
  public var effect: ActionEffect
  public var effectClass: EffectClass
  /// nil: the call's end is the end, there is nothing to wait for.
  public var wait: WaitDefaults?
  /// For the whole step: attempts, delays and wait. nil: `wait.timeout`, else 5 minutes.
  public var timeout: Duration?
  /// What the suggested undo is, in YAML, for lint; never implicit.
  public var suggestedUndo: String?
  /// True if the running call can be stopped (a script). A call without cancel is awaited to its own deadline.
  public var cancellable: Bool
  /// Facts that `before` may hold, so that expressions on `self.before` can be checked.
  public var before: [String: ValueType]
  /// May stand in `on_failure`: diagnostics that change no provider.
  public var isDiagnostic: Bool
  /// False for the engine's own steps (`run`, `sleep`), which are written with their keyword and not after `action:`.
  public var isWritable: Bool
  /// The server this changes is named by this field, so that the run locks it; nil for actions without a server.
  public var serverField: String?
  /// Name of a field whose value may be read by `expect`/`until` as `result.…`; `result` has these members. Empty:
  /// `result` is `outputs`.
  public var result: [String: ValueType]

  /// The member of `result` that tells success (`status`, `exit_code`). If the author's `expect` or `until` reads it,
  /// it is for them to decide, and no value of it is a failure by itself; the call is then given the field
  /// `EngineField.acceptsAny`. nil: the action alone decides.
  public var judgedMember: String?

  /// Reaches nothing but the run itself: no network, no process, no file. A simulation carries out such actions alone;
  /// every other one it answers.
  public var touchesNothingOutside: Bool
  /// Does nothing that could take time (`log`, `assert`): called without being ready for a cancel.
  public var isInstant: Bool
  /// How a provider does it: its row of the capability table; nil for built-in actions.
  public var operation: Operation?
  /// The output `id` is that of a server that did not exist before.
  public var createsServer: Bool

  /// The action starts something that runs on another machine. That machine may be out of reach, so its end may never
  /// be seen. An undo by a provider's action, which puts the machine back from outside, ends it too. Needs
  /// `cancellable`.
  public var runsElsewhere = false
  /// The engine asks a person, and the answer is how the step ends; the fields are those of `ApprovalField`. The action
  /// itself is called only in a simulated run, where nobody can answer.
  public var asksPeople = false
  /// Warnings of `plan` about certain values of its fields.
  public var cautions: [PlanCaution] = []
  /// At least one of these fields must be written; empty: none need be.
  public var oneOf: [String] = []
  /// What `validate` says of fields that are written without others.
  public var fieldRules: [FieldRule] = []
  /// What it does to the room for snapshots and backups; nil: nothing.
  public var room: RoomChange?
  /// Facts that its calls need beside the author's fields.
  public var context: Set<CallContext> = []

  /// Names the field, a duration, that says how long a call takes (`sleep`). Unless its author says otherwise, the step
  /// may take a minute more than that (30 days, if only the run will know it), and `plan` tells how long it took in
  /// earlier runs. nil: no field says it.
  public var lengthField: String?
  /// Once it has succeeded, no step before it is undone any more. It stands in `steps` alone, and is not undone itself.
  public var isCommit = false
  /// Every call fails: it is written to end the run. Steps after it are never reached, unless it has an `if` or
  /// `continue_on_error`. It is no undo step, and no part of a steady state.
  public var alwaysFails = false
  /// Its output `message` is a line for the reader of the run, who sees it in the place of "done". nil: it writes none.
  public var logLine: LogLine?
  /// It runs the program that its author writes as `script`, `script_file` or `command`: exactly one of these fields is
  /// written. `validate` reads the text of a script for slips, and a report says "its script" where it says "a request"
  /// of other actions. Needs `cancellable`.
  public var runsScript = false
  /// It changes this machine alone, so that no server of a cloud is in another state afterwards. Of any other change
  /// that needs no provider (a script, a request) `validate` assumes that it may have started or stopped any server.
  public var changesOnlyThisMachine = false
  /// Of the vocabulary that clouds share: it has the same name, fields and meaning on each cloud that has it. Tables
  /// show these first, and a hint prefers them to a cloud's own.
  public var isShared = false
  /// The state that it tells (its output `state`, and the cloud's word while it waits) is that of a snapshot or a
  /// backup. Otherwise a report takes it for the state of the server that the field `server` names.
  public var tellsItemState = false
  /// Fields that name a snapshot or a backup which must be there when it is called. While an undo step of a run needs
  /// one, the run neither prunes nor deletes it.
  public var neededItems: Set<String> = []

  /// It sends a message to people and changes nothing.
  public var tellsPeople: Bool { effect == .none && effectClass == .opaque }

  public init(
    _ name: String, _ summary: String, fields: [Field], outputs: [String: ValueType] = [:], effect: ActionEffect,
    class effectClass: EffectClass = .opaque, wait: WaitDefaults? = nil, timeout: Duration? = nil,
    suggestedUndo: String? = nil, cancellable: Bool = false, before: [String: ValueType] = [:],
    isDiagnostic: Bool = false,
    isWritable: Bool = true, serverField: String? = nil, result: [String: ValueType] = [:], isInstant: Bool = false,
    operation: Operation? = nil, createsServer: Bool = false, touchesNothingOutside: Bool = false
  ) {
    self.name = name
    self.summary = summary
    self.fields = fields
    self.outputs = outputs
    self.effect = effect
    self.effectClass = effectClass
    self.wait = wait
    self.timeout = timeout
    self.suggestedUndo = suggestedUndo
    self.cancellable = cancellable
    self.before = before
    self.isDiagnostic = isDiagnostic
    self.isWritable = isWritable
    self.serverField = serverField
    self.result = result
    self.isInstant = isInstant
    self.operation = operation
    self.createsServer = createsServer
    self.touchesNothingOutside = touchesNothingOutside
  }

  /// The same, and its calls are given these facts.
  public func given(_ context: Set<CallContext>) -> ActionDeclaration {
    var declaration = self
    declaration.context = context
    return declaration
  }

  /// The same, and the engine asks a person instead of calling it.
  public var asking: ActionDeclaration {
    var declaration = self
    declaration.asksPeople = true
    return declaration
  }

  /// The same, with the member of `result` by which an author may judge it.
  public func judged(by member: String) -> ActionDeclaration {
    var declaration = self
    declaration.judgedMember = member
    return declaration
  }

  /// The same, and `validate` heeds these rules of its fields.
  public func with(oneOf: [String] = [], rules: [FieldRule] = []) -> ActionDeclaration {
    var declaration = self
    declaration.oneOf += oneOf
    declaration.fieldRules += rules
    return declaration
  }

  /// The same, and this is what it does to the room for snapshots and backups.
  public func changing(_ room: RoomChange) -> ActionDeclaration {
    var declaration = self
    declaration.room = room
    return declaration
  }

  /// The same with another value of a property: `declaration.setting(\.isCommit, to: true)`.
  public func setting<Property>(
    _ property: WritableKeyPath<ActionDeclaration, Property>, to value: Property
  ) -> ActionDeclaration {
    var declaration = self
    declaration[keyPath: property] = value
    return declaration
  }

  /// The same with its row of the capability table, for declarations that are made from the shared vocabulary.
  public func on(_ operation: Operation) -> ActionDeclaration {
    var declaration = self
    declaration.operation = operation
    return declaration
  }
}
