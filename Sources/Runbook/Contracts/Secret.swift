/// A piece of text that must not be seen. It cannot be printed, compared, hashed, encoded or journaled: there is no
/// conformance to do it by accident. Only `reveal` gives the text, and each call of it is a place to review.
public final class Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public static let mask = "***"
  private let text: String
  /// The declared names this came from (`vps_token`), for messages; a concatenation carries all of them.
  public let names: [String]

  public init(_ text: String, named names: [String]) {
    self.text = text
    self.names = names
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
    var names: [String] = []
    for part in parts {
      switch part {
      case .plain(let plain): text += plain
      case .secret(let secret):
        text += secret.text
        names += secret.names.filter { !names.contains($0) }
      }
    }
    return Secret(text, named: names)
  }
}

public enum SecretPart: Sendable {
  case plain(String)
  case secret(Secret)
}
