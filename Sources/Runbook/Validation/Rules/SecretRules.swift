/// `secrets:` where they come from. They are not resolved here.
extension Validation {
  func secretDeclarations(_ node: Node?) -> [SecretDeclaration] {
    guard let node, let entries = map(node, "`secrets`") else { return [] }
    return entries.compactMap { entry in
      guard Names.check(entry.key, at: entry.keyRange, "the secret", sink) else { return nil }
      return secretSource(entry).map { SecretDeclaration(name: entry.key, source: $0) }
    }
  }

  private func secretSource(_ entry: Node.Entry) -> SecretDeclaration.Source? {
    let name = "secrets.\(entry.key)"
    if entry.value.scalar != nil, !entry.value.isNull {
      sink.error(
        .secret, at: entry.value.range, "`\(name)` must say where the secret is, and never hold it",
        hint: "write `{source: env, key: NAME}`, and change the secret if this was one")
      return nil
    }
    guard var fields = FieldReader(entry.value, "`\(name)`", sink) else { return nil }
    let source = fields.require("source", at: entry.keyRange, hint: "`env` or `file`")
    guard let source, let word = source.scalar?.text else {
      _ = source.flatMap { read.choice($0, "\(name).source", ["env", "file"]) }
      // Without a source either key may be meant; any other is a mistake of its own.
      for key in ["key", "path"] { _ = fields.take(key) }
      fields.finish(known: ["source", "key", "path"])
      return nil
    }
    if word == "command" || word == "credential" {
      sink.report(LaterFeatures.unsupported("source: \(word)", at: source.range))
      return nil
    }
    guard read.choice(source, "\(name).source", ["env", "file"]) != nil else { return nil }
    defer { fields.finish(known: word == "env" ? ["source", "key"] : ["source", "path"]) }
    if word == "file" {
      guard let node = fields.require("path", at: entry.keyRange) else { return nil }
      return read.text(node, "\(name).path").map { .file(path: $0) }
    }
    guard let node = fields.require("key", at: entry.keyRange, hint: "the name of the environment variable") else {
      return nil
    }
    guard let key = read.text(node, "\(name).key") else { return nil }
    let isName = key.utf8.allSatisfy {
      $0 == 0x5f || $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a
    }
    guard isName, key.utf8.first.map({ $0 > 0x39 }) == true else {
      sink.error(.name, at: node.range, "`\(name).key` is the name of an environment variable: letters, digits, `_`")
      return nil
    }
    return .environment(key: key)
  }
}
