import Synchronization
import TestSupport
import Testing

/// A run that tells a channel, through a hook of ours.
@Suite struct SlackTests {
  private static let text = """
    runbook: v1
    name: tells
    secrets: {hook: {source: env, key: HOOK}}
    steps:
      - id: tell
        action: notify.slack
        with: {url: "${{ secrets.hook }}", mention: here, text: "a < b"}

    """

  /// - Parameter answers: status and body, one a connection; the last for ever.
  private func tell(_ answers: [(Int, String)]) async throws -> (Finished, bodies: [String], String) {
    let bodies = Mutex<[String]>([])
    let server = RawServer { connection, index in
      let head = connection.receiveHead()
      let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
        .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
      let body = String(decoding: connection.receiveExactly(length ?? 0), as: UTF8.self)
      bodies.withLock { $0.append(body) }
      let (status, text) = answers[min(index, answers.count - 1)]
      connection.send("HTTP/1.1 \(status) Answer\r\nRetry-After: 1\r\nConnection: close\r\n")
      connection.send("Content-Length: \(text.utf8.count)\r\n\r\n\(text)")
    }
    defer { server.stop() }
    let place = try Workplace()
    try place.write("a.yaml", Self.text)
    let run = try await place.run(["run", "a.yaml"], ["HOOK": "\(server.url)/services/T0/B0/HOOKSECRET"])
    let shown = try await place.run("show", run.runID ?? "", "--format", "json")
    return (run, bodies.withLock { $0 }, run.stdout + run.stderr + shown.stdout)
  }

  @Test func theMessageIsPostedAndTheHookIsNotShown() async throws {
    let (run, bodies, shown) = try await tell([(200, "ok")])
    #expect(run.code == 0, "\(shown)")
    #expect(bodies == [#"{"text":"<!here> a &lt; b"}"#])
    #expect(!shown.contains("HOOKSECRET"))
  }

  @Test func aLimitIsWaitedOut() async throws {
    let (run, bodies, shown) = try await tell([(429, "rate_limited"), (200, "ok")])
    #expect(run.code == 0, "\(shown)")
    #expect(bodies.count == 2)
  }

  @Test func aHookThatIsGoneIsToldInSlacksWord() async throws {
    let (run, bodies, shown) = try await tell([(404, "no_service")])
    #expect(run.code == 1, "\(shown)")
    #expect(shown.contains("`no_service`: the hook is switched off or was removed"), "\(shown)")
    #expect(bodies.count == 1 && !shown.contains("HOOKSECRET"))
  }
}
