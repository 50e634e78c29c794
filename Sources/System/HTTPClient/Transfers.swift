import CCurl
import Glibc
import Synchronization

/// Every transfer under way, and the libcurl handle that drives them. Not safe for several threads: `EventLoop` lends
/// it under a lock. It never blocks: `epoll` watches the sockets and one timer, and the thread that waits on it comes
/// back here.
@safe final class Transfers {
  let curl: Curl
  let epoll: CInt
  private let multi: UnsafeMutableRawPointer
  private let timer: CInt
  /// When the timer fires next; `.max`: it does not. Moved only forwards in urgency: firing early is cheaper than a
  /// system call for each request that ended in time.
  private var armedFor = Instant.max
  /// When libcurl wants to be called again.
  private var curlDeadline = Instant.max
  /// When somebody may have been silent for too long.
  private var nextLook = Instant.max
  private var underway: [Exchange] = []
  private var ended: [Exchange] = []
  /// Handles to use again.
  private var spares: [EasyHandle] = unsafe []
  private let settings: ClientSettings

  /// Handles kept for reuse; each holds some 30 KiB.
  private static let spareLimit = 32

  /// - Throws: `.unavailable` when the process has no file descriptor left.
  init(_ curl: Curl, _ settings: ClientSettings) throws(ClientFailure) {
    self.curl = curl
    self.settings = settings
    epoll = epoll_create1(CInt(EPOLL_CLOEXEC))
    timer = timerfd_create(CLOCK_MONOTONIC, CInt(TFD_CLOEXEC | TFD_NONBLOCK))
    guard epoll >= 0, timer >= 0, let multi = unsafe curl.table.pointee.multi_init() else {
      throw ClientFailure(.unavailable, "no file descriptor or memory is left for HTTP", beforeFirstByte: true)
    }
    unsafe self.multi = multi
    unsafe curl_multi_set_callbacks(
      curl.table, multi, Unmanaged.passUnretained(self).toOpaque(), Callbacks.socketChanged, Callbacks.timerChanged)
    unsafe curl_multi_set_long(curl.table, multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.connectionLimit)
    unsafe curl_multi_set_long(curl.table, multi, CURLMOPT_MAXCONNECTS, settings.connectionLimit)
    watch(timer, for: EPOLLIN.rawValue | EPOLLET.rawValue, EPOLL_CTL_ADD)
  }

  deinit {
    precondition(underway.isEmpty, "the HTTP client was dropped with requests under way")
    unsafe spares.forEach { unsafe curl.table.pointee.easy_cleanup($0) }
    unsafe _ = curl.table.pointee.multi_cleanup(multi)
    close(timer)
    close(epoll)
  }

  // MARK: What the event loop asks for

  func start(_ exchange: Exchange) {
    if exchange.isCancelled.load(ordering: .acquiring) {
      return end(exchange, .failure(ClientFailure(.cancelled, "the request was cancelled", beforeFirstByte: true)))
    }
    guard let easy = unsafe spares.popLast() ?? curl.table.pointee.easy_init() else {
      return end(exchange, .failure(ClientFailure(.unavailable, "no memory is left for HTTP", beforeFirstByte: true)))
    }
    unsafe exchange.easy = easy
    unsafe exchange.configure(easy, curl, settings)
    exchange.place = underway.count
    underway.append(exchange)
    nextLook = min(nextLook, exchange.nextLook(now: .now))
    if unsafe curl.table.pointee.multi_add_handle(multi, easy) != CURLM_OK {
      end(exchange, .failure(ClientFailure(.unavailable, "libcurl does not take the request", beforeFirstByte: true)))
    }
  }

  func cancel(_ exchange: Exchange) {
    guard unsafe exchange.easy != nil else { return }  // not begun, or over
    end(
      exchange,
      .failure(failure(of: exchange, .cancelled, "the request to \(authority(of: exchange.request.url)) was cancelled"))
    )
  }

