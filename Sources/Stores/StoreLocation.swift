import Glibc
public import Runbook

/// Where the store is, from `--store`, `RUNBOOK_STORE`, or the default place.
///
/// A store is named by a path, or by `sqlite:PATH` or `file:PATH` (`sqlite:///var/lib/x.db`). `~/` is the home folder,
/// a relative path begins in the working directory. The default is `runbook/runbook.db` under `$XDG_STATE_HOME` or
/// `~/.local/state`.
public struct StoreLocation: Sendable, Equatable {
  /// Absolute.
  public let path: String
  /// Somebody named it; false for the default place.
  public let isNamed: Bool

  /// - Parameters:
  ///   - option: the value of `--store`; nil if it was not given.
  ///   - environment: reads `RUNBOOK_STORE` (empty counts as unset), `XDG_STATE_HOME`, `HOME`.
  /// - Throws: `unusable` with one sentence; it never repeats a password.
  public init(option: String?, environment: [String: String]) throws(StoreFailure) {
    isNamed = option != nil || !(environment["RUNBOOK_STORE"] ?? "").isEmpty
    if let option {
      path = try StoreLocation.path(of: option, from: "--store", environment)
    } else if let variable = environment["RUNBOOK_STORE"], !variable.isEmpty {
      path = try StoreLocation.path(of: variable, from: "RUNBOOK_STORE", environment)
    } else {
      path = try StoreLocation.stateFolder(environment) + "/runbook/runbook.db"
    }
  }

  /// A file that is named by its path alone.
  /// - Throws: `unusable` with one sentence.
  public init(file: String, environment: [String: String]) throws(StoreFailure) {
    path = try StoreLocation.absolute(file, from: "FILE", environment)
    isNamed = true
  }

  /// Whether the folder is there in which the store lies, or would lie.
  public var hasFolder: Bool { StoreFolder.status(of: StoreFolder.parent(of: path)) != nil }
  public var folder: String { StoreFolder.parent(of: path) }

  private static func path(
    of text: String, from source: String, _ environment: [String: String]
  ) throws(StoreFailure) -> String {
    guard !text.isEmpty else { throw .unusable("`\(source)` is empty: name a file, such as `./runbook.db`") }
    guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
      throw .unusable("`\(source)` holds a control character")
    }
    if let range = text.firstRange(of: "://") {
      let authority = text[range.upperBound...].prefix { $0 != "/" }
      if let at = authority.lastIndex(of: "@"), authority[..<at].contains(":") {
        throw .unusable("`\(source)` holds a password, which every user of this machine could read: leave it out")
      }
    }
    let scheme = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+") }
    let rest = text[scheme.endIndex...]
    guard rest.first == ":" else { return try absolute(text, from: source, environment) }
    switch scheme.lowercased() {
    case "sqlite", "file":
      let path = rest.dropFirst()
      guard path.hasPrefix("//") else { return try absolute(String(path), from: source, environment) }
      guard path.hasPrefix("///") else {
        throw .unusable(
          "`\(source)` names a host; a file is `\(scheme):///FOLDER/FILE`, a relative one `\(scheme):FILE`")
      }
      return try absolute(String(path.dropFirst(2)), from: source, environment)
    case "postgres", "postgresql":
      throw .unusable("`\(source)` names a PostgreSQL store, which is not supported yet: name a file")
    default:
      guard rest.hasPrefix("://") else { return try absolute(text, from: source, environment) }
      throw .unusable("`\(source)` names a store of kind `\(scheme)`: there is only `sqlite:PATH`, or a plain path")
    }
  }

  private static func absolute(
    _ path: String, from source: String, _ environment: [String: String]
  ) throws(StoreFailure) -> String {
    guard !path.isEmpty, !path.hasSuffix("/") else {
      throw .unusable("`\(source)` names no file: it needs one, such as `./runbook.db`")
    }
    if path.hasPrefix("/") { return path }
    if path.hasPrefix("~/") { return try home(environment) + path.dropFirst(1) }
    guard let folder = unsafe getcwd(nil, 0) else {
      throw .unusable("`\(source)` is a relative path and the working directory is gone: name an absolute one")
    }
    defer { unsafe free(folder) }
    let here = unsafe String(cString: folder)
    return (here == "/" ? "" : here) + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
  }

  /// A relative `XDG_STATE_HOME` is ignored, as its specification asks.
  private static func stateFolder(_ environment: [String: String]) throws(StoreFailure) -> String {
    if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") {
      return folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    }
    return try home(environment) + "/.local/state"
  }

  private static func home(_ environment: [String: String]) throws(StoreFailure) -> String {
    if let home = environment["HOME"], home.hasPrefix("/") { return home == "/" ? "" : home }
    // The user data base is read by nobody else while the command line is composed.
    guard let user = unsafe getpwuid(getuid()), let folder = unsafe user.pointee.pw_dir else {
      throw .unusable("there is no HOME and this user has no home folder: say `--store FILE`")
    }
    let home = unsafe String(cString: folder)
    guard home.hasPrefix("/"), home != "/nonexistent" else {
      throw .unusable("there is no HOME and this user has no home folder: say `--store FILE`")
    }
    return home == "/" ? "" : home
  }
}
