import Posix
import Runbook

/// A program that a keeper holds beside the calls. Its keeper ends it when its time is over, when nobody refers to it
/// any more, and when the engine is gone.
final class AttachedProgram: HeldProgram {
  private let key: String
  private let script: ScriptFolder
  private let link: KeeperLink
  /// Its lock proves that the folder is no stray.
  private let host: DetachedScripts

  init(key: String, script: ScriptFolder, link: KeeperLink, of host: DetachedScripts) {
    self.host = host
    self.key = key
    self.script = script
    self.link = link
  }

  deinit {
    live(for: .zero)
    link.forget(key)
    Folder.removeTree(script.path)
  }

  var folder: String { script.path }

  func live(for life: Duration) { link.live(key, milliseconds: life.boundedMilliseconds) }

  private func read(_ end: ScriptEnd) -> ScriptEnd {
    ScriptEnd(
      exitCode: end.exitCode, signal: end.signal, isTimedOut: end.isTimedOut, stdout: end.stdout, stderr: end.stderr)
  }

  func ending() async -> ScriptEnd? {
    switch await link.wait(for: key, until: .zero) {
    case .ended(let ending):
      // Its folder goes with this program, so all of it is read now.
      read(script.end(ending))
    case .interrupted: nil
    // The keeper died, and took what it held with it.
    case .gone: ScriptEnd(exitCode: nil)
    }
  }
}
