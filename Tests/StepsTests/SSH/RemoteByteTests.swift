import Runbook
import TestSupport
import Testing

@testable import Steps

/// A line to another machine that is cut after any byte, in either direction.
@Suite(.enabled(if: RemoteWorld.whyNot == nil, "there is no OpenSSH server to try it with"))
struct RemoteByteTests {
  private static let output = (1...4000).map { String($0) }.joined(separator: "\n")

  private static func script(_ world: RemoteWorld) -> String {
    "\(world.writes("start")); seq 1 2000; sleep 0.2; seq 2001 4000; echo e >&2; \(world.writes("end")); exit 5"
  }

  /// Where it is cut, and whether the step's connection is one that is kept for others.
  private struct Cut: Sendable {
    var direction: FaultProxy.Direction
    var isShared: Bool
    var offset: Int
    /// So near to the end of what the line carries that another run may carry less.
    var mayMiss: Bool
  }

  private static func action(_ isShared: Bool) -> SSHRunAction {
    SSHRunAction(program: SSHProgram(path: "/usr/bin/ssh", connections: isShared ? SSHConnections() : nil))
  }

  private static func perform(_ world: RemoteWorld, _ port: UInt16, _ isShared: Bool) async -> (StepFailure?, [UInt8]) {
    let kept = KeptOutput()
    var call = world.call(["script": .string(script(world))], through: port)
    call.output = kept
    do throws(StepFailure) {
      _ = try await action(isShared).perform(call)
      return (nil, kept.stdout)
    } catch { return (error, kept.stdout) }
  }

  /// What the first line carries in each direction when nothing happens to it.
  private static func carried(_ isShared: Bool) async throws -> [FaultProxy.Direction: Int] {
    let world = try RemoteWorld()
    let proxy = FaultProxy(to: world.server.port)
    defer { proxy.stop() }
    _ = await perform(world, proxy.port, isShared)
    return Dictionary(uniqueKeysWithValues: FaultProxy.Direction.allCases.map { ($0, proxy.bytes(of: 0, $0)) })
  }

  private static func cuts() async throws -> [Cut] {
    var cuts: [Cut] = []
    let number = Campaign.count(1, torture: 50)
    for isShared in [false, true] {
      let carried = try await carried(isShared)
      for direction in FaultProxy.Direction.allCases {
        let total = try #require(carried[direction])
        #expect(total > 10_000)
        let step = total / number
        let first = Campaign.offset(below: step) + 1
        cuts += (0..<number).map { index in
          let offset = first + index * step
          return Cut(direction: direction, isShared: isShared, offset: offset, mayMiss: offset > total - total / 10)
        }
      }
    }
    return cuts
  }

  private static func check(_ cut: Cut) async throws {
    let world = try RemoteWorld()
    let proxy = FaultProxy(to: world.server.port, cutting: .init(cut.direction, offset: cut.offset))
    defer { proxy.stop() }
    var (failure, stdout) = await perform(world, proxy.port, cut.isShared)
    #expect(proxy.hasFired || cut.mayMiss, "\(cut) did not come")
    if failure?.beforeFirstByte == true {
      #expect(failure?.effect == StepFailure.Effect.none && world.ledger.isEmpty, "\(cut)")
      (failure, stdout) = await perform(world, proxy.port, cut.isShared)
    }
    #expect(world.ledger == ["start", "end"], "\(cut): \(String(describing: failure))")
    #expect(failure?.kind == .exitCode && failure?.detail["exit_code"] == 5, "\(cut): \(String(describing: failure))")
    #expect(failure?.detail["stderr"] == "e", "\(cut)")
    #expect(stdout == Array((output + "\n").utf8), "\(cut): \(stdout.count) bytes")
  }

  @Test("a line that is cut after any byte, either way, starts the script once; its end is read, its output whole")
  func aLineThatIsCutAfterAnyByteStartsTheScriptOnce() async throws {
    let cuts = try await Self.cuts()
    #expect(cuts.count == Campaign.count(4, torture: 200))
    try await withThrowingTaskGroup(of: Void.self) { group in
      var waiting = cuts[...]
      for cut in waiting.prefix(8) { group.addTask { try await Self.check(cut) } }
      waiting = waiting.dropFirst(8)
      while try await group.next() != nil {
        if let cut = waiting.popFirst() { group.addTask { try await Self.check(cut) } }
      }
    }
  }
}
