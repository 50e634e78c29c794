import Glibc
import Posix
import Runbook

/// Fetches a run's secrets, all of them before anything begins. One that is missing refuses the run, which is
/// untouched.
enum SecretReading {
  /// Longest secret file: 64 KiB, room for any key or certificate chain.
  static let fileLimit = 64 << 10

  /// - Parameters:
  ///   - without: names that are not read.
  ///   - canGoWithout: the command takes `--without-secret`.
  ///   - needed: names that must be there; nil: all. The others are read if they can be, so that they are masked.
  /// - Throws: one refusal that names every secret that is missing.
  static func resolve(
    _ declarations: [SecretDeclaration], folder: String, without: Set<String> = [], canGoWithout: Bool = false,
    needed: Set<String>? = nil
  ) throws(Refusal) -> [String: Secret] {
    var secrets: [String: Secret] = [:]
    var missing: [(name: String, refusal: Refusal)] = []
    for declaration in declarations where !without.contains(declaration.name) {
      do throws(Refusal) {
        secrets[declaration.name] = Secret(try text(of: declaration, folder: folder), named: [declaration.name])
      } catch {
        if needed?.contains(declaration.name) ?? true { missing.append((declaration.name, error)) }
      }
    }
    guard let first = missing.first?.refusal else { return secrets }
    let message =
      missing.count == 1
      ? first.message
      : "\(missing.count) secrets are missing:\n"
        + missing.map { "       \($0.refusal.message)" }.joined(separator: "\n")
    var hints = missing.compactMap(\.refusal.hint)
    if canGoWithout {
      let options = missing.map { "--without-secret \($0.name)" }.joined(separator: " ")
      hints.append(
        "`\(options)` goes on without \(missing.count == 1 ? "it" : "them"); a step that needs it fails and names it")
    }
    throw Refusal(
      .usage, stated: first.code, message, hint: hints.isEmpty ? nil : hints.joined(separator: "\n  "))
  }

  /// - Throws: a name that is not declared, with the nearest that is.
  static func check(_ names: Set<String>, among declarations: [SecretDeclaration]) throws(Refusal) {
    let known = declarations.map(\.name)
    guard let name = names.sorted().first(where: { !known.contains($0) }) else { return }
    throw Refusal(
      .usage, .secretName, "there is no secret `\(DisplayText.escaped(name, limit: 64))` in the run's file",
      hint: known.isEmpty ? "it declares none" : Suggestion.hint(for: name, among: known))
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
        let isEmpty = Environment[key] != nil
        let why = "the environment variable `\(key)` is \(isEmpty ? "empty" : "not set")"
        throw refusal(declaration, why, hint: "set it: \(key)=… runbook …")
      }
      return text
    case .file(let path):
      return try read(path.hasPrefix("/") ? path : "\(folder)/\(path)", for: declaration)
    case .command(let words):
      return try read(SecretCommand(words: words, folder: folder), for: declaration)
    case .credential(let key):
      return try read(credential: key, for: declaration)
    }
  }

  private static func read(_ path: String, for declaration: SecretDeclaration) throws(Refusal) -> String {
    let shown = DisplayText.escaped(path, limit: 300)
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
      throw refusal(declaration, "others may read `\(shown)`", hint: "chmod 600 \(AdvisedCommands.quoted(path))")
    }
    return try content(of: path, for: declaration, hint: nil)
  }

  private static func read(_ command: SecretCommand, for declaration: SecretDeclaration) throws(Refusal) -> String {
    let hint = "what it prints is not shown; to see it, run it yourself: \(command.line)"
    let bytes: [UInt8]
    do throws(SecretCommand.Failure) { bytes = try command.output() } catch {
      throw refusal(declaration, error.reason, hint: hint)
    }
    let program = DisplayText.escaped(command.words.first ?? "", limit: 200)
    return try text(bytes, isOf: "what `\(program)` prints", for: declaration, hint: hint)
  }

  /// systemd keeps the folder for the service alone, so that a file's mode says nothing.
  private static func read(credential key: String, for declaration: SecretDeclaration) throws(Refusal) -> String {
    let unit = "add `LoadCredential=\(key):PATH` to the unit"
    guard let folder = Environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/") else {
      throw refusal(
        declaration, "`CREDENTIALS_DIRECTORY` is not set, as it is in a service of systemd that has credentials",
        hint: unit)
    }
    guard !key.isEmpty, !key.contains("/"), key != ".", key != ".." else {
      throw refusal(declaration, "the name of a credential has no `/` in it", hint: nil)
    }
    return try content(of: "\(folder)/\(key)", for: declaration, hint: unit)
  }

  private static func content(
    of path: String, for declaration: SecretDeclaration, hint: String?
  ) throws(Refusal) -> String {
    let shown = DisplayText.escaped(path, limit: 300)
    let bytes: [UInt8]
    do throws(FileFailure) { bytes = try FileReading.all(of: path, limit: fileLimit) } catch {
      throw refusal(declaration, "`\(shown)` \(error.reason)", hint: error == .missing ? hint : nil)
    }
    return try text(bytes, isOf: "`\(shown)`", for: declaration, hint: nil)
  }

  /// Without one line end at its end.
  private static func text(
    _ bytes: [UInt8], isOf what: String, for declaration: SecretDeclaration, hint: String?
  ) throws(Refusal) -> String {
    guard var text = String(validating: bytes, as: UTF8.self) else {
      throw refusal(declaration, "\(what) is not UTF-8 text", hint: hint)
    }
    // A swift text counts a carriage return and a line feed as one character.
    if text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
    guard !text.isEmpty else { throw refusal(declaration, "\(what) is empty", hint: hint) }
    return text
  }

  private static func refusal(_ declaration: SecretDeclaration, _ why: String, hint: String?) -> Refusal {
    Refusal(.usage, .secret, "secret `\(declaration.name)` is missing: \(why)", hint: hint)
  }
}
