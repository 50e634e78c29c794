import CCurl
import Synchronization

/// Makes HTTP requests with libcurl: kept connections, HTTP/2 where it is offered, deadlines for each phase, and no way
/// to link-local addresses. Loads libcurl with the first request; a client that is never used costs nothing.
public final class LibcurlClient: Sendable {
  private let settings: ClientSettings
  private let loop = Mutex<EventLoop?>(nil)

  public init(_ settings: ClientSettings = ClientSettings()) { self.settings = settings }

  deinit { loop.withLock { $0?.stop() } }

  /// - Returns: whatever the other side answered, a 3xx that is not followed included.
  /// - Throws: `.cancelled` when the task is cancelled; the exchange has been broken off by then.
  public func send(_ request: ClientRequest) async throws(ClientFailure) -> ClientResponse {
    try request.check()
    let began = Instant.now
    var next = request
    var response = try await exchange(next)
    var hops = 0
    while request.redirects == .sameHost, let hop = try target(of: response, to: next) {
      hops += 1
      guard hops <= LibcurlClient.redirectLimit else {
        throw ClientFailure(
          .badReply, "\(authority(of: request.url)) redirects more than \(LibcurlClient.redirectLimit) times",
          beforeFirstByte: false)
      }
      next = hop
      next.totalTimeout = request.totalTimeout - .nanoseconds(Instant.now - began)
      do { response = try await exchange(next) } catch {
        throw ClientFailure(error.kind, error.message, beforeFirstByte: false)
      }
    }
    response.duration = .nanoseconds(Instant.now - began)
    return response
  }

  public static let redirectLimit = 5

  /// - Parameter isolation: of the caller. The closure names it to stay on the caller's executor, which saves two
  ///   changes of thread a request.
  private func exchange(
    _ request: ClientRequest, isolation: isolated (any Actor)? = #isolation
  ) async throws(ClientFailure) -> ClientResponse {
    let loop = try started()
    defer { withExtendedLifetime(self) {} }  // the end of the client is the end of its loop
    let current = Mutex<Exchange?>(nil)
    let isCancelled = Atomic(false)
    let outcome: Exchange.Outcome = await withTaskCancellationHandler {
      _ = isolation
      return await unsafe withUnsafeContinuation { continuation in
        let exchange = unsafe Exchange(request, continuation)
        current.withLock { $0 = exchange }
        // Cancelled before there was anything to cancel: `start` will see it.
        if isCancelled.load(ordering: .acquiring) { exchange.isCancelled.store(true, ordering: .releasing) }
        loop.submit(.start(exchange))
      }
    } onCancel: {
      isCancelled.store(true, ordering: .releasing)
      guard let exchange = current.withLock({ $0 }) else { return }
      exchange.isCancelled.store(true, ordering: .releasing)
      loop.submit(.cancel(exchange))
    }
    return try outcome.get()
  }

  private func started() throws(ClientFailure) -> EventLoop {
    try loop.withLock { (loop) throws(ClientFailure) in
      if let loop { return loop }
      let new = try EventLoop(Curl.loaded.get(), settings)
      loop = new
      return new
    }
  }
}
