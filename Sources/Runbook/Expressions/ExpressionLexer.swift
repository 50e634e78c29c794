/// Text to tokens, one at a time. In a template it also finds the end: the first `}}` that closes no map literal
/// and is in no string.
struct ExpressionLexer {
  private let bytes: [UInt8]
  private let start: Int
  private let isInTemplate: Bool
  /// Of the next byte. In a template, after `.end`: just behind the `}}`.
  private(set) var position: Int
  private var openBraces = 0

  init(_ bytes: [UInt8], from start: Int, inTemplate: Bool) {
    self.bytes = bytes
    self.start = start
    isInTemplate = inTemplate
    position = start
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }
  private func byte(after distance: Int) -> UInt8? {
    position + distance < bytes.count ? bytes[position + distance] : nil
  }

  mutating func next() throws(ExpressionMistake) -> ExpressionToken {
    while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    guard position - start <= ExpressionLimit.source else {
      throw ExpressionMistake(
        .limit, start..<start, "an expression may have \(ExpressionLimit.source) bytes at most",
        hint: isInTemplate
          ? "is there a `}}` missing? otherwise put parts of it into `vars`" : "put parts of it into `vars`")
    }
    let from = position
    guard let byte = current else {
      if isInTemplate {
        throw ExpressionMistake(
          .syntax, start..<start, "`${{` is not closed",
          hint: "end the expression with `}}`; write `$${{` for a literal `${{`")
      }
      return ExpressionToken(kind: .end, span: from..<from)
    }
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
      if let string = try prefixedString() { return string }
      while let byte = current, byte.isNameByte { position += 1 }
      return ExpressionToken(kind: .identifier(text(from..<position)), span: from..<position)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "."):
      if let digit = self.byte(after: 1), digit.isDigit { return try number() }
      return symbol(.dot)
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return try string(isRaw: false, from: from)
    default: return try symbolToken(byte)
    }
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  private mutating func symbol(_ symbol: ExpressionToken.Symbol) -> ExpressionToken {
    let from = position
    position += symbol.rawValue.utf8.count
    return ExpressionToken(kind: .symbol(symbol), span: from..<position)
  }

  private mutating func symbolToken(_ byte: UInt8) throws(ExpressionMistake) -> ExpressionToken {
    let next = self.byte(after: 1)
    switch byte {
    case UInt8(ascii: "?"): return symbol(.question)
    case UInt8(ascii: ":"): return symbol(.colon)
    case UInt8(ascii: ","): return symbol(.comma)
    case UInt8(ascii: "["): return symbol(.leftBracket)
    case UInt8(ascii: "]"): return symbol(.rightBracket)
    case UInt8(ascii: "("): return symbol(.leftParenthesis)
    case UInt8(ascii: ")"): return symbol(.rightParenthesis)
    case UInt8(ascii: "+"): return symbol(.plus)
    case UInt8(ascii: "-"): return symbol(.minus)
    case UInt8(ascii: "*"): return symbol(.times)
    case UInt8(ascii: "%"): return symbol(.remainder)
    case UInt8(ascii: "<"): return symbol(next == UInt8(ascii: "=") ? .lessOrEqual : .less)
    case UInt8(ascii: ">"): return symbol(next == UInt8(ascii: "=") ? .greaterOrEqual : .greater)
    case UInt8(ascii: "{"):
      openBraces += 1
      return symbol(.leftBrace)
    case UInt8(ascii: "}"):
      if openBraces == 0, isInTemplate, next == UInt8(ascii: "}") {
        position += 2
        return ExpressionToken(kind: .end, span: (position - 2)..<position)
      }
      openBraces -= 1
      return symbol(.rightBrace)
    case UInt8(ascii: "!"): return symbol(next == UInt8(ascii: "=") ? .notEqual : .not)
    case UInt8(ascii: "=") where next == UInt8(ascii: "="): return symbol(.equal)
    case UInt8(ascii: "&") where next == UInt8(ascii: "&"): return symbol(.and)
    case UInt8(ascii: "|") where next == UInt8(ascii: "|"): return symbol(.or)
    case UInt8(ascii: "/") where next != UInt8(ascii: "/"): return symbol(.divide)
    default: throw strange(byte)
    }
  }

  private func strange(_ byte: UInt8) -> ExpressionMistake {
    var length = 1
    while let next = self.byte(after: length), next & 0xc0 == 0x80 { length += 1 }
    let span = position..<(position + length)
    let hint: String? =
      switch byte {
      case UInt8(ascii: "="): "equality is `==`"
      case UInt8(ascii: "&"): "logical and is `&&`"
      case UInt8(ascii: "|"): "logical or is `||`; there are no filters: write `size(x)`, `x.trim()`"
      case UInt8(ascii: "$"): "no `${{` inside an expression: write the name alone"
      case UInt8(ascii: "/"): "there are no comments inside an expression"
      case 0xe2: "quotes are `'` or `\"`"
      default: nil
      }
    let shown = byte < 0x20 || byte == 0x7f ? "control character \(byte)" : "`\(text(span))`"
    return ExpressionMistake(.syntax, span, "\(shown) does not belong in an expression", hint: hint)
  }
}

