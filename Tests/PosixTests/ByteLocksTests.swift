import Glibc
import Posix
import TestSupport
import Testing

@Suite struct ByteLocksTests {
  @Test func aByteHasOneHolderAndIsFreeWhenItsFileIsClosed() throws {
    let folder = TemporaryFolder()
    let path = folder.path("owners")
    func open() throws -> Descriptor { try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o600) }
    let (one, other) = (try open(), try open())
    let far = Int64(2_147_483_647) << 32 | 0xffff_ffff
    for place in [0, 7, far] {
      #expect(try one.lockByte(at: place))
      #expect(try other.isByteLockedElsewhere(at: place))
      #expect(try !one.isByteLockedElsewhere(at: place))
      #expect(try !other.lockByte(at: place))
      #expect(try !other.isByteLockedElsewhere(at: place - (place == 0 ? -1 : 1)))
    }
    // Locks of a process would go with any of its descriptors of the file.
    try open().closeEarly()
    #expect(try other.isByteLockedElsewhere(at: 7))
    one.unlockByte(at: 7)
    #expect(try other.lockByte(at: 7))
    one.closeEarly()
    #expect(try !other.isByteLockedElsewhere(at: 0))
    #expect(try other.size() == 0)
  }

  @Test func aFileThatWasReplacedIsNoticed() throws {
    let folder = TemporaryFolder()
    let path = folder.path("owners")
    let file = try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
    #expect(file.isStill(at: path))
    unsafe unlink(path)
    #expect(!file.isStill(at: path))
    folder.write("owners", [])
    #expect(!file.isStill(at: path))
  }
}
