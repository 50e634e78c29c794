import YAML

/// libyaml's events to nodes, with an explicit stack: hostile depth never becomes our own recursion.
struct DocumentBuilder {
  private struct Frame {
    var start: CompactRange
    var isMapping: Bool
    var isFlow: Bool
    var anchor: String?
    var items: [Node] = []
    var entries: [Node.Entry] = []
    var key: (text: String, place: CompactRange, isPlain: Bool)?
    /// Keys already seen, once there are too many to compare one by one.
    var index: [String: Int] = [:]
    var nodesBefore: Int
    /// Levels below this one.
    var height = 0
    /// What was told before it. Nothing of it is kept, and nothing told: it stands where a key must.
    var droppedAfter: Int?
    /// The key has been refused, so its value counts for nothing.
    var dropsValue = false
  }

  private struct Anchored {
    var node: Node
    var weight: Int
    var height: Int
  }

  private let source: SourceText
  private var setAside: [SourceRange.Place: SourceRange] = [:]
  private var stack: [Frame] = []
  private var anchors: [String: Anchored] = [:]
  private var nodes = 0
  private var aliased = 0
  private(set) var root: Node?
  private(set) var mistakes: [Diagnostic] = []
  /// Set when reading was given up.
  private(set) var refusal: Diagnostic?

  init(_ source: SourceText, settingAside misread: [MisreadText]) {
    self.source = source
    for text in misread { setAside[text.range.start] = text.range }
  }

  mutating func build(_ bytes: [UInt8]) throws(YAMLSyntaxError) {
    if let directive = source.leadingDirective {
      refusal = Diagnostic(
        .yamlDirective, at: directive, "YAML directives (`%`) are not supported", hint: "take the line out")
      return
    }
    var builder = self
    defer { self = builder }
    try YAMLScanner.scan(bytes) { event in builder.handle(event) }
  }

  /// - Returns: whether to go on.
  private mutating func handle(_ event: borrowing YAMLEvent) -> Bool {
    let place = CompactRange(event.start, event.end)
    switch event.kind {
    case .streamStart, .streamEnd, .documentStart: break
    case .documentEnd:
      if let second = source.content(fromLine: Int(event.start.line) + 1) {
        refusal = Diagnostic(
          .yamlDocuments, at: second, "a file holds one runbook, and here a second document begins",
          hint: "put it into a file of its own")
      }
      return false
    case .scalar: scalar(event, place)
    case .alias: alias(event, place)
    case .sequenceStart, .mappingStart: open(event, place)
    case .sequenceEnd, .mappingEnd: close(place)
    }
    return refusal == nil
  }

  // MARK: Values

  private mutating func scalar(_ event: borrowing YAMLEvent, _ place: CompactRange) {
    nodes += 1
    let isPlain = event.style == .plain
    if let tag = event.tag { refuse(tag: tag, at: place) }
    let isKey = stack.last.map { $0.isMapping && $0.key == nil } ?? false
    if isKey {
      if let anchor = event.anchor { anchors[anchor] = nil }
      stack[stack.count - 1].key = (event.text, place, isPlain)
      if isPlain, event.text == "<<" {
        refuseMerge(at: place)
        stack[stack.count - 1].dropsValue = true
      }
      return
    }
    let isSetAside = event.tag != nil || (!setAside.isEmpty && setAside[place.range.start] != nil)
    let content: Node.Content =
      isSetAside
      ? .unreadable
      : .scalar(
        Node.Scalar(text: event.text, isPlain: isPlain, isBlock: event.style == .literal || event.style == .folded))
    let node = Node(content, at: place)
    if let anchor = event.anchor { anchors[anchor] = Anchored(node: node, weight: 1, height: 0) }
    add(node, height: 0)
  }

  private mutating func alias(_ event: borrowing YAMLEvent, _ place: CompactRange) {
    let name = event.text
    if let top = stack.last, top.isMapping, top.key == nil {
      report(.yamlKey, place, "an alias (`*\(name)`) cannot be a key", hint: "write the key itself")
      stack[stack.count - 1].key = ("*" + name, place, true)
      stack[stack.count - 1].dropsValue = true
      return
    }
    guard let anchored = anchors[name] else {
      let isOpen = stack.contains { $0.anchor == name }
      report(
        .yamlAlias, place,
        isOpen ? "`*\(name)` refers to itself" : "there is no anchor `&\(name)` above",
        hint: "if it is text or an expression, quote it")
      return add(Node(.unreadable, at: place), height: 0)
    }
    nodes += anchored.weight
    aliased += anchored.weight
    guard aliased <= ParsedDocument.aliasedNodeLimit, stack.count + anchored.height <= ParsedDocument.depthLimit else {
      refusal = Diagnostic(
        .yamlAlias, at: place.range,
        "aliases make the file too large: more than \(ParsedDocument.aliasedNodeLimit) values or "
          + "\(ParsedDocument.depthLimit) levels", hint: "write the values out, or use `defaults`")
      return
    }
    add(anchored.node, height: anchored.height)
  }

  private mutating func open(_ event: borrowing YAMLEvent, _ place: CompactRange) {
    nodes += 1
    guard stack.count < ParsedDocument.depthLimit else {
      refusal = Diagnostic(
        .yamlDepth, at: place.range, "lists and maps are nested deeper than \(ParsedDocument.depthLimit) levels",
        hint: "if it is text, quote it")
      return
    }
    if let tag = event.tag { refuse(tag: tag, at: place) }
    var frame = Frame(
      start: place, isMapping: event.kind == .mappingStart, isFlow: event.isFlow, anchor: event.anchor,
      nodesBefore: nodes)
    if let top = stack.last, top.isMapping, top.key == nil {
      if !stack.contains(where: { $0.droppedAfter != nil }) { refuseComplexKey(at: place, isMapping: frame.isMapping) }
      frame.droppedAfter = mistakes.count
    }
    stack.append(frame)
  }

