import Posix
import Runbook
import TestSupport
import Testing

@testable import Steps

/// Hostile scripts, many at once, on this machine and on another one, by an engine in a process of its own.
@Suite struct ScriptContractShapesTests {
  private struct Part: Sendable {
    var place: ScriptUnderTest.Place
    var ending: HostileShape.Ending

    /// How many in all, and how many at once. Each that is ended looks at all processes there are.
    var size: (count: Int, width: Int) {
      switch (place, ending) {
      case (.here, .ordinary): (Campaign.count(24, torture: 1600), 32)
      case (.here, .cancelled): (Campaign.count(16, torture: 480), 32)
      case (.here, .timedOut): (Campaign.count(16, torture: 320), 64)
      // No more sessions at once than one connection takes.
      case (.elsewhere, _): (Campaign.count(8, torture: 32), 4)
      }
    }

    static var all: [Part] {
      ScriptUnderTest.places.flatMap { place in
        HostileShape.Ending.allCases.map { Part(place: place, ending: $0) }
      }
    }
  }

  @Test("hostile scripts leave nothing behind, and what was left on purpose lives on")
  func hostileScriptsLeaveNothingBehind() async throws {
    // In a check all at once; in a campaign each would only wait for the others.
    try await withThrowingTaskGroup(of: Void.self) { group in
      for part in Part.all {
        group.addTask { try await Self.check(part) }
        if Campaign.isLong { try await group.waitForAll() }
      }
      try await group.waitForAll()
    }
  }

  private static func check(_ part: Part) async throws {
    let folder = TemporaryFolder()
    let (count, width) = part.size
    var words = ["shapes", part.place.rawValue, part.ending.rawValue, "\(count)", "\(width)", folder.path]
    if part.place == .elsewhere {
      for (name, value) in try RemoteWorld().server.place() {
        switch value {
        case .int(let number): words.append("\(name)=\(number)")
        default: words.append("\(name)=\(value.string ?? "")")
        }
      }
    }
    let findings = try await ShapeFindings(words)
    #expect(findings.wrong.isEmpty, "\(findings.wrong.prefix(20).joined(separator: "\n"))")
    #expect(findings.number("done") == count, "\(part): \(findings.lines.suffix(20))")
    // A machine that is slow may end some of them before their deed is done.
    #expect(try #require(findings.number("begun")) > count / 2, "\(part)")
    #expect(findings.number("zombies") == 0, "\(part)")
    #expect(try #require(findings.number("descriptors")) <= 0, "\(part)")
    // In KiB.
    #expect(try #require(findings.number("memory")) < 128 << 10, "\(part)")
  }

  @Test("more output than fits into the memory is counted, and the memory stays small", arguments: HugeOutput.allCases)
  func moreOutputThanFitsIntoTheMemoryIsCounted(_ shape: HugeOutput) async throws {
    let folder = TemporaryFolder()
    let count = Campaign.count(1, torture: 20)
    let size = Campaign.count(96, torture: 1024)
    let findings = try await ShapeFindings(["huge", shape.rawValue, "\(count)", "\(size)", folder.path])
    #expect(findings.wrong.isEmpty, "\(findings.wrong.joined(separator: "\n"))")
    #expect(findings.number("done") == count)
    #expect(try #require(findings.number("memory")) < 128 << 10)
  }
}

/// What the harness says at its end: `NAME NUMBER` a line, and `wrong WORDS` for each thing that is not as it must be.
struct ShapeFindings {
  let lines: [String]
  var wrong: [String] { lines.filter { $0.hasPrefix("wrong ") } }
  func number(_ name: String) -> Int? {
    lines.last { $0.hasPrefix(name + " ") }.flatMap { Int($0.dropFirst(name.count + 1)) }
  }

  init(_ words: [String]) async throws {
    let (pid, said) = try Harness.start(words)
    let bytes = try await Thread.run {
      var all: [UInt8] = []
      while let piece = try? said.read(limit: 65_536), !piece.isEmpty { all += piece }
      Children.reap(pid)
      return all
    }
    lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
