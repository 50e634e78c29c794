import Operations
import Posix
import Runbook

/// Prints what a step's script wrote, as the store has it; another process may be writing it.
struct OutputFollower {
  let shell: Shell
  let access: StoreAccess
  let runID: String
  let step: String
  let stream: OutputStream?
  private static let pollTime = Duration.milliseconds(250)

  /// - Parameter line: of each stream, from 1.
  /// - Returns: `succeeded`; when following, the run's own exit code, 6 if it waits for an answer, 9 if nobody works on
  ///   it any more.
  func print(from line: Int64, isFollowing: Bool) async throws(Refusal) -> ExitCode {
    var readers: [OutputPlace: StoredOutputText] = [:]
    let lines = OutputLines(shell, runID: runID)
    while true {
      // Asked before the output is read: what was written before the end is not missed.
      let end = isFollowing ? try await exitCode() : nil
      do throws(StoreFailure) {
        for place in try streams() {
          var reader = readers[place.place] ?? StoredOutputText(place, in: access.store)
          var part = readers[place.place] == nil ? try reader.begin(atLine: line) : try reader.next()
          while let found = part, shell.output.isOpen {
            await lines.print(found, of: place.place)
            part = try reader.next()
          }
          readers[place.place] = reader
        }
      } catch {
        throw Refusal(error, run: runID)
      }
      if !isFollowing || end != nil || !shell.output.isOpen {
        await lines.finish()
        if readers.isEmpty { try await tellNothing() }
        return end ?? .succeeded
      }
      await SystemClock().sleep(for: OutputFollower.pollTime)
    }
  }

  /// Of the newest attempt that wrote something: stdout first.
  private func streams() throws(StoreFailure) -> [StoredStream] {
    let all = try access.store.outputStreams(of: runID).filter { $0.place.step == step }
    guard let newest = all.last?.place.key else { return [] }
    return OutputStream.allCases.compactMap { name in
      stream == nil || stream == name ? all.first { $0.place.key == newest && $0.place.stream == name } : nil
    }
  }

  /// nil: the run goes on.
  private func exitCode() async throws(Refusal) -> ExitCode? {
    try await told { () throws(OperationRefusal) in try await access.context.standing(of: runID).exitCode }
  }

  private func tellNothing() async throws(Refusal) {
    let events = try await told { () throws(OperationRefusal) in try await access.context.events(of: runID) }
    let report = RunReport(id: runID, actions: Composition.actions, events: events)
    let known = report.steps.map(\.path) + report.undo.map(\.entry)
    guard known.contains(step) else {
      throw Refusal(
        .usage, .step, "run \(runID) has no step `\(DisplayText.escaped(step, limit: 100))`",
        hint: Suggestion.hint(for: step, among: known))
    }
    shell.note("`\(DisplayText.escaped(step, limit: 100))` wrote nothing that is stored")
  }
}

/// Looks for lines in the output of a run.
struct OutputSearch {
  let shell: Shell
  let access: StoreAccess
  let runID: String

  /// - Parameters:
  ///   - stream: nil: both.
  ///   - isMeant: whether the output of the step at this path is searched.
  func find(
    _ search: TextSearch, _ stream: OutputStream?, where isMeant: (String) -> Bool
  ) async throws(Refusal) -> ExitCode {
    let lines = OutputLines(shell, runID: runID)
    var isFound = false
    do throws(StoreFailure) {
      for stored in try access.store.outputStreams(of: runID)
      where isMeant(stored.place.step) && (stream ?? stored.place.stream) == stored.place.stream {
        var position: Int64 = 0
        while shell.output.isOpen,
          let chunk = try access.store.outputChunk(stored.place.key, stored.place.stream, from: position)
        {
          position = chunk.firstByte + Int64(chunk.body.count)
          var found: [UInt8] = []
          var counted = (place: 0, lines: chunk.firstLine)
          search.lines(in: chunk.body) { range in
            counted.lines += Array(chunk.body[counted.place..<range.lowerBound]).lineBreaks
            counted.place = range.lowerBound
            found += lines.line(chunk.body[range], counted.lines + 1, of: stored.place, isFound: true)
          }
          isFound = isFound || !found.isEmpty
          if !found.isEmpty { await shell.output.stream(found) }
        }
      }
    } catch {
      throw Refusal(error, run: runID)
    }
    return isFound ? .succeeded : .failed
  }
}
