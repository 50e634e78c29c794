import Posix
import Providers
import Runbook
import Transport

/// `runbook providers [TYPE]`, `runbook providers check NAME`.
struct ProvidersCommand: Command {
  static let spec = CommandSpec(
    name: "providers", summary: "show what each cloud can do, or check an account",
    details: """
      Without a TYPE it prints every action and, for each cloud, `reads`, the effect class of a change (E1 keyed, E2 \
      findable, E3 convergent, E4 opaque), or a dash if the cloud does not have the action. With a TYPE it prints that \
      cloud's block, actions, states, limits and hazards, and the gaps in its documents.

      `check NAME` reads an account and changes nothing: is the credential good, which rights does it have, do the \
      clocks agree, how much of the quotas is left? Exit 1 if something is wrong. With --in, NAME is a block of that \
      runbook's `providers:`, with its inputs and secrets. Without --in, NAME is a type, and each field of its block \
      is read from the environment: `token` of `vps_org` from VPS_ORG_TOKEN.

      With --record it also reads the servers with their snapshots and backups, compares every answer with the \
      cloud's documents, and writes the exchanges to FILE, without secrets, names and addresses. It sends only \
      requests that read. Exit 1 if a needed field is missing.
      """,
    operands: [
      OperandSpec("TYPE", .text, .optional, "a type, the file of a declared one, or `check`"),
      OperandSpec("NAME", .text, .optional, "after `check`: a type, or with --in a block's name"),
    ],
    options: [
      .value("in", "FILE", .file, "take the block from this runbook"), RunOptions.input, RunOptions.inputs,
      .value(
        "record", "FILE", .file, "with `check`: compare the answers with the documents and write them here, redacted"),
    ],
    examples: [
      .init("runbook providers", "print the table of capabilities"),
      .init("runbook providers vps_org", "show everything about one cloud"),
      .init("runbook providers check vps_org", "check the account of the token in VPS_ORG_TOKEN"),
      .init(
        "runbook providers check vps_org --record answers.json",
        "see whether the cloud answers as its documents say"),
      .init("runbook providers check cloud --in deploy.yaml --input server=12345", "check a runbook's own block"),
    ],
    group: .around)

  private let type: String?
  private let name: String?
  private let file: String?
  private let inputs: GivenInputs
  private let record: String?

  init(_ arguments: ParsedArguments) throws(UsageError) {
    let first = arguments.operand("TYPE")
    let second = arguments.operand("NAME")
    file = arguments.value("in")
    inputs = try GivenInputs(arguments)
    record = arguments.value("record")
    if first == "check" {
      guard let second else {
        throw UsageError(
          "`NAME` is missing: the account to check",
          hint: "a type, such as `vps_org`, or with --in the name of a block")
      }
      (type, name) = (nil, second)
    } else {
      if let second {
        throw UsageError(
          "`\(DisplayText.escaped(second, limit: 60))` is one word too many",
          hint: "`runbook providers TYPE` or `runbook providers check NAME`")
      }
      if record != nil { throw UsageError("`--record` goes with `check`", hint: UsageError.help("providers")) }
      if file != nil { throw UsageError("`--in` goes with `check`", hint: UsageError.help("providers")) }
      (type, name) = (first, nil)
    }
  }

  func run(in shell: Shell) async -> ExitCode {
    do throws(Refusal) {
      if let name { return try await check(name, shell) }
      let kinds = try type.map { type throws(Refusal) in [try kind(type)] }
      let table = CapabilityTable(kinds ?? standardProviders)
      if shell.wantsJSON {
        shell.output.result(json: table.json)
      } else {
        let lines = kinds.map { $0.flatMap { CapabilityTable.lines(of: $0) } } ?? table.lines
        shell.output.result(lines.map { DisplayText.escaped($0) + "\n" }.joined())
        if kinds == nil { shell.note("`runbook providers TYPE` shows one of them") }
      }
      return .succeeded
    } catch {
      return shell.refuse(error)
    }
  }

  private func kind(_ type: String) throws(Refusal) -> any ProviderKind {
    if let kind = try Composition.provider(type) { return kind }
    throw Refusal(
      .usage, .provider, "there is no provider type `\(DisplayText.escaped(type, limit: 60))`",
      hint: Suggestion.hint(for: type, among: standardProviders.map { $0.type }))
  }

  // MARK: check

  private func check(_ name: String, _ shell: Shell) async throws(Refusal) -> ExitCode {
    let target = try record.map { path throws(Refusal) in try SurveyRecord.open(path) }
    let transport = SurveyTransport(Composition.transport())
    // A check starts no script, and sends only what reads.
    let world = Composition.realWorld(scripts: "/nonexistent", transport: transport)
    let checked = try file.map { file throws(Refusal) in try block(name, of: file, world, shell) }
    let connected = if let checked { checked } else { try fromEnvironment(try kind(name), world) }
    var report: AccountReport
    var findings: [SurveyFinding] = []
    if let target {
      let survey = await AccountSurvey(
        of: connected.account, kind: connected.kind, transport: transport, clock: world.clock)
      report = survey.report
      let documents = await DocumentedReplies(of: connected.kind)
      findings = SurveyFinding.all(in: transport.exchanges, against: documents)
      report.problems += survey.failures.filter { $0.what != "the account" }.map { "\($0.what): \($0.why)" }
      let document = SurveyRecord.document(
        transport.exchanges, of: name, findings, secrets: connected.secrets, at: world.clock.now)
      try SurveyRecord.write(document, to: target, path: record ?? "")
    } else {
      report = await connected.account.report()
    }
    tell(report, findings, of: name, requests: transport.exchanges.count, shell)
    return report.problems.isEmpty && !findings.contains { $0.isNeeded } ? .succeeded : .failed
  }

