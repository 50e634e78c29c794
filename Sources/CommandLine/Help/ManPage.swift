import Runbook

/// `runbook.1`, in roff with the man macros, made from the command table.
enum ManPage {
  static var text: String {
    var page = ".TH RUNBOOK 1 \"\" \"runbook \(escaped(CommandTable.version))\" \"User commands\"\n"
    page += ".SH NAME\nrunbook \\- change servers step by step, and undo the steps when one fails\n"
    page += ".SH SYNOPSIS\n.B runbook\n.I command\n.RI [ options ]\n"
    page +=
      ".SH DESCRIPTION\n"
      + paragraph(
        "A runbook is a YAML file: a list of steps, and for each step its undo steps. Every effect is written to a"
          + " journal before it is sent, so a run survives a crash of the machine it runs on: `runbook resume` goes on"
          + " where it stopped."
      )
    page += ".SH COMMANDS\n"
    for command in CommandTable.all { page += section(command.spec) }
    page += ".SH GLOBAL OPTIONS\n" + GlobalOptions.specs.map(option).joined()
    page += ".SH EXIT STATUS\n"
    for code in ExitCode.allCases { page += ".TP\n.B \(code.rawValue)\n\(escaped(code.meaning))\n" }
    page += ".SH ENVIRONMENT\n" + environment.map { ".TP\n.B \(escaped($0.0))\n\(escaped($0.1))\n" }.joined()
    page += ".SH FILES\n.TP\n.I $XDG_STATE_HOME/runbook\nthe store, unless \\fB\\-\\-store\\fR says otherwise"
    return page + " (\\fI~/.local/state/runbook\\fR where the variable is not set)\n"
  }

  private static let environment = [
    ("RUNBOOK_STORE", "where runs are kept, as --store"),
    ("XDG_STATE_HOME", "the folder of the store"),
    ("NO_COLOR", "if set and not empty: no colours"),
    ("TERM", "`dumb` or unset: plain lines instead of the live tree"),
  ]

  private static func section(_ spec: CommandSpec) -> String {
    var text = ".SS \(escaped(spec.usage))\n" + paragraph(spec.summary + ".")
    if !spec.details.isEmpty { text += spec.details.split(separator: "\n\n").map { paragraph(String($0)) }.joined() }
    text += spec.options.map(option).joined()
    for example in spec.examples {
      text += ".PP\n.EX\n\(escaped(example.command))\n.EE\n.RS 4\n\(escaped(example.meaning))\n.RE\n"
    }
    return text
  }

  private static func option(_ option: OptionSpec) -> String {
    ".TP\n.B \(escaped(option.heading))\n\(escaped(option.summary))\n"
  }

  private static func paragraph(_ text: String) -> String {
    ".PP\n" + text.split(separator: "\n").map { escaped(String($0.drop { $0 == " " })) + "\n" }.joined()
  }

  /// A backslash, a dash and a line that begins with `.` or `'` mean something to roff.
  static func escaped(_ text: String) -> String {
    let inner = text.map { character -> String in
      switch character {
      case "\\": "\\e"
      case "-": "\\-"
      case "`": "\\(ga"
      case "'": "\\(aq"
      case "~": "\\(ti"
      case "^": "\\(ha"
      default: String(character)
      }
    }.joined()
    return inner.hasPrefix(".") ? "\\&" + inner : inner
  }
}
