import Runbook

/// A verb of `runbook`: one file in `Commands/`, one line in `CommandTable`.
protocol Command: Sendable {
  static var spec: CommandSpec { get }
  /// Reads its arguments; touches nothing, so that a mistake in them costs nothing.
  init(_ arguments: ParsedArguments) throws(UsageError)
  func run(in shell: Shell) async -> ExitCode
}
