import Glibc
import Testing

@testable import Posix

struct ProcessTests {
  @Test func aProcessIsKnownByPidStartAndBoot() {
    let own = ProcessIdentity.own
    #expect(own.pid == getpid())
    #expect(own.start > 0)
    #expect(own.state == .alive)
    #expect(ProcessIdentity(pid: own.pid, start: own.start + 1, bootID: own.bootID).state == .gone)
    #expect(ProcessIdentity(pid: own.pid, start: own.start, bootID: "another boot").state == .gone)
    #expect(ProcessIdentity(0) == nil)
    #expect(!Host.name.isEmpty)
    #expect(Host.bootID.utf8.count == 36)
  }

  @Test func aChildThatWasNotReapedIsAZombieAndThenGone() throws {
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let request = SpawnRequest("/bin/true", arguments: ["true"], environment: [], descriptors: [null.number])
    let pid = try request.start()
    let identity = try #require(ProcessIdentity(pid))
    let handle = try ProcessHandle(pid)
    _ = try Poll.wait(for: [.init(handle.descriptor.number, .readable)], timeout: nil)
    #expect(identity.state == .zombie)
    Children.reap(pid)
    #expect(identity.state == .gone)
  }

  @Test(arguments: ["sh", ") (", "a b) R 9 9", "x)\ny"])
  func aProgramsNameCannotForgeItsEntry(name: String) throws {
    let fields = (4...30).map(String.init).joined(separator: " ")
    let entry = try #require(ProcessEntry(pid: 5, line: Array("5 (\(name)) S \(fields)\n".utf8)))
    #expect(entry.parent == 4 && entry.group == 5 && entry.session == 6 && entry.start == 22 && !entry.isZombie)
  }

  @Test(arguments: ["", "5 (sh) S", "5 (sh S 1 2 3", "5 (sh) S a b c d e f g h i j k l m n o p q r s t"])
  func aBrokenEntryIsNone(line: String) {
    #expect(ProcessEntry(pid: 5, line: Array(line.utf8)) == nil)
  }

  private static func entry(_ pid: Int32, parent: Int32, group: Int32, session: Int32, start: UInt64) throws
    -> ProcessEntry
  {
    let zeros = (1...15).map { _ in "0" }.joined(separator: " ")
    return try #require(
      ProcessEntry(pid: pid, line: Array("\(pid) (x) S \(parent) \(group) \(session) \(zeros) \(start) 0\n".utf8)))
  }

  @Test func aFamilyIsSessionDescentAndAdoptedOrphans() throws {
    let table = try [
      Self.entry(10, parent: 2, group: 10, session: 10, start: 100),  // the root
      Self.entry(11, parent: 10, group: 11, session: 10, start: 101),  // a job of its own group
      Self.entry(12, parent: 11, group: 12, session: 12, start: 102),  // a child that left the session
      Self.entry(13, parent: 2, group: 13, session: 13, start: 103),  // left session and parent: adopted
      Self.entry(14, parent: 13, group: 13, session: 13, start: 104),  // the child of that one
      Self.entry(15, parent: 2, group: 15, session: 15, start: 50),  // an older orphan
      Self.entry(16, parent: 2, group: 16, session: 16, start: 105),  // another script's
      Self.entry(17, parent: 1, group: 17, session: 17, start: 106),  // a stranger
    ]
    let root = ProcessIdentity(pid: 10, start: 100, bootID: Host.bootID)
    let family = ProcessFamily(root: root, adopter: 2, bystanders: [16])
    #expect(family.members(of: table).map { $0.pid } == [10, 11, 12, 13, 14])
    let reused = ProcessFamily(root: ProcessIdentity(pid: 10, start: 99, bootID: Host.bootID))
    #expect(reused.members(of: table).isEmpty)
    let otherBoot = ProcessFamily(root: ProcessIdentity(pid: 10, start: 100, bootID: "another"))
    #expect(otherBoot.members(of: table).isEmpty)
  }

  @Test func theUserHasANameAndTheEnvironmentIsRead() {
    #expect(!User.name.isEmpty)
    #expect(Environment["PATH"] == Environment.all["PATH"])
    #expect(Environment["NO_SUCH_VARIABLE_HERE"] == nil)
  }
}

/// What must not be concluded when nothing can be opened any more.
struct ShortageTests {
  @Test func aPathThroughAFileIsCertainlyNotThere() throws {
    #expect(try !Folder.isThere("/etc/passwd/below"))
    #expect(try !Folder.isThere("/no/such/place"))
    #expect(try Folder.isThere("/etc"))
  }

  @Test func aPathThatCannotBeLookedAtIsAnErrorAndNotAbsent() {
    let tooLong = "/" + String(repeating: "x", count: 300)
    #expect(throws: PosixError(ENAMETOOLONG, in: "stat")) { try Folder.isThere(tooLong) }
  }

  @Test func anEndedProcessHasNoHandle() throws {
    let gone = ProcessIdentity(pid: getpid(), start: 1, bootID: Host.bootID)
    #expect(try ProcessHandle.of(gone) == nil)
    #expect(try ProcessHandle.of(.own) != nil)
  }
}
