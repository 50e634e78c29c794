import HTTPClient
import TestSupport

/// What became of one request: an answer or a failure.
enum Ending: Sendable {
  case answer(ClientResponse)
  case failure(ClientFailure)

  var failure: ClientFailure? { if case .failure(let failure) = self { failure } else { nil } }
  var answer: ClientResponse? { if case .answer(let answer) = self { answer } else { nil } }
}

extension LibcurlClient {
  func ending(of request: ClientRequest) async -> Ending {
    do { return .answer(try await send(request)) } catch { return .failure(error) }
  }
}

/// Answers every request of every connection with these bytes, then closes (or resets) the connection.
func rawServer(replying reply: [UInt8], reset: Bool = false) -> RawServer {
  RawServer { connection, _ in
    _ = connection.receiveHead()
    connection.send(reply)
    if reset { connection.reset() }
  }
}

func rawServer(replying reply: String) -> RawServer { rawServer(replying: Array(reply.utf8)) }

extension ClientResponse {
  var text: String { String(decoding: body, as: UTF8.self) }
}
