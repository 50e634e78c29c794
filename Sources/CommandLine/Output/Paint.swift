import Runbook

/// Colours for a terminal that has them; nothing for one that has not.
enum Paint: Sendable {
  case plain, ansi

  func line(_ text: StyledText) -> String {
    switch self {
    case .plain: text.plain
    case .ansi:
      text.parts.map { part in Paint.code(part.role).map { "\u{1b}[\($0)m\(part.text)\u{1b}[0m" } ?? part.text }
        .joined()
    }
  }

  /// The sixteen colours every terminal maps to its own theme.
  private static func code(_ role: StyledText.Role) -> String? {
    switch role {
    case .plain: nil
    case .strong: "1"
    case .faint: "2"
    case .good: "32"
    case .bad: "31"
    case .warning: "33"
    case .active: "36"
    }
  }
}
