import CCurl
import Glibc
import Synchronization

/// One request on its way, and what has come back so far.
///
/// `@unchecked Sendable`: after it was handed to the event loop its fields are touched only while the loop's lock on
/// `Transfers` is held, libcurl's callbacks included; `isCancelled` is atomic.
@safe final class Exchange: @unchecked Sendable {
  typealias Outcome = Result<ClientResponse, ClientFailure>

  let request: ClientRequest
  let isCancelled = Atomic(false)
  private let isPlainHTTP: Bool
  /// Repeating it changes nothing, so libcurl may do so when a kept connection turns out to be dead.
  private let isSafe: Bool
  private let continuation: UnsafeContinuation<Outcome, Never>

  /// Place in `Transfers.underway`, and the handle that carries this; nil before and after.
  var place = 0
  var easy: EasyHandle?
  var headerList: UnsafeMutablePointer<curl_slist>?
  var outcome: Outcome?

  private let beganAt = Instant.now
  private var sent = 0
  /// When the connection was ready and the request began to leave; nil: no byte of it has.
  private(set) var requestAt: Instant?
  private var lastSentAt: Instant = 0
  private var lastReceivedAt: Instant?
  private(set) var refusal: ClientFailure?
  /// It was let go, and is not known to have left.
  private(set) var isDeparting = false
  var hasReceived: Bool { lastReceivedAt != nil }

  private var headers: [(name: String, value: String)] = []
  private var headerBytes = 0
  /// The empty line has come: libcurl takes a head that breaks off for a whole one.
  private(set) var isHeadWhole = false
  private var body: [UInt8] = []

  /// Longest head of a reply, all header lines together.
  static let headLimit = 256 << 10

  init(_ request: ClientRequest, _ continuation: UnsafeContinuation<Outcome, Never>) {
    self.request = request
    unsafe self.continuation = continuation
    isPlainHTTP = request.isPlain
    isSafe = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS"
  }

  /// Hands the outcome to the waiting task. Once, and not under the lock.
  func finish() {
    guard let outcome else { preconditionFailure("an exchange was finished before it had ended") }
    unsafe continuation.resume(returning: outcome)
  }

  func response(status: Int) -> ClientResponse {
    ClientResponse(status: status, headers: headers, body: body, duration: .nanoseconds(Instant.now - beganAt))
  }

  /// The instant by which something must have happened, and what it means when it has not. libcurl itself watches the
  /// connect and the total timeout; before the request leaves, this only says when to ask again.
  func silence(now: Instant) -> (deadline: Instant, what: String)? {
    if let lastReceivedAt {
      return (lastReceivedAt.advanced(by: request.idleTimeout), "the answer stopped for \(request.idleTimeout.words)")
    }
    guard let requestAt else { return nil }
    if sent < request.body?.count ?? 0 {
      return (
        max(requestAt, lastSentAt).advanced(by: request.idleTimeout),
        "the request was not taken for \(request.idleTimeout.words)"
      )
    }
    return (
      max(requestAt, lastSentAt).advanced(by: request.firstByteTimeout),
      "no answer within \(request.firstByteTimeout.words)"
    )
  }

  /// No silence can be too long before this instant after `now`.
  func nextLook(now: Instant) -> Instant {
    silence(now: now)?.deadline ?? now.advanced(by: min(request.firstByteTimeout, request.idleTimeout))
  }
}

// What libcurl calls. Each returns what the callback must.
extension Exchange {
  /// A socket for one of the addresses of the host, or `CURL_SOCKET_BAD`: then libcurl tries the next.
  func openSocket(to address: UnsafeMutablePointer<curl_sockaddr>) -> CInt {
    guard unsafe permits(AddressPolicy.zone(of: address)) else { return CURL_SOCKET_BAD }
    return unsafe OutgoingSocket.open(to: address)
  }

