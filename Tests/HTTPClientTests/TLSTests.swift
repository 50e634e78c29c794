import Glibc
import HTTPClient
import TestSupport
import Testing

/// Against `openssl s_server`, with an authority and certificates made on the spot.
@Suite(.serialized)
struct TLSTests {
  struct Certificate: Sendable, CustomTestStringConvertible {
    let name: String
    /// Shell commands that make `server.pem` from `server.csr`, `ca.pem` and `key.pem`.
    let command: String
    var host = "localhost"
    var trustsAuthority = true
    /// nil: the connection is made.
    let says: String?
    var testDescription: String { name }
  }

  static let signed =
    "openssl x509 -req -in server.csr -CA ca.pem -CAkey key.pem -CAcreateserial -extfile names -out server.pem"

  @Test(arguments: [
    Certificate(name: "good", command: "\(signed) -days 2", says: nil),
    Certificate(name: "expired", command: "\(signed) -days -1", says: "its certificate has expired"),
    Certificate(
      name: "other host", command: "\(signed) -days 2", host: "127.0.0.1",
      says: "its certificate is for another host name"),
    Certificate(
      name: "self-signed",
      command: "openssl x509 -req -in server.csr -signkey key.pem -extfile names -days 2 -out server.pem",
      says: "its certificate is self-signed"),
    Certificate(
      name: "unknown authority", command: "\(signed) -days 2", trustsAuthority: false,
      says: "its certificate's issuer is not trusted here"),
  ])
  func aBadCertificateIsRefusedAndSaidWhy(_ certificate: Certificate) async throws {
    let server = try #require(TLSServer(certificate.command))
    defer { server.stop() }
    var request = ClientRequest("GET", "https://\(certificate.host):\(server.port)/")
    if certificate.trustsAuthority { request.caFile = "\(server.folder)/ca.pem" }
    let ending = await LibcurlClient().ending(of: request)
    guard let says = certificate.says else {
      #expect(ending.answer?.status == 200, "\(ending)")
      return
    }
    let failure = try #require(ending.failure)
    #expect(failure.kind == .certificate)
    #expect(failure.message.contains(says), "\(failure.message)")
    #expect(failure.beforeFirstByte)
  }

  @Test func anAuthorityFileThatIsNoneIsSaid() async throws {
    let server = try #require(TLSServer("\(TLSTests.signed) -days 2"))
    defer { server.stop() }
    var request = ClientRequest("GET", "https://localhost:\(server.port)/")
    request.caFile = "\(server.folder)/names"
    let failure = try #require(await LibcurlClient().ending(of: request).failure)
    #expect(failure.kind == .certificate)
    #expect(failure.message.contains("cannot be read as PEM certificates"), "\(failure.message)")
  }

  @Test func aServerThatSpeaksNoTLSIsSaid() async throws {
    let server = RawServer { connection, _ in
      _ = connection.receive()
      connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    }
    defer { server.stop() }
    let failure = try #require(
      await LibcurlClient().ending(of: ClientRequest("POST", "https://127.0.0.1:\(server.port)/")).failure)
    #expect(failure.kind == .tls)
    #expect(failure.message.hasSuffix("the handshake was not completed"), "\(failure.message)")
    #expect(failure.beforeFirstByte)
  }
}

/// A child process in a folder of its own. Its port is read from its first lines.
private final class TLSServer: Sendable {
  let folder: String
  let port: UInt16
  private let process: pid_t
  /// Kept open: a server that cannot write would end.
  private let output: CInt

  init?(_ command: String) {
    var template = Array(("/tmp/runbook-tls-" + String(repeating: "X", count: 6)).utf8CString)
    guard unsafe mkdtemp(&template) != nil else { return nil }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let script = """
      cd \(folder)
      {
        openssl ecparam -name prime256v1 -genkey -noout -out key.pem
        openssl req -x509 -new -key key.pem -subj /CN=authority -days 2 -out ca.pem
        openssl ecparam -name prime256v1 -genkey -noout -out server.key
        openssl req -new -key server.key -subj /CN=localhost -out server.csr
        echo subjectAltName=DNS:localhost > names
        \(command.replacing("-signkey key.pem", with: "-signkey server.key"))
      } >/dev/null 2>&1 </dev/null
      exec openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -www 2>/dev/null </dev/null
      """
    var ends: [CInt] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { return nil }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    unsafe posix_spawn_file_actions_addclose(&actions, ends[0])
    var child: pid_t = 0
    let words = ["/bin/sh", "-c", script]
    var argv: [UnsafeMutablePointer<CChar>?] = unsafe words.map { word in unsafe strdup(word) } + [nil]
    let code = unsafe posix_spawn(&child, "/bin/sh", &actions, nil, &argv, environ)
    unsafe argv.forEach { unsafe free($0) }
    close(ends[1])
    process = child
    var said = ""
    while code == 0, !said.contains("\n") || !said.contains("ACCEPT ") || !said.hasSuffix("\n") {
      var byte: UInt8 = 0
      guard unsafe read(ends[0], &byte, 1) == 1 else { break }
      said.unicodeScalars.append(Unicode.Scalar(byte))
    }
    output = ends[0]
    guard let port = said.split(separator: ":").last.flatMap({ UInt16($0.prefix { $0.isNumber }) }) else { return nil }
    self.port = port
  }

  func stop() {
    kill(process, SIGKILL)
    var status: CInt = 0
    unsafe _ = waitpid(process, &status, 0)
    close(output)
    for file in ["key.pem", "ca.pem", "ca.srl", "server.key", "server.csr", "names", "server.pem"] {
      unsafe unlink("\(folder)/\(file)")
    }
    unsafe rmdir(folder)
  }
}
