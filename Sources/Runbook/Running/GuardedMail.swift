/// The mail transport of a run's steps: no mail leaves while the run is not certainly ours (`GuardedTransport`).
struct GuardedMail: MailTransport {
  let base: any MailTransport
  let tenure: any Tenure
  let clock: any EngineClock

  func send(_ mail: MailRequest) async throws(MailRefusal) -> MailAnswer {
    var guarded = mail
    guarded.tenure = tenure
    while true {
      guard await tenure.isRegained(clock) else {
        throw MailRefusal(
          Task.isCancelled ? .cancelled : .held, "the run may belong to another process now: nothing was sent")
      }
      do { return try await base.send(guarded) } catch {
        // Refused at the last moment: it waits again.
        guard error.kind == .held, tenure.standing == .passed else { throw error }
      }
    }
  }
}

extension RunAssignment {
  var mail: any MailTransport {
    tenure.map { GuardedMail(base: world.mail, tenure: $0, clock: world.clock) } ?? world.mail
  }
}
