import ProviderKit
import Runbook

/// ZStack's error object: an outer code that is often generic, and a chain of causes.
struct ZStackError: Sendable, Equatable {
  struct Link: Sendable, Equatable {
    var code: String
    var text: String
  }

  /// What follows from it.
  enum Meaning: Sendable, Equatable {
    /// ZStack gave up waiting: whether it took effect must be read.
    case doubt
    /// The session is not valid (any more): certainly nothing happened.
    case session
    /// A part of the installation could not be reached: worth another try, under a new job id, after a look.
    case infrastructure
    /// The call was refused: nothing happened.
    case refused(StepFailure.Kind)
    /// The server is in a state in which it cannot be done: nothing happened.
    case wrongState
    /// It was tried and failed.
    case failed
  }

  /// Outermost first; at most eight. Uncut: what is shown of them is masked first.
  let chain: [Link]
  /// The fields that the documents name, of the outermost. Uncut.
  private let document: Value

  /// From the `error` of a reply; nil if it is no object.
  init?(_ json: Value?) {
    guard case .map? = json else { return nil }
    document = json ?? .null
    var chain: [Link] = []
    var level: [Value] = json.map { [$0] } ?? []
    while !level.isEmpty, chain.count < 8 {
      var deeper: [Value] = []
      for error in level.prefix(3) where error.map != nil {
        let text = [error["details"], error["description"]].compactMap { $0?.string }.first { !$0.isEmpty }
        chain.append(Link(code: error["code"]?.string ?? "?", text: text ?? ""))
        deeper += [error["cause"]].compactMap { $0 } + (error["causes"]?.list ?? [])
      }
      level = deeper
    }
    self.chain = Array(chain.prefix(8))
  }

  private static let meanings: [String: Meaning] = [
    "SYS.1003": .refused(.notFound), "SYS.1007": .refused(.input), "SYS.1013": .refused(.input),
    "SYS.1014": .refused(.input), "SYS.1010": .infrastructure, "SYS.1011": .infrastructure,
    "SYS.1012": .infrastructure, "SYS.1015": .infrastructure, "SYS.1016": .infrastructure,
    "ID.1000": .refused(.auth), "ID.1002": .refused(.auth), "ID.1003": .refused(.limit), "ID.1005": .refused(.auth),
    "ID.1006": .refused(.limit), "VM.1010": .wrongState, "VOL_BACKUP.1000": .wrongState,
  ]

  /// The innermost code that says something decides; "timed out" anywhere in the chain goes before all.
  var meaning: Meaning {
    if chain.contains(where: { $0.code == "SYS.1001" || $0.code == "SYS.1017" }) { return .doubt }
    if chain.contains(where: { $0.code == "ID.1001" }) { return .session }
    return chain.reversed().lazy.compactMap { ZStackError.meanings[$0.code] }.first ?? .failed
  }

  /// "Failed to stop vm (VM.1002): current state[Starting] (VM.1010)": what is said twice is told once.
  func text(hiding secrets: [Secret]) -> String {
    var parts: [String] = []
    var said: Set<String> = []
    for link in chain where said.insert(link.text).inserted || link.text.isEmpty {
      parts.append(link.text.isEmpty ? link.code : "\(link.text) (\(link.code))")
    }
    return parts.isEmpty ? "no reason given" : parts.joined(separator: ": ").hiding(secrets).excerpt(300)
  }

  /// For `error.detail`: the documents' fields under their own names, of a cause at most its own.
  func detail(hiding secrets: [Secret]) -> [String: Value] {
    func told(_ value: Value?) -> Value {
      switch value {
      case nil, .null?: .null
      case .string(let text)?: .string(text.hiding(secrets).excerpt(300))
      case let other?: .string(JSONWriter.text(other).hiding(secrets).excerpt(300))
      }
    }
    let names = ["code", "description", "details", "elaboration", "opaque"]
    func fields(_ error: Value) -> [String: Value] {
      Dictionary(names.map { ($0, told(error[$0])) }, uniquingKeysWith: { first, _ in first })
    }
    var detail = fields(document)
    detail["cause"] = document["cause"].flatMap { $0.map == nil ? nil : .map(fields($0)) } ?? .null
    detail["codes"] = .list(chain.map { .string($0.code.hiding(secrets).excerpt(40)) })
    return detail
  }

  /// The failure it is, as far as the error alone tells; the effect of `failed` and `doubt` is found by reading.
  func failure(of request: String, hiding secrets: [Secret]) -> StepFailure {
    let told = text(hiding: secrets)
    let (kind, message, retryable): (StepFailure.Kind, String, Bool) =
      switch meaning {
      case .doubt: (.timeout, "ZStack gave up waiting for \(request): \(told)", false)
      case .session: (.auth, "ZStack does not accept the session for \(request): \(told)", false)
      case .infrastructure: (.unreachable, "a part of ZStack could not be reached for \(request): \(told)", true)
      case .refused(.auth): (.auth, "ZStack does not permit \(request): \(told)", false)
      case .refused(let kind): (kind, "ZStack refused \(request): \(told)", false)
      case .wrongState: (.input, "ZStack refused \(request): \(told)", false)
      case .failed: (.server, "\(request) failed at ZStack: \(told)", false)
      }
    var detail = detail(hiding: secrets)
    detail["request"] = .string(request)
    return StepFailure(
      kind, message, effect: meaning == .doubt ? .unknown : .none, retryable: retryable, detail: detail)
  }
}
