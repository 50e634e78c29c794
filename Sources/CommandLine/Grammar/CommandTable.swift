/// Every verb, in the order in which help lists them: a new command is its file and a line here.
enum CommandTable {
  static let version = "0.1.0"

  static let all: [any Command.Type] = [
    InitCommand.self,
    ValidateCommand.self,
    PlanCommand.self,
    EvalCommand.self,
    SchemaCommand.self,
    RunCommand.self,
    ResumeCommand.self,
    RerunCommand.self,
    ListCommand.self,
    ShowCommand.self,
    LogsCommand.self,
    CancelCommand.self,
    ApproveCommand.self,
    RejectCommand.self,
    ResolveCommand.self,
    RollbackCommand.self,
    UnlockCommand.self,
    SimulateCommand.self,
    ProvidersCommand.self,
    StoreCommand.self,
    ScriptsCommand.self,
    GcCommand.self,
    CompletionCommand.self,
    HelpCommand.self,
    VersionCommand.self,
  ]

  /// Verbs of the language that this release has not yet.
  static let later: Set<String> = [
    "fmt", "explain", "report", "test", "record", "verify-audit",
    "serve",
    "worker",
  ]

  static var names: [String] { all.map { $0.spec.name } }
  static var options: Set<String> { Set(all.flatMap { $0.spec.options.map(\.name) }) }
  static func command(named name: String) -> (any Command.Type)? { all.first { $0.spec.name == name } }
}
