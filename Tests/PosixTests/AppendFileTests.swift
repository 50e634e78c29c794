import Glibc
import Posix
import TestSupport
import Testing

/// A file to whose end whole lines are added.
@Suite struct AppendFileTests {
  @Test func linesAreAddedAndTheFileIsItsOwnersAlone() throws {
    let folder = TemporaryFolder()
    let path = folder.path("lines")
    #expect(try AppendFile(path).append(Array("one\n".utf8), from: 0) == 4)
    #expect(try AppendFile(path).append(Array("xtwo\n".utf8), from: 1) == 4)
    #expect(try FileReading.all(of: path, limit: 100) == Array("one\ntwo\n".utf8))
    var status = stat()
    #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test func aLineThatDoesNotEndIsNoticed() throws {
    let folder = TemporaryFolder()
    let file = try AppendFile(folder.path("lines"))
    #expect(!file.endsInALine)
    _ = try file.append(Array("one\ntw".utf8), from: 0)
    #expect(file.endsInALine)
    _ = try file.append(Array("o\n".utf8), from: 0)
    #expect(!file.endsInALine)
  }

  @Test func aPartOfALineIsTakenBack() throws {
    let folder = TemporaryFolder()
    let file = try AppendFile(folder.path("lines"))
    _ = try file.append(Array("one\ntw".utf8), from: 0)
    file.takeBack(2)
    #expect(try FileReading.all(of: folder.path("lines"), limit: 100) == Array("one\n".utf8))
    // More than there is leaves it as it is.
    file.takeBack(100)
    #expect(try FileReading.all(of: folder.path("lines"), limit: 100) == Array("one\n".utf8))
  }

  @Test func whatTakesNoLinesIsRefusedWithoutWaiting() throws {
    let folder = TemporaryFolder()
    #expect(throws: AppendFailure.directory) { try AppendFile(folder.path) }
    #expect(throws: AppendFailure.noFolder) { try AppendFile(folder.path("none/lines")) }
    let pipe = folder.path("pipe")
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    #expect(throws: AppendFailure.noReader) { try AppendFile(pipe) }
  }
}
