import Glibc
import TestSupport
import Testing

@testable import Posix

struct FilesTests {
  let folder = TemporaryFolder()

  @Test func onlyOrdinaryFilesOfBoundedLengthAreRead() throws {
    let file = folder.path + "/file"
    try FileWriting.replace(file, content: Array("12345".utf8), mode: 0o600)
    #expect(unsafe mkfifo(folder.path + "/fifo", 0o600) == 0)
    #expect(try FileReading.all(of: file, limit: 5) == Array("12345".utf8))
    #expect(throws: FileFailure.tooLong(limit: 4)) { try FileReading.all(of: file, limit: 4) }
    #expect(throws: FileFailure.missing) { try FileReading.all(of: folder.path + "/none", limit: 9) }
    #expect(throws: FileFailure.missing) { try FileReading.all(of: file + "/below", limit: 9) }
    #expect(throws: FileFailure.directory) { try FileReading.all(of: folder.path, limit: 9) }
    #expect(throws: FileFailure.notAFile) { try FileReading.all(of: folder.path + "/fifo", limit: 9) }
    #expect(throws: FileFailure.notAFile) { try FileReading.all(of: "/dev/zero", limit: 9) }
  }

  @Test func aFileIsReplacedWithItsModeAndLeavesNothingBeside() throws {
    let file = folder.path + "/file"
    try FileWriting.replace(file, content: Array("old".utf8), mode: 0o600)
    try FileWriting.replace(file, content: Array("new".utf8), mode: 0o640)
    var status = stat()
    #expect(unsafe stat(file, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o640)
    #expect(try FileReading.all(of: file, limit: 9) == Array("new".utf8))
    #expect(FileReading.names(in: folder.path) == ["file"])
  }

  @Test func aLinkIsFollowedToTheFileItNames() throws {
    let (file, link) = (folder.path + "/file", folder.path + "/link")
    try FileWriting.replace(file, content: Array("old".utf8), mode: 0o600)
    #expect(unsafe symlink(file, link) == 0)
    try FileWriting.replace(link, content: Array("new".utf8), mode: 0o600)
    #expect(try FileReading.all(of: file, limit: 9) == Array("new".utf8))
    var status = stat()
    #expect(unsafe lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
  }

  @Test func devicesFoldersAndMissingPlacesAreNotReplaced() {
    #expect(throws: FileFailure.notAFile) { try FileWriting.replace("/dev/null", content: [], mode: 0o600) }
    #expect(throws: FileFailure.directory) { try FileWriting.replace(folder.path, content: [], mode: 0o600) }
    #expect(throws: FileFailure.missing) { try FileWriting.replace(folder.path + "/no/file", content: [], mode: 0o600) }
  }
}
