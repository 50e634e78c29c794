/// What `runbook providers check` tells of an account.
public struct AccountReport: Sendable, Equatable {
  /// How much of something is used, of how much.
  public struct Quota: Sendable, Equatable {
    public var name: String
    public var used: Int64
    /// nil: no limit is known.
    public var limit: Int64?
    public init(_ name: String, used: Int64, limit: Int64?) {
      self.name = name
      self.used = used
      self.limit = limit
    }
  }

  /// Whose credential it is, as the other side tells it; nil if it does not.
  public var identity: String?
  /// What the credential may do, in the other side's words; empty if it does not tell.
  public var rights: [String]
  /// The other side's clock minus ours; nil if it told no time. Whole seconds are all that HTTP's `Date` gives.
  public var clockSkew: Duration?
  public var quotas: [Quota]
  /// Worth knowing, and no problem: how long the session lives.
  public var notes: [String]
  /// What an operator must act on; empty: all is well.
  public var problems: [String]

  public init(
    identity: String? = nil, rights: [String] = [], clockSkew: Duration? = nil, quotas: [Quota] = [],
    notes: [String] = [], problems: [String] = []
  ) {
    self.identity = identity
    self.rights = rights
    self.clockSkew = clockSkew
    self.quotas = quotas
    self.notes = notes
    self.problems = problems
  }
}
