import Glibc
import Operations
import Posix
import Runbook

/// The secrets of this machine: in its environment, its files, behind its programs, and among the credentials that
/// systemd hands to a service.
struct MachineSecrets: SecretSource {
  /// Longest secret file: 64 KiB, room for any key or certificate chain.
  static let fileLimit = 64 << 10

  /// All secrets of a runbook.
  static func all(of runbook: CheckedRunbook) throws(Refusal) -> [String: Secret] {
    try toldAtOnce { () throws(OperationRefusal) in
      try SecretResolution(runbook.runbook.secrets, folder: runbook.source.folder).resolve(from: MachineSecrets())
    }
  }

  func text(of declaration: SecretDeclaration, folder: String) throws(MissingSecret) -> String {
    switch declaration.source {
    case .environment(let key):
      guard let text = Environment[key], !text.isEmpty else {
        let isEmpty = Environment[key] != nil
        let why = "the environment variable `\(key)` is \(isEmpty ? "empty" : "not set")"
        throw missing(declaration, why, hint: "set it: \(key)=… runbook …")
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

  private func read(_ path: String, for declaration: SecretDeclaration) throws(MissingSecret) -> String {
    let shown = DisplayText.escaped(path, limit: 300)
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
      throw missing(declaration, "others may read `\(shown)`", hint: "chmod 600 \(AdvisedCommands.quoted(path))")
    }
    return try content(of: path, for: declaration, hint: nil)
  }

  private func read(_ command: SecretCommand, for declaration: SecretDeclaration) throws(MissingSecret) -> String {
    let hint = "what it prints is not shown; to see it, run it yourself: \(command.line)"
    let bytes: [UInt8]
    do throws(SecretCommand.Failure) { bytes = try command.output() } catch {
      throw missing(declaration, error.reason, hint: hint)
    }
    let program = DisplayText.escaped(command.words.first ?? "", limit: 200)
    return try text(bytes, isOf: "what `\(program)` prints", for: declaration, hint: hint)
  }

  /// systemd keeps the folder for the service alone, so that a file's mode says nothing.
  private func read(credential key: String, for declaration: SecretDeclaration) throws(MissingSecret) -> String {
    let unit = "add `LoadCredential=\(key):PATH` to the unit"
    guard let folder = Environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/") else {
      throw missing(
        declaration, "`CREDENTIALS_DIRECTORY` is not set, as it is in a service of systemd that has credentials",
        hint: unit)
    }
    guard !key.isEmpty, !key.contains("/"), key != ".", key != ".." else {
      throw missing(declaration, "the name of a credential has no `/` in it", hint: nil)
    }
    return try content(of: "\(folder)/\(key)", for: declaration, hint: unit)
  }

  private func content(
    of path: String, for declaration: SecretDeclaration, hint: String?
  ) throws(MissingSecret) -> String {
    let shown = DisplayText.escaped(path, limit: 300)
    let bytes: [UInt8]
    do throws(FileFailure) { bytes = try FileReading.all(of: path, limit: MachineSecrets.fileLimit) } catch {
      throw missing(declaration, "`\(shown)` \(error.reason)", hint: error == .missing ? hint : nil)
    }
    return try text(bytes, isOf: "`\(shown)`", for: declaration, hint: nil)
  }

  /// Without one line end at its end.
  private func text(
    _ bytes: [UInt8], isOf what: String, for declaration: SecretDeclaration, hint: String?
  ) throws(MissingSecret) -> String {
    guard var text = String(validating: bytes, as: UTF8.self) else {
      throw missing(declaration, "\(what) is not UTF-8 text", hint: hint)
    }
    // A swift text counts a carriage return and a line feed as one character.
    if text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
    guard !text.isEmpty else { throw missing(declaration, "\(what) is empty", hint: hint) }
    return text
  }

  private func missing(_ declaration: SecretDeclaration, _ why: String, hint: String?) -> MissingSecret {
    MissingSecret(name: declaration.name, reason: why, hint: hint)
  }
}

/// The placeholder that a sealed simulation uses for each secret: an address, so that it fits wherever a secret address
/// is wanted, and short enough, with capital, small letter and digit, for a password.
struct PlaceholderSecrets: SecretSource {
  func text(of declaration: SecretDeclaration, folder: String) throws(MissingSecret) -> String {
    "https://Simulated1.invalid/\(declaration.name.prefix(20))"
  }
}