// Literals.
extension ExpressionLexer {
  private mutating func digits() { while let byte = current, byte.isDigit { position += 1 } }

  private mutating func number() throws(ExpressionMistake) -> ExpressionToken {
    let from = position
    if current == UInt8(ascii: "0"), let mark = byte(after: 1), mark | 0x20 == UInt8(ascii: "x") {
      position += 2
      while let byte = current, byte.hexValue != nil { position += 1 }
      try numberEnds(from: from)
      return try whole(text((from + 2)..<position), radix: 16, from: from)
    }
    digits()
    var isWhole = true
    if current == UInt8(ascii: "."), let digit = byte(after: 1), digit.isDigit {
      isWhole = false
      position += 1
      digits()
    }
    if let mark = current, mark | 0x20 == UInt8(ascii: "e") {
      let sign = byte(after: 1)
      let isSigned = sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-")
      if let digit = byte(after: isSigned ? 2 : 1), digit.isDigit {
        isWhole = false
        position += isSigned ? 2 : 1
        digits()
      }
    }
    try numberEnds(from: from)
    if isWhole { return try whole(text(from..<position), radix: 10, from: from) }
    guard let number = Double(text(from..<position)), number.isFinite else {
      throw ExpressionMistake(
        .syntax, from..<position, "`\(text(from..<position).shortened)` is too large for a double")
    }
    return ExpressionToken(kind: .double(number), span: from..<position)
  }

  private func whole(_ digits: String, radix: Int, from: Int) throws(ExpressionMistake) -> ExpressionToken {
    guard let number = UInt64(digits, radix: radix), number <= UInt64(Int64.max) + 1 else {
      throw ExpressionMistake(
        .syntax, from..<position, "`\(text(from..<position).shortened)` is no int of 64 bits",
        hint: "the largest is \(Int64.max)")
    }
    return ExpressionToken(kind: .int(number), span: from..<position)
  }

  private mutating func numberEnds(from: Int) throws(ExpressionMistake) {
    guard let byte = current, byte.isNameByte else { return }
    while let byte = current, byte.isNameByte { position += 1 }
    let written = text(from..<position)
    let hint: String? =
      if Duration(text: written) != nil {
        "a duration is written `duration('\(written)')`"
      } else if written.hasSuffix("u") { "there is no `uint`: write it without the `u`" } else { nil }
    throw ExpressionMistake(.syntax, from..<position, "`\(written.shortened)` is no number", hint: hint)
  }

  /// `r'…'`; nil if no string begins here.
  private mutating func prefixedString() throws(ExpressionMistake) -> ExpressionToken? {
    guard let prefix = current, let next = byte(after: 1), next == UInt8(ascii: "'") || next == UInt8(ascii: "\"")
    else {
      return nil
    }
    switch prefix | 0x20 {
    case UInt8(ascii: "r"):
      position += 1
      return try string(isRaw: true, from: position - 1)
    case UInt8(ascii: "b"):
      throw ExpressionMistake(
        .syntax, position..<(position + 1), "there are no byte strings", hint: "write it without the `b`")
    default: return nil
    }
  }

