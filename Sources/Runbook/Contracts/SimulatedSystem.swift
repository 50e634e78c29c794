/// A request as a simulated system sees it, whether it came over memory or over loopback.
public struct SimulatedRequest: Sendable {
  public var method: String
  /// Decoded once; begins with `/`.
  public var path: String
  /// In order of arrival, decoded.
  public var query: [(name: String, value: String)]
  /// Lower-case names.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  public init(
    method: String, path: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
  }
  public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// The answer of a simulated system to a request.
public enum SimulatedReply: Sendable {
  case response(HTTPResponse)
  /// The connection breaks with no answer; earlier effects of the request stay.
  case lost
  /// The answer comes after this much of the system's own time.
  indirect case delayed(Duration, SimulatedReply)
}

/// One change that a simulated system made, for tests that count: nothing lost, nothing repeated.
public struct LedgerEntry: Sendable, Equatable {
  public var at: Timestamp
  /// `snapshot.create`, `server.stop` …: the change itself, which may differ from the request.
  public var effect: String
  /// Id of the thing changed.
  public var subject: String
  /// A name or marker the request carried (the snapshot's name).
  public var detail: String
  /// What the request gave, by the provider's own names, as far as the twin keeps it.
  public var parameters: [String: Value]
  public init(
    at: Timestamp, effect: String, subject: String, detail: String = "", parameters: [String: Value] = [:]
  ) {
    self.at = at
    self.effect = effect
    self.subject = subject
    self.detail = detail
    self.parameters = parameters
  }
}

/// A twin of a provider: a faithful state machine behind the provider's own wire format, driven by a clock handed in.
public protocol SimulatedSystem: Sendable {
  /// The provider type it is a twin of.
  var type: String { get }
  func answer(_ request: SimulatedRequest) -> SimulatedReply
  /// Every effect since the beginning, in order.
  var ledger: [LedgerEntry] { get }
  /// The backups of a server that are there, oldest first, `at` being when each was truly made: what a drill's data are
  /// compared with, whatever the wire tells. `effect` is `backup.create`, `subject` the id that a restore takes.
  func backups(of server: String) -> [LedgerEntry]
  /// Makes a server with this id known, running, if it is not yet.
  func ensureServer(_ id: String)
  /// Switches a fault on, from its text (`--fault`): `reply_lost:snapshot.create`, `429:2` … Throws with the list of
  /// known ones.
  func inject(_ fault: String) throws(ExpressionFailure)
  /// Operations asked for, in order, refused ones included: `server.stop`.
  var requests: [String] { get }
  /// Texts of the injected faults that have struck at least once, and of those that have not, in the order of their
  /// injection.
  var firedFaults: [String] { get }
  var unfiredFaults: [String] { get }
}

extension SimulatedSystem {
  public func backups(of server: String) -> [LedgerEntry] { [] }
  public var firedFaults: [String] { [] }
  public var unfiredFaults: [String] { [] }
}
