public import Runbook

/// Where the secrets of a run come from: the machine that this process runs on, or a vault.
public protocol SecretSource: Sendable {
  /// The text of one secret.
  /// - Parameter folder: of the runbook; paths in the declaration start from it.
  func text(of declaration: SecretDeclaration, folder: String) throws(MissingSecret) -> String
}

/// A declared secret that its source does not have.
public struct MissingSecret: Error, Sendable, Equatable {
  public var name: String
  /// Where it was looked for, and what was found there: `the environment variable `X` is not set`.
  public var reason: String
  /// The step that mends it, for people; nil: the reason says it.
  public var hint: String?
  public init(name: String, reason: String, hint: String? = nil) {
    self.name = name
    self.reason = reason
    self.hint = hint
  }
}

/// The secrets of one run, all of them fetched before anything begins. One that is missing refuses the run, which is
/// untouched.
public struct SecretResolution: Sendable {
  public var declarations: [SecretDeclaration]
  public var folder: String
  /// Names that are not fetched.
  public var without: Set<String>
  /// The operation can be told to go on without a secret.
  public var canGoWithout: Bool

  public init(
    _ declarations: [SecretDeclaration], folder: String, without: Set<String> = [], canGoWithout: Bool = false
  ) {
    self.declarations = declarations
    self.folder = folder
    self.without = without
    self.canGoWithout = canGoWithout
  }

  /// - Parameter needed: names that must be there; nil: all. The others are fetched if they can be, so that they are
  ///   masked.
  /// - Throws: one refusal that names every secret that is missing.
  public func resolve(
    from source: any SecretSource, needed: Set<String>? = nil
  ) throws(OperationRefusal) -> [String: Secret] {
    var secrets: [String: Secret] = [:]
    var missing: [MissingSecret] = []
    for declaration in declarations where !without.contains(declaration.name) {
      do throws(MissingSecret) {
        let text = try source.text(of: declaration, folder: folder)
        secrets[declaration.name] = Secret(text, named: [declaration.name])
      } catch {
        if needed?.contains(declaration.name) ?? true { missing.append(error) }
      }
    }
    guard missing.isEmpty else { throw .secretsMissing(missing, canGoWithout: canGoWithout) }
    return secrets
  }

  /// - Throws: a name to go without that is not declared.
  public func checkNames() throws(OperationRefusal) {
    let declared = declarations.map(\.name)
    guard let name = without.sorted().first(where: { !declared.contains($0) }) else { return }
    throw .noSecret(name, declared: declared)
  }
}
