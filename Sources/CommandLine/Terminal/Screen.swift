import Runbook

/// What a terminal shows of a run: finished lines, which scroll away like any output, and below them the live lines,
/// drawn over again in place. Makes the bytes; writes none. The cursor is never hidden, so a process that is killed
/// leaves the terminal as it was.
struct Screen {
  struct Size: Sendable, Equatable {
    var columns: Int
    var rows: Int
    init(columns: Int, rows: Int) {
      self.columns = max(1, columns)
      self.rows = max(2, rows)
    }
  }

  private let paint: Paint
  private let glyphs: Glyphs
  /// The live lines as they stand on the screen; the cursor is at the beginning of the row below the last.
  private var drawn: [StyledText] = []
  private var drawnSize = Size(columns: 80, rows: 24)

  init(paint: Paint, glyphs: Glyphs) {
    self.paint = paint
    self.glyphs = glyphs
  }

  /// The bytes that put `finished` above and `live` below them; empty if the screen is right already. Live lines are
  /// cut to the width, and to the height from the top, so that the last (what is going on now) is always seen.
  mutating func frame(finished: [StyledText], live: [StyledText], size: Size) -> String {
    let fitted = live.suffix(size.rows - 1).map { DisplayWidth.cut(glyphs.fitted($0), to: size.columns) }
    if finished.isEmpty, fitted == drawn, size == drawnSize { return "" }
    var text = backToTop(size)
    for line in finished { text += paint.line(DisplayWidth.cut(glyphs.fitted(line), to: size.columns)) + "\u{1b}[K\n" }
    for line in fitted { text += paint.line(line) + "\u{1b}[K\n" }
    drawn = fitted
    drawnSize = size
    return text + "\u{1b}[J"
  }

  /// To the first live row. After a change of width the terminal may have folded what stands there into more rows.
  private func backToTop(_ size: Size) -> String {
    var rows = 0
    for line in drawn { rows += max(1, (DisplayWidth.of(line) + size.columns - 1) / size.columns) }
    rows = min(rows, size.rows - 1)
    return rows > 0 ? "\r\u{1b}[\(rows)A" : "\r"
  }
}
