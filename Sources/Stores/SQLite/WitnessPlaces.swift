import Glibc

/// Where a user's witnesses of stores may lie: see `docs/decisions/the-store-on-disk.md`.
public enum WitnessPlaces {
  /// The best first. Which of them lie outside of a store's folder, and can be written by this user alone, the store
  /// finds out.
  /// - Parameter environment: reads `XDG_DATA_HOME` and `HOME`.
  public static func candidates(_ environment: [String: String]) -> [String] {
    var places: [String] = []
    if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") {
      places.append("\(data)/runbook/witness")
    } else if let home = home(environment) {
      places.append("\(home)/.local/share/runbook/witness")
    }
    return places + ["/var/lib/runbook/witness-\(geteuid())", "/var/tmp/runbook-\(geteuid())/witness"]
  }

  /// Only one that is there and belongs to this user: root does not write into the home of the user who became root.
  private static func home(_ environment: [String: String]) -> String? {
    var home = environment["HOME"] ?? ""
    if !home.hasPrefix("/") {
      // The user data base is read by nobody else while the command line is composed.
      guard let user = unsafe getpwuid(geteuid()), let folder = unsafe user.pointee.pw_dir else { return nil }
      home = unsafe String(cString: folder)
    }
    guard let info = StoreFolder.status(of: home), info.st_uid == geteuid(), home != "/" else { return nil }
    return home
  }
}
