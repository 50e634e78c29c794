import Glibc
import Posix
import Runbook

/// Fetches a run's secrets, all of them before anything begins. One that is missing refuses the run, which is
/// untouched.
enum SecretReading {
  /// Longest secret file: 64 KiB, room for any key or certificate chain.
  static let fileLimit = 64 << 10

  static func resolve(_ declarations: [SecretDeclaration], folder: String) throws(Refusal) -> [String: Secret] {
    var secrets: [String: Secret] = [:]
    for declaration in declarations {
      secrets[declaration.name] = Secret(try text(of: declaration, folder: folder), named: [declaration.name])
    }
    return secrets
  }

  /// What a sealed simulation uses instead: an address, so that it fits wherever a secret address is wanted, and short
  /// enough, with capital, small letter and digit, for a password.
  static func placeholders(_ declarations: [SecretDeclaration]) -> [String: Secret] {
    Dictionary(
      declarations.map { ($0.name, Secret("https://Simulated1.invalid/\($0.name.prefix(20))", named: [$0.name])) },
      uniquingKeysWith: { first, _ in first })
  }

  private static func text(of declaration: SecretDeclaration, folder: String) throws(Refusal) -> String {
    switch declaration.source {
    case .environment(let key):
      guard let text = Environment[key], !text.isEmpty else {
        let why = "the environment variable `\(key)` is not set"
        throw refusal(declaration, why, hint: "set it: \(key)=… runbook …")
      }
      return text
    case .file(let path):
      return try read(path.hasPrefix("/") ? path : "\(folder)/\(path)", for: declaration)
    }
  }

  private static func read(_ path: String, for declaration: SecretDeclaration) throws(Refusal) -> String {
    let shown = DisplayText.escaped(path, limit: 300)
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
      throw refusal(declaration, "others may read `\(shown)`", hint: "chmod 600 '\(shown)'")
    }
    let bytes: [UInt8]
    do throws(FileFailure) { bytes = try FileReading.all(of: path, limit: fileLimit) } catch {
      throw refusal(declaration, "`\(shown)` \(error.reason)", hint: nil)
    }
    guard var text = String(validating: bytes, as: UTF8.self) else {
      throw refusal(declaration, "`\(shown)` is not UTF-8 text", hint: nil)
    }
    if text.hasSuffix("\n") { text.removeLast() }
    guard !text.isEmpty else { throw refusal(declaration, "`\(shown)` is empty", hint: nil) }
    return text
  }

  private static func refusal(_ declaration: SecretDeclaration, _ why: String, hint: String?) -> Refusal {
    Refusal(.usage, "E-SECRET", "secret `\(declaration.name)` is missing: \(why)", hint: hint)
  }
}
