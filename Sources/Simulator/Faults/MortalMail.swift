import Runbook

/// Mail as one process sees it.
struct MortalMail: MailTransport {
  let base: any MailTransport
  let life: KillSwitch

  private var dead: MailRefusal { MailRefusal(.cancelled, "the process was killed") }

  func send(_ mail: MailRequest) async throws(MailRefusal) -> MailAnswer {
    await life.wake()
    guard life.pass("before sending a mail") else { throw dead }
    await life.wake()
    let answer = try await base.send(mail)
    guard life.pass("before reading the reply to a mail") else { throw dead }
    await life.wake()
    return answer
  }
}
