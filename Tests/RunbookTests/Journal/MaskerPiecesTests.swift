import TestSupport
import Testing

@testable import Runbook

@Suite struct MaskerPiecesTests {
  static let secrets: [String: Secret] = [
    "token": Secret("s3cr3t/Wert \"x\"", named: ["token"]),
    "key": Secret("-----BEGIN-----\nkJ9/q+Zt?4ü\"v\\x~w0P3-rL5\n  sN7 dF2&hB6yy\n-----END-----\n", named: ["key"]),
    "pin": Secret("483920", named: ["pin"]), "twin": Secret("abcabcabc", named: ["twin"]),
    "emoji": Secret("päss🐢wörd", named: ["emoji"]), "long": Secret(MaskerSamples.long, named: ["long"]),
  ]
  let masker = Masker(secrets)

  private func joined(_ pieces: [SecretPiece]) throws -> String {
    try pieces.map { piece in
      switch piece {
      case .plain(let text): text
      case .encoded: ""
      case .secret(let name, let form): try #require(masker.bytes(of: name, form: form), "\(name) \(form)")
      }
    }.joined()
  }

  @Test func aTextWithoutASecretIsOnePiece() {
    #expect(masker.pieces(of: "nothing here") == nil)
    #expect(masker.pieces(of: "") == nil)
  }

  /// The words are in journals: changing one of them loses stored values.
  @Test(arguments: [
    (#"a s3cr3t/Wert "x" b"#, ["raw"]), (#"s3cr3t/Wert \"x\""#, ["json"]), (#"s3cr3t\/Wert \"x\""#, ["json.slash"]),
    (#"s3cr3t/Wert \u0022x\u0022"#, ["json.net"]), ("s3cr3t%2FWert%20%22x%22", ["url"]),
    ("s3cr3t%2fWert%20%22x%22", ["url.lower"]), ("s3cr3t%2FWert+%22x%22", ["form"]),
    ("s3cr3t/Wert%20%22x%22", ["path"]), ("czNjcjN0L1dlcnQgIngi", ["base64"]),
    ("dTpzM2NyM3QvV2VydCAieCI=", ["base64+2<10>0="]),
    ("dXNlcjpzM2NyM3QvV2VydCAieCI=", ["base64+2<10>0="]), ("dXM6czNjcjN0L1dlcnQgIngi", ["base64"]),
    ("OnMzY3IzdC9XZXJ0ICJ4Ig==", ["base64+1<2>0=="]),
    ("7333637233742f5765727420227822", ["hex"]), ("7333637233742F5765727420227822", ["HEX"]),
    ("73:33:63:72:33:74:2f:57:65:72:74:20:22:78:22", ["hex:"]),
    ("czNjcjN0L1dl\ncnQgIngi", ["base64@0-12", "base64@12-"]),
    ("sN7 dF2&hB6yy", ["line3.raw"]), ("abcabcabcabc", ["raw", "raw@6-"]),
  ])
  func aFormHasOneNameForEver(_ text: String, _ forms: [String]) throws {
    let pieces = try #require(masker.pieces(of: text))
    #expect(
      pieces.compactMap { piece -> String? in if case .secret(_, let form) = piece { form } else { nil } } == forms)
    #expect(try joined(pieces) == text)
  }

  @Test(arguments: [
    "", "rawx", "base64+3", "base64<9", "line9.raw", "linex.raw", "raw@-", "raw@9999-", "raw@5-2", "@", "hex@a-b",
  ])
  func anUnknownFormIsNoForm(_ form: String) {
    #expect(masker.bytes(of: "token", form: form) == nil)
    #expect(masker.bytes(of: "nobody", form: "raw") == nil)
  }

  @Test(
    arguments: [
      .int(1_483_920), .int(-483_920), .double(483_920.5), ["a": [483_920, "x 483920"], "b": 7], "at 483920", .int(7),
    ] as [Value])
  func aValueWithASecretInItsDigitsIsStoredWithoutItAndReadAsItWas(_ value: Value) throws {
    let coder = SecretCoder(MaskerPiecesTests.secrets, masker: masker, key: [1])
    let stored = masker.mask(value)
    let marks = ValueMarks.of(value, coder)
    #expect(!(JSONWriter.text(stored) + JSONWriter.text(marks ?? .null)).contains("483920"))
    #expect(ValueMarks.apply(marks, to: stored, coder) == value)
    let other = SecretCoder(["pin": Secret("111111", named: ["pin"])], masker: masker, key: [1])
    if marks != nil { #expect(ValueMarks.apply(marks, to: stored, other).lostSecrets.contains("pin")) }
  }

  /// A secret that is too short to be searched for can be a value all the same.
  @Test func aShortSecretIsReadBack() throws {
    let secret = Secret("abc", named: ["short"])
    let coder = SecretCoder(["short": secret], masker: Masker(["short": secret]), key: [1])
    let marks = try #require(ValueMarks.of(.secret(secret), coder))
    guard case .secret(let read) = ValueMarks.apply(marks, to: "***", coder) else {
      Issue.record("it is no secret")
      return
    }
    #expect(read.reveal() == "abc")
  }

  /// Random texts with secrets in every encoding, cut into pieces: they give the text again, and what is stored of it
  /// holds no secret in any form.
  @Test(arguments: 0..<UInt64(Campaign.count(400, torture: 20_000)))
  func piecesGiveTheTextAgainAndHoldNoSecret(_ seed: UInt64) throws {
    var random = SeededNumbers(seed + 1)
    let words = ["log: ", "Basic ", "%", "\\", "a+b", "\n", "ü", "🐢", "=", "\"", "czNj", "7333", " ", "{\"a\":", "x"]
    let names = MaskerPiecesTests.secrets.keys.sorted()
    var text = ""
    var planted = 0
    for _ in 0..<1 + random.below(6) {
      for _ in 0..<random.below(4) { text += words[random.below(words.count)] }
      text += " "
      if random.below(4) > 0, let secret = MaskerPiecesTests.secrets[names[random.below(names.count)]] {
        text += MaskerSamples.encoded(secret.reveal(), with: &random) + " "
        planted += 1
      }
    }
    let shown = masker.mask(text)
    guard let pieces = masker.pieces(of: text) else {
      #expect(planted == 0, "\(text)")
      return
    }
    #expect(Array(try joined(pieces).utf8) == Array(text.utf8))
    #expect(shown != text)
    for case .plain(let part) in pieces { #expect(masker.mask(part) == part, "\(part)") }
    #expect(masker.mask(shown) == shown)
  }
}
