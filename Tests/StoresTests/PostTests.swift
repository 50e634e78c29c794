import Runbook
import Testing
import TestSupport

@Suite struct PostTests {
  let folder = TemporaryFolder()

  @Test(arguments: StoreUnderTest.allCases)
  func aMessageIsNotPostedWhenAnotherIsInItsWay(_ kind: StoreUnderTest) async throws {
    let bench = try kind.open(in: folder)
    try await bench.store.begin("r1")
    let first = try await bench.store.post("cancel", body: [1], to: "r1", requester: "ops") { _ in true }
    #expect(first == .posted(1))
    let second = try await bench.store.post("cancel", body: [2], to: "r1", requester: "eve") { $0.kind == "cancel" }
    guard case .refused(let earlier) = second else {
      Issue.record("expected a refusal, not \(second)")
      return
    }
    #expect(earlier.id == 1 && earlier.requester == "ops" && earlier.body == [1])
    let other = try await bench.store.post("resolve", body: [3], to: "r1", requester: "eve") { $0.kind == "resolve" }
    #expect(other == .posted(2))
    #expect(try await bench.store.requests(for: "r1", after: 0).map(\.body) == [[1], [3]])
  }
}
