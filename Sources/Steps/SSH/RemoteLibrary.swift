/// The shell text that goes with each order (`Remote/`), without its comments and indentation: they would cost time on
/// the way, and in a shell that reads its input byte by byte. Each is one word of a shell, in quotes.
struct RemoteLibrary: Sendable {
  /// What a keeper runs.
  let keeper: String
  /// What a session runs besides.
  let session: String
  /// What a session runs now and then, and reads only then.
  let seldom: String

  static let own = RemoteLibrary(
    keeper: PackageResources.keeper_sh, session: PackageResources.remote_sh,
    seldom: PackageResources.places_sh + PackageResources.leftovers_sh)

  init(keeper: [UInt8], session: [UInt8], seldom: [UInt8]) {
    self.keeper = Self.word(keeper)
    self.session = Self.word(session)
    self.seldom = Self.word(seldom)
  }

  private static func word(_ text: [UInt8]) -> String {
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map { $0.drop { $0 == " " } }
    return ShellText.quoted(lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }.joined(separator: "\n"))
  }
}
