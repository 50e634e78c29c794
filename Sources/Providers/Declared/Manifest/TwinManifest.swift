import Runbook

/// The simulated side of a declared provider.
struct TwinManifest: Sendable {
  struct Example: Sendable {
    var id: String
    var name: String
    /// Names of its backups that are there from the beginning: what a cloud makes by its own schedule.
    var backups: [String] = []
  }
  /// A refusal of the twin: what it answers, and the words of its body.
  struct Refusal: Sendable {
    var status: Int
    var code: String
    var message: String
  }
  enum Reason: String, Sendable, CaseIterable {
    case auth, missing, busy, state, input
  }
  /// What an operation does to a server or an item, and how long that takes.
  struct Change: Sendable {
    /// Native words in which it is accepted; empty: any.
    var from: [String]
    /// The native word while it goes on; nil: the one it had.
    var during: String?
    /// The native word afterwards; nil: the one it had.
    var after: String?
    /// The native word when it fails; nil: the one it had.
    var failed: String?
    var takes: ClosedRange<Int64>
    /// The name of the job it makes.
    var job: String?
    /// A new item is in no list before it is ready.
    var isHidden: Bool
  }
  struct Route: Sendable {
    enum Segment: Sendable, Equatable {
      case literal(String)
      case parameter(String)
    }
    var method: String
    var path: [Segment]
    /// Reads `path`, `query` and `body`.
    var condition: Expression?
    /// `server.status`, `snapshot.create`, …
    var operation: String
    /// `server`, `item`, `name`, `mark`, `mode`: expressions over `path`, `query` and `body`.
    var arguments: [String: Expression]
    var status: Int
    /// nil: no body.
    var reply: Template?
  }

  /// Ids are whole numbers.
  var usesNumbers: Bool
  /// Known from the beginning, running.
  var examples: [Example]
  /// The native word of a server that runs.
  var running: String
  /// The native words of jobs: running, succeeded, failed.
  var jobStates: [JobRules.State: String]
  /// `server`, `snapshot`, `backup`, `job`, `error`.
  var documents: [String: Template]
  var refusals: [Reason: Refusal]
  /// Names of the arguments that pick a page.
  var pageNumber: String?
  var pageSize: String?
  var defaultPageSize: Int
  var changes: [String: Change]
  var routes: [Route]
  /// What an accepted credential looks like.
  var token: Pattern?
  /// The header with the credential and what stands before it: `authorization`, `Bearer `.
  var credential: (header: String, prefix: String)?

  /// What a route may do.
  static let operations =
    ["account", "server.list", "server.status", "server.hard_stop", "snapshot.list", "backup.list", "job.list"]
    + DeclaredAction.names
  static let documentNames = ["server", "snapshot", "backup", "job", "error"]
}
