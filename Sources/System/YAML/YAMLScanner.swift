import CYAML

/// libyaml's event parser behind a wall: it keeps pointers into its input and into itself, so it is allocated once,
/// never moves, and parses inside the closure that lends it the bytes.
public enum YAMLScanner {
  /// Hands every event of `bytes` (UTF-8, no BOM) to `body`, in order, until the stream ends or `body` answers false.
  /// What libyaml does beyond an event is bounded by its look-ahead of 1024 characters, so a `body` that gives up early
  /// (too deep, too many) keeps the work linear.
  public static func scan(_ bytes: [UInt8], _ body: (borrowing YAMLEvent) -> Bool) throws(YAMLSyntaxError) {
    let failure = unsafe bytes.withUnsafeBufferPointer { input -> YAMLSyntaxError? in
      let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
      defer { unsafe parser.deallocate() }
      guard unsafe yaml_parser_initialize(parser) == 1 else { return outOfMemory }
      defer { unsafe yaml_parser_delete(parser) }
      unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)
      return unsafe run(parser, body)
    }
    if let failure { throw failure }
  }

  private static let outOfMemory = YAMLSyntaxError(
    problem: "out of memory", context: "", mark: YAMLMark(line: 0, column: 0), contextMark: YAMLMark(line: 0, column: 0)
  )

  private static func run(
    _ parser: UnsafeMutablePointer<yaml_parser_t>, _ body: (borrowing YAMLEvent) -> Bool
  ) -> YAMLSyntaxError? {
    var raw = unsafe yaml_event_t()
    while true {
      guard unsafe yaml_parser_parse(parser, &raw) == 1 else { return unsafe failure(of: parser) }
      let isLast = unsafe raw.type == YAML_STREAM_END_EVENT || raw.type == YAML_NO_EVENT
      let goesOn = unsafe body(event(raw))
      unsafe yaml_event_delete(&raw)
      if isLast || !goesOn { return nil }
    }
  }

  private static func failure(of parser: UnsafeMutablePointer<yaml_parser_t>) -> YAMLSyntaxError {
    let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "not YAML"
    let context = unsafe parser.pointee.context.map { unsafe String(cString: $0) } ?? ""
    return YAMLSyntaxError(
      problem: problem, context: context, mark: unsafe mark(parser.pointee.problem_mark),
      contextMark: unsafe mark(parser.pointee.context_mark))
  }

  private static func mark(_ mark: yaml_mark_t) -> YAMLMark {
    YAMLMark(line: UInt32(clamping: mark.line), column: UInt32(clamping: mark.column))
  }

  private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?, _ length: Int) -> String {
    unsafe String(decoding: UnsafeBufferPointer(start: pointer, count: length), as: UTF8.self)
  }

  private static func optionalText(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    guard let pointer = unsafe pointer else { return nil }
    return unsafe String(cString: pointer)
  }

  private static func event(_ raw: yaml_event_t) -> YAMLEvent {
    var event = unsafe YAMLEvent(kind: .streamStart, start: mark(raw.start_mark), end: mark(raw.end_mark))
    switch unsafe raw.type {
    case YAML_SCALAR_EVENT:
      let data = unsafe raw.data.scalar
      event.kind = .scalar
      event.text = unsafe text(data.value, data.length)
      event.style = style(unsafe data.style)
      event.anchor = unsafe optionalText(data.anchor)
      event.tag = unsafe optionalText(data.tag)
    case YAML_SEQUENCE_START_EVENT:
      let data = unsafe raw.data.sequence_start
      event.kind = .sequenceStart
      event.isFlow = unsafe data.style == YAML_FLOW_SEQUENCE_STYLE
      event.anchor = unsafe optionalText(data.anchor)
      event.tag = unsafe optionalText(data.tag)
    case YAML_MAPPING_START_EVENT:
      let data = unsafe raw.data.mapping_start
      event.kind = .mappingStart
      event.isFlow = unsafe data.style == YAML_FLOW_MAPPING_STYLE
      event.anchor = unsafe optionalText(data.anchor)
      event.tag = unsafe optionalText(data.tag)
    case YAML_ALIAS_EVENT:
      event.kind = .alias
      event.text = unsafe optionalText(raw.data.alias.anchor) ?? ""
    case YAML_SEQUENCE_END_EVENT: event.kind = .sequenceEnd
    case YAML_MAPPING_END_EVENT: event.kind = .mappingEnd
    case YAML_DOCUMENT_START_EVENT: event.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: event.kind = .documentEnd
    case YAML_STREAM_START_EVENT: event.kind = .streamStart
    default: event.kind = .streamEnd
    }
    return event
  }

  private static func style(_ style: yaml_scalar_style_t) -> YAMLEvent.Style {
    switch style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
    case YAML_LITERAL_SCALAR_STYLE: .literal
    case YAML_FOLDED_SCALAR_STYLE: .folded
    default: .plain
    }
  }
}
