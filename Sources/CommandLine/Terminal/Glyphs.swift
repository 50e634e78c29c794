import Runbook

/// The signs of the live tree, and their stand-ins for a terminal that is not in UTF-8.
struct Glyphs: Sendable {
  var done: String
  var failed: String
  var skipped: String
  var unknown: String
  var waiting: String
  var undo: String
  var next: String
  var divider: String
  var ellipsis: String
  var spinner: [String]

  static let unicode = Glyphs(
    done: "✓", failed: "✗", skipped: "–", unknown: "?", waiting: "◆", undo: "↶", next: "·", divider: " · ",
    ellipsis: "…",
    spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"])
  static let ascii = Glyphs(
    done: "+", failed: "x", skipped: "-", unknown: "?", waiting: "*", undo: "<", next: ".", divider: ", ",
    ellipsis: "...",
    spinner: ["|", "/", "-", "\\"])

  /// By the locale's own order: `LC_ALL`, `LC_CTYPE`, `LANG`.
  static func forLocale(_ variable: (String) -> String?) -> Glyphs {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap(variable).first { !$0.isEmpty } ?? ""
    let name = locale.lowercased()
    return name.contains("utf-8") || name.contains("utf8") ? .unicode : .ascii
  }

  /// A finished line in the terminal's own characters.
  func fitted(_ text: StyledText) -> StyledText {
    guard ellipsis != "…" else { return text }
    return StyledText(text.parts.map { StyledText.Part(ascii($0.text), $0.role) })
  }

  private func ascii(_ text: String) -> String {
    var fitted = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "…": fitted += "..."
      case "✓": fitted += "+"
      case "✗": fitted += "x"
      case "■": fitted += "#"
      default: scalar.isASCII ? fitted.unicodeScalars.append(scalar) : fitted.append("?")
      }
    }
    return fitted
  }
}