  private mutating func string(isRaw: Bool, from: Int) throws(ExpressionMistake) -> ExpressionToken {
    guard let quote = current else { throw unclosedString(from) }
    let isTriple = byte(after: 1) == quote && byte(after: 2) == quote
    position += isTriple ? 3 : 1
    var content: [UInt8] = []
    while let byte = current {
      guard position - start <= ExpressionLimit.source else { throw unclosedString(from) }
      if byte == quote, !isTriple || (self.byte(after: 1) == quote && self.byte(after: 2) == quote) {
        position += isTriple ? 3 : 1
        guard let text = String(validating: content, as: UTF8.self) else {
          throw ExpressionMistake(.syntax, from..<position, "the string is not valid UTF-8")
        }
        return ExpressionToken(kind: .string(text), span: from..<position)
      }
      if byte == 0x0a || byte == 0x0d, !isTriple { throw unclosedString(from) }
      position += 1
      if byte == UInt8(ascii: "\\"), !isRaw { try escape(into: &content) } else { content.append(byte) }
    }
    throw unclosedString(from)
  }

  private func unclosedString(_ from: Int) -> ExpressionMistake {
    ExpressionMistake(.syntax, from..<(from + 1), "the string that begins here does not end")
  }

  private mutating func escape(into content: inout [UInt8]) throws(ExpressionMistake) {
    let from = position - 1
    guard let byte = current else { return }
    position += 1
    let simple: UInt8? =
      switch byte {
      case UInt8(ascii: "n"): 0x0a
      case UInt8(ascii: "t"): 0x09
      case UInt8(ascii: "r"): 0x0d
      case UInt8(ascii: "a"): 0x07
      case UInt8(ascii: "b"): 0x08
      case UInt8(ascii: "f"): 0x0c
      case UInt8(ascii: "v"): 0x0b
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"), UInt8(ascii: "?"): byte
      default: nil
      }
    if let simple {
      content.append(simple)
      return
    }
    let code: UInt32? =
      switch byte {
      case UInt8(ascii: "x"), UInt8(ascii: "X"): code(digits: 2, radix: 16)
      case UInt8(ascii: "u"): code(digits: 4, radix: 16)
      case UInt8(ascii: "U"): code(digits: 8, radix: 16)
      case UInt8(ascii: "0")...UInt8(ascii: "3"): octalCode()
      default: nil
      }
    guard let code, let scalar = Unicode.Scalar(code) else {
      throw ExpressionMistake(
        .syntax, from..<min(position, bytes.count),
        "`\(text(from..<min(position, bytes.count)).shortened)` is no escape for a character",
        hint: "a backslash is `\\\\`; in `r'…'` nothing is escaped")
    }
    content.append(contentsOf: Character(scalar).utf8)
  }

  private mutating func octalCode() -> UInt32? {
    position -= 1
    return code(digits: 3, radix: 8)
  }

  private mutating func code(digits count: Int, radix: UInt8) -> UInt32? {
    var code: UInt32 = 0
    for _ in 0..<count {
      guard let digit = current?.hexValue, digit < radix else { return nil }
      code = code << (radix == 16 ? 4 : 3) | UInt32(digit)
      position += 1
    }
    return code
  }
}

extension UInt8 {
  var isDigit: Bool { self >= 0x30 && self <= 0x39 }
  var isNameByte: Bool {
    isDigit || self == UInt8(ascii: "_") || (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "z"))
  }
  var hexValue: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x37
    case 0x61...0x66: self - 0x57
    default: nil
    }
  }
}

extension String {
  /// For messages: at most 60 characters, and no control characters.
  var shortened: String {
    var text = ""
    for (count, scalar) in unicodeScalars.enumerated() {
      if count == 60 { return text + "…" }
      text.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7f ? " " : scalar)
    }
    return text
  }
}