  func ready(_ descriptor: CInt, _ events: UInt32) {
    if descriptor == timer {
      armedFor = .max
      return
    }
    var mask: CInt = 0
    if events & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
    if events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
    if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_ERR }
    var running: CInt = 0
    unsafe _ = curl.table.pointee.multi_socket_action(multi, descriptor, mask, &running)
  }

  /// Does what is due, and gives back what has ended.
  func advance() -> [Exchange] {
    var now = Instant.now
    var rounds = 0
    // Bounded, so that a libcurl that always wants to be called at once cannot keep the lock.
    while curlDeadline <= now, rounds < 64 {
      curlDeadline = .max
      var running: CInt = 0
      unsafe _ = curl.table.pointee.multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
      now = .now
      rounds += 1
    }
    collect()
    noteDepartures()
    if nextLook <= now { endTheSilent(now) }
    arm(for: min(curlDeadline, nextLook))
    defer { ended.removeAll(keepingCapacity: true) }
    return ended
  }

  // MARK: Departures

  /// Tells those whose last byte has left. libcurl counts what it has handed to the connection.
  private func noteDepartures() {
    guard underway.contains(where: \.isDeparting) else { return }
    for exchange in underway where exchange.isDeparting {
      guard let easy = unsafe exchange.easy else { continue }
      let head = unsafe curl_info_long(curl.table, easy, CURLINFO_REQUEST_SIZE)
      let body = unsafe curl_info_size(curl.table, easy, CURLINFO_SIZE_UPLOAD_T)
      if head > 0, head >= exchange.leastHead, body >= Int64(exchange.request.body?.count ?? 0) { exchange.departed() }
    }
  }

  // MARK: Endings

  private func collect() {
    var code = CURLE_OK
    while let easy = unsafe curl_multi_next_done(curl.table, multi, &code) {
      guard let owner = unsafe curl_info_owner(curl.table, easy) else { continue }
      let exchange = unsafe Unmanaged<Exchange>.fromOpaque(owner).takeUnretainedValue()
      if code == CURLE_OK, !exchange.isHeadWhole { code = CURLE_PARTIAL_FILE }
      let status = unsafe curl_info_long(curl.table, easy, CURLINFO_RESPONSE_CODE)
      end(
        exchange, code == CURLE_OK ? .success(exchange.response(status: status)) : .failure(failure(of: exchange, code))
      )
    }
  }

  private func endTheSilent(_ now: Instant) {
    for exchange in underway {
      guard let (deadline, what) = exchange.silence(now: now), deadline <= now else { continue }
      end(exchange, .failure(failure(of: exchange, .timeout, "\(what), from \(authority(of: exchange.request.url))")))
    }
    nextLook = underway.reduce(Instant.max) { min($0, $1.nextLook(now: now)) }
  }

  /// Takes the exchange out of libcurl. Its task is woken later, outside of the lock.
  private func end(_ exchange: Exchange, _ outcome: Exchange.Outcome) {
    exchange.outcome = outcome
    exchange.departed()
    ended.append(exchange)
    guard let easy = unsafe exchange.easy else { return }
    unsafe exchange.easy = nil
    let last = underway.removeLast()
    if last !== exchange {
      underway[exchange.place] = last
      last.place = exchange.place
    }
    unsafe _ = curl.table.pointee.multi_remove_handle(multi, easy)
    unsafe curl.table.pointee.slist_free_all(exchange.headerList)
    unsafe exchange.headerList = nil
    if unsafe spares.count < Transfers.spareLimit {
      unsafe curl.table.pointee.easy_reset(easy)
      unsafe spares.append(easy)
    } else {
      unsafe curl.table.pointee.easy_cleanup(easy)
    }
  }

  // MARK: Sockets and the timer

  /// libcurl wants to hear of a socket, or no more. `isKnown`: it is being watched already.
  func socketChanged(_ socket: CInt, _ interest: CInt, isKnown: Bool) {
    if interest == CURL_POLL_REMOVE {
      watch(socket, for: 0, EPOLL_CTL_DEL)
      return
    }
    var events: UInt32 = 0
    if interest & CURL_POLL_IN != 0 { events |= EPOLLIN.rawValue }
    if interest & CURL_POLL_OUT != 0 { events |= EPOLLOUT.rawValue }
    watch(socket, for: events, isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD)
    if !isKnown { unsafe _ = curl.table.pointee.multi_assign(multi, socket, Unmanaged.passUnretained(self).toOpaque()) }
  }

  func timerChanged(milliseconds: Int) {
    curlDeadline = milliseconds < 0 ? .max : Instant.now.advanced(by: .milliseconds(milliseconds))
  }

  private func watch(_ descriptor: CInt, for events: UInt32, _ operation: CInt) {
    var event = unsafe epoll_event(events: events, data: epoll_data_t(fd: descriptor))
    unsafe _ = epoll_ctl(epoll, operation, descriptor, &event)
  }

  private func arm(for deadline: Instant) {
    guard deadline < armedFor else { return }
    armedFor = deadline
    var time = itimerspec()
    time.it_value.tv_sec = Int(deadline / 1_000_000_000)
    time.it_value.tv_nsec = Int(deadline % 1_000_000_000)
    unsafe _ = timerfd_settime(timer, CInt(TFD_TIMER_ABSTIME), &time, nil)
  }
}
