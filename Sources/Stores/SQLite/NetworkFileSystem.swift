import Glibc
import SQLite

/// File systems that several machines, or a program in user space, may change at once. SQLite's write-ahead log needs
/// memory shared by all its users and locks that hold; these promise neither.
enum NetworkFileSystem {
  /// `f_type` of statfs(2); the numbers are those of the kernel's `magic.h` and of the file systems' own sources.
  private static let known: [(magic: UInt32, name: String)] = [
    (0x6969, "NFS"), (0xff53_4d42, "CIFS"), (0x517b, "SMB"), (0xfe53_4d42, "SMB2"), (0x0102_1997, "9p"),
    (0x00c3_6400, "Ceph"), (0x5346_414f, "AFS"), (0x6b41_4653, "AFS"), (0x7375_7245, "Coda"), (0x564c, "NCP"),
    (0x0bd0_0bd0, "Lustre"), (0x4750_4653, "GPFS"), (0x0116_1970, "GFS2"), (0x7461_636f, "OCFS2"),
    (0xaad7_aaea, "PanFS"),
    (0x013111a8, "IBRIX"), (0x786f_4256, "vboxsf"), (0xbacb_acbc, "vmhgfs"),
  ]
  private static let fuse: UInt32 = 0x6573_5546

  /// Those built on FUSE that keep their files on this machine.
  private static let localFuse: Set<String> = [
    "fuseblk", "fuse.fuse-overlayfs", "fuse.bindfs", "fuse.mergerfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs",
  ]

  /// The network file system `folder` is on; nil if it is local, or nobody can tell.
  static func name(at folder: String) -> String? {
    guard let system = FileSystem(at: folder) else { return nil }
    if let entry = known.first(where: { $0.magic == system.magic }) { return entry.name }
    guard system.magic == fuse else { return nil }
    let type = fuseType(ofDevice: system.device, in: mountTable())
    return localFuse.contains(type ?? "") ? nil : type ?? "FUSE"
  }

  /// The type in the line of `/proc/self/mountinfo` whose third field is `device`: it stands after the field `-`.
  static func fuseType(ofDevice device: String, in mountTable: String) -> String? {
    for line in mountTable.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 3, fields[2] == device, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else {
        continue
      }
      return String(fields[dash + 1])
    }
    return nil
  }

  private static func mountTable() -> String {
    let file = unsafe open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while text.count < 1 << 20 {
      let count = unsafe read(file, &chunk, chunk.count)
      guard count > 0 else { break }
      text += chunk.prefix(count)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
