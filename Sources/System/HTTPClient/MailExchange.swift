import CCurl
import Glibc
import Synchronization

/// One mail on its way, on a thread of its own.
///
/// Not driven by `EventLoop`: libcurl waits for the answer to a mail inside of its own call, where it would keep every
/// other request waiting.
///
/// `@unchecked Sendable`: its fields are touched by its thread alone, libcurl's callbacks included; `isCancelled` is
/// atomic.
@safe final class MailExchange: @unchecked Sendable {
  typealias Outcome = Result<MailReply, MailFailure>

  let mail: ClientMail
  let isCancelled = Atomic(false)
  private let continuation: UnsafeContinuation<Outcome, Never>
  private let beganAt = Instant.now
  private(set) var talk: MailTalk
  private(set) var refusal: MailFailure.Kind?
  private var sent = 0
  private var sentAt: Instant = 0
  private var isDeparting = false
  private var goodbyeAt: Instant?
  private var recipientList: UnsafeMutablePointer<curl_slist>?

  /// How long a server may take to say goodbye: the mail is decided by then.
  private static let goodbye = Duration.seconds(1)

  init(_ mail: ClientMail, _ continuation: UnsafeContinuation<Outcome, Never>) {
    self.mail = mail
    unsafe self.continuation = continuation
    talk = MailTalk(security: mail.security, hasLogin: mail.login != nil)
  }

  /// Blocks until the mail is taken or not, and tells the waiting task. Once.
  func run() {
    let outcome = exchange()
    departed()
    unsafe continuation.resume(returning: outcome)
  }

  /// There is no thread for it.
  func giveUp() {
    unsafe continuation.resume(returning: .failure(MailFailure(.unavailable, "no thread can be started for a mail")))
  }

  private func exchange() -> Outcome {
    let curl: Curl
    do { curl = try Curl.loaded.get() } catch { return .failure(MailFailure(.unavailable, error.message)) }
    guard let easy = unsafe curl.table.pointee.easy_init() else {
      return .failure(MailFailure(.unavailable, "no memory is left for a mail"))
    }
    unsafe configure(easy, curl.table)
    let code = unsafe curl.table.pointee.easy_perform(easy)
    let outcome = unsafe outcome(code, easy, curl)
    unsafe curl.table.pointee.easy_cleanup(easy)
    unsafe curl.table.pointee.slist_free_all(recipientList)
    return outcome
  }

