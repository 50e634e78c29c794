import ProviderKit
package import Runbook

/// A cloud that a file declares: what its block takes and which actions it has are read from a `provider: v1` document.
package struct DeclaredProvider: ProviderKind {
  let manifest: ProviderManifest
  private let table: [DeclaredTable.Row]

  /// - Throws: every mistake of the file at once, in its order.
  package init(yaml bytes: [UInt8]) throws(Diagnostics) {
    try self.init(ParsedDocument(yaml: bytes))
  }

  package init(_ document: ParsedDocument) throws(Diagnostics) {
    manifest = try ManifestReader.manifest(document)
    table = DeclaredTable.rows(manifest)
  }

  /// Whether a text is meant to be a provider: a line of it begins with the key.
  package static func isDeclared(in yaml: [UInt8]) -> Bool {
    yaml.split(separator: UInt8(ascii: "\n")).contains { $0.starts(with: "provider:".utf8) }
  }

  package var type: String { manifest.type }
  package var summary: String { manifest.summary }
  package var fields: [Field] { manifest.fields }
  package var actions: [ActionDeclaration] { table.map { $0.declaration } }

  package var facts: ProviderFacts {
    var facts = manifest.facts
    facts.states =
      manifest.servers.states.sorted { $0.key < $1.key }.map { .init($0.key, $0.value.rawValue) }
      + [.init("any other word of a server", "changing, shown with its word")]
    for (word, rules) in [("snapshot", manifest.snapshots), ("backup", manifest.backups)] {
      facts.states += (rules?.states ?? [:]).sorted { $0.key < $1.key }
        .map { .init("\(word) \($0.key)", $0.value.rawValue) }
    }
    return facts
  }

  package func connect(
    _ settings: Arguments, environment: ProviderEnvironment
  ) throws(StepFailure) -> any Provider {
    let connection = try Connection(
      to: manifest.service, settings, defaultURL: manifest.url, example: manifest.url, environment: environment)
    return ConnectedDeclared(
      client: try DeclaredClient(manifest, connection: connection, settings: settings), table: table)
  }

  package func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem {
    DeclaredTwin(manifest, type: type, clock: clock, seed: seed, isSealed: isSealed)
  }
}

/// One account.
struct ConnectedDeclared: CloudAccount {
  let client: DeclaredClient
  let table: [DeclaredTable.Row]

  func proveCredential() async throws(StepFailure) { _ = try await client.whoAmI() }

  func report() async -> AccountReport {
    do throws(StepFailure) {
      let (identity, skew) = try await client.whoAmI()
      let notes =
        identity == nil ? ["\(client.service) does not say who owns the credential, only that it is valid"] : []
      return AccountReport(identity: identity, clockSkew: skew, notes: notes)
    } catch {
      return AccountReport(problems: [error.message])
    }
  }
}
