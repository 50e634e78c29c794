import ProviderKit
import Runbook

/// A call of Zomro's one address: a function and its parameters.
struct ZomroCall: Sendable {
  /// In BILLmanager's words: `instances.fleio_bckps.edit`.
  var function: String
  var parameters: [(name: String, value: SecretPart)]
  /// `sok=ok`: a form is carried out, not shown.
  var isCommitted: Bool
  /// Repeating it does no harm; the effect of anything else is unknown while there is no answer.
  var isRead: Bool

  /// A list, a form or a preview: nothing changes.
  static func read(_ function: String, _ parameters: [(name: String, value: String)] = []) -> ZomroCall {
    ZomroCall(
      function: function, parameters: parameters.map { ($0.name, .plain($0.value)) }, isCommitted: false, isRead: true)
  }

  /// A function that takes effect at once.
  static func act(_ function: String, _ parameters: [(name: String, value: String)]) -> ZomroCall {
    ZomroCall(
      function: function, parameters: parameters.map { ($0.name, .plain($0.value)) }, isCommitted: false, isRead: false)
  }

  /// A form that is carried out.
  static func commit(_ function: String, _ parameters: [(name: String, value: SecretPart)]) -> ZomroCall {
    ZomroCall(function: function, parameters: parameters, isCommitted: true, isRead: false)
  }

  /// For messages: `instances.fleio.rescue`.
  var text: String { "`\(function.excerpt(100))`" }

  /// Secrets among the parameters, masked in whatever is shown of the answer.
  var secrets: [Secret] {
    parameters.compactMap { if case .secret(let secret) = $0.value { secret } else { nil } }
  }

  /// `application/x-www-form-urlencoded`, with what says who asks.
  func body(_ pass: [(name: String, value: SecretPart)]) -> [UInt8] {
    var all: [(name: String, value: SecretPart)] = [
      ("func", .plain(function)), ("out", .plain("json")), ("lang", .plain("en")),
    ]
    if isCommitted { all.append(("sok", .plain("ok"))) }
    let pairs = (all + parameters + pass).map { name, value in
      let text =
        switch value {
        case .plain(let text): text
        case .secret(let secret): secret.reveal()
        }
      return "\(name.percentEncoded)=\(text.percentEncoded)"
    }
    return Array(pairs.joined(separator: "&").utf8)
  }
}