  private func configure(_ easy: EasyHandle, _ table: UnsafePointer<curl_functions>) {
    unsafe curl_set_mail_callbacks(
      table, easy, Unmanaged.passUnretained(self).toOpaque(), MailCallbacks.reply, MailCallbacks.upload,
      MailCallbacks.openSocket, MailCallbacks.progress, MailCallbacks.talk)
    unsafe curl_set_text(table, easy, CURLOPT_URL, (mail.security == .tls ? "smtps" : "smtp") + "://\(mail.place)")
    unsafe curl_set_text(table, easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
    unsafe curl_set_text(table, easy, CURLOPT_PROXY, "")
    unsafe curl_set_long(table, easy, CURLOPT_NOSIGNAL, 1)
    // A look-up that hangs is left to its thread.
    unsafe curl_set_long(table, easy, CURLOPT_QUICK_EXIT, 1)
    unsafe curl_set_long(table, easy, CURLOPT_FORBID_REUSE, 1)
    unsafe curl_set_long(table, easy, CURLOPT_TIMEOUT_MS, mail.timeout.curlMilliseconds)
    unsafe curl_set_long(table, easy, CURLOPT_CONNECTTIMEOUT_MS, mail.timeout.curlMilliseconds)
    unsafe curl_set_long(
      table, easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, mail.timeout.curlMilliseconds / 1000 + 1)
    if mail.security == .starttls { unsafe curl_set_long(table, easy, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
    if let file = mail.caFile { unsafe curl_set_text(table, easy, CURLOPT_CAINFO, file) }
    if let login = mail.login {
      unsafe curl_set_text(table, easy, CURLOPT_USERNAME, login.user)
      unsafe curl_set_text(table, easy, CURLOPT_PASSWORD, login.password)
      unsafe curl_set_text(table, easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN")
    }
    unsafe curl_set_text(table, easy, CURLOPT_MAIL_FROM, "<\(mail.sender)>")
    for recipient in mail.recipients {
      if let longer = unsafe table.pointee.slist_append(recipientList, "<\(recipient)>") {
        unsafe recipientList = longer
      }
    }
    unsafe curl_set_data(table, easy, CURLOPT_MAIL_RCPT, recipientList)
    unsafe curl_set_long(table, easy, CURLOPT_UPLOAD, 1)
    unsafe curl_set_size(table, easy, CURLOPT_INFILESIZE_LARGE, Int64(mail.message.count))
  }

  private func departed() {
    guard isDeparting else { return }
    isDeparting = false
    mail.departure?.end()
  }
}

// What libcurl calls. Each returns what the callback must.
extension MailExchange {
  func openSocket(to address: UnsafeMutablePointer<curl_sockaddr>) -> CInt {
    let zone = unsafe AddressPolicy.zone(of: address)
    let isSafe = zone == .loopback || mail.security != .none || mail.login == nil
    guard let zone, zone != .linkLocal, isSafe else {
      refusal = .refusedAddress
      return CURL_SOCKET_BAD
    }
    return unsafe OutgoingSocket.open(to: address)
  }

  func said(_ line: UnsafeRawBufferPointer) {
    unsafe talk.said(line)
    if talk.hasSaidGoodbye, goodbyeAt == nil { goodbyeAt = .now }
  }

  func heard(_ line: UnsafeRawBufferPointer) -> Int {
    if let kind = unsafe talk.heard(line) {
      refusal = kind
      return 0
    }
    if talk.stage == .end, talk.reply != nil { departed() }
    return line.count
  }

  /// The next piece of the message. Nothing of it has any effect before all of it has arrived.
  func upload(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    if sent == 0, !isDeparting, let departure = mail.departure {
      guard departure.begin() else {
        refusal = .held
        return Int(CURL_READFUNC_ABORT)
      }
      isDeparting = true
    }
    let count = min(buffer.count, mail.message.count - sent)
    unsafe mail.message.withUnsafeBytes {
      unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sent..<sent + count]))
    }
    sent += count
    if count > 0 || talk.stage != .end { talk.uploads(isLast: sent == mail.message.count) }
    sentAt = .now
    return count
  }

  /// Called at least once a second. - Returns: not 0 to break off.
  func progress() -> CInt {
    let now = Instant.now
    // libcurl sends the final dot right after the last piece, and does not say so.
    if talk.stage == .end, now > sentAt.advanced(by: .milliseconds(200)) { departed() }
    if isCancelled.load(ordering: .acquiring) { return 1 }
    if let goodbyeAt, now > goodbyeAt.advanced(by: MailExchange.goodbye) { return 1 }
    return now > beganAt.advanced(by: mail.timeout + .seconds(1)) ? 1 : 0
  }
}

/// The functions that libcurl calls while a mail is sent, on the mail's own thread.
enum MailCallbacks {
  static let reply: curl_write_callback = { bytes, size, count, owner in
    guard let exchange = unsafe exchange(owner), let bytes = unsafe bytes else { return 0 }
    return unsafe exchange.heard(UnsafeRawBufferPointer(start: bytes, count: size * count))
  }

  static let upload: curl_read_callback = { buffer, size, count, owner in
    guard let exchange = unsafe exchange(owner), let buffer = unsafe buffer else { return Int(CURL_READFUNC_ABORT) }
    return unsafe exchange.upload(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
  }

  static let openSocket: curl_opensocket_callback = { owner, _, address in
    guard let exchange = unsafe exchange(owner), let address = unsafe address else { return CURL_SOCKET_BAD }
    return unsafe exchange.openSocket(to: address)
  }

  static let progress: curl_xferinfo_callback = { owner, _, _, _, _ in unsafe exchange(owner)?.progress() ?? 1 }

  static let talk: curl_debug_callback = { _, kind, bytes, count, owner in
    if kind == CURLINFO_HEADER_OUT, let bytes = unsafe bytes {
      unsafe exchange(owner)?.said(UnsafeRawBufferPointer(start: bytes, count: count))
    }
    return 0
  }

  private static func exchange(_ owner: UnsafeMutableRawPointer?) -> MailExchange? {
    guard let owner = unsafe owner else { return nil }
    return unsafe Unmanaged<MailExchange>.fromOpaque(owner).takeUnretainedValue()
  }
}