  private func permits(_ zone: AddressPolicy.Zone?) -> Bool {
    if zone == nil || zone == .linkLocal {
      refusal = ClientFailure(
        .refusedAddress,
        "\(authority(of: request.url)) is a link-local or metadata address, which is never connected to",
        beforeFirstByte: true)
    } else if isPlainHTTP, !request.allowsPlainHTTP, zone != .loopback {
      refusal = ClientFailure(
        .refusedAddress,
        "everything to \(authority(of: request.url)) would be sent in the clear: `https://`, or `plain_http: allow`",
        beforeFirstByte: true)
    } else {
      return true
    }
    return false
  }

  /// The connection stands and the request is about to leave, for the first time or (libcurl's own retry on a kept
  /// connection that broke) again.
  func mayLeave(to address: String) -> Bool {
    // A kept connection may have been opened by a request that was allowed more.
    guard permits(AddressPolicy.zone(ofText: address)) else { return false }
    guard requestAt == nil || isSafe else { return false }
    departed()
    if let departure = request.departure {
      guard departure.begin() else {
        refusal = ClientFailure(
          .connect, "the request to \(authority(of: request.url)) was held back before it left", beforeFirstByte: true)
        return false
      }
      isDeparting = true
    }
    requestAt = .now
    return true
  }

  /// Nothing more of it will leave.
  func departed() {
    guard isDeparting else { return }
    isDeparting = false
    request.departure?.end()
  }

  /// The least that libcurl sends before the body, in bytes: our own headers.
  var leastHead: Int {
    request.headers.reduce(0) { $1.value.isEmpty ? $0 : $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
  }

  /// The next piece of the request's body.
  func upload(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let body = request.body else { return 0 }
    let count = min(buffer.count, body.count - sent)
    unsafe body.withUnsafeBytes {
      unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sent..<sent + count]))
    }
    sent += count
    lastSentAt = .now
    return count
  }

  func receive(header line: UnsafeRawBufferPointer) -> Int {
    lastReceivedAt = .now
    departed()
    headerBytes += line.count
    guard headerBytes <= Exchange.headLimit else {
      refusal = ClientFailure(
        .tooLarge,
        "the head of the answer of \(authority(of: request.url)) is longer than \(Exchange.headLimit >> 10) KiB",
        beforeFirstByte: false)
      return 0
    }
    if unsafe line.starts(with: "HTTP/".utf8) {
      headers.removeAll(keepingCapacity: true)  // of an interim answer
      isHeadWhole = false
    } else if unsafe line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") {
      isHeadWhole = true
    } else if let colon = unsafe line.firstIndex(of: UInt8(ascii: ":")) {
      let name = unsafe String(decoding: line[..<colon], as: UTF8.self).lowercased()
      headers.append((name, unsafe HeaderText.trimmed(UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]))))
    }
    return line.count
  }

  func receive(body piece: UnsafeRawBufferPointer) -> Int {
    lastReceivedAt = .now
    guard body.count + piece.count <= request.bodyLimit else {
      refusal = tooLarge
      return 0
    }
    unsafe body.append(contentsOf: piece)
    return piece.count
  }

  var tooLarge: ClientFailure {
    ClientFailure(
      .tooLarge, "the answer of \(authority(of: request.url)) is longer than \(request.bodyLimit) bytes",
      beforeFirstByte: false)
  }
}

enum HeaderText {
  /// Without the white space around it and the line's end.
  static func trimmed(_ bytes: UnsafeRawBufferPointer) -> String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }
    guard let first = unsafe bytes.firstIndex(where: { !isBlank($0) }),
      let last = unsafe bytes.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return unsafe String(decoding: bytes[first...last], as: UTF8.self)
  }
}

/// `host` or `host:port`, for messages. Never user, password or path.
func authority(of url: String) -> String {
  let rest = url.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 2, omittingEmptySubsequences: false).dropFirst(2)
    .first
  guard let rest else { return "the server" }
  let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
  let part = rest[..<(end ?? rest.endIndex)]
  let host = part.lastIndex(of: UInt8(ascii: "@")).map { part[part.index(after: $0)...] } ?? part
  return host.isEmpty ? "the server" : String(decoding: host, as: UTF8.self)
}
