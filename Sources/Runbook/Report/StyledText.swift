/// A line of text whose parts say what they mean; who prints it chooses the colours, or none.
public struct StyledText: Sendable, Equatable {
  public enum Role: Sendable, Equatable { case plain, strong, faint, good, bad, warning, active }
  public struct Part: Sendable, Equatable {
    public var text: String
    public var role: Role
    public init(_ text: String, _ role: Role = .plain) {
      self.text = text
      self.role = role
    }
  }
  public var parts: [Part]

  public init(_ text: String = "", _ role: Role = .plain) { parts = text.isEmpty ? [] : [Part(text, role)] }
  public init(_ parts: [Part]) { self.parts = parts.filter { !$0.text.isEmpty } }

  /// Without any colour.
  public var plain: String { parts.map(\.text).joined() }

  public static func + (left: StyledText, right: StyledText) -> StyledText { StyledText(left.parts + right.parts) }
  public static func + (left: StyledText, right: String) -> StyledText { left + StyledText(right) }
}
