import Runbook
import Simulator
import TestSupport
import Testing

@testable import ProviderKit

/// What all requests of an account pass.
@Suite struct AccountGateTests {
  private let clock = VirtualClock()

  @Test func aPauseThatOneRunWasAskedForHoldsForAll() async throws {
    let gate = AccountGate(clock: clock)
    gate.note(isGood: false, pause: .seconds(8))
    let begin = clock.monotonic
    try await gate.pass("VPS.org", interval: nil)
    #expect(clock.monotonic - begin == .seconds(8))
    gate.note(isGood: false, pause: .seconds(120))
    let refused = await #expect(throws: StepFailure.self) { try await gate.pass("VPS.org", interval: nil) }
    #expect(refused?.kind == .rateLimited)
    #expect(refused?.effect == StepFailure.Effect.none)
    #expect(refused?.beforeFirstByte == true)
    #expect(refused?.retryAfter == .seconds(120))
    #expect(refused?.message.contains("another 2m") == true)
  }

  @Test func requestsLeaveNoFasterThanAllowed() async throws {
    let gate = AccountGate(clock: clock)
    for _ in 0..<5 { try await gate.pass("VPS.org", interval: .milliseconds(500)) }
    #expect(clock.monotonic == .seconds(2))
  }

  /// Ten requests a second that all fail become one.
  @Test func aTenthIsLetThroughWhileEverythingFails() async throws {
    let gate = AccountGate(clock: clock)
    var sent = 0
    for _ in 0..<CircuitBreaker.window {
      try await gate.pass("VPS.org", interval: nil)
      gate.note(isGood: false, pause: nil)
      clock.advance(by: .milliseconds(100))
    }
    let begin = clock.monotonic
    while clock.monotonic < begin + .seconds(60) {
      do throws(StepFailure) {
        let now = clock.monotonic
        try await gate.pass("VPS.org", interval: nil)
        sent += 1
        gate.note(isGood: false, pause: nil)
        if clock.monotonic == now { clock.advance(by: .milliseconds(100)) }
      } catch {
        clock.advance(by: .milliseconds(100))
      }
    }
    #expect((50...61).contains(sent), "\(sent) in a minute, where 600 were sent before")
  }

  @Test func oneGoodAnswerClosesTheBreaker() {
    var breaker = CircuitBreaker()
    for second in 0..<CircuitBreaker.window { breaker.note(second % 6 == 0, .seconds(second)) }
    #expect(breaker.isOpen)
    #expect(breaker.admit(.seconds(20)) != nil)
    #expect(breaker.admit(.seconds(40)) == nil)
    #expect(breaker.admit(.seconds(40)) != nil)
    breaker.note(true, .seconds(41))
    #expect(!breaker.isOpen)
    #expect(breaker.admit(.seconds(41)) == nil)
  }

  @Test func someFailuresDoNotOpenIt() {
    var breaker = CircuitBreaker()
    for second in 0..<1000 { breaker.note(second % 10 < 7, .seconds(second)) }
    #expect(!breaker.isOpen)
  }

  @Test func aRequestThatIsGivenUpWhileItIsHeldSendsNothing() async {
    let gate = AccountGate(clock: clock.passive)
    gate.note(isGood: false, pause: .seconds(9))
    let task = Task { () -> StepFailure? in
      do throws(StepFailure) { try await gate.pass("VPS.org", interval: nil) } catch { return error }
      return nil
    }
    task.cancel()
    #expect(await task.value?.kind == .cancelled)
  }
}
