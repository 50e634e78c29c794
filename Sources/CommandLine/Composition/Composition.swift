import Posix
import Providers
import Runbook
import Simulator
import Steps
import Stores
import Transport

/// The one place where steps, providers, stores, the simulator and the machine meet.
enum Composition {
  /// The world as it is. Nothing of it is touched before a run needs it.
  /// To the real world, through the proxy that the environment names.
  static func transport() -> LibcurlTransport { LibcurlTransport { Environment[$0] } }

  static func realWorld(scripts: String, transport: any HTTPTransport = Composition.transport()) -> RunWorld {
    RunWorld(
      clock: SystemClock(), random: SystemRandom(), transport: transport,
      scripts: DetachedScripts(folder: scripts), files: LocalFiles(),
      builtIn: makeStandardActions(ssh: SSHProgram(connections: SSHConnections(), pins: scripts)),
      providerKinds: standardProviders, mail: LibcurlMail())
  }

  /// Every action by its name, for reports of runs.
  static let actions = KnownActions(builtIn: standardActions.map { $0.declaration }, providers: standardProviders)

  /// The words an author may use.
  static func validation(
    isStrict: Bool = false,
    readFile: @escaping @Sendable (String, Int) throws(FileRefusal) -> [UInt8] = ValidationContext.noFiles
  ) -> ValidationContext {
    ValidationContext(
      steps: standardSteps, actions: standardActions.map { $0.declaration }, providers: standardProviders,
      isStrict: isStrict, readFile: readFile,
      readProvider: { (yaml) throws(Diagnostics) in try ProviderFile.read(yaml) })
  }

  /// The kind of cloud of this type, or the one that the file of this path declares; nil if there is no such type.
  /// - Throws: a file that cannot be read, or has mistakes.
  static func provider(_ type: String) throws(Refusal) -> (any ProviderKind)? {
    guard type.contains("/") || type.hasSuffix(".yaml") || type.hasSuffix(".yml") else {
      return standardProviders.first { $0.type == type }
    }
    let bytes = try RunbookFile.read(type, limit: SourceText.byteLimit, what: "provider")
    do throws(Diagnostics) { return try ProviderFile.read(bytes) } catch { throw Refusal.invalid(type, error) }
  }
}

/// A sealed simulation of one runbook: the providers' twins on loopback, reached through the same HTTP client;
/// everything else answers success or what the mock file says; the store is in memory.
struct SimulatedWorld {
  /// Ten documented minutes pass in ten seconds.
  static let speed = 60
  /// The documents' example day, 2025-01-16 16:14 UTC: their snapshots and backups are as old as they say.
  static let day = Timestamp(seconds: 1_737_044_040)

  let world: RunWorld
  let runbook: ValidatedRunbook
  let store: any RunStore
  /// Serve until they are let go.
  private let hosts: [LoopbackHost]

  /// - Parameters:
  ///   - inputs: any server they name is known to the twins.
  ///   - real: actions that are let through (`--real`). They take their own time, so the clock is then the machine's.
  ///   - scripts: where scripts that are let through run; nil if none is.
  ///   - speed: `--speed`; default 60, or 1 if something really happens.
  init(
    _ checked: CheckedRunbook, inputs: [String: Value], real: Set<String>, scripts: (any ScriptHost)?,
    mocks: MockFile?, speed: Int?
  ) throws(Refusal) {
    let speed = speed ?? (real.isEmpty ? SimulatedWorld.speed : 1)
    let clock = ScaledClock(SystemClock(), speed: speed, start: real.isEmpty ? SimulatedWorld.day : nil)
    var runbook = checked.runbook
    var hosts: [LoopbackHost] = []
    let servers = SimulatedWorld.texts(.map(inputs)) + runbook.inputs.compactMap { $0.defaultValue?.string }
    // Steps of a called file see the same cloud as those that call it.
    var urls: [String: String] = [:]
    var ownBlocks = runbook.providers.count
    try runbook.value.changeProviders { (block: inout ProviderBlock) throws(Refusal) in
      block.settings["ca_file"] = nil
      ownBlocks -= 1
      if ownBlocks < 0, let url = urls["\(block.type) \(block.name)"] ?? urls[block.type] {
        block.settings["url"] = .literal(.string(url))
        return
      }
      let kind = if let declared = block.declared { declared } else { try Composition.provider(block.type) }
      guard let kind else {
        throw Refusal(.usage, .provider, "there is no provider type `\(block.type)`")
      }
      let twin = kind.twin(clock: clock, seed: 1, isSealed: true)
      for server in servers { twin.ensureServer(server) }
      for fault in mocks?.faults ?? [] where block.isOf(type: fault.provider) {
        do throws(ExpressionFailure) { try twin.inject(fault.fault) } catch {
          throw Refusal(.usage, .mock, "fault `\(DisplayText.escaped(fault.fault, limit: 100))`: \(error.message)")
        }
      }
      do throws(StepFailure) {
        let host = try LoopbackHost(twin) { $0 / speed }
        hosts.append(host)
        urls[block.type] = urls[block.type] ?? host.url
        urls["\(block.type) \(block.name)"] = host.url
        block.settings["url"] = .literal(.string(host.url))
      } catch {
        throw Refusal(.failed, .simulation, "the simulation cannot be served: \(error.message)")
      }
    }
    self.hosts = hosts
    self.runbook = runbook
    store = MemoryStore(clock: SystemClock())
    world = RunWorld(
      clock: clock, random: SystemRandom(), transport: LibcurlTransport(),
      scripts: scripts ?? SimulatedScripts(clock: clock), files: real.isEmpty ? SimulatedFiles() : LocalFiles(),
      builtIn: SimulatedActions.make(from: standardActions, real: real, mocks: mocks),
      providerKinds: standardProviders, mail: LibcurlMail(), asksPeople: false)
  }

  /// Every text and number that may be a server's id.
  private static func texts(_ value: Value) -> [String] {
    switch value {
    case .string(let text): text.utf8.count <= 64 ? [text] : []
    case .int(let number): [String(number)]
    case .list(let items): items.flatMap(texts)
    case .map(let entries): entries.values.flatMap(texts)
    default: []
    }
  }
}
