import Runbook
import Simulator
import Stores
import Synchronization
import Testing

/// An owner of a run that is frozen at a point. Another process takes the run over when the lease has ended, and works
/// on it until it ends or needs a person; then the owner wakes.
struct FrozenRun {
  /// What another process has made of it, and what of it could be seen when the owner woke.
  private final class Meanwhile: Sendable {
    let lease = Mutex<Lease?>(nil)
    let traces = Mutex<[String]>([])
  }

  let place: String
  /// nil: the run had ended when its owner was frozen.
  let end: RunEnd?

  /// At every other point the owner is told of its loss when it wakes; else it finds out by itself.
  init(in world: MovingWorld, at point: Int) async throws {
    let (clock, store, outside, other) = (world.clock, world.store, world.outside, world.process())
    let meanwhile = Meanwhile()
    let life = KillSwitch(
      freezingAt: point,
      atOnce: {
        clock.advance(by: .seconds(11))
        guard (try? store.summary(of: MovingWorld.runID))?.status != "ended" else { return }
        let lease = try? store.takeOver(MovingWorld.runID, owner: SimulatedProcess.owner(2), leaseFor: .seconds(10))
        meanwhile.lease.withLock { $0 = lease }
        meanwhile.traces.withLock { $0 = outside.traces }
      },
      beforeItWakes: {
        guard let lease = meanwhile.lease.withLock({ $0 }) else { return }
        _ = await other.work(on: lease)
        meanwhile.traces.withLock { $0 = outside.traces }
      })
    var owner = world.process()
    owner.renewal = { lease throws(StoreFailure) in try store.renew(lease, leaseFor: .seconds(10)) }
    owner.isToldOfLoss = point % 2 == 0
    owner.staysWhenItStops = true
    let woken = try await owner.start(MovingWorld.runID, inputs: world.inputs, life: life)
    place = try #require(life.place, "the owner was never frozen at point \(point)")
    guard meanwhile.lease.withLock({ $0 }) != nil else {
      end = nil
      return
    }
    end = woken
    // It may have ended without anything to wait for, while another of its branches slept.
    await life.wake()
    #expect(outside.traces == meanwhile.traces.withLock { $0 }, "\(place): it did something after it woke")
  }
}
