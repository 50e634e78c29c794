import CMicroHTTPD

/// A request that is still coming in, or whose reply is held back. `@unchecked Sendable`: it is touched by the server's
/// thread, and by the delay line only while the connection is suspended, when the server's thread leaves it alone.
final class IncomingRequest: @unchecked Sendable {
  private(set) var request: ServerRequest
  private(set) var isTooLong = false
  var reply: ServerReply?

  init(_ request: ServerRequest) { self.request = request }

  func append(_ piece: UnsafeRawBufferPointer, limit: Int) {
    guard !isTooLong, request.body.count + piece.count <= limit else {
      isTooLong = true
      request.body = []
      return
    }
    unsafe request.body.append(contentsOf: piece)
  }
}

/// A connection whose reply is held back. `@unchecked Sendable`: while it is suspended only the delay line touches it.
@safe struct HeldConnection: @unchecked Sendable {
  private let library: MicroHTTPD
  private let connection: OpaquePointer
  private let incoming: IncomingRequest

  init(_ library: MicroHTTPD, _ connection: OpaquePointer, _ incoming: IncomingRequest) {
    self.library = library
    unsafe self.connection = connection
    self.incoming = incoming
  }

  /// Lets it go on; `isOver`: the server is being stopped, and the reply is lost.
  func release(isOver: Bool) {
    if isOver { incoming.reply = .lost }
    unsafe library.table.pointee.resume_connection(connection)
  }
}
