import Providers
import Runbook
import Steps
import Synchronization
import TestSupport

/// A run as an earlier release left it: its row of the store and its journal, from a file of
/// `Tests/RunbookTests/Histories` (the format stands in the README there).
struct History: Sendable {
  static let folder = "Tests/RunbookTests/Histories"

  /// The file's name without its end.
  var name: String
  var summary: RunSummary
  /// Of its last owner.
  var epoch: Int64
  var locks: [String]
  /// All that it was ever sent, read or not.
  var requests: [RunRequest]
  /// Of the store it was written in: digests of requests are made with it.
  var digestKey: [UInt8]
  var entries: [JournalEntry]
  /// Pinned in the journal, and validated by this release.
  var runbook: ValidatedRunbook
  var source: PinnedSource

  struct Unreadable: Error { var what: String }

  init(_ name: String) throws {
    self.name = name
    var lines = try Repository.text("\(History.folder)/\(name).history").split(separator: "\n")
    guard !lines.isEmpty else { throw Unreadable(what: "\(name) is empty") }
    let header = try JSONReader.read(Array(lines.removeFirst().utf8))
    entries = try lines.map { try History.entry($0, of: name) }
    guard let id = header["id"]?.string, let status = header["status"]?.string, let epoch = header["epoch"]?.int,
      let key = header["digest_key"]?.string.flatMap({ Hex.bytes($0) }), let first = entries.first
    else { throw Unreadable(what: "the header of \(name)") }
    summary = RunSummary(
      id: id, name: header["name"]?.string ?? "", status: status, outcome: header["outcome"]?.string,
      rollback: header["rollback"]?.string, exitCode: header["exit_code"]?.int.map { Int32(clamping: $0) },
      startedAt: first.at, endedAt: status == "ended" ? entries.last?.at : nil, key: header["key"]?.string,
      fingerprint: header["fingerprint"]?.string ?? "")
    self.epoch = epoch
    locks = header["locks"]?.list?.compactMap { $0.string } ?? []
    requests = (header["requests"]?.list ?? []).map { History.request($0) }
    digestKey = key
    guard entries.count > 1, case .run(.pinned(let source)) = try Fact(entries[1]) else {
      throw Unreadable(what: "\(name) does not begin with what it pinned")
    }
    self.source = source
    runbook = try History.validated(source)
  }

  /// `SEQUENCE NANOSECONDS EPOCH KIND BODY`
  private static func entry(_ line: Substring, of name: String) throws -> JournalEntry {
    let fields = line.split(separator: " ", maxSplits: 4)
    guard fields.count == 5, let sequence = Int64(fields[0]), let at = Int64(fields[1]), let epoch = Int64(fields[2])
    else { throw Unreadable(what: "\(name): \(line.prefix(60))") }
    return JournalEntry(
      sequence: sequence, at: instant(at), epoch: epoch, kind: String(fields[3]), body: Array(fields[4].utf8))
  }

  private static func request(_ value: Value) -> RunRequest {
    RunRequest(
      id: value["id"]?.int ?? 0, kind: value["kind"]?.string ?? "", body: Array((value["body"]?.string ?? "").utf8),
      requester: value["requester"]?.string ?? "", at: instant(value["at"]?.int ?? 0))
  }

  private static func instant(_ nanoseconds: Int64) -> Timestamp {
    Timestamp(seconds: nanoseconds / 1_000_000_000, nanoseconds: Int32(nanoseconds % 1_000_000_000))
  }

  /// A run is carried on with the text it was started with, read by the release that carries it on.
  private static func validated(_ source: PinnedSource) throws -> ValidatedRunbook {
    let context = ValidationContext(
      steps: standardSteps, actions: standardActions.map(\.declaration), providers: standardProviders,
      readFile: { (path, _) throws(FileRefusal) in
        guard let content = source.files[path] else { throw FileRefusal("it was not pinned when the run started") }
        return content
      })
    return try ValidatedRunbook(ParsedDocument(yaml: source.text), in: context)
  }

  /// Read once: several tests look at each.
  private static let cache = Mutex<[String: History]>([:])

  static func named(_ name: String) throws -> History {
    if let known = cache.withLock({ $0[name] }) { return known }
    let history = try History(name)
    cache.withLock { $0[name] = history }
    return history
  }

  /// - Throws: what is wrong with an entry.
  func facts() throws -> [(fact: Fact, at: Timestamp)] { try entries.map { (try Fact($0), $0.at) } }

  /// The machine fed the whole journal.
  func machine() throws -> RunMachine {
    var machine = RunMachine(runbook)
    for (fact, at) in try facts() { machine.apply(fact, at: at) }
    return machine
  }
}
