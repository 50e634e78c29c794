import CCurl
import Glibc

/// Which addresses may be connected to. Asked with the address that the connection really goes to, after look-up: a
/// name that answers with a metadata service's address is refused like the address itself.
enum AddressPolicy {
  /// What an address is, as far as the policy cares.
  enum Zone: Equatable {
    case loopback
    /// 169.254.0.0/16, fe80::/10, and the metadata services outside of them. Nothing an operator automates lives here,
    /// and what does live here hands out credentials.
    case linkLocal
    case other
  }

  static func zone(ofIPv4 address: [UInt8]) -> Zone {
    guard address.count == 4 else { return .other }
    if address[0] == 127 { return .loopback }
    if address[0] == 169, address[1] == 254 { return .linkLocal }
    return address == [100, 100, 100, 200] || address == [192, 0, 0, 192] ? .linkLocal : .other
  }

  static func zone(ofIPv6 address: [UInt8]) -> Zone {
    guard address.count == 16 else { return .other }
    let isMapped = address[0..<10].allSatisfy { $0 == 0 } && address[10] == 0xff && address[11] == 0xff
    if isMapped { return zone(ofIPv4: Array(address[12...])) }
    if address[0..<15].allSatisfy({ $0 == 0 }), address[15] == 1 { return .loopback }
    if address[0] == 0xfe, address[1] & 0xc0 == 0x80 { return .linkLocal }
    let metadata: [UInt8] = [0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54]
    return address == metadata ? .linkLocal : .other
  }

  /// The zone of the address that a socket is about to connect to; nil for a family that is neither IPv4 nor IPv6.
  static func zone(of address: UnsafePointer<curl_sockaddr>) -> Zone? {
    let start = unsafe UnsafeRawPointer(address).advanced(by: MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0)
    switch unsafe address.pointee.family {
    case AF_INET:
      let bytes = unsafe UnsafeRawBufferPointer(start: start.advanced(by: 4), count: 4)
      return zone(ofIPv4: unsafe Array(bytes))
    case AF_INET6:
      let bytes = unsafe UnsafeRawBufferPointer(start: start.advanced(by: 8), count: 16)
      return zone(ofIPv6: unsafe Array(bytes))
    default: return nil
    }
  }

  /// The zone of an address in its written form, as libcurl reports that of a connection.
  static func zone(ofText text: String) -> Zone {
    var four = in_addr()
    if unsafe inet_pton(AF_INET, text, &four) == 1 {
      return unsafe zone(ofIPv4: withUnsafeBytes(of: &four) { unsafe Array($0) })
    }
    var six = in6_addr()
    if unsafe inet_pton(AF_INET6, text, &six) == 1 {
      return unsafe zone(ofIPv6: withUnsafeBytes(of: &six) { unsafe Array($0) })
    }
    return .other
  }
}
