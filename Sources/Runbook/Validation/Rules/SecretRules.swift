/// The words after `source:`.
enum SecretSource: String, CaseIterable {
  case env, file, command, credential

  /// The key that says where, and what it is.
  var key: (name: String, help: String) {
    switch self {
    case .env: ("key", "the name of the environment variable")
    case .file: ("path", "the path of the file")
    case .command: ("argv", "the program and its arguments, such as `[pass, show, cloud]`")
    case .credential: ("key", "the name in `LoadCredential=` of the systemd unit")
    }
  }

  static let words = allCases.map(\.rawValue)
  static let keys = ["key", "path", "argv"]
}

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
    let quoted = SecretSource.words.map { "`\($0)`" }
    let written = fields.require(
      "source", at: entry.keyRange, hint: quoted.dropLast().joined(separator: ", ") + " or " + quoted[quoted.count - 1])
    guard let written, written.scalar != nil else {
      _ = written.flatMap { read.choice($0, "\(name).source", SecretSource.words) }
      // Without a source any of the keys may be meant; another one is a mistake of its own.
      for key in SecretSource.keys { _ = fields.take(key) }
      fields.finish(known: ["source"] + SecretSource.keys)
      return nil
    }
    guard let word = read.choice(written, "\(name).source", SecretSource.words),
      let source = SecretSource(rawValue: word)
    else { return nil }
    let (key, help) = source.key
    defer { fields.finish(known: ["source", key]) }
    guard let node = fields.require(key, at: entry.keyRange, hint: help) else { return nil }
    switch source {
    case .env: return variable(node, "\(name).key").map { .environment(key: $0) }
    case .file: return read.text(node, "\(name).path").map { .file(path: inFolder($0)) }
    case .command:
      return words(node, "\(name).argv").map { words in
        // A bare name is looked up where programs are.
        .command(
          words.enumerated().map { $0.offset == 0 && $0.element.contains("/") ? inFolder($0.element) : $0.element })
      }
    case .credential: return credential(node, "\(name).key").map { .credential(key: $0) }
    }
  }

  /// Paths begin in the folder of the file in which they stand, and secrets are resolved in that of the root.
  private func inFolder(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }

  private func variable(_ node: Node, _ name: String) -> String? {
    guard let key = read.text(node, name) else { return nil }
    let isName = key.utf8.allSatisfy {
      $0 == 0x5f || $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a
    }
    guard isName, key.utf8.first.map({ $0 > 0x39 }) == true else {
      sink.error(.name, at: node.range, "`\(name)` is the name of an environment variable: letters, digits, `_`")
      return nil
    }
    return key
  }

  /// A file's name in the folder that systemd makes.
  private func credential(_ node: Node, _ name: String) -> String? {
    guard let key = read.text(node, name, limit: 255) else { return nil }
    guard !key.utf8.contains(where: { $0 == 0x2f || $0 < 0x20 || $0 == 0x7f }), ![".", ".."].contains(key) else {
      sink.error(
        .name, at: node.range, "`\(name)` is the name of a credential, which has no `/` in it",
        hint: "write the name that stands in `LoadCredential=NAME:PATH`")
      return nil
    }
    return key
  }

  private func words(_ node: Node, _ name: String) -> [String]? {
    guard let items = node.items else {
      sink.error(
        .type, at: node.range, "`\(name)` must be a list of words, not \(node.kindInWords)",
        hint: "write `[PROGRAM, ARGUMENT, …]`; no shell reads it")
      return nil
    }
    guard let first = items.first else {
      sink.error(.type, at: node.range, "`\(name)` names no program", hint: "write `[PROGRAM, ARGUMENT, …]`")
      return nil
    }
    var words: [String] = []
    for item in items {
      // An argument may be empty; the program may not.
      if item.scalar?.text.isEmpty == true, !item.isNull, item.range != first.range {
        words.append("")
      } else if let word = read.text(item, name, limit: 4096) {
        words.append(word)
      }
    }
    return words.count == items.count ? words : nil
  }
}
