import Runbook
import Testing

/// An answer to a question counts once, and for that question alone.
@Suite struct AnswerTests {
  @Test func aSecondAnswerToTheSameQuestionIsRefused() async throws {
    let (place, ledger) = (try Workplace(), Ledger(status: 503))
    let (id, ended) = try await place.park(at: ledger)
    #expect(ended.code == 6, "\(ended)")
    #expect(try await place.run("resolve", id, "call", "--retry").code == 0)
    let second = try await place.run("resolve", id, "call", "--applied")
    #expect(second.code == 2)
    #expect(second.stderr.contains("already answered by "), "\(second.stderr)")
    #expect(second.stderr.contains("(`--retry`)\n  `runbook resume \(id)` carries it out"), "\(second.stderr)")
    #expect(try await place.run("resolve", id, "one", "--applied").code == 2)
    // The answer is used up by its question: the next one is asked anew.
    #expect(try await place.run("resume", id).code == 6)
    #expect(try await place.run("resume", id).code == 6)
    #expect(ledger.lines == ["POST /x", "POST /x"])
    let shown = try JSONReader.read(try await place.run("show", id, "--format", "json").stdout)
    #expect(shown["run"]?["waiting_for"] == ["step": "call", "for": "resolve", "question": 2])
    #expect(shown["steps"]?.list?.last?["status"] == "unknown")
    #expect(try await place.run("resolve", id, "call", "--not-applied").code == 0)
    let over = try await place.run("resume", id)
    #expect(over.code == 3, "\(over)")
    // The answer is about the second request; nobody has said what became of the first.
    #expect(over.stdout.contains("✗ parks failed at `call`"), "\(over.stdout)")
    #expect(over.stdout.contains("  unknown  call\n"), "\(over.stdout)")
    #expect(ledger.lines.count == 2)
  }

  @Test func ofTwoOperatorsWhoAnswerAtOnceOneIsRefused() async throws {
    let (place, ledger) = (try Workplace(), Ledger(status: 503))
    let (id, _) = try await place.park(at: ledger)
    let answered = try await place.shell(
      "for a in applied retry fail; do ( $R resolve \(id) call --$a > /dev/null 2>&1; echo $? ) & done; wait")
    #expect(answered.lines.sorted() == ["0", "2", "2"], "\(answered)")
  }
}
