/// `providers:` and which of them a step uses.
extension Validation {
  func providers(_ node: Node?) -> [ProviderBlock] {
    guard let node, let entries = map(node, "`providers`") else { return [] }
    let roots = environment.roots.filter { ["inputs", "vars", "secrets"].contains($0.key) }
    return inEnvironment(TypeEnvironment(roots: roots)) {
      entries.compactMap { entry in
        guard Names.check(entry.key, at: entry.keyRange, "the provider", sink) else { return nil }
        let block = block(entry)
        blocks.append((entry.key, block?.type))
        return block
      }
    }
  }

  private func block(_ entry: Node.Entry) -> ProviderBlock? {
    let name = "providers.\(entry.key)"
    guard var fields = FieldReader(entry.value, "`\(name)`", sink) else { return nil }
    let types = catalog.providers.keys.filter { !Validation.isProviderFile($0) }.sorted()
    guard let node = fields.require("type", at: entry.keyRange, hint: "one of \(types.joined(separator: ", "))") else {
      // A key that no provider has is a mistake of its own: `tpye`.
      let known = catalog.providers.values.flatMap { kind in kind.allFields.map { $0.name } }
      for key in Set(known) { _ = fields.take(key) }
      fields.finish(known: ["type"] + Set(known).sorted())
      return nil
    }
    guard let type = read.scalar(node, "\(name).type", "one word")?.text else { return nil }
    if Validation.isProviderFile(type), catalog.providers[type] == nil {
      guard let declared = providerFile(type, node) else { return nil }
      catalog.add(declared, as: type)
    }
    guard let kind = catalog.providers[type] else {
      sink.error(
        .provider, at: node.range, "unknown provider type `\(type.excerpt(60))`",
        hint: Suggestion.hint(for: type, among: types))
      return nil
    }
    catalog.use(type)
    var settings: [String: Template] = [:]
    let known = kind.allFields
    for field in known {
      if let value = fields.takeEntry(field.name) {
        settings[field.name] = fieldTemplate(value, "\(name).\(field.name)", FieldInfo(field))
        checkSetting(field, value.value, "\(name).\(field.name)")
      } else if field.required {
        sink.error(.keyMissing, at: entry.keyRange, "`\(name)` needs `\(field.name)`", hint: field.help)
      }
    }
    fields.finish(known: ["type"] + known.map { $0.name })
    requireCredential(kind.credentials, settings, at: entry.keyRange, name)
    refusePlainHTTP(settings, fields, name)
    warnOfCredentials(known, fields, settings, name)
    return ProviderBlock(
      name: entry.key, type: type, declared: Validation.isProviderFile(type) ? kind : nil, settings: settings)
  }

  /// A shell variable is no credential, and a path in the runbook's folder names a file that is there.
  private func checkSetting(_ field: Field, _ node: Node, _ name: String) {
    guard let text = node.scalar?.text, !text.hasExpression, !node.isNull else { return }
    if field.acceptsSecret, text.hasPrefix("$") {
      sink.error(
        .secret, at: node.range, "shell variables are not replaced in `\(name)`",
        hint: "declare it under `secrets:` (`source: env`) and write \"${{ secrets.NAME }}\"")
    } else if field.name == "ca_file", !text.hasPrefix("/"), !text.hasPrefix("~") {
      do throws(FileRefusal) { _ = try context.readFile(folder + text, Limits.scriptBytes) } catch {
        sink.error(.file, at: node.range, "`\(text.excerpt(100))` cannot be read: \(error.message)")
      }
    }
  }

  /// A credential that is spelled out in the file is warned of, unless it is for a server on this machine.
  private func warnOfCredentials(
    _ fields: [Field], _ written: FieldReader, _ settings: [String: Template], _ name: String
  ) {
    if let url = settings["url"]?.constant?.string, WebAddress.isLoopback(url) { return }
    for entry in written.entries {
      guard fields.contains(where: { $0.name == entry.key && $0.acceptsSecret }),
        !entry.key.hasSuffix("_id"), let text = entry.value.scalar?.text, !text.hasExpression, !text.hasPrefix("$")
      else { continue }
      warn(
        .warnSecret, at: entry.value.range,
        "`\(name).\(entry.key)` is written in the file: everybody who reads the file knows it",
        hint: "declare it under `secrets:` and write \"${{ secrets.NAME }}\"")
    }
  }

  private func requireCredential(
    _ ways: [[String]], _ settings: [String: Template], at range: SourceRange, _ name: String
  ) {
    guard !ways.isEmpty, !ways.contains(where: { $0.allSatisfy { settings[$0] != nil } }) else { return }
    let texts = ways.map { way in way.map { "`\($0)`" }.joined(separator: " with ") }
    sink.error(
      .keyMissing, at: range, "`\(name)` has no credential", hint: "give \(texts.joined(separator: ", or "))")
  }

  /// `./my_cloud.yaml`: no word, but a file beside the runbook that declares the provider.
  static func isProviderFile(_ type: String) -> Bool {
    type.contains("/") || type.hasSuffix(".yaml") || type.hasSuffix(".yml")
  }

