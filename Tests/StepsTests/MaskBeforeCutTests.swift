import Runbook
import TestSupport
import Testing

@testable import Steps

/// A secret that lies across the place where an output is cut must not survive in part.
@Suite struct MaskBeforeCutTests {
  static let masker = Masker(["token": Secret(SecretShreds.text, named: ["token"])])
  static let mask: @Sendable ([UInt8]) -> [UInt8] = { masker.mask($0) }
  static let forms = [SecretShreds.text, SecretShreds.base64, SecretShreds.hex]

  @Test(arguments: forms)
  func aSecretThatIsCutOffAScriptsOutputDoesNotSurviveInPart(_ form: String) throws {
    // Its last bytes are told; the rest is cut off at byte 590.
    let length = 590 + ScriptResult.excerpt.bytes
    for text in SecretShreds.texts(beginning: 505...595, of: form, length: length) {
      for end in [
        ScriptEnd(exitCode: 4, stdout: Array(text.utf8)), ScriptEnd(exitCode: 4, stderr: Array(text.utf8)),
      ] {
        let failure = #expect(throws: StepFailure.self) {
          _ = try ScriptResult(end, mask: Self.mask).get(of: "the script")
        }
        #expect(SecretShreds.found(in: JSONWriter.text(.map(failure?.detail ?? [:]))) == nil)
      }
    }
  }

  @Test(arguments: forms)
  func aSecretThatIsCutOffAnAnswerDoesNotSurviveInPart(_ form: String) async throws {
    for text in SecretShreds.texts(beginning: 930...1030, of: form, length: 3000) {
      let web = FakeWeb(500, text)
      let failure = await web.perform(HTTPGetAction(), ["url": "https://h/"], mask: Self.mask).failure
      let body = try #require(failure?.detail["body"]?.string)
      #expect(SecretShreds.found(in: body) == nil)
      #expect(body.hasPrefix("xxxx"))
      let told = await web.perform(WebhookAction(), ["url": "https://h/", "text": "hello"], mask: Self.mask).failure
      #expect(SecretShreds.found(in: JSONWriter.text(.map(told?.detail ?? [:]))) == nil)
    }
  }

  /// The log is cut at its beginning, its last line, which is told as the reason, at its end.
  @Test(arguments: forms)
  func aSecretThatIsCutOffWhatSSHSaysDoesNotSurviveInPart(_ form: String) throws {
    for text in SecretShreds.texts(beginning: 100...210, of: form, length: 1200) {
      for log in ["connect to host db\n" + text, text + "connect to host db"] {
        let failure = SSHLog(Array(log.utf8), mask: Self.mask).failure(at: "db")
        #expect(SecretShreds.found(in: failure.message + JSONWriter.text(.map(failure.detail))) == nil)
      }
      let session = SSHSession(key: "k")
      let end = ScriptEnd(exitCode: 255, stderr: Array(("runbook k begin\n" + text).utf8))
      var call = Calls(scripts: Harness.scripts(in: TemporaryFolder()), key: "k").make([:])
      call.mask = Self.mask
      let lost = #expect(throws: StepFailure.self) { _ = try session.result(of: end, at: "db", call) }
      #expect(SecretShreds.found(in: JSONWriter.text(.map(lost?.detail ?? [:]))) == nil)
    }
  }
}
