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
case "signals":
  // signals: writes the name of every signal that comes, until its standard input ends.
  do throws(PosixError) {
    try Signals.deliver { OutputWriter.standardOutput.write("\($0)\n") }
    OutputWriter.standardOutput.write("ready\n")
    let input = Descriptor(adopting: 0)
    while let bytes = try input.read(limit: 100), !bytes.isEmpty {}
  } catch {
    OutputWriter.standardOutput.write("failed: \(error)\n")
  }
case "detach":
  // detach: starts itself anew, without a terminal, and passes on what that one reports.
  do throws(PosixError) {
    let (pid, report) = try DetachedSelf.start(arguments: ["ScriptHarness", "detached"])
    while let bytes = try report.read(limit: 1000), !bytes.isEmpty { OutputWriter.standardOutput.write(bytes) }
    Children.reap(pid)
  } catch {
    OutputWriter.standardOutput.write("failed: \(error)\n")
  }
case "detached":
  let own = ProcessEntry(ProcessIdentity.own.pid)
  let open = (0...20).filter { Descriptor.isOpen(Int32($0)) }
  let report = DetachedSelf.report()
  let leads = own.map { $0.session == $0.pid } == true
  try? report?.write(Array("leads: \(leads), open: \(open)\n".utf8))
case "measure" where words.count >= 5:
  // measure FOLDER COUNT COMMAND...: milliseconds for COUNT times start, wait and forget, one after the other.
  let scripts = DetachedScripts(folder: words[2])
  let begun = Monotonic.now
  for number in 0..<(Int(words[3]) ?? 0) {
    let isScript = words[4] == "script"
    let request = ScriptRequest(
      key: "k\(number)", command: isScript ? ["/bin/sh", "-eu"] : Array(words[4...]),
      script: isScript ? words.last : nil)
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
