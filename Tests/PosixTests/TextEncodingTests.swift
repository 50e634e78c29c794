import Posix
import Testing

@Suite struct TextEncodingTests {
  @Test(arguments: [
    ("windows-1252", [0x80, 0x20, 0x66], "€ f"), ("ISO-8859-15", [0xa4], "€"), ("Shift_JIS", [0x93, 0xfa], "日"),
    ("utf-16le", [0x41, 0, 0x3d, 0xd8, 0x22, 0xdc], "A🐢"), ("latin1", [0xfc], "ü"), ("koi8-r", [0xc1], "а"),
  ] as [(String, [UInt8], String)])
  func aTextIsReadInItsCharacterSet(_ charset: String, _ bytes: [UInt8], _ text: String) {
    #expect(TextEncoding.utf8(of: bytes, in: charset).map { String(decoding: $0, as: UTF8.self) } == text)
  }

  @Test func aTextOfAnyLengthIsReadToItsEnd() throws {
    let bytes = (0..<100_003).map { UInt8(0xa0 + $0 % 0x60) }
    let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    #expect(try #require(TextEncoding.utf8(of: bytes, in: "iso-8859-1")) == Array(text.utf8))
  }

  @Test(arguments: [
    ("us-ascii", [0x41, 0xff, 0x42, 0xfe], "A\u{fffd}B\u{fffd}"), ("utf-16le", [0x41, 0, 0x42], "A\u{fffd}"),
    ("shift_jis", [0x41, 0x93], "A\u{fffd}"),
  ] as [(String, [UInt8], String)])
  func aByteThatStandsForNoCharacterIsShownAsOne(_ charset: String, _ bytes: [UInt8], _ text: String) {
    #expect(TextEncoding.utf8(of: bytes, in: charset).map { String(decoding: $0, as: UTF8.self) } == text)
  }

  @Test(arguments: ["", "no-such-set", "../../etc/passwd", "latin1//TRANSLIT", String(repeating: "a", count: 41)])
  func aSetThatIsNotKnownIsToldFromAnEmptyText(_ charset: String) {
    #expect(TextEncoding.utf8(of: [0x41], in: charset) == nil)
  }
}
