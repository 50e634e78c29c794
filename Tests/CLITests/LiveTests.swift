import Glibc
import Posix
import Testing

@Suite struct LiveTests {
  @Test func onATerminalTheTreeRedrawsInPlaceAndEndsWithTheWords() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.fails)
    let terminal = try PseudoTerminal()
    let pid = try terminal.start(["run", "a.yaml"], in: place)
    let (text, end) = try await terminal.readToEnd(of: pid)
    #expect(end == .exited(3), "\(text)")
    #expect(text.contains("\u{1b}["))
    #expect(text.contains("rolling back"))
    #expect(text.contains("✗"))
    #expect(text.contains("runbook logs r"))
    #expect(!text.contains("?25l"))
  }

  @Test(arguments: [["TERM": "dumb"], ["TERM": "-"]])
  func aDumbTerminalGetsPlainLines(_ variables: [String: String]) async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let terminal = try PseudoTerminal()
    let pid = try terminal.start(["run", "a.yaml"], in: place, variables)
    let (text, end) = try await terminal.readToEnd(of: pid)
    #expect(end == .exited(0))
    #expect(!text.contains("\u{1b}"))
    #expect(text.contains("one … run"))
  }

  @Test(arguments: [(["NO_COLOR": "1"], [String]()), ([:], ["--no-color"])])
  func coloursCanBeRefused(_ variables: [String: String], _ options: [String]) async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let terminal = try PseudoTerminal()
    let pid = try terminal.start(["run", "a.yaml"] + options, in: place, variables)
    let (text, end) = try await terminal.readToEnd(of: pid)
    #expect(end == .exited(0))
    for colour in ["1", "2", "31", "32", "33", "36"] { #expect(!text.contains("\u{1b}[\(colour)m")) }
  }

  @Test func ctrlCAndAResizeAreAnswered() async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.waits)
    let terminal = try PseudoTerminal()
    let pid = try terminal.start(["run", "a.yaml"], in: place)
    let (text, end) = try await terminal.readToEnd(of: pid, whenSeen: "1 of 3") {
      terminal.resize(columns: 20, rows: 10)
      kill(pid, SIGWINCH)
      kill(pid, SIGINT)
    }
    #expect(end == .exited(5), "\(text)")
    #expect(text.contains("cancelled"))
  }

  @Test(arguments: [UInt16(1), 2, 5])
  func aTerminalOfNoWidthIsBorne(_ columns: UInt16) async throws {
    let place = try Workplace()
    try place.write("a.yaml", Sample.succeeds)
    let terminal = try PseudoTerminal(columns: columns, rows: 3)
    let pid = try terminal.start(["run", "a.yaml"], in: place)
    #expect(try await terminal.readToEnd(of: pid).end == .exited(0))
  }
}
