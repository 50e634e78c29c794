import Testing

@testable import Steps

/// What another machine says of a script is not trusted: its key becomes a word of an order again.
@Suite struct KeptRemoteScriptTests {
  @Test("a line is read that names a key, and none that names anything else")
  func aLineIsReadThatNamesAKey() {
    let script = KeptRemoteScript("r0a1-00ff ended 7 exited 61 13 0 /var/tmp/runbook ssh/r0a1-00ff")
    #expect(script?.run == "r0a1" && script?.exitCode == 7 && script?.age == .seconds(61) && script?.bytes == 13)
    #expect(script?.folder == "/var/tmp/runbook ssh/r0a1-00ff")
    for key in ["r1;id-a", "r1-$(id)", "r1-`id`", "r1-a\nb", "R1-a", "x1-a", "r1", ""] {
      #expect(KeptRemoteScript("\(key) ended 7 exited 61 13 0 /x") == nil, "\(key)")
    }
    for numbers in ["61 -1 0", "61 0 x", "61 0"] { #expect(KeptRemoteScript("r1-a ended 0 exited \(numbers)") == nil) }
    #expect(KeptRemoteScript("r1-a running - - - 0 0 /x")?.age == nil)
  }
}
