import Glibc
import Testing

@testable import Posix

struct TCPTests {
  /// A socket bound to a free port of loopback; listening only if asked to.
  static func boundSocket(listening: Bool) throws -> (socket: Descriptor, port: Int) {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let descriptor = Descriptor(adopting: number)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        #expect(unsafe bind(number, pointer, size) == 0)
        #expect(unsafe getsockname(number, pointer, &size) == 0)
      }
    }
    if listening { #expect(listen(number, 5) == 0) }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
  }

  @Test func anOpenPortIsReached() throws {
    let (socket, port) = try Self.boundSocket(listening: true)
    try TCP.probe(host: "127.0.0.1", port: port, timeout: .seconds(5))
    withExtendedLifetime(socket) {}
  }

  @Test func aClosedPortRefuses() throws {
    let (socket, port) = try Self.boundSocket(listening: false)
    #expect(throws: TCPFailure.refused) { try TCP.probe(host: "127.0.0.1", port: port, timeout: .seconds(5)) }
    withExtendedLifetime(socket) {}
  }

  @Test func aNameThatCannotExistIsALookUpFailure() {
    do throws(TCPFailure) {
      try TCP.probe(host: "bad name with spaces", port: 1, timeout: .seconds(5))
      Issue.record("it was reached")
    } catch {
      guard case .lookup = error else { Issue.record("\(error)"); return }
    }
  }
}
