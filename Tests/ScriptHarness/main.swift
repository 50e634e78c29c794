import Posix
import Runbook
import Steps

// Stands in for the command in tests: it is the keeper, an engine that tests kill, or a stopwatch.
ScriptKeeper.runIfAsked()
StandardDescriptors.ensureOpen()
Signals.ignoreBrokenPipe()

let words = CommandLine.arguments
switch words.dropFirst().first {
case "hold" where words.count == 5:
  // hold FOLDER KEY SCRIPT: starts the script, says so, and waits to be killed.
  let scripts = DetachedScripts(folder: words[2])
  do throws(StepFailure) {
    try await scripts.start(ScriptRequest(key: words[3], command: ["/bin/sh", "-eu"], script: words[4]))
    OutputWriter.standardOutput.write("started\n")
    _ = try await scripts.wait(for: words[3])
    OutputWriter.standardOutput.write("ended\n")
  } catch {
    OutputWriter.standardOutput.write("failed: \(error.message)\n")
  }
case "measure" where words.count >= 5:
  // measure FOLDER COUNT COMMAND...: milliseconds for COUNT times start, wait and forget, one after the other.
  let scripts = DetachedScripts(folder: words[2])
  let begun = Monotonic.now
  for number in 0..<(Int(words[3]) ?? 0) {
    let isScript = words[4] == "script"
    let request = ScriptRequest(
      key: "k\(number)", command: isScript ? ["/bin/sh", "-eu"] : Array(words[4...]), script: isScript ? words.last : nil)
    do throws(StepFailure) {
      try await scripts.start(request)
      _ = try await scripts.wait(for: request.key)
    } catch {
      OutputWriter.standardOutput.write("failed: \(error.message)\n")
    }
    await scripts.forget(request.key)
  }
  let (seconds, attoseconds) = (Monotonic.now - begun).components
  OutputWriter.standardOutput.write("\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms\n")
default:
  OutputWriter.standardError.write("usage: ScriptHarness hold|measure …\n")
}
