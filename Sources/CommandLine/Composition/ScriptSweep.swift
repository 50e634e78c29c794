import Posix
import Runbook

/// Folders of scripts that nobody will ask for again. Each is named by its run's id and what follows it.
struct ScriptSweep {
  /// Where they lie.
  let folder: String
  let store: any RunStore
  /// A folder of a run that is not in the store goes if it was last changed before this.
  let limit: Timestamp
  /// False: they are only counted.
  let removes: Bool

  private static let idLength = 20

  /// - Parameter gone: runs that are removed, or would be.
  /// - Returns: how many folders went, or would go.
  func sweep(_ gone: Set<String>) async throws(StoreFailure) -> Int {
    var count = 0
    for name in FileReading.names(in: folder) {
      guard try await mayGo(name, gone) else { continue }
      if !removes || Folder.removeTree("\(folder)/\(name)") { count += 1 }
    }
    return count
  }

  private func mayGo(_ name: String, _ gone: Set<String>) async throws(StoreFailure) -> Bool {
    let id = String(name.prefix(ScriptSweep.idLength))
    guard RunID.isWellFormed(id), name.count > id.count, Folder.exists("\(folder)/\(name)") else { return false }
    if gone.contains(id) { return true }
    do throws(StoreFailure) {
      let run = try await store.summary(of: id)
      guard run.isOver, let ended = run.endedAt else { return false }
      return ended < limit
    } catch {
      guard case .notFound = error else { throw error }
      // A copy that was put back does not know the newest runs.
      guard let changed = Folder.changedAt("\(folder)/\(name)") else { return false }
      return Timestamp(seconds: changed) < limit
    }
  }
}
