import Runbook
import TestSupport
import Testing

/// Files that were damaged at random: whatever is in them, the answer is a runbook or a list of mistakes in file order.
@Suite struct HostileDocumentTests {
  private static let text =
    Framed.top + """
      steps:
        - {id: a, run: 'true', env: {A: "${{ inputs.server }}", B: 'a #b'},
         rollback: [{run: x, if: self.status == 'failed'}]}
        - id: b
          wait_for: net.tcp
          with: {host: é.example, port: 22}
          wait: {until: "result.x ? true : false", every: 6s, stable: 3}
          if: "!(inputs.count > 3) && inputs.names.exists(x, x == 'a')"
        - id: c
          run: |
            echo "$A" && { true; }
          outputs: {n_lines: size(result.stdout.split('\\n'))}
          retry: {attempts: 3, delay: 2s}
          rollback: none
      always:
        - action: log.info
          with: &with {message: "${{ run.name }}: ${{ run.outcome }}"}
        - {action: log.warn, with: *with}

      """

  private static let pieces = [
    "[", "]", "{", "}", "'", "\"", ": ", ",", " #", "!", "&a ", "*a ", "${{", "}}", "\n", "  ", "- ", "|", ">", "?",
    "\t", "\r\n", "%",
    "é", "日本", "\\", "<<: ", "---\n", "...\n", "null", "99999999999999999999", "1e999", "\u{2028}", "@", "`", "(", ")",
  ].map { Array($0.utf8) }

  @Test(arguments: 0..<Campaign.count(12, torture: 2000))
  func neverTraps(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    for _ in 0..<20 {
      var bytes = Array(Self.text.utf8)
      for _ in 0..<(1 + Int(random.next() % 6)) {
        let place = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 4 {
        case 0: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 9)))
        case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        default: bytes.insert(contentsOf: Self.pieces[Int(random.next() % UInt64(Self.pieces.count))], at: place)
        }
      }
      check(bytes)
    }
  }

  private func check(_ bytes: [UInt8]) {
    do throws(Diagnostics) {
      let document = try ParsedDocument(yaml: bytes)
      _ = try ValidatedRunbook(document, in: Framed.context())
    } catch {
      #expect(!error.items.isEmpty && error.items.count <= Diagnostics.limit)
      #expect(error.hasErrors)
      #expect(zip(error.items, error.items.dropFirst()).allSatisfy { $0.range.start <= $1.range.start })
      for item in error.items { _ = DiagnosticText.line(item, file: "f") }
    }
  }

  private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }
}
