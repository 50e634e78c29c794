/// What is settled before the first step: the runbook's variables and its connected providers. The same in every
/// process that works on the run, because everything is evaluated at the run's start.
public struct RunContext: Sendable {
  public let vars: [String: Value]
  /// By the author's name of the block.
  public let providers: [String: any Provider]
  /// Why a block could not be connected, by its name: it needs a secret that this process goes on without.
  public let unconnected: [String: String]

  /// Sends nothing.
  /// - Parameter transport: what the providers send through; nil: the world's.
  /// - Throws: `input` or `expression`, naming the variable or the provider.
  public init(
    _ runbook: ValidatedRunbook, inputs: [String: Value], secrets: [String: Secret], without: Set<String> = [],
    world: RunWorld, transport: (any HTTPTransport)? = nil, at instant: Timestamp
  ) throws(StepFailure) {
    var known: [String: Value] = secrets.mapValues { .secret($0) }
    for name in without { known[name] = .lost([name]) }
    var roots: [String: Value] = ["inputs": .map(inputs), "secrets": .map(known), "vars": [:]]
    var vars: [String: Value] = [:]
    for (name, template) in runbook.vars {
      do throws(ExpressionFailure) {
        vars[name] = try template.evaluate(in: DictionaryScope(roots, now: instant))
      } catch {
        throw StepFailure(.expression, "`vars.\(name)`: \(error.message)")
      }
      roots["vars"] = .map(vars)
    }
    var providers: [String: any Provider] = [:]
    var unconnected: [String: String] = [:]
    for block in runbook.providers {
      do throws(StepFailure) {
        providers[block.name] = try RunContext.connect(
          block, DictionaryScope(roots, now: instant), world, transport ?? world.transport, Array(secrets.values))
      } catch {
        let needed = block.settings.values.reduce(into: Set<String>()) { $0.formUnion($1.references.secrets) }
        guard needed.isDisjoint(with: without) else {
          unconnected[block.name] = error.message
          continue
        }
        throw StepFailure(error.kind, "provider `\(block.name)`: \(error.message)")
      }
    }
    self.vars = vars
    self.providers = providers
    self.unconnected = unconnected
  }

  private static func connect(
    _ block: ProviderBlock, _ scope: DictionaryScope, _ world: RunWorld, _ transport: any HTTPTransport,
    _ secrets: [Secret]
  ) throws(StepFailure) -> any Provider {
    guard let kind = world.kind(of: block) else {
      throw StepFailure(.input, "there is no provider type `\(block.type)`")
    }
    let settings = try FieldValues.evaluate(block.settings, fields: kind.allFields, in: scope)
    return try kind.connect(
      Arguments(settings),
      environment: ProviderEnvironment(
        transport: transport, clock: world.clock, random: world.random, shared: world.shared, secrets: secrets))
  }
}
