/// A request as it came in, body included.
public struct ServerRequest: Sendable {
  public var method: String
  /// Percent-decoded once; without the query.
  public var path: String
  /// In order of arrival, decoded.
  public var query: [(name: String, value: String)]
  /// Lower-case names, in order of arrival.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]

  public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// What becomes of a request.
public enum ServerReply: Sendable {
  case response(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [])
  /// The connection is closed without an answer.
  case lost
  /// The rest of it comes after this much real time. Holds up nobody else.
  indirect case delayed(Duration, ServerReply)
}

/// Why there is no server.
public struct ServerFailure: Error, Sendable, Equatable {
  public let message: String
}
