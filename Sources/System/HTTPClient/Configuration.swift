import CCurl

/// What all requests of one client share.
public struct ClientSettings: Sendable {
  /// Open connections at most, in use or kept; further requests wait for one. Default 256, well below the usual limit
  /// of 1 024 file descriptors.
  public var connectionLimit = 256
  /// The proxy for requests to names that it does not leave out; nil: none.
  ///
  /// An address that is a number is reached without it: no proxy is needed to a machine of one's own network, and what
  /// is refused (link-local addresses) stays refused. Plain HTTP goes through it only where plain HTTP is allowed.
  public var proxy: Proxy?
  public var userAgent = "runbook"
  public init() {}

  public struct Proxy: Sendable, Equatable {
    /// `http://host:port`, as libcurl reads it.
    public var address: String
    /// Names that are reached without it, with commas between them; `.example.com` stands for all below it.
    public var exceptions: String
    public init(_ address: String, exceptions: String = "") {
      self.address = address
      self.exceptions = exceptions
    }

    /// What `HTTPS_PROXY` and `NO_PROXY` say, in capitals or not.
    public init?(environment: (String) -> String?) {
      func value(_ name: String) -> String? {
        for name in [name.lowercased(), name] { if let text = environment(name), !text.isEmpty { return text } }
        return nil
      }
      guard let address = value("HTTPS_PROXY") else { return nil }
      self.init(address, exceptions: value("NO_PROXY") ?? "")
    }
  }
}

extension Exchange {
  /// Says to libcurl what to do, on a handle that is new or reset.
  func configure(_ easy: EasyHandle, _ curl: Curl, _ settings: ClientSettings) {
    let table = unsafe curl.table
    unsafe curl_set_callbacks(
      table, easy, Unmanaged.passUnretained(self).toOpaque(), Callbacks.header, Callbacks.body, Callbacks.upload,
      Callbacks.openSocket, Callbacks.mayLeave)
    unsafe curl_set_text(table, easy, CURLOPT_URL, request.url)
    unsafe curl_set_text(table, easy, CURLOPT_PROTOCOLS_STR, "http,https")
    unsafe curl_set_long(table, easy, CURLOPT_NOSIGNAL, 1)
    unsafe curl_set_long(table, easy, CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout.curlMilliseconds)
    unsafe curl_set_long(table, easy, CURLOPT_TIMEOUT_MS, request.totalTimeout.curlMilliseconds)
    unsafe curl_set_size(table, easy, CURLOPT_MAXFILESIZE_LARGE, Int64(max(1, request.bodyLimit)))
    unsafe curl_set_text(table, easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate")
    unsafe curl_set_long(table, easy, CURLOPT_TCP_KEEPALIVE, 1)
    let proxy = request.mayUseProxy ? settings.proxy : nil
    unsafe curl_set_text(table, easy, CURLOPT_PROXY, proxy?.address ?? "")
    if let proxy { unsafe curl_set_text(table, easy, CURLOPT_NOPROXY, "localhost," + proxy.exceptions) }
    if let file = request.caFile { unsafe curl_set_text(table, easy, CURLOPT_CAINFO, file) }
    // Wait for a connection that several requests can share rather than open one each.
    unsafe curl_set_long(table, easy, CURLOPT_PIPEWAIT, 1)
    unsafe configureBody(easy, table)
    unsafe configureHeaders(easy, table, settings)
  }

  private func configureBody(_ easy: EasyHandle, _ table: UnsafePointer<curl_functions>) {
    let takesBody = ["POST", "PUT", "PATCH"].contains(request.method)
    if request.body != nil || takesBody {
      unsafe curl_set_long(table, easy, CURLOPT_POST, 1)
      unsafe curl_set_size(table, easy, CURLOPT_POSTFIELDSIZE_LARGE, Int64(request.body?.count ?? 0))
    }
    if request.method == "HEAD" {
      unsafe curl_set_long(table, easy, CURLOPT_NOBODY, 1)
    } else if request.method != (request.body != nil || takesBody ? "POST" : "GET") {
      unsafe curl_set_text(table, easy, CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  private func configureHeaders(
    _ easy: EasyHandle, _ table: UnsafePointer<curl_functions>, _ settings: ClientSettings
  ) {
    var list: UnsafeMutablePointer<curl_slist>?
    func add(_ line: String) { if let longer = unsafe table.pointee.slist_append(list, line) { unsafe list = longer } }
    var names: Set<String> = []
    for (name, value) in request.headers {
      names.insert(name.lowercased())
      add(value.isEmpty ? "\(name);" : "\(name): \(value)")
    }
    if !names.contains("user-agent") { add("User-Agent: \(settings.userAgent)") }
    // libcurl would add a content type of its own, and ask for leave before it sends a long body.
    if request.body != nil || request.method == "POST" {
      if !names.contains("content-type") { add("Content-Type:") }
      if !names.contains("expect") { add("Expect:") }
    }
    unsafe headerList = list
    unsafe curl_set_data(table, easy, CURLOPT_HTTPHEADER, list)
  }
}

extension ClientRequest {
  /// It names a host, and does not send in the clear what is to be encrypted.
  fileprivate var mayUseProxy: Bool {
    guard let scheme = schemeLength, scheme == 8 || allowsPlainHTTP else { return false }
    let host = url.utf8.dropFirst(scheme).prefix { !"/?#:".utf8.contains($0) }
    let isNumber = host.allSatisfy { $0 == 0x2e || $0 >= 0x30 && $0 <= 0x39 } || host.first == UInt8(ascii: "[")
    return !isNumber
  }

  /// Of `http://` or `https://`, in any case; nil: neither.
  private var schemeLength: Int? {
    func begins(with scheme: StaticString) -> Bool {
      zip(url.utf8, scheme.description.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
        && url.utf8.count > scheme.utf8CodeUnitCount
    }
    return begins(with: "https://") ? 8 : begins(with: "http://") ? 7 : nil
  }

  /// Whether it goes out in the clear.
  var isPlain: Bool { schemeLength == 7 }

  /// - Throws: `.badURL`, for what libcurl would send as it is or read as something else.
  func check() throws(ClientFailure) {
    func refuse(_ message: String) -> ClientFailure { ClientFailure(.badURL, message, beforeFirstByte: true) }
    let bytes = url.utf8
    guard let scheme = schemeLength else { throw refuse("the URL must begin with `https://` or `http://`") }
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw refuse(
        "the URL of \(HTTPClient.authority(of: url)) holds a space, a control or a non-ASCII character: encode it")
    }
    guard bytes.count <= 16 << 10 else {
      throw refuse("the URL of \(HTTPClient.authority(of: url)) is longer than 16 KiB")
    }
    let host = bytes.dropFirst(scheme).prefix { !"/?#".utf8.contains($0) }
    guard !host.isEmpty, !host.contains(UInt8(ascii: "@")) else {
      throw refuse("the URL must name a host, and no user or password: send those in a header")
    }
    guard !method.isEmpty, method.utf8.allSatisfy({ $0 >= 0x41 && $0 <= 0x5a }) else {
      throw refuse("the method must be capital letters")
    }
    for (name, value) in headers {
      guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else { throw refuse("a header's name is not one") }
      guard !value.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0 }) else {
        throw refuse("the header `\(name)` holds a line break or a NUL")
      }
    }
  }
}

/// RFC 9110, 5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"):
    true
  default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
  }
}
