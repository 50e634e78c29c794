package import Runbook

/// A fault of a simulated cloud, from its text: `KIND[:OPERATION][:COUNT][:#NTH][:DURATION][:WORD]`, the parts
/// after the kind in any order. It concerns requests for the operation (default: all), from the `NTH` on (default: the
/// first), `COUNT` times (default: once).
package struct TwinFault: Sendable {
  package enum Kind: Sendable, Equatable {
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
    /// A stop or start is accepted, and the status stays as it was for `DURATION` (default 12 s): the guest takes its
    /// time.
    case guestSlow
    /// One that only this cloud has, by its name.
    case special(String)
  }

  /// What the faults of one twin may name.
  package struct Vocabulary: Sendable {
    /// `server.stop` …
    let operations: [String]
    /// Names of faults that only this twin has: `partial_revert`.
    let special: [String]

    package init(operations: [String], special: [String] = []) {
      self.operations = operations
      self.special = special
    }
  }

  package let text: String
  package let kind: Kind
  private(set) var operation: String?
  package private(set) var duration: Duration?
  private(set) var word: String?
  private var remaining = 1
  private var skipped = 0
  package private(set) var hasFired = false

  private static let kinds: [(name: String, kind: Kind)] = [
    ("request_lost", .requestLost), ("request_late", .requestLate), ("reply_lost", .replyLost),
    ("reply_late", .replyLate),
    ("html_200", .html), ("html_after", .htmlAfter), ("token_expires", .tokenExpires), ("stuck", .stuck),
    ("fails", .fails),
    ("unknown_status", .unknownStatus), ("guest_slow", .guestSlow),
  ]

  package init(_ text: String, _ known: Vocabulary) throws(ExpressionFailure) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
    guard let name = parts.first, let kind = TwinFault.kind(name, known) else {
      throw TwinFault.unknown(text, known)
    }
    self.text = text
    self.kind = kind
    for part in parts.dropFirst() {
      if let count = Int(part), count > 0 || kind == .tokenExpires, count >= 0 {
        remaining = count
      } else if part.hasPrefix("#"), let nth = Int(part.dropFirst()), nth > 0 {
        skipped = nth - 1
      } else if known.operations.contains(part) {
        operation = part
      } else if let duration = Duration(text: part) {
        self.duration = duration
      } else if kind.takesWord, !part.isEmpty {
        word = part
      } else {
        throw TwinFault.unknown(text, known)
      }
    }
  }

  private static func kind(_ name: String, _ vocabulary: Vocabulary) -> Kind? {
    if vocabulary.special.contains(name) { return .special(name) }
    if let known = kinds.first(where: { $0.name == name }) { return known.kind }
    let isAfter = name.hasSuffix("_after")
    guard let status = Int(isAfter ? String(name.dropLast("_after".count)) : name), (300...599).contains(status) else {
      return nil
    }
    return isAfter ? .statusAfter(status) : .status(status)
  }

  private static func unknown(_ text: String, _ known: Vocabulary) -> ExpressionFailure {
    let names = (kinds.map { $0.name } + known.special).joined(separator: ", ")
    let operations = known.operations.joined(separator: ", ")
    return ExpressionFailure(
      "unknown fault `\(text)`; write KIND[:OPERATION][:COUNT][:#NTH][:DURATION][:WORD], KIND being one of \(names), "
        + "429, 502, 502_after (or any status), OPERATION one of \(operations)")
  }

  /// Whether it strikes this request; counts it if so.
  package mutating func strikes(_ operation: String, where isWanted: (Kind) -> Bool) -> Bool {
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

extension TwinFault.Kind {
  /// Its last part may be any word.
  fileprivate var takesWord: Bool {
    switch self {
    case .unknownStatus, .special: true
    default: false
    }
  }
}

extension [TwinFault] {
  /// The first fault that strikes; only it is counted.
  package mutating func strike(_ operation: String, where isWanted: (TwinFault.Kind) -> Bool) -> TwinFault? {
    for index in indices where self[index].strikes(operation, where: isWanted) { return self[index] }
    return nil
  }
}

/// What strikes a request before it has an effect, or the reply to it after that: the part of a twin that is the same
/// for every cloud.
extension [TwinFault] {
  /// A connection that breaks, a status or a page instead of any effect; nil: the request goes through.
  package mutating func before(_ operation: String) -> TwinFault? {
    strike(operation) { kind in
      switch kind {
      case .requestLost, .requestLate, .status, .html: true
      default: false
      }
    }
  }

  /// What becomes of the reply to a request that has been carried out.
  package mutating func reply(_ operation: String, _ response: HTTPResponse) -> SimulatedReply {
    let fault = strike(operation) { kind in
      switch kind {
      case .replyLost, .replyLate, .statusAfter, .htmlAfter: true
      default: false
      }
    }
    switch fault?.kind {
    case .replyLost: return .lost
    case .replyLate: return .delayed(fault?.duration ?? .seconds(120), .response(response))
    case .statusAfter(let status): return .response(.fault(status, retryAfter: fault?.duration))
    case .htmlAfter: return .response(.html)
    default: return .response(response)
    }
  }
}
