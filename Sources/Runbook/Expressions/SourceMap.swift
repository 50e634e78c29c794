/// Where a piece of a scalar's text stands in the file.
struct SourceMap {
  let range: SourceRange
  private let bytes: [UInt8]
  /// Columns between the start of the range and the text: 1 for a quoted scalar; nil if the page does not show the
  /// text as it is (several lines, escapes), so that only the whole scalar can be pointed at.
  private let shift: Int?

  init(_ bytes: [UInt8], at range: SourceRange) {
    self.range = range
    self.bytes = bytes
    let width = range.start.line == range.end.line ? range.end.column - range.start.column : -1
    let length = SourceMap.scalars(in: bytes[...])
    shift = width == length ? 0 : width == length + 2 ? 1 : nil
  }

  func range(of span: Range<Int>) -> SourceRange {
    guard let shift, span.upperBound <= bytes.count else { return range }
    let start = range.start.column + shift + SourceMap.scalars(in: bytes[..<span.lowerBound])
    let end = start + max(1, SourceMap.scalars(in: bytes[span]))
    return SourceRange(
      SourceRange.Place(line: range.start.line, column: start), SourceRange.Place(line: range.start.line, column: end))
  }

  func diagnostic(_ mistake: ExpressionMistake) -> Diagnostic {
    Diagnostic(mistake.kind.diagnosticCode, at: range(of: mistake.span), mistake.message, hint: mistake.hint)
  }

  private static func scalars(in bytes: ArraySlice<UInt8>) -> Int {
    var count = 0
    for byte in bytes where byte & 0xc0 != 0x80 { count += 1 }
    return count
  }
}
