import Runbook
import Simulator
import Steps
import Stores
import Synchronization
import Testing

/// A run that sends a mail, in a world in which mail is kept.
@Suite struct MailOfARunTests {
  private final class Mailbox: MailTransport {
    let mails = Mutex<[[UInt8]]>([])
    func send(_ mail: MailRequest) async throws(MailRefusal) -> MailAnswer {
      mails.withLock { $0.append(mail.message) }
      return MailAnswer(code: 250, words: Array("taken".utf8))
    }
    /// The `Message-ID` of each.
    var ids: [Substring] {
      mails.withLock { $0 }.compactMap { mail in
        String(decoding: mail, as: UTF8.self).split(separator: "\r\n").first { $0.hasPrefix("Message-ID: ") }
      }
    }
  }

  private static let text = """
    runbook: v1
    name: tells
    steps:
      - id: tell
        action: notify.mail
        with: {host: mail.example.com, from: a@example.com, to: b@example.com, subject: hello, text: hello}

    """

  private let box = Mailbox()
  private let clock: VirtualClock
  private let store: MemoryStore

  init() {
    clock = VirtualClock()
    store = MemoryStore(clock: clock)
  }

  private func process() throws -> SimulatedProcess {
    let runbook = try ValidatedRunbook(
      ParsedDocument(yaml: Self.text),
      in: ValidationContext(
        steps: standardSteps, actions: standardActions.map(\.declaration), providers: [],
        readFile: ValidationContext.noFiles))
    let world = RunWorld(
      clock: clock, random: SeededRandom(seed: 7), transport: InMemoryTransport(clock: clock, routes: [:]),
      scripts: SimulatedScripts(clock: clock), files: SimulatedFiles(), builtIn: standardActions, providerKinds: [],
      mail: box)
    return SimulatedProcess(
      world: world, store: store, runbook: runbook,
      source: PinnedSource(text: Self.text, files: [:], folder: "/srv"), observer: RecordingObserver())
  }

  @Test func aRunSendsOneMail() async throws {
    #expect(try await process().start("r0123456789abcdefghi", inputs: [:]).exitCode == 0)
    #expect(box.ids == ["Message-ID: <r0123456789abcdefghi.tell@example.com>"])
  }

  /// The process dies when the mail is with the server and before it knows: the mail comes again under the same name.
  @Test func aMailThatIsSentAgainAfterACrashHasTheSameName() async throws {
    let life = KillSwitch(where: "before reading the reply to a mail")
    _ = try await process().start("r0123456789abcdefghi", inputs: [:], life: life)
    #expect(life.place != nil)
    #expect(try await process().resume("r0123456789abcdefghi").exitCode == 0)
    #expect(box.ids.count == 2 && box.ids[0] == box.ids[1])
  }

  @Test func aProcessThatDiedBeforeItSentNothing() async throws {
    let life = KillSwitch(where: "before sending a mail")
    _ = try await process().start("r0123456789abcdefghi", inputs: [:], life: life)
    #expect(life.place != nil && box.ids.isEmpty)
  }
}
