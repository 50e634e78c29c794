import Testing
import YAML

@Suite struct YAMLScannerTests {
  @Test func eventsComeInOrderWithTheirMarks() throws {
    var seen: [String] = []
    try YAMLScanner.scan(Array("a: [1, 'x']\n".utf8)) { event in
      seen.append("\(event.kind) \(event.text) \(event.start.line):\(event.start.column)-\(event.end.column)")
      return true
    }
    #expect(
      seen == [
        "streamStart  0:0-0", "documentStart  0:0-0", "mappingStart  0:0-0", "scalar a 0:0-1", "sequenceStart  0:3-4",
        "scalar 1 0:4-5", "scalar x 0:7-10", "sequenceEnd  0:10-11", "mappingEnd  1:0-0", "documentEnd  1:0-0",
        "streamEnd  1:0-0",
      ])
  }

  @Test func aBodyThatGivesUpEndsTheScan() throws {
    var count = 0
    try YAMLScanner.scan(Array("[a, b, c]".utf8)) { _ in
      count += 1
      return count < 4
    }
    #expect(count == 4)
  }

  /// Quadratic in libyaml when the whole text is scanned: 10 s. Its look-ahead is bounded, so giving up early is cheap.
  @Test func depthIsSeenLongBeforeTheTextEnds() throws {
    var depth = 0
    try YAMLScanner.scan(Array(repeating: UInt8(ascii: "["), count: 100_000)) { event in
      if event.kind == .sequenceStart { depth += 1 }
      return depth < 65
    }
    #expect(depth == 65)
  }

  @Test func whatIsNoYamlIsThrownWithItsPlace() {
    let error = #expect(throws: YAMLSyntaxError.self) { try YAMLScanner.scan(Array("a: b: c\n".utf8)) { _ in true } }
    #expect(error?.problem == "mapping values are not allowed in this context")
    #expect(error?.mark == YAMLMark(line: 0, column: 4))
  }
}
