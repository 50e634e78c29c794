import TestSupport
import Testing

@testable import Stores

/// The order in which runs that wait for a lock come to it. A ticket's lock belongs to its open file, so those of one
/// process are in one another's way as those of several are.
@Suite struct LockQueueTests {
  private let folder = TemporaryFolder()
  private var queue: LockQueue { LockQueue(besides: folder.path + "/db") }

  private func join(_ second: Int, _ locks: [String] = ["a"], runbook: String = "book") throws -> LockQueue.Ticket {
    try #require(queue.join(locks, runbook: runbook, now: .seconds(second), number: UInt64(second)))
  }

  @Test func theRunThatBeganToWaitFirstIsNext() throws {
    let (third, first, second, other) = (try join(30), try join(10), try join(20), try join(5, ["b"]))
    #expect(first.isNext && !second.isNext && !third.isNext && other.isNext)
    first.leave()
    #expect(second.isNext && !third.isNext)
    second.leave()
    #expect(third.isNext)
    third.leave()
    other.leave()
    #expect(queue.files.isEmpty)
  }

  /// A process that was killed has left its file.
  @Test func aWaiterThatIsGoneIsInNobodysWay() throws {
    let ticket = try join(2)
    let gone = folder.file("db.waiting/0000000000000001-1", "book\na")
    #expect(ticket.isNext && !queue.files.contains("0000000000000001-1"), "\(gone)")
    ticket.leave()
  }

  @Test func onlyEarlierRunsOfTheSameRunbookAreToldToGiveWay() throws {
    let (same, other, elsewhere) = (try join(1), try join(2, runbook: "another"), try join(3, ["b"]))
    let (ticket, later) = (try join(4), try join(5))
    #expect(ticket.supersede(runbook: "book") == 1)
    #expect([same, other, elsewhere, ticket, later].map(\.isSuperseded) == [true, false, false, false, false])
    for ticket in [same, other, elsewhere, ticket, later] { ticket.leave() }
    #expect(queue.files.isEmpty)
  }

  @Test func whereNoFolderCanBeMadeNobodyWaitsInOrder() {
    #expect(LockQueue(besides: "/proc/none/db").join(["a"], runbook: "b", now: .zero, number: 1) == nil)
  }
}
