package import Runbook

/// A cloud that comes with the program as a file of `Shipped`. It is read when it is first asked for: most runs name
/// another one.
package struct ShippedProvider: ProviderKind {
  package static let all: [any ProviderKind] = [
    ShippedProvider(type: "hetzner") { hetzner }, ShippedProvider(type: "digitalocean") { digitalOcean },
  ]

  private static let hetzner = read(PackageResources.hetzner_yaml)
  private static let digitalOcean = read(PackageResources.digitalocean_yaml)

  package let type: String
  private let load: @Sendable () -> DeclaredProvider?

  init(type: String, _ load: @escaping @Sendable () -> DeclaredProvider?) {
    self.type = type
    self.load = load
  }

  package var summary: String { load()?.summary ?? "" }
  package var fields: [Field] { load()?.fields ?? [] }
  package var actions: [ActionDeclaration] { load()?.actions ?? [] }
  package var facts: ProviderFacts { load()?.facts ?? ProviderFacts() }

  package func connect(_ settings: Arguments, environment: ProviderEnvironment) throws(StepFailure) -> any Provider {
    guard let provider = load() else { throw StepFailure.unfit("the file of `\(type)` is broken") }
    return try provider.connect(settings, environment: environment)
  }

  package func twin(clock: any EngineClock, seed: UInt64, isSealed: Bool) -> any SimulatedSystem {
    DeclaredTwin(load()?.manifest, type: type, clock: clock, seed: seed, isSealed: isSealed)
  }

  /// nil, and in a debug build the end, for a mistake of ours: tests read every file.
  private static func read(_ bytes: [UInt8]) -> DeclaredProvider? {
    do throws(Diagnostics) { return try DeclaredProvider(yaml: bytes) } catch {
      assertionFailure(error.items.map { "\($0.range.start.line): \($0.message)" }.joined(separator: "\n"))
      return nil
    }
  }
}
