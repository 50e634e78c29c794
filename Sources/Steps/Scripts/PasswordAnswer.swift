import Glibc
import Posix

/// Our own program as the one that OpenSSH asks for a password (`SSH_ASKPASS`): it reads the password from the memory
/// of the keeper and says it once. OpenSSH gives such a program one argument, the question; so the environment tells it
/// what it is.
///
/// It answers only the OpenSSH that the keeper itself has started: the one that leads through a jump host of the user's
/// configuration has the same environment, and its host must not get the password of another. It answers only a
/// question for a password, and only the first: the second one means that the password is wrong, and ends OpenSSH,
/// which would try it in another way.
enum PasswordAnswer {
  private static let variable = "RUNBOOK_PASSWORD_AT"

  /// Lines on OpenSSH's stderr.
  static let given = "runbook: the password was given"
  static let refused = "runbook: the password was asked for again"

  static func environment(keeper: Int32, file: Int32) -> [String] {
    [
      "SSH_ASKPASS=/proc/\(keeper)/exe", "SSH_ASKPASS_REQUIRE=force",
      "\(variable)=/proc/\(keeper)/fd/\(file)",
    ]
  }

  /// Does not return if the program was started to answer.
  static func runIfAsked(_ arguments: [String]) {
    guard arguments.count == 2, let path = Environment[variable] else { return }
    exit(answer(arguments[1], path))
  }

  private static func answer(_ question: String, _ path: String) -> Int32 {
    let client = getppid()
    guard isForPassword(question), let keeper = keeper(in: path), isOf(keeper, client) else { return 1 }
    guard let file = try? Descriptor.open(path, O_RDWR), let bytes = try? file.read(limit: 64 << 10) else { return 1 }
    if bytes.isEmpty {
      say(refused)
      _ = kill(client, SIGTERM)
      return 1
    }
    // If it cannot be taken away, it is not given: it might be given again.
    guard ftruncate(file.number, 0) == 0 else { return 1 }
    say(given)
    let output = Descriptor(adopting: 1)
    do throws(PosixError) { try output.write(bytes + [UInt8(ascii: "\n")]) } catch { return 1 }
    return 0
  }

  /// `deploy@web01's password: `, `(deploy@web01) Password: `. Not a key's passphrase, and not a new password.
  static func isForPassword(_ question: String) -> Bool {
    let words = question.lowercased()
    return words.contains("password") && !words.contains("passphrase") && !words.contains("new ")
      && !words.contains("again")
  }

  private static func keeper(in path: String) -> Int32? {
    let parts = path.split(separator: "/")
    return parts.count == 4 && parts[0] == "proc" ? Int32(parts[1]) : nil
  }

  /// Whether the keeper has started this OpenSSH, directly or by a program that feeds it; not another OpenSSH.
  private static func isOf(_ keeper: Int32, _ client: Int32) -> Bool {
    let words = (try? FileReading.all(of: "/proc/\(client)/cmdline", limit: 1 << 20)) ?? []
    let isWay = words.split(separator: 0).contains { $0.elementsEqual(Array("-W".utf8)) }
    guard !isWay, let program = program(of: client) else { return false }
    var pid = client
    for _ in 0..<8 {
      guard let next = parent(of: pid) else { return false }
      if next == keeper { return true }
      guard let other = self.program(of: next), other != program else { return false }
      pid = next
    }
    return false
  }

  private static func program(of pid: Int32) -> String? {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
      let count = unsafe readlink("/proc/\(pid)/exe", buffer.baseAddress!, buffer.count)
      return count > 0
        ? unsafe String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
  }

  private static func parent(of pid: Int32) -> Int32? {
    guard let bytes = try? FileReading.all(of: "/proc/\(pid)/stat", limit: 4096) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 1 ? Int32(fields[1]) : nil
  }

  private static func say(_ line: String) { try? Descriptor(adopting: 2).write(Array("\(line)\n".utf8)) }
}
