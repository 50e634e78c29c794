import Glibc
import Synchronization
import TestSupport

/// A web server on loopback that answers 200 to everything and writes down what reached it, in order.
final class DelayedLedger: Sendable {
  private let lines: LedgerLines
  private let server: RawServer

  /// - Parameter delay: before the answer to a request whose path contains `slow`, in seconds.
  init(slow delay: UInt32 = 0) {
    let lines = LedgerLines()
    self.lines = lines
    server = RawServer { connection, _ in
      while true {
        let head = connection.receiveHead().split(separator: "\r\n").map { String($0) }
        guard let first = head.first else { return }
        let length = head.first { $0.lowercased().hasPrefix("content-length:") }
        let count = length?.split(separator: ":").last.flatMap { Int($0.filter(\.isNumber)) } ?? 0
        _ = connection.receiveExactly(count)
        lines.add(first.split(separator: " ").prefix(2).joined(separator: " "))
        if first.contains("slow") { sleep(delay) }
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
      }
    }
  }

  var url: String { server.url }
  /// `METHOD PATH` of each.
  var requests: [String] { lines.all }
  func stop() { server.stop() }
}

private final class LedgerLines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}
