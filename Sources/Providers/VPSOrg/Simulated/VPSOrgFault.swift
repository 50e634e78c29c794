import Runbook

/// A fault of the simulated VPS.org, from its text: `KIND[:OPERATION][:COUNT][:#NTH][:DURATION][:WORD]`, the parts
/// after the kind in any order. It concerns requests for the operation (default: all), from the `NTH` on (default: the
/// first), `COUNT` times (default: once).
struct VPSOrgFault: Sendable {
  enum Kind: Sendable, Equatable {
    /// The connection breaks before the request has any effect.
    case requestLost
    /// As `requestLost`, but the effect takes place `DURATION` later (default 30 s): after a look said "absent".
    case requestLate
    /// The effect takes place, the reply does not come.
    case replyLost
    /// The effect takes place, the reply comes `DURATION` later (default 2 min).
    case replyLate
    /// This status instead of any effect. 429 and 503 carry `Retry-After` (`DURATION`, default 5 s).
    case status(Int)
    /// The effect takes place, and this status is the reply.
    case statusAfter(Int)
    /// 200 with an HTML page instead of any effect, or (`html_after`) as the reply to one.
    case html, htmlAfter
    /// From the request after `COUNT` others on, the token is not accepted.
    case tokenExpires
    /// The change begins and never ends.
    case stuck
    /// The change begins and ends in `failed` (snapshots, backups) or `error` (servers).
    case fails
    /// While the change goes on the status is `WORD` (default `quiescing`), which no document names.
    case unknownStatus
  }

  let text: String
  let kind: Kind
  private(set) var operation: VPSOrgOperation?
  private(set) var duration: Duration?
  private(set) var word: String?
  private var remaining = 1
  private var skipped = 0
  private(set) var hasFired = false

  private static let kinds: [(name: String, kind: Kind)] = [
    ("request_lost", .requestLost), ("request_late", .requestLate), ("reply_lost", .replyLost),
    ("reply_late", .replyLate),
    ("html_200", .html), ("html_after", .htmlAfter), ("token_expires", .tokenExpires), ("stuck", .stuck),
    ("fails", .fails),
    ("unknown_status", .unknownStatus),
  ]

  init(_ text: String) throws(ExpressionFailure) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
    guard let name = parts.first, let kind = VPSOrgFault.kind(name) else { throw VPSOrgFault.unknown(text) }
    self.text = text
    self.kind = kind
    for part in parts.dropFirst() {
      if let count = Int(part), count > 0 || kind == .tokenExpires, count >= 0 {
        remaining = count
      } else if part.hasPrefix("#"), let nth = Int(part.dropFirst()), nth > 0 {
        skipped = nth - 1
      } else if let operation = VPSOrgOperation(rawValue: part) {
        self.operation = operation
      } else if let duration = Duration(text: part) {
        self.duration = duration
      } else if kind == .unknownStatus, !part.isEmpty {
        word = part
      } else {
        throw VPSOrgFault.unknown(text)
      }
    }
  }

  private static func kind(_ name: String) -> Kind? {
    if let known = kinds.first(where: { $0.name == name }) { return known.kind }
    let isAfter = name.hasSuffix("_after")
    guard let status = Int(isAfter ? String(name.dropLast("_after".count)) : name), (300...599).contains(status) else {
      return nil
    }
    return isAfter ? .statusAfter(status) : .status(status)
  }

  private static func unknown(_ text: String) -> ExpressionFailure {
    let names = kinds.map { $0.name }.joined(separator: ", ")
    let operations = VPSOrgOperation.allCases.map { $0.rawValue }.joined(separator: ", ")
    return ExpressionFailure(
      "unknown fault `\(text)`; write KIND[:OPERATION][:COUNT][:#NTH][:DURATION][:WORD], KIND being one of \(names), "
        + "429, 502, 502_after (or any status), OPERATION one of \(operations)")
  }

  /// Whether it strikes this request; counts it if so.
  mutating func strikes(_ operation: VPSOrgOperation, where isWanted: (Kind) -> Bool) -> Bool {
    guard isWanted(kind), self.operation == nil || self.operation == operation else { return false }
    if kind == .tokenExpires {
      if remaining > 0 {
        remaining -= 1
        return false
      }
      hasFired = true
      return true
    }
    if skipped > 0 {
      skipped -= 1
      return false
    }
    guard remaining > 0 else { return false }
    remaining -= 1
    hasFired = true
    return true
  }
}

extension [VPSOrgFault] {
  /// The first fault that strikes; only it is counted.
  mutating func strike(_ operation: VPSOrgOperation, where isWanted: (VPSOrgFault.Kind) -> Bool) -> VPSOrgFault? {
    for index in indices where self[index].strikes(operation, where: isWanted) { return self[index] }
    return nil
  }
}
