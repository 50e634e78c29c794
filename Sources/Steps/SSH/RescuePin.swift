import Posix
import Runbook

/// The host key of a rescue system, which is another than the server's: the first that is seen after this run's
/// `rescue.enter` is trusted, kept in a file of the run alone, and asked for from then on. No `known_hosts` of the user
/// is read or written.
struct RescuePin {
  /// Options that come before all others: OpenSSH takes the first of a kind. The way through a `jump` has none of them.
  let options: [String]

  /// nil if `host_key` does not say `rescue`.
  /// - Throws: `auth`, with the effect `none`, if the run has not put the server into rescue, or has brought it back.
  init?(_ with: Arguments, in folder: String?) throws(StepFailure) {
    guard try with.optionalText("host_key") == "rescue" else { return nil }
    let server = try with.optionalText("server") ?? ""
    guard !server.isEmpty else { throw StepFailure.unfit("`host_key: rescue` needs `server`, as in `rescue.enter`") }
    guard try with.optionalText("known_hosts") == nil else {
      throw StepFailure.unfit("`host_key: rescue` trusts a key that no `known_hosts` holds: leave one of them out")
    }
    guard case .timestamp(let entered)? = with[EngineField.rescued]?.map?[server],
      let run = try with.optionalText(EngineField.run)
    else {
      throw StepFailure(
        .auth,
        "this run has not put `\(server)` into rescue, or has brought it back: `host_key: rescue` trusts "
          + "another host key only between its `rescue.enter` and the next boot of the server")
    }
    guard let folder else { throw StepFailure.unfit("`host_key: rescue` has no folder to keep the key in") }
    // A server's id may hold anything, and each rescue system has a key of its own.
    let name = Hex.text(SHA256.hash(Array("\(server) \(JSONWriter.text(.timestamp(entered)))".utf8)).prefix(8))
    let own = "\(folder)/\(run)-hosts_\(name)"
    do throws(PosixError) { try Folder.make(own) } catch {
      throw StepFailure(.limit, "the host key of the rescue system cannot be kept: \(error.reason)", retryable: true)
    }
    options = [
      "-o", "StrictHostKeyChecking=accept-new", "-o", "UserKnownHostsFile=\"\(own)/\(ScriptFolder.hosts)\"",
      "-o", "GlobalKnownHostsFile=/dev/null", "-o", "UpdateHostKeys=no",
    ]
  }
}
