import Providers
import Runbook
import Steps

/// `runbook help actions`, `runbook help ACTION`.
enum ActionHelp {
  private static let builtIn = standardActions.map { $0.declaration }
  static var pages: [ActionPage] { ActionPage.all(builtIn: builtIn, providers: standardProviders) }
  static func page(_ name: String) -> ActionPage? {
    ActionPage(name, builtIn: builtIn, providers: standardProviders)
  }

  /// Every action with its summary; after those of providers, which ones.
  static var list: String {
    let (own, clouds) = (pages.filter { $0.place.isEmpty }, pages.filter { !$0.place.isEmpty })
    let width = pages.map { $0.name.count }.max() ?? 0
    func rows(_ pages: [ActionPage]) -> String {
      HelpText.columns(pages.map { ($0.name, $0.summary) }, indent: 2, width: width)
    }
    return "Without a provider\n\(rows(own))\nOf providers\n\(rows(clouds))\n"
      + "`runbook help ACTION` explains one of them, `runbook providers` shows which cloud has it.\n"
  }

  static func text(of page: ActionPage) -> String {
    var text = "\(page.name): \(page.summary)\n\n"
    text += page.example.map { "  \($0)\n" }.joined()
    text += "\n" + page.behaviour.flatMap { HelpText.fold($0, width: 100) }.map { $0 + "\n" }.joined()
    if !page.fieldRows.isEmpty {
      text += "\nFields\n"
      text += HelpText.columns(page.fieldRows.map { ($0.name, "\($0.kind): \($0.help)") }, indent: 2)
    }
    for (title, rows) in [
      ("Outputs, read as `steps.NAME.outputs.…`", page.outputRows),
      ("Result, read by `expect`, `until` and `outputs` as `result.…`", page.resultRows),
      ("State before the call, read by its undo as `self.before.…`", page.beforeRows),
    ] where !rows.isEmpty {
      text += "\n\(title)\n" + HelpText.columns(rows.map { ($0.name, $0.type) }, indent: 2)
    }
    if !page.providerRows.isEmpty {
      text += "\nProviders\n" + HelpText.columns(page.providerRows.map { ($0.type, $0.text) }, indent: 2)
    }
    return text
  }
}
