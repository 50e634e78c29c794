import HTTPServer
public import Runbook

/// Serves a simulated system over HTTP on 127.0.0.1, so that it is reached through the same client as the real one.
public final class LoopbackHost: Sendable {
  private let server: LoopbackServer

  /// - Parameters:
  ///   - port: 0 takes a free one.
  ///   - wallTime: how long a delay of the system's own time lasts here: with a clock that runs 60 times as fast, a
  ///     sixtieth. Default: as long.
  /// - Throws: what an operator can act on: the port is in use, libmicrohttpd is missing.
  public init(
    _ system: any SimulatedSystem, port: UInt16 = 0, wallTime: @escaping @Sendable (Duration) -> Duration = { $0 }
  ) throws(StepFailure) {
    do {
      server = try LoopbackServer(port: port) { request in
        LoopbackHost.reply(for: system.answer(LoopbackHost.simulated(request)), wallTime)
      }
    } catch {
      throw StepFailure(.unreachable, error.message)
    }
  }

  public var port: UInt16 { server.port }
  /// `http://127.0.0.1:PORT`, without a slash at its end.
  public var url: String { "http://127.0.0.1:\(server.port)" }

  /// Breaks off what is under way. Call it at the end of what needs the host: one that nobody refers to any more ends
  /// by itself, and a URL does not refer to it.
  public func stop() { server.stop() }

  private static func simulated(_ request: ServerRequest) -> SimulatedRequest {
    SimulatedRequest(
      method: request.method, path: request.path, query: request.query, headers: request.headers, body: request.body)
  }

  private static func reply(
    for reply: SimulatedReply, _ wallTime: @escaping @Sendable (Duration) -> Duration
  ) -> ServerReply {
    switch reply {
    case .response(let response):
      .response(status: response.status, headers: response.headers, body: response.body)
    case .lost: .lost
    case .delayed(let pause, let later): .delayed(wallTime(pause), LoopbackHost.reply(for: later, wallTime))
    }
  }
}
