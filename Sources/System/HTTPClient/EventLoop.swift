import CCurl
import Glibc
import Synchronization

/// Drives the transfers: one thread waits for sockets and the timer. The caller that submits a request begins it, so
/// that a request costs one change of thread (on its answer) and not two.
///
/// A task never waits for the lock: when another thread holds it, the command stays in the inbox, and the holder looks
/// there again after it has let go.
final class EventLoop: Sendable {
  enum Command: Sendable {
    case start(Exchange)
    case cancel(Exchange)
  }

  private let inbox = Mutex<[Command]>([])
  private let transfers: Mutex<Transfers>
  private let epoll: CInt
  private let stopSignal: CInt

  /// Starts the thread. It ends after `stop`.
  init(_ curl: Curl, _ settings: ClientSettings) throws(ClientFailure) {
    let transfers = try Transfers(curl, settings)
    epoll = transfers.epoll
    stopSignal = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    self.transfers = Mutex(transfers)
    guard stopSignal >= 0 else {
      throw ClientFailure(.unavailable, "no file descriptor is left for HTTP", beforeFirstByte: true)
    }
    var event = unsafe epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: stopSignal))
    unsafe _ = epoll_ctl(epoll, EPOLL_CTL_ADD, stopSignal, &event)
    // OpenSSL writes to sockets without MSG_NOSIGNAL: a peer that has left must be an error, not the end of the
    // process.
    signal(SIGPIPE, SIG_IGN)
    var thread = pthread_t()
    let itself = unsafe Unmanaged.passRetained(self)
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, itself.toOpaque())
    guard code == 0 else {
      unsafe itself.release()
      throw ClientFailure(.unavailable, "no thread can be started for HTTP", beforeFirstByte: true)
    }
    pthread_detach(thread)
  }

  deinit { close(stopSignal) }

  /// After the last request has ended.
  func stop() {
    eventfd_write(stopSignal, 1)
  }

  func submit(_ command: Command) {
    inbox.withLock { $0.append(command) }
    workThroughInbox()
  }

  private func workThroughInbox() {
    while inbox.withLock({ !$0.isEmpty }) {
      guard let ended = transfers.withLockIfAvailable({ takeInbox($0) }) else { return }
      for exchange in ended { exchange.finish() }
    }
  }

  private func takeInbox(_ transfers: Transfers) -> [Exchange] {
    let commands = inbox.withLock { inbox in
      defer { inbox.removeAll(keepingCapacity: true) }
      return inbox
    }
    for command in commands {
      switch command {
      case .start(let exchange): transfers.start(exchange)
      case .cancel(let exchange): transfers.cancel(exchange)
      }
    }
    return transfers.advance()
  }

  private func run() {
    let capacity = 64
    unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: capacity) { events in
      while true {
        let count = Int(max(0, unsafe epoll_wait(epoll, events.baseAddress, CInt(capacity), -1)))
        let ready = unsafe events.prefix(count).map { unsafe (descriptor: $0.data.fd, events: $0.events) }
        if ready.contains(where: { $0.descriptor == stopSignal }) { return }
        let ended = transfers.withLock { transfers in
          for (descriptor, events) in ready { transfers.ready(descriptor, events) }
          return takeInbox(transfers)
        }
        for exchange in ended { exchange.finish() }
        workThroughInbox()
      }
    }
  }
}
