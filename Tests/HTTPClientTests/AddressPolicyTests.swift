@testable import HTTPClient
import TestSupport
import Testing

struct AddressPolicyTests {
  @Test(arguments: [
    ("127.0.0.1", AddressPolicy.Zone.loopback), ("127.255.0.9", .loopback), ("::1", .loopback),
    ("::ffff:127.0.0.1", .loopback),
    ("169.254.169.254", .linkLocal), ("169.254.0.0", .linkLocal), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
    ("fd00:ec2::254", .linkLocal), ("::ffff:169.254.169.254", .linkLocal), ("100.100.100.200", .linkLocal),
    ("192.0.0.192", .linkLocal),
    ("169.253.0.1", .other), ("128.0.0.1", .other), ("10.0.0.1", .other), ("fec0::1", .other),
    ("fd00:ec2::253", .other),
    ("::", .other), ("2001:db8::1", .other), ("", .other), ("localhost", .other),
  ])
  func anAddressHasItsZone(_ text: String, zone: AddressPolicy.Zone) {
    #expect(AddressPolicy.zone(ofText: text) == zone)
  }

  @Test(arguments: [
    "http://169.254.169.254/latest/meta-data", "https://169.254.169.254/", "http://0xa9fea9fe/", "http://2852039166/",
    "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/", "http://192.0.2.1/",
    "http://[2001:db8::1]/",
  ])
  func aForbiddenAddressIsNotConnectedTo(_ url: String) async throws {
    let failure = try #require(await LibcurlClient().ending(of: ClientRequest("POST", url)).failure)
    #expect(failure.kind == .refusedAddress || failure.message.contains("network unreachable"), "\(failure)")
    #expect(failure.beforeFirstByte)
  }

  @Test func plainHTTPDoesNotOpenTheWayToMetadata() async throws {
    var request = ClientRequest("GET", "http://169.254.169.254/")
    request.allowsPlainHTTP = true
    let failure = try #require(await LibcurlClient().ending(of: request).failure)
    #expect(failure.kind == .refusedAddress)
    #expect(failure.message.contains("169.254.169.254 is a link-local or metadata address"))
  }

  @Test func plainHTTPToLoopbackNeedsNoLeave() async throws {
    let server = rawServer(replying: "HTTP/1.1 204 No Content\r\n\r\n")
    defer { server.stop() }
    #expect(
      await LibcurlClient().ending(of: ClientRequest("GET", "http://localhost:\(server.port)/")).answer?.status == 204)
  }
}
