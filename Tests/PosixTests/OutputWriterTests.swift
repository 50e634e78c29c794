import Glibc
import Testing

@testable import Posix

struct OutputWriterTests {
  @Test func aReaderThatLeftIsNoticedAndIsNoFailure() throws {
    Signals.ignoreBrokenPipe()
    let (reader, writer) = try Descriptor.pipe()
    let output = OutputWriter(writer.number)
    #expect(output.write("first\n") == .open)
    reader.closeEarly()
    #expect(output.write("second\n") == .readerGone)
    #expect(output.write("third\n") == .readerGone)
  }

  @Test func aFullDeviceIsAFailure() throws {
    let full = try Descriptor.open("/dev/full", O_WRONLY)
    let output = OutputWriter(full.number)
    #expect(output.write("lost\n") == .failed(PosixError(ENOSPC, in: "write")))
    #expect(PosixError(ENOSPC, in: "write").isDiskFull)
  }

  @Test func aSlowReaderOfANonblockingPipeGetsEverything() throws {
    let (reader, writer) = try Descriptor.pipe()
    try writer.setNonblocking()
    let text = String(repeating: "0123456789abcdef", count: 20_000)
    let (done, finished) = try Descriptor.pipe()
    try Thread.start {
      OutputWriter(writer.number).write(text)
      try? finished.write([1])
    }
    var received = 0
    while received < text.utf8.count { received += try #require(try reader.read(limit: 10_000)).count }
    #expect(received == text.utf8.count)
    #expect(try done.read(limit: 1) == [1])
  }

  @Test func aPipeIsNoTerminalAndHasNoSize() throws {
    let (reader, _) = try Descriptor.pipe()
    #expect(!Terminal.isTerminal(reader.number))
    #expect(Terminal.size(reader.number) == nil)
  }
}
