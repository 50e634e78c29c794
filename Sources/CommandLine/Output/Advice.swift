import Posix
import Runbook
import Stores

/// The command lines that this process advises: they name the store that its own command line names.
enum Advice {
  /// Set for the whole of a command by `Main`.
  @TaskLocal static var commands = AdvisedCommands()

  /// `runbook resume r01…`, ready to be pasted.
  /// - Parameter words: after `runbook`, unquoted.
  static func line(_ words: String...) -> String { commands.line(words) }
  static func line(_ words: [String]) -> String { commands.line(words) }
}

extension GlobalOptions {
  /// With `--store` if it names another store than a command would use without it.
  var advised: AdvisedCommands {
    guard let store, let named = try? StoreLocation(option: store, environment: Environment.all),
      named.path != (try? StoreLocation(option: nil, environment: Environment.all))?.path
    else { return AdvisedCommands() }
    return AdvisedCommands(store: store)
  }
}
