import Glibc
import Testing

@testable import Posix

struct SpawnTests {
  /// Runs a program to its end. - Returns: how it ended and what it wrote to both outputs.
  static func run(
    _ program: String, _ arguments: [String], environment: [String] = [], folder: String? = nil
  ) throws(PosixError) -> (end: ProcessEnd, output: String) {
    let null = try Descriptor.open("/dev/null", O_RDONLY)
    let (reader, writer) = try Descriptor.pipe()
    let request = SpawnRequest(
      program, arguments: [program] + arguments, environment: environment, workingDirectory: folder,
      descriptors: [null.number, writer.number, writer.number])
    let pid = try request.start()
    writer.closeEarly()
    var output: [UInt8] = []
    while let bytes = try reader.read(limit: 4096), !bytes.isEmpty { output += bytes }
    let handle = try ProcessHandle(pid)
    _ = try Poll.wait(for: [.init(handle.descriptor.number, .readable)], timeout: nil)
    let end = Children.ended(pid)?.end
    Children.reap(pid)
    return (end ?? .exited(-1), String(decoding: output, as: UTF8.self))
  }

  @Test(arguments: [
    ("exit 0", ProcessEnd.exited(0)), ("exit 7", .exited(7)), ("exit 200", .exited(200)),
    ("echo e >&2; exit 0", .exited(0)),
    ("kill -TERM $$", .signalled(SIGTERM)), ("kill -KILL $$", .signalled(SIGKILL)),
  ])
  func anEndIsAnExitCodeOrASignal(script: String, end: ProcessEnd) throws {
    #expect(try Self.run("/bin/sh", ["-c", script]).end == end)
  }

  @Test func aChildHasNothingOpenButWhatItWasGiven() throws {
    let leak = try Descriptor.open("/dev/null", O_RDONLY)
    // An open descriptor that exec would hand on.
    let inherited = dup(leak.number)
    defer { close(inherited) }
    let (_, output) = try Self.run("/bin/sh", ["-c", "ls /proc/$$/fd; true"], environment: ["PATH=/usr/bin:/bin"])
    #expect(output == "0\n1\n2\n")
  }

  @Test func aChildHasOnlyTheEnvironmentItWasGiven() throws {
    let (_, output) = try Self.run("/usr/bin/env", [], environment: ["A=1", "B=two words"])
    #expect(output == "A=1\nB=two words\n")
  }

  @Test func aChildRunsInItsFolderAndItsOwnSession() throws {
    let (_, output) = try Self.run(
      "/bin/sh", ["-c", "pwd; set -- $(cat /proc/$$/stat); test $1 = $6 && echo leads"],
      environment: ["PATH=/bin:/usr/bin"], folder: "/usr")
    #expect(output == "/usr\nleads\n")
  }

  @Test func aChildHasDefaultSignalsWhateverWeIgnore() throws {
    signal(SIGPIPE, SIG_IGN)
    let (_, output) = try Self.run("/bin/grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"])
    let masks = output.split(separator: "\n").compactMap { UInt64($0.suffix(16), radix: 16) }
    // 32 and 33 are the C library's own, and not for programs.
    #expect(masks.map { $0 & 0x7fff_ffff } == [0, 0])
  }

  @Test(
    arguments: [
      ("/nonexistent/program", nil, ENOENT), ("/etc/passwd", nil, EACCES), ("/usr", nil, EACCES),
      ("/bin/true", "/nonexistent", ENOENT), ("/bin/true", "/etc/passwd", ENOTDIR),
    ] as [(String, String?, Int32)])
  func aProgramThatCannotBeStartedSaysWhy(program: String, folder: String?, code: Int32) {
    #expect(throws: PosixError(code, in: "posix_spawn")) { try Self.run(program, [], folder: folder) }
  }

  @Test func aShortageOfDescriptorsIsAnErrorAndNoTrap() throws {
    #expect(PosixError(EMFILE, in: "pipe").isShortage)
    #expect(PosixError(EAGAIN, in: "posix_spawn").isShortage)
    #expect(throws: PosixError(EBADF, in: "posix_spawn")) {
      try SpawnRequest("/bin/true", arguments: ["true"], environment: [], descriptors: [987_654]).start()
    }
  }
}
