// Methods of strings. Positions count code points, as CEL's do.
extension EvaluationBudget {
  mutating func text(_ function: ExpressionFunction, _ values: [Value]) throws(EvaluationFault) -> Value {
    guard case .string(let text)? = values.first else { throw wrongArguments(function, values) }
    let first = values.dropFirst().first
    switch (function, first, values.count) {
    case (.contains, .string(let part)?, 2): return .bool(text.bytePosition(of: Array(part.utf8), from: 0) != nil)
    case (.startsWith, .string(let part)?, 2): return .bool(text.utf8.starts(with: part.utf8))
    case (.endsWith, .string(let part)?, 2): return .bool(text.utf8.reversed().starts(with: part.utf8.reversed()))
    case (.matches, .string(let source)?, 2): return try matches(.string(text), try compiled(source))
    case (.glob, .string(let pattern)?, 2):
      try spend(text.utf8.count * pattern.utf8.count / 65_536)
      return .bool(Glob.matches(pattern, text))
    case (.lowerAscii, nil, 1):
      try build(text.utf8.count)
      return .string(text.mappingBytes { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 })
    case (.upperAscii, nil, 1):
      try build(text.utf8.count)
      return .string(text.mappingBytes { $0 >= 0x61 && $0 <= 0x7a ? $0 & ~0x20 : $0 })
    case (.trim, nil, 1): return try built(text.trimmed)
    case (.replace, .string(let old)?, 3), (.replace, .string(let old)?, 4):
      guard case .string(let new) = values[2] else { throw wrongArguments(function, values) }
      guard values.count == 4 else { return .string(try replace(old, in: text, with: new, atMost: nil)) }
      guard case .int(let limit) = values[3] else { throw wrongArguments(function, values) }
      return .string(try replace(old, in: text, with: new, atMost: limit < 0 ? nil : Int(limit)))
    case (.split, .string(let separator)?, 2): return try split(text, separator, atMost: nil)
    case (.split, .string(let separator)?, 3):
      guard case .int(let limit) = values[2] else { throw wrongArguments(function, values) }
      return try split(text, separator, atMost: limit < 0 ? nil : Int(limit))
    case (.indexOf, .string(let part)?, _), (.lastIndexOf, .string(let part)?, _):
      return try position(of: part, in: text, values, isLast: function == .lastIndexOf)
    case (.substring, .int?, _), (.charAt, .int?, 2): return try part(function, text, values)
    default: throw wrongArguments(function, values)
    }
  }

  /// States of a pattern looked at for the price of one step.
  private static let visitsPerStep = 4096

  private func compiled(_ source: String) throws(EvaluationFault) -> Pattern {
    do throws(PatternError) { return try Pattern(source) } catch { throw EvaluationFault(error.message) }
  }

  mutating func matches(_ value: Value, _ pattern: Pattern) throws(EvaluationFault) -> Value {
    switch value {
    case .string(let text):
      var visits = steps * EvaluationBudget.visitsPerStep
      let before = visits
      guard let found = pattern.matches(text, visits: &visits) else {
        throw EvaluationBudget.exhausted
      }
      try spend((before - visits) / EvaluationBudget.visitsPerStep)
      return .bool(found)
    case .unknown: return .unknown
    case .secret: throw .secret("matches")
    default: throw EvaluationFault("`matches` needs a string, this is \(value.phrase)")
    }
  }

  private mutating func replace(
    _ old: String, in text: String, with new: String, atMost limit: Int?
  ) throws(EvaluationFault) -> String {
    let separator = old.isEmpty ? [] : Array(old.utf8)
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var count = 0
    var position = 0
    while limit.map({ count < $0 }) ?? true {
      if separator.isEmpty {
        // Before each code point, and at the end.
        result += new.utf8
        count += 1
        guard position < bytes.count else { return String(decoding: result, as: UTF8.self) }
        repeat {
          result.append(bytes[position])
          position += 1
        } while position < bytes.count && bytes[position] & 0xc0 == 0x80
      } else {
        guard let found = bytes.position(of: separator, from: position) else { break }
        result += bytes[position..<found]
        result += new.utf8
        position = found + separator.count
        count += 1
      }
      guard result.count <= ExpressionLimit.size else {
        throw EvaluationBudget.tooLarge("the text with its replacements")
      }
    }
    result += bytes[position...]
    try build(result.count)
    return String(decoding: result, as: UTF8.self)
  }

