/// How a drill was judged: what was measured, once, and what follows from it. Journaled as `drill.judged`, so that a
/// process that carries the run on judges nothing again.
public struct DrillVerdict: Sendable, Equatable {
  /// One objective beside what was measured.
  public struct Objective: Sendable, Equatable {
    public var objective: Duration
    /// nil: a moment that it is measured by is not set.
    public var measured: Duration?
    public var met: Bool
    /// Why it was not measured, or why the measurement cannot be; one clause. nil: it was measured.
    public var reason: String?
  }

  public struct SteadyState: Sendable, Equatable {
    public var regained: Bool
    /// The first step that did not succeed, and why; nil if the state was regained.
    public var step: String?
    public var reason: String?
  }

  /// nil for a moment that is not set, or that no objective needs.
  public var outageAt: Timestamp?
  public var dataAsOf: Timestamp?
  public var restoredAt: Timestamp?
  /// nil: no such objective.
  public var rto: Objective?
  public var rpo: Objective?
  /// nil: the drill has none.
  public var steadyState: SteadyState?

  public var isMissed: Bool { rto?.met == false || rpo?.met == false || steadyState?.regained == false }

  /// `{rto, rpo, steady_state, outage_at, data_as_of, restored_at}`: the body of `drill.judged`, and the `drill` of
  /// `show` and of the closing event. Durations are text in the form of the language, to the millisecond; `null`: not
  /// set.
  public var value: Value { .map(fields) }

  var fields: [String: Value] {
    [
      "outage_at": instant(outageAt), "data_as_of": instant(dataAsOf), "restored_at": instant(restoredAt),
      "rto": rto?.value ?? .null, "rpo": rpo?.value ?? .null,
      "steady_state": steadyState.map { state in
        ["regained": .bool(state.regained), "step": text(state.step), "reason": text(state.reason)]
      } ?? .null,
    ]
  }

  /// Reads what `value` wrote; nil if it is anything else.
  public init?(_ value: Value?) {
    guard let value, case .map = value else { return nil }
    outageAt = RunReport.instant(value["outage_at"])
    dataAsOf = RunReport.instant(value["data_as_of"])
    restoredAt = RunReport.instant(value["restored_at"])
    do throws(Unreadable) {
      rto = try Objective.read(value["rto"])
      rpo = try Objective.read(value["rpo"])
    } catch { return nil }
    guard let state = value["steady_state"], !state.isNull else { return }
    guard let regained = state["regained"]?.bool else { return nil }
    steadyState = SteadyState(regained: regained, step: state["step"]?.string, reason: state["reason"]?.string)
  }

  public init() {}

  fileprivate struct Unreadable: Error {}
}

extension DrillVerdict.Objective {
  fileprivate var value: Value {
    var fields: [String: Value] = [
      "objective": .string(objective.exactText), "measured": text(measured?.exactText), "met": .bool(met),
    ]
    if let reason { fields["reason"] = .string(reason) }
    return .map(fields)
  }

  fileprivate static func read(_ value: Value?) throws(DrillVerdict.Unreadable) -> DrillVerdict.Objective? {
    guard let value, !value.isNull else { return nil }
    guard let objective = value["objective"]?.string.flatMap({ Duration(exactText: $0) }), let met = value["met"]?.bool
    else { throw DrillVerdict.Unreadable() }
    let measured = value["measured"]?.string
    let duration = measured.flatMap { Duration(exactText: $0) }
    if measured != nil, duration == nil { throw DrillVerdict.Unreadable() }
    return DrillVerdict.Objective(
      objective: objective, measured: duration, met: met, reason: value["reason"]?.string)
  }
}

private func text(_ text: String?) -> Value { text.map { .string($0) } ?? .null }
private func instant(_ instant: Timestamp?) -> Value { instant.map { .timestamp($0) } ?? .null }

extension Duration {
  /// nil for what `exactText` does not write. Longer than an author may write: data may be as old as time itself.
  init?(exactText text: String) {
    if text.hasPrefix("-") {
      guard text.dropFirst().first != "-", let positive = Duration(exactText: String(text.dropFirst())) else {
        return nil
      }
      self = .zero - positive
      return
    }
    guard let end = text.firstIndex(of: "d") else {
      guard let duration = Duration(text: text) else { return nil }
      self = duration
      return
    }
    // All instants lie within 10 000 years.
    guard text[..<end].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let days = Int64(text[..<end]),
      days <= 3_660_000
    else { return nil }
    let rest = text[end...].dropFirst()
    guard let part = rest.isEmpty ? .zero : Duration(text: String(rest)) else { return nil }
    self = .seconds(days * 86_400) + part
  }
}
