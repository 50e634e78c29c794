/// The shell text that goes with each order (`Remote/`), without its comments and indentation: they would cost time on
/// the way, and in a shell that reads its input byte by byte.
struct RemoteLibrary: Sendable {
  /// What a keeper runs.
  let keeper: String
  /// What a session runs besides.
  let session: String

  static let own = RemoteLibrary(
    keeper: PackageResources.keeper_sh, session: PackageResources.remote_sh + PackageResources.leftovers_sh)

  init(keeper: [UInt8], session: [UInt8]) {
    self.keeper = Self.bare(keeper)
    self.session = Self.bare(session)
  }

  private static func bare(_ text: [UInt8]) -> String {
    String(decoding: text, as: UTF8.self).split(separator: "\n")
      .map { $0.drop { $0 == " " } }.filter { !$0.isEmpty && !$0.hasPrefix("#") }.joined(separator: "\n")
  }
}
