import Testing

@testable import Stores

/// Where a store may not lie.
@Suite struct NetworkFileSystemTests {
  @Test func aLocalFolderIsNone() { #expect(NetworkFileSystem.name(at: "/tmp") == nil) }

  @Test func aFolderThatIsNotThereIsNone() { #expect(NetworkFileSystem.name(at: "/no/such/folder") == nil) }

  private static let table = """
    22 28 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw
    30 28 0:45 / /mnt/remote rw,nosuid master:1 shared:2 - fuse.sshfs ops@host:/srv rw,user_id=0
    31 28 8:17 / /mnt/disk\\040two rw - fuseblk /dev/sdb1 rw
    32 28
    33 28 0:46 / /mnt/odd rw -
    """

  @Test(arguments: [("0:45", "fuse.sshfs"), ("8:17", "fuseblk"), ("0:21", "sysfs"), ("0:46", nil), ("9:9", nil)])
  func theTypeBehindFuseIsReadFromTheMountTable(_ device: String, _ type: String?) {
    #expect(NetworkFileSystem.fuseType(ofDevice: device, in: Self.table) == type)
  }
}
