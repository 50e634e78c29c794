/// How an action is done on one provider: one row of the capability table. `validate`, `plan`, `runbook providers` and
/// the tables of `docs/providers/` are made from it.
public struct Operation: Sendable {
  /// How sure we are that the provider works so.
  public enum Evidence: String, Sendable, CaseIterable {
    /// The provider's own documents say so.
    case documented
    /// Other code or texts say so.
    case found
    /// It follows from how the rest works.
    case inferred
  }

  /// The request, in the provider's words: "POST /snapshots/", "instances.fleio.rescue".
  public var request: String
  /// How the effect of a call whose reply was lost is found: "its name, among the new ones". Empty for reads.
  public var recovery: String
  /// How long "not found" does not count yet: "`max_request_life` (90s)", "until the job's window of 3h is over". Empty
  /// where nothing has to be waited out.
  public var absence: String
  /// Power states of the server in which it can be done; empty: any in which the server can be acted on at all.
  public var needs: Set<PowerState>
  /// What the server's power state is afterwards.
  public var leaves: PowerEffect
  public var evidence: Evidence
  /// What else an author must know: "a recipe of attach, boot order and reboot, not an operation of the provider".
  public var note: String?

  public init(
    _ request: String, recovery: String = "", absence: String = "", needs: Set<PowerState> = [],
    leaves: PowerEffect = .unchanged, evidence: Evidence = .documented, note: String? = nil
  ) {
    self.request = request
    self.recovery = recovery
    self.absence = absence
    self.needs = needs
    self.leaves = leaves
    self.evidence = evidence
    self.note = note
  }
}

/// What an action does to the power state of the server it acts on, once it has been waited for.
public enum PowerEffect: Sendable, Equatable {
  case unchanged
  case becomes(PowerState)
  /// `power:` says: `running`, `stopped`, or `same` as before.
  case asAsked
  /// Nobody can say.
  case unknown
}

/// The state of a server in the words of the language, the same for every provider.
public enum PowerState: String, Sendable, CaseIterable {
  case running, stopped, rescue, paused
  /// Under way to another state; also every native word the client has never heard of.
  case changing
  case suspended, error, unknown, absent
}
