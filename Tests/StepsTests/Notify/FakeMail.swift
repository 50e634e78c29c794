import Runbook
import Synchronization

@testable import Steps

/// A mail server in memory: answers one thing, and keeps what it was sent.
final class FakeMail: MailTransport {
  private let outcome: Result<MailAnswer, MailRefusal>
  private let sent = Mutex<[MailRequest]>([])

  init(_ outcome: Result<MailAnswer, MailRefusal> = .success(MailAnswer(code: 250, words: Array("queued as 4X".utf8))))
  {
    self.outcome = outcome
  }

  func send(_ mail: MailRequest) async throws(MailRefusal) -> MailAnswer {
    sent.withLock { $0.append(mail) }
    return try outcome.get()
  }

  var mails: [MailRequest] { sent.withLock { $0 } }
  /// The one that was sent, in lines.
  var lines: [String] {
    String(decoding: mails.first?.message ?? [], as: UTF8.self)
      .split(separator: "\r\n", omittingEmptySubsequences: false).map { String($0) }
  }

  static let fields: [String: Value] = [
    "host": "mail.example.com", "from": "runbook@example.com", "to": "ops@example.com", "subject": "hello",
    "text": "all is well",
  ]

  /// - Parameter fields: besides those that are needed; null takes one away.
  func send(
    _ fields: [String: Value] = [:], step: String = "tell", timeout: Duration = .seconds(3600),
    mask: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
  ) async -> Result<ActionResult, StepFailure> {
    let base = FakeWeb(200).call([:])
    var call = ActionCall(
      with: Arguments(FakeMail.fields.merging(fields) { _, own in own }), key: "key1", runID: "r0000000000000000000",
      clock: base.clock, transport: base.transport, scripts: base.scripts, files: base.files,
      deadline: base.clock.now + timeout, step: step)
    call.mail = self
    call.mask = mask
    do { return .success(try await MailAction().perform(call)) } catch { return .failure(error) }
  }
}
