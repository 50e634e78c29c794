import Providers
import Runbook
import Steps

extension KnownActions {
  /// As the command knows them.
  static let standard = KnownActions(builtIn: standardActions.map { $0.declaration }, providers: standardProviders)
}
