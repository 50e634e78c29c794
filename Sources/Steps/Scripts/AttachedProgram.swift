import Posix
import Runbook

/// A program that a keeper holds beside the calls. Its keeper ends it when its time is over, when nobody refers to it
/// any more, and when the engine is gone.
final class AttachedProgram: HeldProgram {
  private let key: String
  private let script: ScriptFolder
  private let link: KeeperLink
  private let request: ScriptRequest
  /// Its lock proves that the folder is no stray.
  private let host: DetachedScripts

  init(key: String, script: ScriptFolder, link: KeeperLink, _ request: ScriptRequest, of host: DetachedScripts) {
    self.host = host
    self.request = request
    self.key = key
    self.script = script
    self.link = link
  }

  deinit {
    if link.isRunning(key) != false { live(for: .zero) }
    link.forget(key)
    Folder.removeTree(script.path)
  }

  var folder: String { script.path }

  func live(for life: Duration) { link.live(key, milliseconds: life.boundedMilliseconds) }

  func feed(_ input: Secret, life: Duration) -> Bool {
    guard request.awaitsInput, link.isRunning(key) == true else { return false }
    var notAfter = 0
    if let tenure = request.tenure {
      guard tenure.begin() else { return false }
      notAfter = DetachedScripts.nanoseconds(tenure)
    }
    defer { request.tenure?.end() }
    link.feed(
      key, Array(input.reveal().utf8), milliseconds: max(life.boundedMilliseconds, 1), notAfter: notAfter)
    return true
  }

  func end(reading: (@Sendable ([UInt8]) -> Void)?) async throws(StepFailure) -> ScriptEnd {
    var request = request
    request.reading = reading
    return try await host.end(of: key, on: link, in: script, request)
  }

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