  private mutating func split(_ text: String, _ separator: String, atMost limit: Int?) throws(EvaluationFault) -> Value
  {
    if limit == 0 { return .list([]) }
    var parts: [Value] = []
    if separator.isEmpty {
      if limit == nil { try build(text.unicodeScalars.count) }
      for scalar in text.unicodeScalars {
        if let limit, parts.count == limit - 1 { break }
        parts.append(.string(String(scalar)))
      }
      if parts.count < text.unicodeScalars.count {
        parts.append(.string(String(text.unicodeScalars.dropFirst(parts.count))))
      }
    } else {
      let bytes = Array(text.utf8)
      let mark = Array(separator.utf8)
      var position = 0
      while limit.map({ parts.count < $0 - 1 }) ?? true, let found = bytes.position(of: mark, from: position) {
        parts.append(.string(String(decoding: bytes[position..<found], as: UTF8.self)))
        guard parts.count <= ExpressionLimit.size else { throw EvaluationBudget.tooLarge("the list of parts") }
        position = found + mark.count
      }
      parts.append(.string(String(decoding: bytes[position...], as: UTF8.self)))
    }
    try build(parts.count)
    return .list(parts)
  }

  private func position(
    of part: String, in text: String, _ values: [Value], isLast: Bool
  ) throws(EvaluationFault) -> Value {
    let scalars = Array(text.unicodeScalars)
    let wanted = Array(part.unicodeScalars)
    let last = scalars.count - wanted.count
    var from = isLast ? last : 0
    if values.count == 3 {
      guard case .int(let given) = values[2] else { throw wrongArguments(isLast ? .lastIndexOf : .indexOf, values) }
      guard given >= 0, given <= scalars.count else {
        throw EvaluationFault("position \(given) is outside the string of \(scalars.count)")
      }
      from = isLast ? min(last, Int(given)) : Int(given)
    }
    guard last >= 0 else { return .int(-1) }
    if isLast {
      let found = Array(scalars.reversed()).position(of: wanted.reversed(), from: last - from)
      return .int(found.map { Int64(last - $0) } ?? -1)
    }
    return .int(scalars.position(of: wanted, from: from).map { Int64($0) } ?? -1)
  }

  private mutating func part(
    _ function: ExpressionFunction, _ text: String, _ values: [Value]
  ) throws(EvaluationFault) -> Value {
    let scalars = Array(text.unicodeScalars)
    let length = Int64(scalars.count)
    guard case .int(let from) = values[1] else { throw wrongArguments(function, values) }
    var to = function == .charAt ? min(from &+ 1, length) : length
    if values.count == 3 {
      guard case .int(let given) = values[2] else { throw wrongArguments(function, values) }
      to = given
    }
    guard from >= 0, from <= to, to <= length else {
      let range = values.count == 3 ? "\(from) to \(to)" : "position \(from)"
      throw EvaluationFault("\(range) is outside the string of \(length)")
    }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars[Int(from)..<Int(to)])
    return try built(String(result))
  }
}

extension String {
  fileprivate func mappingBytes(_ change: (UInt8) -> UInt8) -> String {
    String(decoding: utf8.map(change), as: UTF8.self)
  }

  fileprivate func bytePosition(of part: [UInt8], from start: Int) -> Int? {
    Array(utf8).position(of: part, from: start)
  }

  /// Without white space (Unicode's) at both ends.
  var trimmed: String {
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
  }
}

extension Array where Element: Equatable {
  /// Where `part` begins first, at `start` or later: Knuth, Morris and Pratt's search, so that no text makes it slow.
  func position(of part: [Element], from start: Int) -> Int? {
    guard !part.isEmpty else { return start <= count ? start : nil }
    guard count - start >= part.count else { return nil }
    var fallback = [Int](repeating: 0, count: part.count)
    var length = 0
    for index in part.indices.dropFirst() {
      while length > 0, part[index] != part[length] { length = fallback[length - 1] }
      if part[index] == part[length] { length += 1 }
      fallback[index] = length
    }
    length = 0
    for index in start..<count {
      while length > 0, self[index] != part[length] { length = fallback[length - 1] }
      if self[index] == part[length] { length += 1 }
      if length == part.count { return index - length + 1 }
    }
    return nil
  }
}
