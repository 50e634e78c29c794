import TestSupport
import Testing

@testable import Runbook

/// A secret is hidden in a stream however its bytes are cut on their way.
@Suite struct StreamMaskerTests {
  static let secrets = MaskerPiecesTests.secrets.merging(
    ["plus": Secret("a b+c d+e", named: ["plus"]), "back": Secret("n\\u00", named: ["back"])]) { first, _ in first }
  let masker = Masker(secrets)

  static let texts: [String] = [
    "plain s3cr3t/Wert \"x\" text", "s3cr3t/Wert \"x\"s3cr3t/Wert \"x\"", "ends s3cr3t/Wert \"", "s3cr3t/Wert",
    #"{"token":"s3cr3t\/Wert \u0022x\u0022"} {"a":"\u0073\u0033cr3t/Wert \"x\""}"#,
    #"\\\\s3cr3t\/Wert \"x\" \\u0073\u"#,
    "q=s3cr3t%2FWert%20%22x%22&a=%", "q=s3cr3t%2fWert+%22x%22+a", "a+b%2Bc+d%2be a%20b%2Bc%20d%2Be",
    "OnMzY3IzdC9XZXJ0ICJ4Ig== dXM6czNjcjN0L1dlcnQgIngi czNjcjN0L1dl\r\n  cnQgIngi .", "x dTpzM2NyM3QvV2VydCAieCI=",
    "73:33:63:72:33:74:2F:57:65:72:74:20:22:78:22 7333637233742f5765727420227822 73 33 63",
    "abcabcabcabcabcabcab abcabca", "-----BEGIN-----\nkJ9/q+Zt?4ü\"v\\x~w0P3-rL5\n  sN7 dF2&hB6yy\n-----END-----\n",
    "sN7 dF2&hB6yy", "päss🐢wörd p\\u00e4ss\\ud83d\\udc22w\\u00f6rd", "p%C3%A4ss%F0%9F%90%A2w%C3%B6rd",
    "4839204839204839",
    "nothing here at all, neither \\ nor % nor +", "", #"\\\\\\\\\\\\\n\u00n\\u00 \"n\\u00\""#,
  ]

  private struct Given {
    var shown: [UInt8] = []
    var truth: [UInt8] = []
    var count = 0
  }

  private func add(_ masked: MaskedBytes, to given: inout Given) throws {
    var copied = 0
    for hidden in masked.hidden {
      given.truth += masked.bytes[copied..<hidden.at]
      for piece in hidden.pieces {
        switch piece {
        case .plain(let bytes): given.truth += bytes
        case .secret(let name, let form): given.truth += try #require(masker.trueBytes(of: name, form: form))
        }
      }
      copied = hidden.at + hidden.length
    }
    given.truth += masked.bytes[copied...]
    given.shown += masked.bytes
    given.count += masked.count
  }

  private func stream(_ parts: [[UInt8]]) throws -> Given {
    var stream = StreamMasker(masker)
    var given = Given()
    for part in parts { try add(stream.take(part), to: &given) }
    try add(stream.finish(), to: &given)
    return given
  }

  private func check(_ text: [UInt8], in parts: [[UInt8]], _ note: String) throws {
    let given = try stream(parts)
    let expected = masker.mask(text)
    #expect(
      given.shown == expected,
      "\(note): \(String(decoding: given.shown, as: UTF8.self)) | \(String(decoding: expected, as: UTF8.self))")
    #expect(given.truth == text, "\(note): \(String(decoding: given.truth, as: UTF8.self))")
    #expect(given.count == text.count)
  }

  @Test(arguments: texts)
  func whatIsMaskedDoesNotDependOnWhereAStreamIsCut(_ text: String) throws {
    let bytes = Array(("> " + text + " <").utf8)
    for cut in 0...bytes.count {
      try check(bytes, in: [Array(bytes[..<cut]), Array(bytes[cut...])], "cut at \(cut)")
    }
    try check(bytes, in: bytes.map { [$0] }, "byte by byte")
    for size in 2...7 {
      try check(
        bytes, in: stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) },
        "\(size) bytes at a time")
    }
  }

  @Test(arguments: 0..<UInt64(Campaign.count(200, torture: 10_000)))
  func mixturesOfTextsAreMaskedTheSameInPartsOfAnySize(_ seed: UInt64) throws {
    var random = SeededNumbers(seed)
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let text = Array(Self.texts[Int.random(in: 0..<Self.texts.count, using: &random)].utf8)
      let from = Bool.random(using: &random) ? 0 : Int.random(in: 0...text.count, using: &random)
      bytes += text[from...] + (Bool.random(using: &random) ? [] : [0x0a])
    }
    var parts: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = rest.prefix(Int.random(in: 1...40, using: &random))
      parts.append(Array(part))
      rest = rest.dropFirst(part.count)
    }
    try check(bytes, in: parts, "seed \(seed)")
  }

  @Test func aLineThatBeginsNoSecretIsGivenAtOnce() {
    var stream = StreamMasker(masker)
    #expect(stream.take(Array("step 1 is done.\n".utf8)).bytes == Array("step 1 is done.\n".utf8))
    #expect(stream.pending == 0)
  }

  @Test func littleIsKeptBackHoweverLongAStreamOfOneSecretIs() {
    var stream = StreamMasker(Masker(["six": Secret("aaaaaa", named: ["six"])]))
    var shown = 0
    for _ in 0..<100 {
      shown += stream.take([UInt8](repeating: UInt8(ascii: "a"), count: 10_000)).bytes.count
      #expect(stream.pending < 1000)
    }
    #expect(shown + stream.finish().bytes.count == 3)
  }
}
