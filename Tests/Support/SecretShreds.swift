/// A secret for tests of what is cut: any four letters of it are found nowhere else.
public enum SecretShreds {
  public static let text = "Kx9QmV2vR7tLp4wZ8sYb3nC6dG1hJ5fTqUeWiXoA"

  /// Four letters of the secret, or four digits of it in base64, that stand in a text.
  public static func found(in text: String) -> String? {
    var window: UInt32 = 0
    for (place, byte) in text.utf8.enumerated() {
      window = window << 8 | UInt32(byte)
      if place >= 3, shreds.contains(window) { return "four letters up to place \(place)" }
    }
    return nil
  }

  private static let shreds = Set(
    [text, base64, hex].flatMap { whole -> [UInt32] in
      let bytes = Array(whole.utf8)
      return (0...bytes.count - 4).map { bytes[$0..<$0 + 4].reduce(0) { $0 << 8 | UInt32($1) } }
    })

  public static let base64 = "S3g5UW1WMnZSN3RMcDR3WjhzWWIzbkM2ZEcxaEo1ZlRxVWVXaVhvQQ"
  public static let hex = text.utf8.map { byte in
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
  }.joined()

  /// Texts of `x` with the secret in them so that it begins at every place of a range.
  public static func texts(beginning places: ClosedRange<Int>, of whole: String = text, length: Int) -> [String] {
    places.map { place in
      String(repeating: "x", count: place) + whole
        + String(repeating: "x", count: max(0, length - place - whole.utf8.count))
    }
  }
}
