import Testing

@testable import Runbook

@Suite struct MaskerTests {
  let masker = Masker([Secret("s3cr3t/Wert \"x\"", named: ["token"]), Secret("", named: ["empty"])])

  @Test(arguments: [
    ("plain s3cr3t/Wert \"x\" text", "plain *** text"),
    (#"{"token":"s3cr3t/Wert \"x\""}"#, #"{"token":"***"}"#),
    ("q=s3cr3t%2FWert%20%22x%22&a=1", "q=***&a=1"),
    ("Basic czNjcjN0L1dlcnQgIngi", "Basic ***"),
    ("hex 73336372337", "hex 73336372337"),
    ("hex 7333637233742f5765727420227822", "hex ***"),
    ("hex 73:33:63:72:33:74:2F:57:65:72:74:20:22:78:22", "hex ***"),
    ("q=s3cr3t%2fWert%20%22x%22", "q=***"),
    ("q=s3cr3t%2FWert+%22x%22", "q=***"),
    ("q=s3cr3t/Wert+%22x%22", "q=***"),
    (#"{"a":"s3cr3t\/Wert \u0022x\u0022"}"#, #"{"a":"***"}"#),
    (#"{"a":"\u0073\u0033cr3t/Wert \"x\""}"#, #"{"a":"***"}"#),
    ("nothing here", "nothing here"),
    ("", ""),
  ])
  func secretsAreRemovedInEveryFormTheyAreUsuallyPrintedIn(_ text: String, _ expected: String) {
    #expect(masker.mask(text) == expected)
  }

  /// The text before the secret decides its alignment; what base64 makes of it is wrapped as tools do it.
  @Test(arguments: ["", "u", "us", "user:", "user:x", "https://user:"], [0, 64, 76])
  func base64IsFoundAtEveryAlignmentAndAcrossLineBreaks(_ before: String, _ width: Int) {
    let masker = Masker(["token": Secret(MaskerSamples.long, named: ["token"])])
    for after in ["", "@", "@host", "@host/"] {
      let bytes = Array((before + MaskerSamples.long + after).utf8)
      for isURL in [false, true] {
        for lineBreak in ["\n", "\r\n", "\n  "] {
          let text = MaskerSamples.wrapped(MaskerSamples.base64(bytes, isURL: isURL), width, lineBreak)
          let shown = masker.mask("x " + text + " y").filter { !$0.isWhitespace }
          // At most the digits of what stands around it are left.
          let rest = (before.utf8.count + 2) * 4 / 3 + (after.utf8.count + 2) * 4 / 3 + 8
          #expect(shown.utf8.count <= rest, "\(before) \(after) \(width): \(shown)")
        }
      }
    }
  }

  @Test func aSecretOfFewerThanSixCharactersIsNotSearchedForAndNamed() {
    let masker = Masker([
      "user": Secret("admin", named: ["user"]), "word": Secret("äöüßé", named: ["word"]),
      "token": Secret("abcdef", named: ["token"]), "none": Secret("", named: ["none"]),
    ])
    #expect(masker.unsearchedNames == ["user", "word"])
    #expect(masker.mask("admin äöüßé abcdef") == "admin äöüßé ***")
    #expect(masker.pieces(of: "admin äöüßé") == nil)
  }

  @Test func aNumberThatIsASecretIsMaskedInAValueToo() {
    let masker = Masker(["pin": Secret("12345678", named: ["pin"])])
    #expect(masker.mask(["a": 12_345_678, "b": 7] as Value) == ["a": "***", "b": 7])
  }

  @Test func aKeyWithLineEndsOfWindowsIsMaskedLineByLine() {
    let key = Masker([Secret("-----BEGIN-----\r\nabcdefghijkl\r\n", named: ["key"])])
    #expect(key.mask("log: abcdefghijkl.") == "log: ***.")
  }

  @Test func everyTextInsideAValueIsMaskedKeysIncluded() {
    let value: Value = ["s3cr3t/Wert \"x\"": ["a s3cr3t/Wert \"x\"", 1, ["deep": "s3cr3t/Wert \"x\""]]]
    #expect(masker.mask(value) == ["***": ["a ***", 1, ["deep": "***"]]])
  }

  @Test func theLinesOfALongKeyAreMaskedOneByOne() {
    let key = Masker([Secret("-----BEGIN-----\nabcdefghijkl\nshort\n", named: ["key"])])
    #expect(key.mask("log: abcdefghijkl") == "log: ***")
    #expect(key.mask("a short word") == "a short word")
  }

  @Test func ofTwoSecretsOneInsideTheOtherTheLongerIsRemovedWhole() {
    let both = Masker([Secret("passwd", named: ["a"]), Secret("passwd-one", named: ["b"])])
    #expect(both.mask("passwd-one passwd") == "*** ***")
  }

  @Test func aSecretCannotBePrintedOrCompared() {
    let secret = Value.secret(Secret("hunter2", named: ["x"]))
    #expect(!"\(secret)".contains("hunter2"))
    #expect(!String(reflecting: secret).contains("hunter2"))
    #expect(!JSONWriter.text(["a": secret]).contains("hunter2"))
    #expect(secret != secret)
    var dumped = ""
    dump(secret, to: &dumped)
    dump(Masker([Secret("hunter2", named: ["x"])]), to: &dumped)
    #expect(!dumped.contains("\(UInt8(ascii: "h"))"))
    #expect(!dumped.contains("hunter2"))
  }
}
