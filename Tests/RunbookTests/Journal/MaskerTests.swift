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
    ("nothing here", "nothing here"),
    ("", ""),
  ])
  func secretsAreRemovedInEveryFormTheyAreUsuallyPrintedIn(_ text: String, _ expected: String) {
    #expect(masker.mask(text) == expected)
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
    let both = Masker([Secret("pass", named: ["a"]), Secret("password1", named: ["b"])])
    #expect(both.mask("password1 pass") == "*** ***")
  }

  @Test func aSecretCannotBePrintedOrCompared() {
    let secret = Value.secret(Secret("hunter2", named: ["x"]))
    #expect(!"\(secret)".contains("hunter2"))
    #expect(!String(reflecting: secret).contains("hunter2"))
    #expect(!JSONWriter.text(["a": secret]).contains("hunter2"))
    #expect(secret != secret)
    var dumped = ""
    dump(secret, to: &dumped)
    #expect(!dumped.contains("hunter2"))
  }
}
