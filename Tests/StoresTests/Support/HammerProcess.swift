import Glibc
import Posix
import Runbook
import SQLite
import Stores
import TestSupport
import Testing

/// A real process that uses a store (`Tests/StoreHammer`), and what it says it has done.
struct HammerProcess {
  let pid: Int32
  private let folder: TemporaryFolder
  private let output: String

  /// - Parameters:
  ///   - seed: different for each process of one store.
  ///   - under: a program and its arguments that starts it, such as strace; its path comes first.
  init(_ store: String, seed: Int, runs: Int, appends: Int, under tracer: [String] = []) throws {
    folder = TemporaryFolder(inMemory: true)
    output = "said"
    folder.write(output, [])
    let words = tracer + [HammerProcess.program, "hammer", store, "\(seed)", "\(runs)", "\(appends)"]
    let file = try Descriptor.open(folder.path(output), O_WRONLY | O_APPEND)
    let none = try Descriptor.open("/dev/null", O_RDWR)
    pid = try SpawnRequest(
      words[0], arguments: words,
      environment: ["PATH=/usr/bin:/bin"] + ChosenMistake.environment.map { "\($0.key)=\($0.value)" },
      descriptors: [none.number, file.number, none.number]
    ).start()
  }

  /// Beside the program that runs the tests.
  static let program: String = {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count)
    let own = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let beside =
      own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/StoreHammer"
    return unsafe access(beside, X_OK) == 0 ? beside : Repository.path(".build/debug/StoreHammer")
  }()

  /// The lines it has written so far, the last one only if it is whole.
  var lines: [String] {
    let said = String(decoding: folder.read(output), as: UTF8.self)
    return said.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  func kill() { _ = Glibc.kill(pid, SIGKILL) }

  /// Waits for its end.
  @discardableResult func end() -> ProcessEnd {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
  }
}

extension SQLiteStore {
  /// Everything that processes were told is in the store, once, where they were told; every chain verifies, and SQLite
  /// finds nothing wrong.
  func check(_ processes: [HammerProcess], _ comment: Comment? = nil) throws {
    var journals: [String: [JournalEntry]] = [:]
    for run in try summaries(limit: .max) { journals[run.id] = try entries(of: run.id, after: 0) }
    var places: Set<String> = []
    for line in processes.flatMap(\.lines) {
      let fields = line.split(separator: " ", maxSplits: 2)
      // The end of a process whose disk failed; anything else it has to say is wrong.
      if line.hasPrefix("refused: writeFailed") { continue }
      guard fields.count == 3, fields[0] != "refused:", let sequence = Int(fields[1]) else {
        Issue.record("a process said: \(line)")
        continue
      }
      #expect(places.insert("\(fields[0]) \(fields[1])").inserted, "answered twice: \(line)")
      let journal = journals[String(fields[0])] ?? []
      let body = journal.indices.contains(sequence - 1) ? journal[sequence - 1].body : []
      #expect(String(decoding: body, as: UTF8.self) == fields[2], comment)
    }
    for (run, journal) in journals {
      #expect(journal.map(\.sequence) == Array(1...Int64(journal.count)), comment)
      var times: [[UInt8]: Int] = [:]
      for entry in journal { times[entry.body, default: 0] += 1 }
      // Each append writes its entry twice in one transaction.
      let halves = journal.filter { $0.kind == "hammered" && times[$0.body] != 2 }
      #expect(halves.isEmpty, "half or doubled in \(run)")
      #expect(journal.map(\.epoch) == journal.map(\.epoch).sorted(), "written by a stale owner: \(run)")
    }
    let connection = try Connection(path: path, busyTimeout: 5000)
    #expect(try connection.first("PRAGMA quick_check") { $0.text(0) } == "ok", comment)
  }
}

/// strace(1), which makes system calls fail and kills at them.
enum Tracer {
  static let path = "/usr/bin/strace"
  static let isPermitted = runs([path, "-qq", "-o", "/dev/null", "/bin/true"])

  /// Does `what` (`error=EIO`, `signal=KILL`) at the `nth` of `calls`.
  static func injecting(_ what: String, at nth: Int, of calls: String) -> [String] {
    [path, "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(calls)", "-e", "inject=\(calls):\(what):when=\(nth)"]
  }
}

/// Runs a program to its end. - Returns: whether it ended well.
func runs(_ words: [String]) -> Bool {
  guard let none = try? Descriptor.open("/dev/null", O_RDWR),
    let pid = try? SpawnRequest(
      words[0], arguments: words, environment: ["PATH=/usr/bin:/bin:/usr/sbin:/sbin"],
      descriptors: [none.number, none.number, none.number]
    ).start()
  else { return false }
  var status: Int32 = -1
  while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
  return status == 0
}
