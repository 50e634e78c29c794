/// What is settled before the first step: the runbook's variables and its connected providers. The same in every
/// process that works on the run, because everything is evaluated at the run's start.
public struct RunContext: Sendable {
  public let vars: [String: Value]
  /// By the author's name of the block.
  public let providers: [String: any Provider]

  /// Sends nothing.
  /// - Parameter transport: what the providers send through; nil: the world's.
  /// - Throws: `input` or `expression`, naming the variable or the provider.
  public init(
    _ runbook: ValidatedRunbook, inputs: [String: Value], secrets: [String: Secret], world: RunWorld,
    transport: (any HTTPTransport)? = nil, at instant: Timestamp
  ) throws(StepFailure) {
    var roots: [String: Value] = [
      "inputs": .map(inputs), "secrets": .map(secrets.mapValues { .secret($0) }), "vars": [:],
    ]
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
    for block in runbook.providers {
      do throws(StepFailure) {
        providers[block.name] = try RunContext.connect(
          block, DictionaryScope(roots, now: instant), world, transport ?? world.transport)
      } catch {
        throw StepFailure(error.kind, "provider `\(block.name)`: \(error.message)")
      }
    }
    self.vars = vars
    self.providers = providers
  }

  private static func connect(
    _ block: ProviderBlock, _ scope: DictionaryScope, _ world: RunWorld, _ transport: any HTTPTransport
  ) throws(StepFailure) -> any Provider {
    guard let kind = world.kind(of: block) else {
      throw StepFailure(.input, "there is no provider type `\(block.type)`")
    }
    let settings = try FieldValues.evaluate(block.settings, fields: kind.allFields, in: scope)
    return try kind.connect(
      Arguments(settings),
      environment: ProviderEnvironment(
        transport: transport, clock: world.clock, random: world.random, shared: world.shared))
  }
}
