import CCurl
import Glibc

/// The socket of a connection that libcurl is about to make.
enum OutgoingSocket {
  static func open(to address: UnsafeMutablePointer<curl_sockaddr>) -> CInt {
    let socket = unsafe socket(
      address.pointee.family, address.pointee.socktype | CInt(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
    // A peer that vanished is noticed after 30 s of unanswered bytes, not after the kernel's quarter of an hour.
    var patience: UInt32 = 30_000
    if socket >= 0 {
      unsafe _ = setsockopt(
        socket, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, &patience, socklen_t(MemoryLayout<UInt32>.size))
    }
    return socket
  }
}
