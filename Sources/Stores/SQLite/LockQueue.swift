import Glibc
import Posix

/// Runs that wait for a lock get it in the order in which they began to wait.
///
/// Each waiting process has a file in the folder `STORE.waiting` beside the store, named by the instant at which it
/// began to wait, and holds a lock on it that the kernel drops when the process ends. Those that ended are removed by
/// the next one that looks. A run that does not wait takes a lock that is free at once.
public struct LockQueue: Sendable {
  let folder: String

  public init(besides store: String) { folder = store + ".waiting" }

  /// A place in the queue, until the ticket is left.
  ///
  /// - Parameters:
  ///   - runbook: the name of the waiting run's runbook.
  ///   - now: of the boot-time clock.
  /// - Returns: nil if the folder cannot be used: then nobody waits in order.
  public func join(_ locks: [String], runbook: String, now: Duration, number: UInt64) -> Ticket? {
    guard (try? Folder.make(folder)) != nil else { return nil }
    let digits = String(max(0, now.components.seconds) * 1000 + now.components.attoseconds / 1_000_000_000_000_000)
    let place = String(repeating: "0", count: max(0, 16 - digits.count)) + digits
    let name = "\(place)-\(String(number, radix: 16))"
    let path = "\(folder)/\(name)"
    let content = ([runbook] + locks).joined(separator: "\n")
    // Locked before it says anything: a file with content and without a lock belongs to nobody any more.
    guard let file = try? Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600),
      (try? file.lockByte(at: 0)) == true, (try? file.write(Array(content.utf8))) != nil
    else { return nil }
    return Ticket(queue: self, name: name, file: file, locks: Set(locks))
  }

  /// Names in the folder.
  var files: [String] { FileReading.names(in: folder) }

  /// Those who wait and live, in their order.
  fileprivate func waiting() -> [Waiter] {
    FileReading.names(in: folder).filter { !$0.contains(".") }.sorted().compactMap { waiter($0) }
  }

  private func waiter(_ name: String) -> Waiter? {
    let path = "\(folder)/\(name)"
    guard let file = try? Descriptor.open(path, O_RDWR | O_NOFOLLOW),
      let bytes = try? FileReading.all(of: path, limit: 1 << 20)
    else { return nil }
    // One that is just being made says nothing yet.
    guard !bytes.isEmpty else { return nil }
    guard (try? file.isByteLockedElsewhere(at: 0)) == true else {
      Folder.removeFile(path)
      return nil
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    return Waiter(name: name, runbook: lines.first ?? "", locks: Set(lines.dropFirst()))
  }

  fileprivate struct Waiter {
    var name: String
    var runbook: String
    var locks: Set<String>
  }

  public final class Ticket {
    private let queue: LockQueue
    private let name: String
    private let file: Descriptor
    private let locks: Set<String>

    fileprivate init(queue: LockQueue, name: String, file: Descriptor, locks: Set<String>) {
      self.queue = queue
      self.name = name
      self.file = file
      self.locks = locks
    }

    /// Nobody who began to wait earlier wants one of these locks.
    public var isNext: Bool {
      !queue.waiting().contains { $0.name < name && !$0.locks.isDisjoint(with: locks) }
    }

    /// Tells those who wait for one of these locks with the same runbook, and began earlier, to give way.
    /// - Returns: how many.
    public func supersede(runbook: String) -> Int {
      let older = queue.waiting().filter {
        $0.name < name && $0.runbook == runbook && !$0.locks.isDisjoint(with: locks)
      }
      return older.count { waiter in
        (try? FileWriting.replace("\(queue.folder)/\(waiter.name).superseded", content: [], mode: 0o600)) != nil
      }
    }

    /// A later run of the same runbook replaces this one.
    public var isSuperseded: Bool { (try? FileReading.status(of: "\(queue.folder)/\(name).superseded")) != nil }

    public func leave() {
      Folder.removeFile("\(queue.folder)/\(name)")
      Folder.removeFile("\(queue.folder)/\(name).superseded")
      file.closeEarly()
    }
  }
}
