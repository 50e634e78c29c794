import Runbook

/// The clouds that come with the program as files of `Shipped`, read when they are first asked for.
enum ShippedProviders {
  static let all: [any ProviderKind] = [PackageResources.digitalocean_yaml, PackageResources.hetzner_yaml]
    .compactMap { bytes -> (any ProviderKind)? in
      do throws(Diagnostics) { return try DeclaredProvider(yaml: bytes) } catch {
        // A test reads each of them, so this is a mistake of ours that no user ever sees.
        assertionFailure(error.items.map { "\($0.range.start.line): \($0.message)" }.joined(separator: "\n"))
        return nil
      }
    }
}
