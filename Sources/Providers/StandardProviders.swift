import DeclaredClouds
public import Runbook
import VPSOrgCloud
import ZStackCloud
import ZomroCloud

/// Every cloud a runbook can name after `type:`. A new one is a folder beside this file, a target in `Package.swift`
/// and a line here.
public let standardProviders: [any ProviderKind] =
  [
    VPSOrgProvider(), ZomroProvider(), ZStackProvider(),
  ] + ShippedProvider.all

/// A cloud that a file declares (`provider: v1`): what a runbook names by the path of the file.
public enum ProviderFile {
  /// Whether a text is meant to be such a file: a line of it begins with the key.
  public static func isMeant(by yaml: [UInt8]) -> Bool { DeclaredProvider.isDeclared(in: yaml) }

  /// For `ValidationContext.readProvider`.
  /// - Throws: every mistake of the file at once, in its order.
  public static func read(_ yaml: [UInt8]) throws(Diagnostics) -> any ProviderKind { try DeclaredProvider(yaml: yaml) }
}