  private func tell(
    _ report: AccountReport, _ findings: [SurveyFinding], of name: String, requests: Int, _ shell: Shell
  ) {
    if shell.wantsJSON {
      var document = AccountText.json(report, of: name).map ?? [:]
      if record != nil {
        document["requests"] = .int(Int64(requests))
        document["findings"] = .list(findings.map { $0.json })
      }
      return shell.output.result(json: .map(document))
    }
    var lines = AccountText.lines(report)
    if let record {
      lines += findings.map { $0.text }
      let count = findings.count == 1 ? "a difference" : "\(findings.count) differences"
      lines.append(
        "recorded  \(requests) requests to \(record); \(findings.isEmpty ? "no difference" : count) from the documents")
    }
    shell.output.result(lines.map { DisplayText.escaped($0) + "\n" }.joined())
  }

  /// An account that can be asked, and what its kind is.
  private struct Connected {
    var account: any Provider
    var kind: any ProviderKind
    var secrets: [Secret]
  }

  private func block(_ name: String, of file: String, _ world: RunWorld, _ shell: Shell) throws(Refusal) -> Connected {
    let checked = try shell.check(file, isStrict: false)
    let given = try inputs.read(for: checked.runbook)
    let names = checked.runbook.providers.map { $0.name }
    var kind: (any ProviderKind)?
    if let block = checked.runbook.providers.first(where: { $0.name == name }) {
      if let declared = block.declared { kind = declared } else { kind = try Composition.provider(block.type) }
    }
    guard let kind else {
      throw Refusal(
        .usage, .provider,
        "`\(DisplayText.escaped(file, limit: 200))` has no provider "
          + "`\(DisplayText.escaped(name, limit: 60))`", hint: Suggestion.hint(for: name, among: names))
    }
    let secrets = try MachineSecrets.all(of: checked)
    do throws(StepFailure) {
      let context = try RunContext(
        checked.runbook, inputs: given, secrets: secrets, world: world, at: world.clock.now)
      if let account = context.providers[name] {
        return Connected(account: account, kind: kind, secrets: Array(secrets.values))
      }
      throw StepFailure(.input, "the provider `\(name)` cannot be connected")
    } catch {
      throw Refusal(.usage, .provider, Masker(secrets.values).mask(error.message))
    }
  }

  /// Every field of the block that the environment sets: `TYPE_FIELD` in capitals.
  private func fromEnvironment(_ kind: any ProviderKind, _ world: RunWorld) throws(Refusal) -> Connected {
    var settings: [String: Value] = [:]
    for field in kind.allFields {
      let key = "\(kind.type)_\(field.name)".uppercased()
      guard let text = Environment[key], !text.isEmpty else {
        if field.required {
          throw Refusal(
            .usage, .secret,
            "`\(field.name)` of `\(kind.type)` is missing: the environment variable `\(key)` is not set",
            hint: "set it: \(key)=… runbook providers check \(kind.type); or check a runbook's block with --in FILE")
        }
        if let value = field.defaultValue { settings[field.name] = value }
        continue
      }
      settings[field.name] = try value(text, of: field, key)
    }
    let secrets = settings.values.compactMap { if case .secret(let secret) = $0 { secret } else { nil } }
    do throws(StepFailure) {
      let account = try kind.connect(
        Arguments(settings),
        environment: ProviderEnvironment(
          transport: world.transport, clock: world.clock, random: world.random, secrets: secrets))
      return Connected(account: account, kind: kind, secrets: secrets)
    } catch {
      let names = kind.fields.map { "\(kind.type)_\($0.name)".uppercased() }.joined(separator: ", ")
      throw Refusal(
        .usage, .provider, error.message,
        hint: "each field is read from the environment: \(names); or check a runbook's block with --in FILE")
    }
  }

  private func value(_ text: String, of field: Field, _ key: String) throws(Refusal) -> Value {
    if field.acceptsSecret { return .secret(Secret(text, named: [key])) }
    switch field.kind {
    case .duration:
      guard let duration = Duration(text: text) else { throw wrong(key, "a duration such as `30s`") }
      return .duration(duration)
    case .int, .number:
      guard let number = Double(text), number.isFinite else { throw wrong(key, "a number") }
      return Int64(text).map { .int($0) } ?? .double(number)
    case .bool:
      guard text == "true" || text == "false" else { throw wrong(key, "true or false") }
      return .bool(text == "true")
    case .choice(let words):
      guard words.contains(text) else { throw wrong(key, words.joined(separator: " or ")) }
      return .string(text)
    default: return .string(text)
    }
  }

  private func wrong(_ key: String, _ expected: String) -> Refusal {
    Refusal(.usage, .provider, "the environment variable `\(key)` must be \(expected)")
  }
}
