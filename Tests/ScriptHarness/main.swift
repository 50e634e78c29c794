import Glibc
import Posix
import Runbook
import Steps

// Stands in for the command in tests: it is the keeper, an engine that tests kill, or a stopwatch.
// As the keeper it ends itself at `POINT` for a script whose key begins with `keeper-dies-POINT-`, and is denied a
// process for one with `denied-ERRNO-`. It stops itself, as if somebody had, for one with `keeper-freezes-POINT-`.
ScriptKeeper.runIfAsked(CommandLine.arguments) { key, point in
  if key.hasPrefix("keeper-dies-\(point.rawValue)-") { _ = kill(getpid(), SIGKILL) }
  if key.hasPrefix("keeper-freezes-\(point.rawValue)-") { _ = kill(getpid(), SIGSTOP) }
  if point == .locked, key.hasPrefix("denied-") {
    return Int32(key.dropFirst("denied-".count).prefix { $0 != "-" }) ?? 0
  }
  return 0
}
StandardDescriptors.ensureOpen()
Signals.ignoreBrokenPipe()

let words = CommandLine.arguments
switch words.dropFirst().first {
case "held" where words.count >= 4:
  // held FOLDER PROGRAM…: holds the program, says where, and waits to be killed.
  let scripts = DetachedScripts(folder: words[2])
  let request = ScriptRequest(key: "k", command: Array(words.dropFirst(3)))
  guard let program = try? await scripts.hold(request, life: .seconds(600)) else { exit(1) }
  OutputWriter.standardOutput.write("\(program.folder)\n")
  try? await Task.sleep(for: .seconds(600))
  withExtendedLifetime(program) {}
case "hold" where words.count >= 5:
  // hold FOLDER KEY SCRIPT [LIFETIME GRACE]: starts the script, says so, and waits to be killed. Milliseconds.
  let scripts = DetachedScripts(folder: words[2])
  var request = ScriptRequest(key: words[3], command: ["/bin/sh", "-eu"], script: words[4])
  if words.count == 7 {
    request.lifetime = Int(words[5]).map { .milliseconds($0) }
    request.grace = .milliseconds(Int(words[6]) ?? 0)
  }
  do throws(StepFailure) {
    try await scripts.start(request)
    OutputWriter.standardOutput.write("started\n")
    _ = try await scripts.wait(for: words[3])
    OutputWriter.standardOutput.write("ended\n")
  } catch {
    OutputWriter.standardOutput.write("failed: \(error.message)\n")
  }
case "die" where words.count == 6:
  // die FOLDER KEY SCRIPT POINT: is killed at that point of the start.
  let point = words[5]
  let scripts = DetachedScripts(folder: words[2], keeper: KeeperProgram(), environment: nil) {
    if $0.rawValue == point { _ = kill(getpid(), SIGKILL) }
  }
  try? await scripts.start(ScriptRequest(key: words[3], command: ["/bin/sh", "-eu"], script: words[4]))
case "attach" where words.count == 4:
  // attach FOLDER SCRIPT: runs a program that ends with us.
  let scripts = DetachedScripts(folder: words[2])
  let request = ScriptRequest(key: "k", command: ["/bin/sh", "-c", words[3]])
  _ = try? await scripts.run(request, stdin: nil, timeout: .seconds(600))
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
case "shapes":
  // shapes here|elsewhere ENDING COUNT WIDTH FOLDER [NAME=VALUE…]: see `ShapeCampaign`.
  await ShapeCampaign(words)?.run()
case "huge":
  // huge SHAPE COUNT MEBIBYTES FOLDER: scripts with so much output, one after the other.
  await ShapeCampaign.huge(words)
default:
  OutputWriter.standardError.write("usage: ScriptHarness hold|measure …\n")
}
