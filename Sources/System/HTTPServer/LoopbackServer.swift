import CMicroHTTPD
import Glibc
import Synchronization

/// A small HTTP/1.1 server on 127.0.0.1 for simulated systems: kept connections, one thread, and replies that can be
/// late or never come. Serves from `init` to `stop`.
///
/// `@unchecked Sendable`: `port` is set once, in `init`; everything else is constant or locked.
@safe public final class LoopbackServer: @unchecked Sendable {
  /// Called on the server's thread, one request at a time: it must not block.
  public typealias Handler = @Sendable (ServerRequest) -> ServerReply

  private let library: MicroHTTPD
  private let handler: Handler
  private let bodyLimit: Int
  private let delays: DelayLine
  private let daemon = Mutex<Daemon?>(nil)
  public private(set) var port: UInt16 = 0

  /// - Parameters:
  ///   - port: 0 takes a free one.
  ///   - bodyLimit: a request whose body is longer is answered 413. Default 8 MiB.
  ///   - idleTimeout: how long a silent connection is kept. Default 30 s.
  public init(
    port: UInt16 = 0, bodyLimit: Int = 8 << 20, idleTimeout: Duration = .seconds(30), handler: @escaping Handler
  ) throws(ServerFailure) {
    library = try MicroHTTPD.loaded.get()
    self.handler = handler
    self.bodyLimit = bodyLimit
    delays = try DelayLine()
    let seconds = UInt32(clamping: max(1, idleTimeout.components.seconds))
    guard
      let started = unsafe mhd_start(
        library.table, port, LoopbackServer.handle, Unmanaged.passUnretained(self).toOpaque(), LoopbackServer.ended,
        seconds)
    else {
      let reason = errno == EADDRINUSE ? "the port is in use" : "the system refuses it"
      delays.stop()
      throw ServerFailure(message: "cannot listen on 127.0.0.1:\(port): \(reason)")
    }
    self.port = unsafe mhd_port(library.table, started)
    daemon.withLock { unsafe $0 = Daemon(pointer: started) }
  }

  deinit { stop() }

  /// Breaks off what is under way, and returns when the port is free. Again: nothing happens.
  public func stop() {
    guard
      let running = daemon.withLock({ daemon in
        defer { daemon = nil }
        return daemon
      })
    else { return }
    // A held connection would outlive the daemon: let go of all first, each finding its reply lost.
    delays.stop()
    unsafe library.table.pointee.stop_daemon(running.pointer)
  }

  // MARK: What libmicrohttpd calls

  /// Called when the head is there, for each piece of the body, at its end, and again after a delay.
  private static let handle: MHD_AccessHandlerCallback = { owner, connection, url, method, _, piece, pieceSize, state in
    guard let owner = unsafe owner, let connection = unsafe connection, let state = unsafe state,
      let pieceSize = unsafe pieceSize
    else { return .NO }
    let server = unsafe Unmanaged<LoopbackServer>.fromOpaque(owner).takeUnretainedValue()
    guard let known = unsafe state.pointee else {
      guard let url = unsafe url, let method = unsafe method else { return .NO }
      let incoming = unsafe server.begin(connection, path: String(cString: url), method: String(cString: method))
      unsafe state.pointee = Unmanaged.passRetained(incoming).toOpaque()
      return .YES
    }
    let incoming = unsafe Unmanaged<IncomingRequest>.fromOpaque(known).takeUnretainedValue()
    if let piece = unsafe piece, unsafe pieceSize.pointee > 0 {
      unsafe incoming.append(UnsafeRawBufferPointer(start: piece, count: pieceSize.pointee), limit: server.bodyLimit)
      unsafe pieceSize.pointee = 0
      return .YES
    }
    return unsafe server.answer(incoming, on: connection)
  }

  private static let ended: MHD_RequestCompletedCallback = { _, _, state, _ in
    guard let known = unsafe state?.pointee else { return }
    unsafe Unmanaged<IncomingRequest>.fromOpaque(known).release()
    unsafe state?.pointee = nil
  }

  private func begin(_ connection: OpaquePointer, path: String, method: String) -> IncomingRequest {
    let headers = unsafe values(.HEADER_KIND, of: connection).map { (name: $0.name.lowercased(), value: $0.value) }
    let query = unsafe values(.GET_ARGUMENT_KIND, of: connection)
    return IncomingRequest(ServerRequest(method: method, path: path, query: query, headers: headers, body: []))
  }

  private func values(_ kind: MHD_ValueKind, of connection: OpaquePointer) -> [(name: String, value: String)] {
    final class List { var items: [(name: String, value: String)] = [] }
    let list = List()
    unsafe _ = library.table.pointee.get_connection_values(
      connection, kind,
      { list, _, name, value in
        guard let list = unsafe list, let name = unsafe name else { return .YES }
        let text = unsafe value.map { unsafe String(cString: $0) } ?? ""
        unsafe Unmanaged<List>.fromOpaque(list).takeUnretainedValue().items.append((String(cString: name), text))
        return .YES
      }, Unmanaged.passUnretained(list).toOpaque())
    return list.items
  }

  private func answer(_ incoming: IncomingRequest, on connection: OpaquePointer) -> MHD_Result {
    let reply: ServerReply
    if let due = incoming.reply {
      reply = due
    } else if incoming.isTooLong {
      reply = .response(status: 413, headers: [("connection", "close")])
    } else {
      reply = handler(incoming.request)
    }
    switch reply {
    case .lost: return .NO
    case .response(let status, let headers, let body):
      return unsafe send(status, headers, body, on: connection)
    case .delayed(let pause, let later):
      incoming.reply = later
      unsafe library.table.pointee.suspend_connection(connection)
      delays.hold(unsafe HeldConnection(library, connection, incoming), for: pause)
      return .YES
    }
  }

  private func send(
    _ status: Int, _ headers: [(name: String, value: String)], _ body: [UInt8], on connection: OpaquePointer
  ) -> MHD_Result {
    let made = unsafe body.withUnsafeBytes { bytes in
      unsafe library.table.pointee.create_response_from_buffer(
        bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
    }
    guard let response = unsafe made else { return .NO }
    defer { unsafe library.table.pointee.destroy_response(response) }
    for (name, value) in headers where name.lowercased() != "content-length" {
      unsafe _ = library.table.pointee.add_response_header(response, name, value)
    }
    return unsafe library.table.pointee.queue_response(connection, UInt32(clamping: status), response)
  }
}

/// A running server of libmicrohttpd. `@unchecked Sendable`: the one `stop` that takes it out of its lock has it alone.
@safe private struct Daemon: @unchecked Sendable {
  let pointer: OpaquePointer
}