  /// The file is read now and pinned, so that a run that is resumed uses what it started with.
  private func providerFile(_ path: String, _ node: Node) -> (any ProviderKind)? {
    if let problem = Validation.pathProblem(path) {
      return read.refuse(
        .file, node, "`type` \(problem)", hint: "name a file in the runbook's folder or below it")
    }
    let bytes: [UInt8]
    do throws(FileRefusal) { bytes = try context.readFile(folder + path, Limits.providerBytes) } catch {
      return read.refuse(.file, node, "`\(path.excerpt(100))` cannot be read: \(error.message)")
    }
    do throws(Diagnostics) {
      let kind = try context.readProvider(bytes)
      pinnedFiles[folder + path] = bytes
      return kind
    } catch {
      let mistakes = error.items.filter { $0.severity == .error }
      let first = mistakes.first.map { ": line \($0.range.start.line), \($0.code): \($0.message)" } ?? ""
      let count = mistakes.count == 1 ? "a mistake" : "\(mistakes.count) mistakes"
      return read.refuse(
        .provider, node, "`\(path.excerpt(100))` has \(count)\(first)",
        hint: "`\(AdvisedCommands().line("validate", folder + path))`, in the runbook's folder, lists all of them")
    }
  }

  /// Credentials do not cross a network in the clear unless somebody says so.
  private func refusePlainHTTP(_ settings: [String: Template], _ fields: FieldReader, _ name: String) {
    guard settings["plain_http"] == nil, let url = settings["url"]?.constant?.string, url.hasPrefix("http://"),
      !WebAddress.isLoopback(url), let entry = fields.entries.first(where: { $0.key == "url" })
    else { return }
    sink.error(
      .url, at: entry.value.range, "`\(name).url` would send credentials unencrypted",
      hint: "write `https://`, or `plain_http: allow` if the network to it is safe")
  }

  /// A field that is written: planned ones are refused by name.
  func fieldTemplate(_ entry: Node.Entry, _ name: String, _ info: FieldInfo) -> Template? {
    if info.field.isPlanned {
      sink.report(LaterFeatures.unsupported(info.field.name, at: entry.keyRange))
      return nil
    }
    return template(entry.value, name, info)
  }

  // MARK: Which provider a step uses

  /// The block and the action on it, for an action that providers have; nil, and told, if there is none.
  func resolve(
    _ action: String, _ byType: [String: ActionInfo], at node: Node, provider choice: Node?
  ) -> (block: String, info: ActionInfo)? {
    if let choice { return chosen(choice, action, byType) }
    let able = blocks.filter { block in block.type.map { byType[$0] != nil } ?? false }
    if able.count == 1, let type = able[0].type, let info = byType[type] { return (able[0].name, info) }
    if able.count > 1 {
      let names = ScalarReader.alternatives(able.map { $0.name })
      sink.error(
        .provider, at: node.range, "several providers can do `\(action)`", hint: "add `provider:` with \(names)")
    } else if !blocks.contains(where: { $0.type == nil }) {
      refuseWithoutAble(action, byType, node)
    }
    return nil
  }

  private func refuseWithoutAble(_ action: String, _ byType: [String: ActionInfo], _ node: Node) {
    let types = byType.keys.sorted()
    guard !blocks.isEmpty else {
      let hint = "add `providers: {cloud: {type: \(types.first ?? "")}}`"
      sink.error(
        .provider, at: node.range, "`\(action)` needs a provider, and none is declared",
        hint: types.count == 1 ? hint : "types that can: \(types.joined(separator: ", "))")
      return
    }
    let declared = Set(blocks.compactMap { $0.type })
    let alternatives = alternatives(to: action)
    let only = declared.count == 1 ? declared.first : nil
    sink.error(
      .provider, at: node.range,
      "no declared provider can do `\(action)`" + (only.map { ": \(alternatives.reason(on: $0))" } ?? ""),
      hint: alternatives.hint(on: only))
  }

  private func alternatives(to action: String) -> Alternatives {
    let files = catalog.providers.filter { Validation.isProviderFile($0.key) }
    return Alternatives(action: action, providers: context.providers, declared: files)
  }

  private func chosen(_ node: Node, _ action: String, _ byType: [String: ActionInfo]) -> (String, ActionInfo)? {
    guard let name = read.text(node, "provider") else { return nil }
    guard let block = blocks.first(where: { $0.name == name }) else {
      return read.refuse(
        .provider, node, "there is no provider `\(name.excerpt(60))`",
        hint: Suggestion.hint(for: name, among: blocks.map { $0.name }))
    }
    guard let type = block.type else { return nil }
    guard let info = byType[type] else {
      let alternatives = alternatives(to: action)
      return read.refuse(
        .provider, node, "`\(name)` cannot do `\(action)`: \(alternatives.reason(on: type))",
        hint: alternatives.hint(on: type))
    }
    return (name, info)
  }
}
