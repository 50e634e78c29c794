import CMicroHTTPD
import Glibc
import Synchronization

/// Releases held connections when their time has come, on a thread of its own.
final class DelayLine: Sendable {
  private struct State {
    var held: [(due: Int64, connection: HeldConnection)] = []
    var isOver = false
  }
  private let state = Mutex(State())
  /// Wakes the thread when there is something new to wait for.
  private let alarm: CInt

  init() throws(ServerFailure) {
    alarm = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    guard alarm >= 0 else { throw ServerFailure(message: "no file descriptor is left for a server") }
    var thread = pthread_t()
    let itself = unsafe Unmanaged.passRetained(self)
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<DelayLine>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, itself.toOpaque())
    guard code == 0 else {
      unsafe itself.release()
      throw ServerFailure(message: "no thread can be started for a server")
    }
    pthread_detach(thread)
  }

  deinit { close(alarm) }

  func hold(_ connection: HeldConnection, for pause: Duration) {
    let milliseconds = max(
      0, min(pause.components.seconds, 86_400) * 1000 + pause.components.attoseconds / 1_000_000_000_000_000)
    let due = DelayLine.now + milliseconds
    let isOver = state.withLock { state in
      if !state.isOver { state.held.append((due, connection)) }
      return state.isOver
    }
    if isOver { connection.release(isOver: true) } else { eventfd_write(alarm, 1) }
  }

  /// Releases everything, and ends the thread.
  func stop() {
    let held = state.withLock { state in
      state.isOver = true
      defer { state.held = [] }
      return state.held
    }
    for item in held { item.connection.release(isOver: true) }
    eventfd_write(alarm, 1)
  }

  private static var now: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  private func run() {
    while true {
      let now = DelayLine.now
      let (due, pause, isOver) = state.withLock { state in
        let due = state.held.filter { $0.due <= now }.sorted { $0.due < $1.due }
        state.held.removeAll { $0.due <= now }
        let next = state.held.map { $0.due }.min()
        return (due, next.map { CInt(clamping: $0 - now) } ?? -1, state.isOver)
      }
      for item in due { item.connection.release(isOver: false) }
      if isOver { return }
      var watched = pollfd(fd: alarm, events: Int16(POLLIN), revents: 0)
      unsafe _ = poll(&watched, 1, pause)
      var count: eventfd_t = 0
      unsafe _ = eventfd_read(alarm, &count)
    }
  }
}
