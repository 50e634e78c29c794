import HTTPClient
public import Runbook

/// The transport that reaches the real world. Header values are revealed here, and nowhere before.
public struct LibcurlTransport: HTTPTransport {
  private let client: LibcurlClient

  /// - Parameter environment: where `HTTPS_PROXY` and `NO_PROXY` are looked up.
  public init(environment: (String) -> String? = { _ in nil }) {
    var settings = ClientSettings()
    settings.proxy = ClientSettings.Proxy(environment: environment)
    client = LibcurlClient(settings)
  }

  public func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    var wire = ClientRequest(
      request.method, request.url, headers: request.headers.map { ($0.name, $0.value.reveal()) }, body: request.body)
    wire.connectTimeout = request.connectTimeout
    wire.firstByteTimeout = request.firstByteTimeout
    wire.idleTimeout = request.idleTimeout
    wire.totalTimeout = request.totalTimeout
    wire.bodyLimit = request.bodyLimit
    wire.caFile = request.caFile
    wire.redirects =
      switch request.redirects {
      case .none: .none
      case .sameHost: .sameHost
      }
    wire.allowsPlainHTTP = request.allowsPlainHTTP
    if !PlantedMistake.wireNotFenced.isMade { wire.departure = request.tenure.map { TenureDeparture(tenure: $0) } }
    do {
      let answer = try await client.send(wire)
      return HTTPResponse(status: answer.status, headers: answer.headers, body: answer.body, duration: answer.duration)
    } catch {
      throw HTTPFailure(LibcurlTransport.kind(error.kind), error.message, beforeFirstByte: error.beforeFirstByte)
    }
  }

  private static func kind(_ kind: ClientFailure.Kind) -> HTTPFailure.Kind {
    switch kind {
    // Without libcurl no request can be made, and none will be by trying again: what a bad URL means, too.
    case .unavailable, .badURL: .badURL
    case .refusedAddress: .refusedAddress
    case .lookup: .lookup
    case .connect: .connect
    case .tls: .tls
    case .certificate: .certificate
    case .timeout: .timeout
    case .reset: .reset
    case .tooLarge: .tooLarge
    case .badReply: .badReply
    case .cancelled: .cancelled
    }
  }
}

/// The engine's question in the client's words.
struct TenureDeparture: Departure {
  let tenure: any Tenure
  func begin() -> Bool { tenure.begin() }
  func end() { tenure.end() }
}
