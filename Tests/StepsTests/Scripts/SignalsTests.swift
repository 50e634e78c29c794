import Glibc
import Posix
import Testing

@testable import Steps

/// What only a process of its own can show.
struct SignalsTests {
  private func start(_ word: String, ignoring ignored: String = ":") throws -> (
    pid: Int32, input: Descriptor, said: Descriptor
  ) {
    let (inputReader, input) = try Descriptor.pipe()
    let (said, writer) = try Descriptor.pipe()
    let script = "\(ignored); exec \(Harness.program) \(word)"
    let request = SpawnRequest(
      "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"],
      descriptors: [inputReader.number, writer.number, writer.number])
    let pid = try request.start()
    inputReader.closeEarly()
    writer.closeEarly()
    return (pid, input, said)
  }

  private func line(_ said: Descriptor) throws -> String {
    var line: [UInt8] = []
    while let byte = try said.read(limit: 1), byte != [UInt8(ascii: "\n")], !byte.isEmpty { line += byte }
    return String(decoding: line, as: UTF8.self)
  }

  @Test func signalsArriveAsEventsOneAfterTheOther() throws {
    let child = try start("signals")
    #expect(try line(child.said) == "ready")
    for (number, name) in [
      (SIGINT, "interrupt"), (SIGINT, "interrupt"), (SIGTERM, "terminate"), (SIGHUP, "hangUp"),
      (SIGWINCH, "windowChange"),
    ] {
      kill(child.pid, number)
      #expect(try line(child.said) == name)
    }
    child.input.closeEarly()
    Children.reap(child.pid)
  }

  @Test func aSignalThatWasIgnoredAtTheStartStaysIgnored() throws {
    let child = try start("signals", ignoring: "trap '' HUP INT")
    #expect(try line(child.said) == "ready")
    kill(child.pid, SIGHUP)
    kill(child.pid, SIGINT)
    kill(child.pid, SIGTERM)
    #expect(try line(child.said) == "terminate")
    child.input.closeEarly()
    Children.reap(child.pid)
  }

  @Test func aDetachedSelfLeadsItsOwnSessionAndHasItsReportOnly() throws {
    let child = try start("detach")
    #expect(try line(child.said) == "leads: true, open: [0, 1, 2, 3]")
    child.input.closeEarly()
    Children.reap(child.pid)
  }
}
