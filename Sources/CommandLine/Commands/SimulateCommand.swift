import Posix
import Providers
import Runbook
import Simulator

/// `runbook simulate PROVIDER`.
struct SimulateCommand: Command {
  static let spec = CommandSpec(
    name: "simulate", summary: "serve a simulated provider on this machine",
    details: "Point a provider's `url` at the printed address. The simulation ends with Ctrl-C.",
    operands: [OperandSpec("PROVIDER", .text, .one, "the provider's type, or the file of a declared one")],
    options: [
      .value("port", "N", .number, "the port on 127.0.0.1; default: a free one"),
      .value("speed", "N", .number, "how many times faster than real; default 1"),
      .value("seed", "N", .number, "the seed of random durations; the same seed gives the same; default 1"),
      .value("fault", "SPEC", .text, repeatable: true, "let something go wrong: `reply_lost:snapshot.create`, `429:2`"),
    ],
    examples: [
      .init("runbook simulate vps_org --port 8080 --speed 60", "serve it, an hour passing in a minute"),
      .init(
        "runbook simulate vps_org --port 8080 --fault 429:2",
        "see what a runbook does when it is told to slow down"),
    ],
    group: .around)

  private let type: String
  private let port: UInt16
  private let speed: Int
  private let seed: UInt64
  private let faults: [String]

  init(_ arguments: ParsedArguments) throws(UsageError) {
    type = try arguments.required("PROVIDER")
    port = UInt16(clamping: try arguments.number("port", in: 0...65_535) ?? 0)
    speed = Int(try arguments.number("speed", in: 1...1_000_000) ?? 1)
    seed = UInt64(clamping: try arguments.number("seed", in: 0...Int64.max) ?? 1)
    faults = arguments.values(of: "fault")
  }

  func run(in shell: Shell) async -> ExitCode {
    let (ends, end) = AsyncStream<Void>.makeStream()
    try? Signals.deliver([.interrupt, .terminate, .hangUp]) { _ in end.finish() }
    do throws(Refusal) {
      let host = try serve()
      if shell.wantsJSON {
        shell.output.result(json: ["v": 1, "provider": .string(type), "url": .string(host.url)])
      } else {
        shell.output.result("\(type) is simulated at \(host.url)\n")
      }
      shell.note("Ctrl-C ends it")
      for await _ in ends {}
      host.stop()
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  private func serve() throws(Refusal) -> LoopbackHost {
    guard let kind = try Composition.provider(type) else {
      let known = standardProviders.map { $0.type }.sorted()
      throw Refusal(
        .usage, .provider, "there is no simulation of `\(DisplayText.escaped(type, limit: 60))`",
        hint: Suggestion.hint(for: type, among: known))
    }
    let twin = kind.twin(clock: ScaledClock(SystemClock(), speed: speed), seed: seed, isSealed: false)
    for fault in faults {
      do throws(ExpressionFailure) { try twin.inject(fault) } catch {
        throw Refusal(
          .usage, .fault, DisplayText.escaped(error.message, limit: 1000), hint: "docs/simulation.md lists them")
      }
    }
    let speed = speed
    do throws(StepFailure) { return try LoopbackHost(twin, port: port) { $0 / speed } } catch {
      throw Refusal(.usage, .port, error.message, hint: "`--port 0` takes a free one")
    }
  }
}
