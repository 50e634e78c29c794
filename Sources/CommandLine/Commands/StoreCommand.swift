import Posix
import Runbook
import Stores

/// `runbook store backup FILE`.
struct StoreCommand: Command {
  static let spec = CommandSpec(
    name: "store", summary: "copy the store while it is in use",
    details: """
      `backup` writes one consistent state of the store into a new file, while runs go on. It replaces no file. The \
      new file is a store. To use it, make sure that no `runbook` uses the old store, remove the old file and the two \
      files with its name and `-wal` or `-shm` at the end, and put the copy in its place. Runbook recognises the older \
      copy: runs that were open in it wait for a person.

      Running scripts are not in the backup: their folders are beside the store, in the folder whose name ends in \
      `.scripts`. On another machine, a run that was in the middle of a script cannot find out how the script ended.
      """,
    operands: [
      OperandSpec("WHAT", .words(["backup"]), .one, "what to do"),
      OperandSpec("FILE", .file, .one, "the new file"),
    ],
    examples: [.init("runbook store backup /backup/runbook.db", "keep a copy of all runs and their journals")],
    group: .around)

  private let file: String

  init(_ arguments: ParsedArguments) throws(UsageError) { file = try arguments.required("FILE") }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      let access: StoreAccess
      do throws(Refusal) { access = try StoreAccess(shell, creates: false) } catch {
        guard error.has(.notFound) else { throw error }
        throw Refusal(.usage, .store, "there is no store yet", hint: "`--store` or RUNBOOK_STORE names another")
      }
      let size: Int64
      let target: String
      do throws(StoreFailure) {
        target = try StoreLocation(file: file, environment: Environment.all).path
        size = try access.file.backUp(to: target)
      } catch {
        throw refusal(error)
      }
      if shell.wantsJSON {
        shell.output.result(
          json: ["v": 1, "store": .string(access.file.path), "backup": .string(target), "bytes": .int(size)])
      } else {
        shell.output.result("\(DisplayText.escaped(target, limit: 1000))  \(ByteCount.text(size))\n")
      }
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  private func refusal(_ failure: StoreFailure) -> Refusal {
    switch failure {
    case .unusable(let words): Refusal(.usage, .backup, words)
    case .readOnly(let path):
      Refusal(.usage, .backup, "`\(DisplayText.escaped(path, limit: 1000))` cannot be written here")
    case .diskFull(let path):
      Refusal(
        .failed, .diskFull, "no space is left for `\(DisplayText.escaped(path, limit: 1000))`",
        hint: "nothing was written")
    default: Refusal(failure)
    }
  }
}

/// `812 bytes`, `1.5 MB`.
enum ByteCount {
  static func text(_ count: Int64) -> String {
    guard count >= 1000 else { return count == 1 ? "1 byte" : "\(max(0, count)) bytes" }
    var (unit, size) = ("kB", Double(count) / 1000)
    for next in ["MB", "GB", "TB"] where size >= 1000 { (unit, size) = (next, size / 1000) }
    let tenths = Int64(size * 10)
    return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
  }
}
