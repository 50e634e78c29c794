import Glibc
import Posix

/// A certificate for `localhost` and 127.0.0.1, and the authority that signed it.
public final class TestAuthority: Sendable {
  private let folder = TemporaryFolder()
  /// PEM files.
  public var authority: String { folder.path("ca.pem") }
  var certificate: String { folder.path("server.pem") }
  var key: String { folder.path("server.key") }

  public struct NotMade: Error {}

  public init() throws {
    let script = """
      set -e
      openssl ecparam -name prime256v1 -genkey -noout -out ca.key
      openssl req -x509 -new -key ca.key -subj /CN=authority -days 2 -out ca.pem
      openssl ecparam -name prime256v1 -genkey -noout -out server.key
      openssl req -new -key server.key -subj /CN=localhost -out server.csr
      echo subjectAltName=DNS:localhost,IP:127.0.0.1 > names
      openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -days 2 -out server.pem
      """
    let nothing = try Descriptor.open("/dev/null", O_RDWR)
    let pid = try SpawnRequest(
      "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"], workingDirectory: folder.path,
      descriptors: [nothing.number, nothing.number, nothing.number]
    ).start()
    Children.reap(pid)
    if folder.read("server.pem").isEmpty { throw NotMade() }
  }
}

/// The plain side of a connection of which the other side speaks TLS: `openssl s_server` stands between them.
final class TLSFront: Sendable {
  private let folder = TemporaryFolder()
  private let pid: Int32
  private let toPeer: Descriptor
  private let fromPeer: Descriptor

  /// Takes a connection over: from now on the peer must speak TLS.
  init?(_ connection: RawConnection, _ authority: TestAuthority) {
    let socketPath = folder.path("socket")
    guard let input = try? Descriptor.pipe(), let output = try? Descriptor.pipe(),
      let nothing = try? Descriptor.open("/dev/null", O_RDWR)
    else { return nil }
    let words = [
      "openssl", "s_server", "-quiet", "-unix", socketPath, "-naccept", "1", "-cert", authority.certificate, "-key",
      authority.key,
    ]
    guard
      let pid = try? SpawnRequest(
        "/usr/bin/openssl", arguments: words, environment: [],
        descriptors: [input.reader.number, output.writer.number, nothing.number]
      ).start()
    else { return nil }
    self.pid = pid
    toPeer = input.writer
    fromPeer = output.reader
    guard let inner = Self.connect(socketPath) else {
      Self.end(pid)
      return nil
    }
    TestThread.start { Self.carry(from: connection, to: inner) }
    TestThread.start { Self.carry(from: inner, to: connection) }
  }

  deinit { Self.end(pid) }

  private static func end(_ pid: Int32) {
    kill(pid, SIGKILL)
    Children.reap(pid)
  }

  private static func carry(from one: RawConnection, to other: RawConnection) {
    while true {
      let bytes = one.receive()
      if bytes.isEmpty || !other.send(bytes) { break }
    }
    one.hangUp()
    other.hangUp()
  }

  /// The program needs a moment until it listens.
  private static func connect(_ path: String) -> RawConnection? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    for _ in 0..<2000 {
      let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      let code = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      if code == 0 { return RawConnection(descriptor) }
      close(descriptor)
      usleep(5000)
    }
    return nil
  }

  func send(_ text: String) { try? toPeer.write(Array(text.utf8)) }

  /// Empty when the peer has left.
  func receive(_ limit: Int) -> [UInt8] { ((try? fromPeer.read(limit: limit)) ?? nil) ?? [] }
}
