/// A piece of text that must not be seen. It cannot be printed, compared, hashed, encoded or journaled: there is no
/// conformance to do it by accident. Only `reveal` gives the text, and each call of it is a place to review.
public final class Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public static let mask = "***"
  private let text: String
  /// The declared names this came from (`vps_token`), for messages; a concatenation carries all of them.
  public let names: [String]
  /// How the text is made of declared secrets, for a journal that keeps secrets by reference alone.
  let parts: [SecretPiece]

  /// - Parameter names: one: this is that declared secret. None, or several: it is only used, never journaled.
  public init(_ text: String, named names: [String]) {
    self.text = text
    self.names = names
    parts = names.isEmpty ? [.plain(text)] : names.map { .secret(name: $0, form: names.count == 1 ? "raw" : "") }
  }

  init(_ text: String, parts: [SecretPiece]) {
    self.text = text
    self.parts = parts
    names = parts.reduce(into: []) { names, part in names += part.names.filter { !names.contains($0) } }
  }

  public var description: String { Secret.mask }
  public var debugDescription: String { Secret.mask }
  public var customMirror: Mirror { Mirror(self, children: [:]) }

  /// Hands out the text for one use: a request about to be sent, a script's environment. Never store the result.
  public func reveal() -> String { text }

  public var isEmpty: Bool { text.isEmpty }

  /// The taint survives concatenation.
  public static func joined(_ parts: [SecretPart]) -> Secret {
    var text = ""
    var pieces: [SecretPiece] = []
    for part in parts {
      switch part {
      case .plain(let plain):
        text += plain
        pieces.append(.plain(plain))
      case .secret(let secret):
        text += secret.text
        pieces += secret.parts
      }
    }
    return Secret(text, parts: pieces)
  }

  /// The taint survives an encoding: `base64`, `url_encode`.
  func encoded(_ text: String, by encoding: String) -> Secret {
    Secret(text, parts: [.encoded(encoding, parts)])
  }
}

/// A part of a text that holds secrets: plain text, a declared secret in one of the forms in which it may stand there
/// (`raw`, `base64` …), or an encoding of parts that an expression made.
///
/// A form is journaled and therefore never changes: `raw`, `json…`, `url…`, `form…`, `component…`, `path`, `uri`,
/// `base64[url][+1|+2][<N][>N][=|==]`, `hex` or `HEX` with what separates the bytes; before it `line3.` or `trim.` for
/// a part of the secret, behind it `@FROM-TO` or `@FROM-` for a stretch of what the form gives, in bytes.
indirect enum SecretPiece: Sendable, Equatable {
  case plain(String)
  case secret(name: String, form: String)
  case encoded(String, [SecretPiece])

  var names: [String] {
    switch self {
    case .plain: []
    case .secret(let name, _): [name]
    case .encoded(_, let parts): parts.flatMap { $0.names }
    }
  }

  /// By the name of the expression's function.
  static func encode(_ text: String, _ encoding: String) -> String {
    encoding == ExpressionFunction.base64.rawValue ? Array(text.utf8).base64 : text.urlEncoded
  }
}

public enum SecretPart: Sendable {
  case plain(String)
  case secret(Secret)
}
