public import Runbook
import Synchronization

/// HTTP without a network: requests go to simulated systems by scheme, host and port. An address nobody answers for is
/// a failed look-up, so nothing can leave the machine.
public final class InMemoryTransport: HTTPTransport {
  public typealias Interceptor = @Sendable (NetworkPoint) -> NetworkVerdict
  private struct State {
    var points = 0
    var interceptor: Interceptor?
  }

  private let clock: any EngineClock
  private let routes: [String: any SimulatedSystem]
  private let fallback: (any SimulatedSystem)?
  private let state: Mutex<State>

  /// `routes`: origin (`https://admin.vps.org`, `http://127.0.0.1:8080`; default ports left out) to system. `fallback`
  /// answers for all other origins. Delays of replies pass on `clock`.
  public init(
    clock: any EngineClock, routes: [String: any SimulatedSystem], fallback: (any SimulatedSystem)? = nil,
    interceptor: Interceptor? = nil
  ) {
    self.clock = clock
    self.routes = Dictionary(routes.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { _, last in last })
    self.fallback = fallback
    state = Mutex(State(interceptor: interceptor))
  }

  /// Asked at every point; nil passes all.
  public var interceptor: Interceptor? {
    get { state.withLock { $0.interceptor } }
    set { state.withLock { $0.interceptor = newValue } }
  }

  /// How many points have been passed so far.
  public var points: Int { state.withLock { $0.points } }

  public func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    if Task.isCancelled { throw HTTPFailure(.cancelled, "the request was cancelled", beforeFirstByte: true) }
    guard let target = RequestTarget(request.url) else {
      throw HTTPFailure(.badURL, "this is not an http(s) address", beforeFirstByte: true)
    }
    guard let system = routes[target.origin] ?? fallback else {
      throw HTTPFailure(.lookup, "no simulated system answers for \(target.origin)", beforeFirstByte: true)
    }
    try pass(.send, request)
    if let tenure = request.tenure {
      guard tenure.begin() else {
        throw HTTPFailure(
          .connect, "the run may belong to another process now: nothing was sent", beforeFirstByte: true)
      }
    }
    let started = clock.monotonic
    let reply = system.answer(
      SimulatedRequest(
        method: request.method, path: target.path, query: target.query,
        headers: request.headers.map { (name: $0.name.lowercased(), value: $0.value.reveal()) },
        body: request.body ?? []))
    request.tenure?.end()
    var response = try await deliver(reply, to: request, from: target.origin)
    try pass(.receive, request)
    guard response.body.count <= request.bodyLimit else {
      throw HTTPFailure(.tooLarge, "the reply of \(target.origin) is longer than allowed", beforeFirstByte: false)
    }
    response.duration = clock.monotonic - started
    return response
  }

  private func deliver(
    _ reply: SimulatedReply, to request: HTTPRequest, from origin: String
  ) async throws(HTTPFailure) -> HTTPResponse {
    switch reply {
    case .response(let response): return response
    case .lost: throw HTTPFailure(.reset, "\(origin) closed the connection without a reply", beforeFirstByte: false)
    case .delayed(let delay, let later):
      let patience = min(request.totalTimeout, request.firstByteTimeout)
      await clock.sleep(for: min(delay, patience))
      if Task.isCancelled { throw HTTPFailure(.cancelled, "the request was cancelled", beforeFirstByte: false) }
      guard delay < patience else {
        throw HTTPFailure(.timeout, "\(origin) did not answer within \(patience.text)", beforeFirstByte: false)
      }
      return try await deliver(later, to: request, from: origin)
    }
  }

  private func pass(_ direction: NetworkPoint.Direction, _ request: HTTPRequest) throws(HTTPFailure) {
    let (number, interceptor) = state.withLock { state in
      state.points += 1
      return (state.points, state.interceptor)
    }
    guard let interceptor else { return }
    let point = NetworkPoint(direction: direction, number: number, method: request.method, url: request.url)
    if case .fail(let failure) = interceptor(point) { throw failure }
  }
}
