/// What an operator should know about a cloud, in one line each: `runbook providers NAME` and the tables of
/// `docs/providers/` are made from it.
public struct ProviderFacts: Sendable {
  /// A native word and what it means here.
  public struct State: Sendable {
    public var native: String
    public var word: String
    public init(_ native: String, _ word: String) {
      self.native = native
      self.word = word
    }
  }

  /// Native words of servers, then of snapshots and backups. Any other word counts as still changing.
  public var states: [State]
  /// Limits and durations.
  public var limits: [String]
  /// Dangers that an operator would not expect.
  public var hazards: [String]
  /// Gaps in the documents, each with the assumption that the client makes.
  public var undocumented: [(gap: String, assumed: String)]

  public init(
    states: [State] = [], limits: [String] = [], hazards: [String] = [],
    undocumented: [(gap: String, assumed: String)] = []
  ) {
    self.states = states
    self.limits = limits
    self.hazards = hazards
    self.undocumented = undocumented
  }
}
