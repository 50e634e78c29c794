public import Runbook
import Synchronization

/// Carries one action of a provider out as the engine does, without the engine: capture, perform, ask the probe when
/// the outcome is unknown, repeat what may be repeated, then watch until it is done.
public struct ActionDriver: Sendable {
  public var action: any Action
  public var clock: any EngineClock
  public var transport: any HTTPTransport
  public var scripts: any ScriptHost
  public var files: any FileHost
  /// Attempts at the call, the first included.
  public var attempts = 3
  public var key = "r0000000000000000test-0123456789abcdef"
  /// Servers that the run has created before, which alone may be deleted.
  public var createdServers: Set<String> = []
  /// What open undo entries of the run need.
  public var neededIDs: Set<String> = []
  private let reported = Reported()

  /// What the action has told whoever watches, in order.
  public var reports: [String] { reported.texts.withLock { $0 } }

  private final class Reported: Sendable {
    let texts = Mutex<[String]>([])
  }

  public init(
    _ action: any Action, clock: any EngineClock, transport: any HTTPTransport, scripts: any ScriptHost,
    files: any FileHost
  ) {
    self.action = action
    self.clock = clock
    self.transport = transport
    self.scripts = scripts
    self.files = files
  }

  public struct Outcome: Sendable {
    public var result: ActionResult
    /// The provider's words in the order in which they were seen, repetitions left out.
    public var nativeStates: [String]
    public var calls: Int
    public var before: [String: Value]
  }

  /// A call with these fields, as it stands before the intent.
  public func call(
    _ with: [String: Value], before: [String: Value] = [:], intendedAt: Timestamp? = nil
  ) -> ActionCall {
    let reported = reported
    var call = ActionCall(
      with: Arguments(with), key: key, runID: "r0000000000000000test", clock: clock, transport: transport,
      scripts: scripts, files: files, deadline: clock.now + .seconds(86_400), before: before, intendedAt: intendedAt,
      report: { text in reported.texts.withLock { $0.append(text) } })
    call.createdServers = createdServers
    call.neededIDs = neededIDs
    return call
  }

  public func run(_ with: [String: Value]) async throws(StepFailure) -> Outcome {
    let before = action.declaration.effect == .none ? [:] : try await action.capture(call(with))
    let intended = call(with, before: before, intendedAt: clock.now)
    var calls = 0
    var result: ActionResult?
    while result == nil {
      calls += 1
      do throws(StepFailure) { result = try await action.perform(intended) } catch {
        if error.effect == .unknown { result = try await adopted(intended) }
        if result == nil {
          guard error.retryable, calls < attempts || error.passes && (2..<1000).contains(max(calls, attempts)) else {
            throw error
          }
          await clock.sleep(for: error.retryAfter ?? .seconds(error.passes ? 20 : 2))
        }
      }
    }
    var outcome = Outcome(result: result ?? ActionResult(), nativeStates: [], calls: calls, before: before)
    try await watch(intended, &outcome)
    return outcome
  }

  /// What an unknown attempt left, once no request can be under way any more; nil if it left nothing.
  private func adopted(_ call: ActionCall) async throws(StepFailure) -> ActionResult? {
    let end = clock.now + action.maxRequestLife(of: call)
    while true {
      do throws(StepFailure) {
        switch try await action.probe(call) {
        case .applied(let result): return result
        case .failed(let failure): throw failure
        case .notApplied where clock.now >= end: return nil
        case .unsure where clock.now >= end: throw StepFailure(.crashed, "nobody can tell", effect: .unknown)
        case .notApplied, .unsure: break
        }
      } catch {
        guard error.retryable else { throw error }
      }
      await clock.sleep(for: .seconds(5))
    }
  }

  private func watch(_ call: ActionCall, _ outcome: inout Outcome) async throws(StepFailure) {
    guard let wait = action.declaration.wait else { return }
    let end = clock.now + wait.timeout
    var looks = 0
    while true {
      looks += 1
      var verdict = Observation.Verdict.pending
      do throws(StepFailure) {
        let observation = try await action.observe(call, after: outcome.result)
        if let state = observation.nativeState, state != outcome.nativeStates.last {
          outcome.nativeStates.append(state)
        }
        outcome.result.outputs.merge(observation.result.outputs) { _, new in new }
        outcome.result.result.merge(observation.result.result) { _, new in new }
        verdict = observation.verdict
      } catch {
        guard error.retryable else { throw error }
      }
      switch verdict {
      case .done: return
      case .failed(let failure): throw failure
      case .pending: break
      }
      // On a fast clock and a busy machine a wait can be over before it has looked.
      guard clock.now < end || looks < 20 else {
        throw StepFailure(.timeout, "still not \(wait.until)", effect: .applied)
      }
      await clock.sleep(for: .seconds(10))
    }
  }
}
