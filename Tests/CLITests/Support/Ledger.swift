import Synchronization
import TestSupport

/// A loopback server that answers every request alike and writes each into a ledger: `POST /x`.
final class Ledger: Sendable {
  private final class Book: Sendable {
    let lines = Mutex<[String]>([])
  }
  private let book: Book
  private let server: RawServer

  init(status: Int) {
    let book = Book()
    self.book = book
    server = RawServer { connection, _ in
      let head = connection.receiveHead()
      let words = head.split(separator: "\r\n").first?.split(separator: " ") ?? []
      let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
        .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
      _ = connection.receiveExactly(length ?? 0)
      if words.count > 1 { book.lines.withLock { $0.append("\(words[0]) \(words[1])") } }
      connection.send("HTTP/1.1 \(status) Answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }
  }

  deinit { server.stop() }

  var url: String { server.url }
  var lines: [String] { book.lines.withLock { $0 } }
}

extension Sample {
  /// The first step is undone by a line in `trace`; the second leaves no trace, and gets an answer that does not tell.
  static let parks = """
    runbook: v1
    name: parks
    inputs: {url: {type: url}}
    steps:
      - {id: one, run: echo one >> trace, rollback: [{run: echo undo-one >> trace}]}
      - {id: call, action: http.post, with: {url: "${{ inputs.url }}", json: {a: 1}}, rollback: none}

    """

  /// Takes the lock `db` and does nothing.
  static let wantsTheLock = """
    runbook: v1
    name: wants_the_lock
    locks: [db]
    steps:
      - {id: only, run: 'true', rollback: none}

    """
}

extension Workplace {
  /// Starts a run of `parks.yaml` and waits until a person is asked.
  func park(at ledger: Ledger) async throws -> (id: String, ended: Finished) {
    try write("parks.yaml", Sample.parks)
    let ended = try await run("run", "parks.yaml", "--input", "url=\(ledger.url)/x")
    return (ended.runID ?? "", ended)
  }

  /// Until a file holds this.
  func waitFor(_ text: String, in file: String) async throws {
    for _ in 0..<3000 {
      if read(file).contains(text) { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Running.TookTooLong(what: "waited 30 s for `\(text)` in \(file)", stdout: read(file), stderr: "")
  }
}
