/// What every command takes, before or after its verb.
struct GlobalOptions: Sendable, Equatable {
  enum Format: String, Sendable, CaseIterable { case text, json }

  /// Where runs are kept; nil: `RUNBOOK_STORE`, else the file under the user's state folder.
  var store: String?
  var format = Format.text
  var noColor = false
  var utc = false
  var quiet = false
  var verbose = false
  var help = false

  static let specs: [OptionSpec] = [
    .value(
      "store", "PATH", .file,
      "where runs are kept; default `$RUNBOOK_STORE`, else an SQLite file under `$XDG_STATE_HOME/runbook`"),
    .value("format", "text|json", .words(Format.allCases.map(\.rawValue)), "the format of stdout; default `text`"),
    .flag("no-color", "no colours (as `NO_COLOR` and a dumb terminal do)"),
    .flag("utc", "times in UTC; default: in the zone of `TZ`, which is shown"),
    .flag("quiet", short: "q", "results and errors only"),
    .flag("verbose", short: "v", "every event, with its details"),
    .flag("help", short: "h", "what the command does, by example"),
  ]

  init() {}

  init(_ arguments: ParsedArguments) {
    store = arguments.value("store")
    format = arguments.value("format").flatMap(Format.init(rawValue:)) ?? .text
    noColor = arguments.flag("no-color")
    utc = arguments.flag("utc")
    quiet = arguments.flag("quiet")
    verbose = arguments.flag("verbose")
    help = arguments.flag("help")
  }
}
