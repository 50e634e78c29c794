import ProviderKit
import Runbook

/// What a file that begins with `provider: v1` declares, once it has been found right: a cloud without Swift. See
/// `docs/declaring-a-provider.md`.
struct ProviderManifest: Sendable {
  var type: String
  /// For messages: "Hetzner Cloud".
  var service: String
  var summary: String
  var url: String
  var fields: [Field]
  /// Sent with every request, in the order of the file.
  var headers: [(name: String, value: Template)]
  var errors: ErrorRules
  var paging: PagingRule?
  var servers: ServerRules
  var snapshots: ItemRules?
  var backups: ItemRules?
  var jobs: JobRules?
  var check: CheckRule?
  /// By name, in the order of the file; only those that send something.
  var actions: [ActionRule]
  var facts: ProviderFacts
  var twin: TwinManifest?

  func action(_ name: String) -> ActionRule? { actions.first { $0.name == name } }

  func items(_ kind: ItemKind) -> ItemRules? {
    switch kind {
    case .snapshot: snapshots
    case .backup: backups
    }
  }
}

/// A request as a template. It may read `fields`, `with`, `before` and `call`.
struct RequestRule: Sendable {
  var method: String
  /// Begins with `/`; below the path of `url`. Never holds a secret.
  var path: Template
  var query: [(name: String, value: Template)] = []
  var json: Template?
  /// For tables and messages: "POST /servers/{server}/actions/poweron".
  var text: String

  var isRead: Bool { method == "GET" || method == "HEAD" }
  var templates: [Template] { [path] + query.map { $0.value } + (json.map { [$0] } ?? []) }
  /// It asks for the things of one server, not of the whole account.
  var namesServer: Bool { templates.contains { $0.references.roots.contains("with") } }
}

/// A request whose reply holds a list, and where.
struct ListRule: Sendable {
  var request: RequestRule
  /// Reads `result`, the reply's JSON.
  var items: Expression
  /// The newest come first, so the first page is enough.
  var isFirstPageEnough = false
}

/// What an item of a reply means: expressions that read `item`.
struct ReadRule: Sendable {
  var members: [String: Expression]
}

struct ServerRules: Sendable {
  var get: RequestRule
  var item: Expression
  var list: ListRule
  var read: ReadRule
  var states: [String: PowerState]
}

struct ItemRules: Sendable {
  var list: ListRule
  /// Of the whole account, where `list` is of one server.
  var listAll: ListRule?
  var read: ReadRule
  var states: [String: ItemState]
  /// How many of them one server may have.
  var limit: Int?

  var listsAccount: Bool { listAll != nil || !list.request.namesServer }
}

/// What the other side keeps of a request that takes its time: an operation of its own, with a name and a state.
struct JobRules: Sendable {
  enum State: String, Sendable, CaseIterable { case running, succeeded, failed }
  var list: ListRule
  var read: ReadRule
  var states: [String: State]
}

/// The request that tells to whom a credential belongs.
struct CheckRule: Sendable {
  var request: RequestRule
  var identity: Expression?
}

/// How the following page of a list is asked for.
struct PagingRule: Sendable {
  /// Reads `result`; null or absent: that was the last page.
  var next: Expression
  /// The argument that `next` is the value of; nil: `next` is a link.
  var query: String?
}

/// What refusals mean.
struct ErrorRules: Sendable {
  struct Rule: Sendable {
    var status: Int?
    /// Reads `result` and `status`.
    var condition: Expression?
    var kind: StepFailure.Kind
    var isRetryable: Bool
    var effect: StepFailure.Effect?
    var hint: String?
  }
  /// Where a refusal says why; reads `result`.
  var message: Expression?
  /// The first that fits counts; without one, what the status means.
  var rules: [Rule] = []
}

/// One action that sends something.
struct ActionRule: Sendable {
  enum Trace: String, Sendable, CaseIterable { case name, mark }

  var name: String
  var request: RequestRule
  /// What the job of this request is called.
  var job: String?
  /// Of a creation: what tells the new item from all others.
  var foundBy: Trace?
  /// Of a creation: the new item in the reply; reads `result`.
  var reply: Expression?
  /// What a name must look like.
  var namePattern: String?
  var needs: Set<PowerState>
  var timeout: Duration
  var evidence: Operation.Evidence
  var note: String?
}
