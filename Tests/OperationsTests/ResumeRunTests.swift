import Runbook
import Simulator
import Stores
import Testing

@testable import Operations

@Suite struct ResumeRunTests {
  var place = OperationPlace()

  init() { place.secrets.texts = ["token": "t0ken-1", "other": "0ther-2"] }

  private func refused(_ run: String, without: Set<String> = [], _ place: OperationPlace) async -> OperationRefusal? {
    await refusal { () async throws(OperationRefusal) in
      try await ResumeRun(run, place.context(), secrets: place.secrets, without: without).takeOver(in: place.world)
    }
  }

  @Test func aRunWhoseOwnerLivesIsItsOwnersAndASecretIsNotAskedFor() async throws {
    let assignment = try await place.begin(Sample.secret)
    var place = place
    place.secrets.texts = [:]
    #expect(await refused(assignment.lease.runID, place) == .owned(assignment.lease, canCancel: true))
  }

  @Test func aRunThatWasInterruptedIsTakenOverAndCarriedOn() async throws {
    let assignment = try await place.begin(Sample.secret)
    place.die(assignment)
    let resumed = try await place.resumption(assignment.lease.runID).takeOver(in: place.world)
    #expect(resumed.lease.epoch == 2)
    #expect(try place.store.ownership(of: resumed.lease.runID) == .alive(resumed.lease))
    #expect(await place.work(on: resumed).exit == .succeeded)
  }

  @Test func aMissingSecretLeavesTheRunUntouchedAndCanBeGoneWithout() async throws {
    let assignment = try await place.begin(Sample.secret)
    place.die(assignment)
    let run = assignment.lease.runID
    var place = place
    place.secrets.texts["token"] = nil
    let missing = MissingSecret(name: "token", reason: "nobody has given it", hint: "give it")
    #expect(await refused(run, place) == .secretsMissing([missing], canGoWithout: true))
    #expect(try place.store.lease(of: run)?.epoch == 1)
    let resumed = try await place.resumption(run, without: ["token"]).takeOver(in: place.world)
    #expect(resumed.without == ["token"])
    #expect(resumed.secrets.keys.sorted() == ["other"])
  }

  @Test func aNameToGoWithoutMustBeDeclared() async throws {
    let assignment = try await place.begin(Sample.secret)
    place.die(assignment)
    #expect(
      await refused(assignment.lease.runID, without: ["tokem"], place)
        == .noSecret("tokem", declared: ["token", "other"]))
  }

  @Test func aRunOfARestoredStoreAsksForAPersonBeforeItAsksForASecret() async throws {
    let assignment = try await place.begin(Sample.secret)
    try place.markRestored(assignment)
    place.die(assignment)
    var place = place
    place.secrets.texts = [:]
    let run = assignment.lease.runID
    #expect(await refused(run, place) == .restored(run: run))
    place.secrets.texts = ["token": "t0ken-1", "other": "0ther-2"]
    let accepted = try await place.resumption(run, acceptsRestored: true).takeOver(in: place.world)
    #expect(accepted.acceptsRestored == "ops")
  }

  @Test func aTextThatThisReleaseDoesNotUnderstandIsRefusedWithItsMistakes() async throws {
    let assignment = try await place.begin(Sample.one)
    place.die(assignment)
    let mistakes = Diagnostics([])
    var context = place.context()
    context.check = { (_) throws(Diagnostics) in throw mistakes }
    let run = assignment.lease.runID
    let older = context
    #expect(
      await refusal { () async throws(OperationRefusal) in try await ResumeRun(run, older, secrets: place.secrets) }
        == .invalid(run: run, file: "trial.yaml", mistakes))
  }

  @Test func anUnknownRunIsNotFound() async throws {
    #expect(await refused("r9", place) == .store(.notFound("r9"), run: "r9"))
  }
}
