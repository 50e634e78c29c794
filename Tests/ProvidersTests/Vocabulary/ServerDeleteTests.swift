import Runbook
import Simulator
import TestSupport
import Testing

@testable import ProviderKit

/// `server.delete` on any cloud.
@Suite struct ServerDeleteTests {
  /// A cloud of one server, or of none.
  private struct OneServer: Cloud {
    var state: (native: String, word: PowerState)?
    var service: String { "Cloud" }
    var maxRequestLife: Duration { .seconds(90) }

    func server(_ id: String, asOf: Duration?) async throws(StepFailure) -> CloudServer {
      guard let state else { throw StepFailure(.notFound, "there is no server \(id)") }
      return CloudServer(id: id, name: "web", nativeState: state.native, state: state.word)
    }
    func servers() async throws(StepFailure) -> [CloudServer] { [] }
    func items(
      _ kind: ItemKind, server: String?, type: String?, asOf: Duration?
    ) async throws(StepFailure) -> [CloudItem] { [] }
    func delete(
      _ kind: ItemKind, _ id: String, server: String?, key: String, until deadline: Timestamp
    ) async throws(StepFailure) -> Bool { false }
    func limit(_ kind: ItemKind) -> Int? { nil }
  }

  private func call(_ server: String, created: Set<String>) -> ActionCall {
    let clock = VirtualClock()
    var call = ActionCall(
      with: Arguments(["server": .string(server)]), key: "k", runID: "r", clock: clock,
      transport: InMemoryTransport(clock: clock, routes: [:]), scripts: SimulatedScripts(clock: clock),
      files: SimulatedFiles(), deadline: clock.now + .seconds(60))
    call.createdServers = created
    return call
  }

  @Test("only a server that this run has created is deleted, and the message says so")
  func onlyAServerOfThisRunIsDeleted() throws {
    #expect(try ServerDelete.target(call("7", created: ["6", "7"])) == "7")
    for (created, why) in [(Set<String>(), "this run has created none"), (["6"], "this run has created 6")] {
      do throws(StepFailure) {
        _ = try ServerDelete.target(call("7", created: created))
        Issue.record("it may be deleted")
      } catch {
        #expect(error.kind == .input && error.effect == .none && !error.retryable)
        #expect(
          error.message == "server 7 was not created by this run, and only such servers are deleted: \(why)")
      }
    }
  }

  @Test("one that is gone counts as deleted")
  func oneThatIsGoneCountsAsDeleted() async throws {
    let call = call("7", created: ["7"])
    func probe(_ state: (String, PowerState)?) async throws -> ProbeAnswer {
      try await OneServer(state: state.map { ($0.0, $0.1) }).probeDeletion(call, goingBy: ["Destroying"])
    }
    #expect(try await probe(nil) == .applied(ActionResult()))
    #expect(try await probe(("Destroyed", .absent)) == .applied(ActionResult()))
    #expect(try await probe(("Destroying", .changing)) == .applied(ActionResult()))
    #expect(try await probe(("Starting", .changing)) == .unsure)
    #expect(try await probe(("Running", .running)) == .notApplied)
  }

  @Test("it is waited for until it is absent, and not beyond an error")
  func itIsWaitedForUntilItIsAbsent() async throws {
    let call = call("7", created: ["7"])
    func verdict(_ state: (native: String, word: PowerState)?) async throws -> Observation.Verdict {
      try await OneServer(state: state).observeDeletion(call, after: ActionResult()).verdict
    }
    #expect(try await verdict(nil) == .done)
    #expect(try await verdict(("Destroyed", .absent)) == .done)
    #expect(try await verdict(("Running", .running)) == .pending)
    guard case .failed = try await verdict(("Error", .error)) else {
      Issue.record("an error does not end the wait")
      return
    }
  }
}
