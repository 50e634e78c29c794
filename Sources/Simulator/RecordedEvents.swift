import Runbook
import Synchronization

/// What a `RecordingObserver` has seen.
final class RecordedEvents: Sendable {
  private let state = Mutex<(events: [RunEvent], progress: [RunProgress])>(([], []))
  func append(_ event: RunEvent) { state.withLock { $0.events.append(event) } }
  func append(_ progress: RunProgress) { state.withLock { $0.progress.append(progress) } }
  var events: [RunEvent] { state.withLock { $0.events } }
  var progress: [RunProgress] { state.withLock { $0.progress } }
}