  private mutating func close(_ end: CompactRange) {
    guard let frame = stack.popLast() else { return }
    if let told = frame.droppedAfter {
      mistakes.removeSubrange(min(told, mistakes.count)...)
      stack[stack.count - 1].key = ("", frame.start, false)
      stack[stack.count - 1].dropsValue = true
      return
    }
    let content: Node.Content = frame.isMapping ? .mapping(frame.entries) : .sequence(frame.items)
    let last = frame.isFlow ? end : frame.entries.last?.value.place ?? frame.items.last?.place ?? frame.start
    let node = Node(content, at: CompactRange(frame.start, through: last))
    if let anchor = frame.anchor {
      anchors[anchor] = Anchored(node: node, weight: nodes - frame.nodesBefore + 1, height: frame.height + 1)
    }
    add(node, height: frame.height + 1)
  }

  private mutating func add(_ node: Node, height: Int) {
    guard nodes <= ParsedDocument.nodeLimit else {
      refusal = Diagnostic(
        .yamlSize, at: node.range, "the file has more than \(ParsedDocument.nodeLimit) keys and values",
        hint: "split it")
      return
    }
    let top = stack.count - 1
    guard top >= 0 else {
      root = node
      return
    }
    if stack[top].height < height { stack[top].height = height }
    guard stack[top].isMapping else {
      stack[top].items.append(node)
      return
    }
    guard let key = stack[top].key else { return }
    stack[top].key = nil
    if stack[top].dropsValue {
      stack[top].dropsValue = false
      return
    }
    if stack[top].isFlow, key.isPlain, isMissing(node, after: key.place) {
      return splitByComma(at: top, key: key.place, key.text)
    }
    if let first = firstPlace(of: key.text, in: top) {
      mistakes.append(
        Diagnostic(
          .yamlDuplicate, at: key.place.range, "`\(key.text.excerpt(60))` is given twice",
          hint: "first on line \(first.startLine), column \(first.startColumn); keep one of them", related: first.range)
      )
      if mistakes.count > 500 { refusal = mistakes.removeLast() }
      return
    }
    stack[top].entries.append(Node.Entry(key: key.text, keyPlace: key.place, value: node))
  }

  private mutating func firstPlace(of key: String, in top: Int) -> CompactRange? {
    let count = stack[top].entries.count
    if count < 16 { return stack[top].entries.first { $0.key == key }?.keyPlace }
    for known in stack[top].index.count..<count { stack[top].index[stack[top].entries[known].key] = known }
    return stack[top].index[key].map { stack[top].entries[$0].keyPlace }
  }
}

// MARK: - Refusals

extension DocumentBuilder {
  private mutating func report(_ code: DiagnosticCode, _ place: CompactRange, _ message: String, hint: String?) {
    mistakes.append(Diagnostic(code, at: place.range, message, hint: hint))
    if mistakes.count > 500 { refusal = mistakes.removeLast() }
  }

  private mutating func refuseMerge(at place: CompactRange) {
    report(
      .yamlMerge, place, "merge keys (`<<`) are not supported",
      hint: "write the keys out, or use `defaults` for steps")
  }

  private mutating func refuseComplexKey(at place: CompactRange, isMapping: Bool) {
    let isJinja = isMapping && source.text(from: place.range.start).hasPrefix("{")
    report(
      .yamlKey, place, "a list or map cannot be a key",
      hint: isJinja ? "an expression is written \"${{ … }}\", in quotes" : "write a plain word before the `:`")
  }

  /// `!x && y` under `if:` is what an author means; `!!binary` is a tag.
  private mutating func refuse(tag: String, at place: CompactRange) {
    let written = source.text(from: place.range.start)
    let key = stack.last?.key?.text ?? ""
    let isExpression = FieldWords.expressions.contains(key) || tag.contains(".") || tag.contains("(")
    guard !written.hasPrefix("!!"), isExpression else {
      return report(
        .yamlTag, place, "YAML tags are not supported", hint: "take the tag out, or quote the whole value")
    }
    let value = MisreadText(in: source, tagAt: place.range.start, inFlow: stack.last?.isFlow ?? false)
    mistakes.append(value.diagnostic)
  }

  /// In `{ }` a comma ended a value: `{if: f(a, b)}` is `if: f(a` and a key `b)` without a value.
  private mutating func splitByComma(at top: Int, key: CompactRange, _ text: String) {
    guard let previous = stack[top].entries.popLast() else {
      return report(.yamlKey, key, "`\(text.excerpt(60))` has no value", hint: "write `\(text.excerpt(60)): …`")
    }
    if !previous.value.isUnreadable {
      let found = MisreadText(in: source, splitByCommaAt: previous.value.range.start)
      mistakes.append(found.diagnostic)
      if mistakes.count > 500 { refusal = mistakes.removeLast() }
    }
    stack[top].entries.append(
      Node.Entry(key: previous.key, keyPlace: previous.keyPlace, value: Node(.unreadable, at: previous.value.place)))
  }

  /// An empty value in `{ }` with no `:` before it.
  private func isMissing(_ node: Node, after key: CompactRange) -> Bool {
    guard case .scalar(let scalar) = node.content, scalar.isPlain, scalar.text.isEmpty else { return false }
    let end = source.offset(of: key.range.end)
    let rest = source.bytes[end...].first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
    return rest != UInt8(ascii: ":")
  }
}
