import CCurl
import Glibc
import Synchronization

/// Hands mails to servers by SMTP with libcurl, one connection a mail. Loads libcurl with the first mail.
public struct MailClient: Sendable {
  public init() {}

  /// - Returns: what the server said when it had taken the mail for all recipients.
  /// - Throws: `.cancelled` when the task is cancelled; the exchange has been broken off by then.
  public func send(_ mail: ClientMail) async throws(MailFailure) -> MailReply {
    try mail.check()
    // OpenSSL writes to sockets without MSG_NOSIGNAL: a peer that has left must be an error, not the end of the
    // process.
    signal(SIGPIPE, SIG_IGN)
    let current = Mutex<MailExchange?>(nil)
    let isCancelled = Atomic(false)
    let outcome: MailExchange.Outcome = await withTaskCancellationHandler {
      await unsafe withUnsafeContinuation { continuation in
        let exchange = unsafe MailExchange(mail, continuation)
        current.withLock { $0 = exchange }
        // Cancelled before there was anything to cancel: its thread will see it.
        if isCancelled.load(ordering: .acquiring) { exchange.isCancelled.store(true, ordering: .releasing) }
        MailClient.start(exchange)
      }
    } onCancel: {
      isCancelled.store(true, ordering: .releasing)
      current.withLock { $0 }?.isCancelled.store(true, ordering: .releasing)
    }
    return try outcome.get()
  }

  private static func start(_ exchange: MailExchange) {
    var thread = pthread_t()
    let itself = unsafe Unmanaged.passRetained(exchange)
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<MailExchange>.fromOpaque(argument).takeRetainedValue().run()
        }
        return nil
      }, itself.toOpaque())
    guard code == 0 else { return unsafe itself.takeRetainedValue().giveUp() }
    pthread_detach(thread)
  }
}
