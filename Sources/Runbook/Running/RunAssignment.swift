/// The world a run acts in: everything that is not decision or journal, handed in. An object, because the thousand runs
/// of a process act in the same one.
public final class RunWorld: Sendable {
  public let clock: any EngineClock
  public let random: any RandomSource
  public let transport: any HTTPTransport
  public let scripts: any ScriptHost
  public let files: any FileHost
  public let mail: any MailTransport
  /// By action name: what needs no provider.
  public let builtIn: [String: any Action]
  /// By the provider block's `type`.
  public let providerKinds: [String: any ProviderKind]
  /// What all runs in this world share of an account.
  public let shared = SharedObjects()
  /// What every script gets: PATH HOME LANG TZ.
  public let scriptEnvironment: [String: String]
  /// False in a simulated run: there is nothing real to check.
  public let makesLiveChecks: Bool
  /// False in a simulated run: nobody can answer, so the action that asks answers for them.
  public let asksPeople: Bool

  public init(
    clock: any EngineClock, random: any RandomSource, transport: any HTTPTransport, scripts: any ScriptHost,
    files: any FileHost, builtIn: [any Action], providerKinds: [any ProviderKind],
    mail: any MailTransport = NoMail(), scriptEnvironment: [String: String] = [:], makesLiveChecks: Bool = true,
    asksPeople: Bool = true
  ) {
    self.clock = clock
    self.random = random
    self.transport = transport
    self.scripts = scripts
    self.files = files
    self.mail = mail
    self.builtIn = Dictionary(builtIn.map { ($0.declaration.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.providerKinds = Dictionary(providerKinds.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
    self.scriptEnvironment = scriptEnvironment
    self.makesLiveChecks = makesLiveChecks
    self.asksPeople = asksPeople
  }

  /// What a block names: a provider that comes with the program, or one that a file of the runbook declares.
  public func kind(of block: ProviderBlock) -> (any ProviderKind)? { block.declared ?? providerKinds[block.type] }
}

/// One run about to be carried out or carried on by this process.
public struct RunAssignment: Sendable {
  public var runbook: ValidatedRunbook
  public var source: PinnedSource
  public var secrets: [String: Secret]
  /// Declared secrets that this process goes on without (`--without-secret`): what needs one fails by its name.
  public var without: Set<String> = []
  /// Who has said that a run of a restored store may go on (`--restored`); nil: nobody.
  public var acceptsRestored: String?
  public var store: any RunStore
  public var lease: Lease
  public var world: RunWorld
  public var observer: any RunObserver
  public var control: RunControl
  /// Shared by the runs of a process that go on at once.
  public var committer: Committer
  /// Asked before anything leaves; nil: nobody else can own the run.
  public var tenure: (any Tenure)?

  public init(
    runbook: ValidatedRunbook, source: PinnedSource, secrets: [String: Secret], store: any RunStore, lease: Lease,
    world: RunWorld, observer: any RunObserver, control: RunControl, tenure: (any Tenure)? = nil,
    committer: Committer? = nil
  ) {
    self.runbook = runbook
    self.source = source
    self.secrets = secrets
    self.store = store
    self.lease = lease
    self.world = world
    self.observer = observer
    self.control = control
    self.tenure = tenure
    self.committer = committer ?? Committer(store)
  }
}

/// How a process's work on a run came to its end.
public enum RunEnd: Sendable {
  case ended(RunEnded)
  /// A person is needed to say what became of this step. Exit 6.
  case parked(step: String, until: Timestamp)
  /// The store was put back from an older copy, so the run may have done more than its journal says: a person is needed
  /// to say that it may go on. Exit 6.
  case restored
  /// Left at a durable point; somebody can `resume` it. Exit 9.
  case left(reason: String)
  /// Another process owns the run now, or the store failed. Exit 7 or 9; nothing more was written.
  case lost(StoreFailure)

  /// The number that stands for it, also one that a later release has journaled.
  public var exitCode: Int32 { if case .ended(let ended) = self { ended.exitCode } else { exit.rawValue } }

  public var exit: ExitCode {
    switch self {
    case .ended(let ended): ended.exit ?? .failed
    case .parked, .restored: .waiting
    case .left: .stopped
    case .lost(.fenced), .lost(.owned), .lost(.lockHeld): .refused
    case .lost: .stopped
    }
  }
}

/// Makes ids of runs: `r` and 19 of `[a-z0-9]`, sorted by the time they were made to the millisecond.
public enum RunID {
  private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)

  public static func make(at instant: Timestamp, random: any RandomSource) -> String {
    let milliseconds = UInt64(clamping: instant.seconds) &* 1000 &+ UInt64(clamping: instant.nanoseconds / 1_000_000)
    let bytes = digits(milliseconds, 9) + digits(random.next(), 10)
    return "r" + String(decoding: bytes, as: UTF8.self)
  }

  /// The last `count` digits in base 36.
  private static func digits(_ number: UInt64, _ count: Int) -> [UInt8] {
    var number = number
    var digits: [UInt8] = []
    for _ in 0..<count {
      digits.append(alphabet[Int(number % 36)])
      number /= 36
    }
    return digits.reversed()
  }

  /// When a run of this id was created, to the millisecond; nil for what is no id.
  static func instant(of id: String) -> Timestamp? {
    guard isWellFormed(id) else { return nil }
    var milliseconds: Int64 = 0
    for byte in id.utf8.dropFirst().prefix(9) {
      guard let digit = alphabet.firstIndex(of: byte) else { return nil }
      milliseconds = milliseconds * 36 + Int64(digit)
    }
    return Timestamp(seconds: milliseconds / 1000) + .milliseconds(milliseconds % 1000)
  }

  public static func isWellFormed(_ id: String) -> Bool {
    id.utf8.count == 20 && id.utf8.first == UInt8(ascii: "r") && id.utf8.allSatisfy { alphabet.contains($0) }
  }
}
