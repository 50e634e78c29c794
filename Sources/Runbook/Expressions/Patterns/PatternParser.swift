/// What a pattern says.
indirect enum PatternNode: Sendable {
  case empty
  case scalar(ScalarSet)
  case assert(Pattern.Assertion)
  case sequence([PatternNode])
  case either([PatternNode])
  case repeated(PatternNode, minimum: Int, maximum: Int?)
}

/// Reads the RE2 syntax; what would need backtracking is refused by name.
struct PatternParser {
  private static let sizeLimit = 4096
  private static let depthLimit = 64
  static let repeatLimit = 1000

  private struct Flags {
    var ignoresCase = false
    var dotIsAny = false
    var isMultiline = false
  }

  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var flags = Flags()
  private var depth = 0

  init(_ source: String) throws(PatternError) {
    guard source.utf8.count <= PatternParser.sizeLimit else { throw PatternError("the pattern is longer than 4 KiB") }
    scalars = Array(source.unicodeScalars)
  }

  mutating func parse() throws(PatternError) -> PatternNode {
    let node = try alternatives()
    guard position == scalars.count else { throw PatternError("a `)` closes nothing") }
    return node
  }

  private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func eat(_ scalar: Unicode.Scalar) -> Bool {
    guard current == scalar else { return false }
    position += 1
    return true
  }

  private mutating func alternatives() throws(PatternError) -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= PatternParser.depthLimit else { throw PatternError("more than 64 levels of groups") }
    var branches = [try sequence()]
    while eat("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .either(branches)
  }

  private mutating func sequence() throws(PatternError) -> PatternNode {
    var items: [PatternNode] = []
    while let scalar = current, scalar != "|", scalar != ")" {
      let atom = try atom()
      items.append(try quantified(atom))
    }
    return items.count == 1 ? items[0] : .sequence(items)
  }

  private mutating func quantified(_ atom: PatternNode) throws(PatternError) -> PatternNode {
    var node = atom
    var isQuantified = false
    while let bounds = try quantifier() {
      guard !isQuantified else { throw PatternError("a quantifier follows a quantifier") }
      isQuantified = true
      node = .repeated(node, minimum: bounds.0, maximum: bounds.1)
      // Lazy or greedy makes no difference to whether it matches.
      if current == "?" { position += 1 }
    }
    return node
  }

  private mutating func quantifier() throws(PatternError) -> (Int, Int?)? {
    if eat("*") { return (0, nil) }
    if eat("+") { return (1, nil) }
    if eat("?") { return (0, 1) }
    guard current == "{" else { return nil }
    let start = position
    position += 1
    guard let minimum = try number() else {
      // As RE2: a brace that is no quantifier stands for itself.
      position = start
      return nil
    }
    var maximum: Int? = minimum
    if eat(",") { maximum = try number() }
    guard eat("}") else {
      position = start
      return nil
    }
    if let maximum, maximum < minimum { throw PatternError("a repeat `{\(minimum),\(maximum)}` counts backwards") }
    return (minimum, maximum)
  }

  private mutating func number() throws(PatternError) -> Int? {
    var number = 0
    let start = position
    while let scalar = current, scalar.value >= 0x30, scalar.value <= 0x39 {
      number = number * 10 + Int(scalar.value - 0x30)
      guard number <= PatternParser.repeatLimit else { throw PatternError("a repeat of more than 1000") }
      position += 1
    }
    return position > start ? number : nil
  }

  private mutating func atom() throws(PatternError) -> PatternNode {
    guard let scalar = current else { throw PatternError("the pattern ends too early") }
    // An opening brace that began no quantifier.
    position += 1
    switch scalar {
    case "(": return try group()
    case "[": return .scalar(folded(try characterClass()))
    case ".": return .scalar(flags.dotIsAny ? .any : .notNewline)
    case "^": return .assert(flags.isMultiline ? .lineStart : .textStart)
    case "$": return .assert(flags.isMultiline ? .lineEnd : .textEnd)
    case "\\": return try escape()
    case "*", "+", "?": throw PatternError("nothing stands before `\(scalar)`")
    default: return .scalar(folded(ScalarSet(scalar)))
    }
  }

  private func folded(_ set: ScalarSet) -> ScalarSet { flags.ignoresCase ? set.ignoringCase : set }

  private mutating func group() throws(PatternError) -> PatternNode {
    let outer = flags
    if eat("?") {
      if current == "=" || current == "!" {
        throw PatternError("look-ahead is not supported: it cannot run in linear time")
      }
      if eat("P") || current == "<" {
        guard eat("<") else { throw PatternError("unknown group `(?P`") }
        if current == "=" || current == "!" { throw PatternError("look-behind is not supported") }
        while let scalar = current, scalar != ">" { _ = scalar; position += 1 }
        guard eat(">") else { throw PatternError("a group's name does not end") }
      } else if try readFlags() {
        // `(?i)` holds to the end of the group that surrounds it.
        return .empty
      }
    }
    let node = try alternatives()
    guard eat(")") else { throw PatternError("a `(` is not closed") }
    flags = outer
    return node
  }

  /// True: the group was only flags.
  private mutating func readFlags() throws(PatternError) -> Bool {
    var value = true
    while let scalar = current {
      position += 1
      switch scalar {
      case "i": flags.ignoresCase = value
      case "s": flags.dotIsAny = value
      case "m": flags.isMultiline = value
      case "U": break
      case "-": value = false
      case ":": return false
      case ")": return true
      default: throw PatternError("unknown flag `\(scalar)` in a group")
      }
    }
    throw PatternError("a `(` is not closed")
  }

  private mutating func escape() throws(PatternError) -> PatternNode {
    guard let scalar = current else { throw PatternError("the pattern ends in `\\`") }
    position += 1
    switch scalar {
    case "A": return .assert(.textStart)
    case "z": return .assert(.textEnd)
    case "b": return .assert(.wordBoundary)
    case "B": return .assert(.notWordBoundary)
    case "1"..."9", "k": throw PatternError("back-references are not supported: they cannot run in linear time")
    default:
      position -= 1
      return .scalar(folded(try escapedSet()))
    }
  }

  /// After a backslash: a class or one scalar.
  private mutating func escapedSet() throws(PatternError) -> ScalarSet {
    guard let scalar = current else { throw PatternError("the pattern ends in `\\`") }
    position += 1
    switch scalar {
    case "d": return .digit
    case "D": return ScalarSet.digit.negated
    case "w": return .word
    case "W": return ScalarSet.word.negated
    case "s": return .space
    case "S": return ScalarSet.space.negated
    case "n": return ScalarSet("\n")
    case "t": return ScalarSet("\t")
    case "r": return ScalarSet("\r")
    case "f": return ScalarSet("\u{0c}")
    case "v": return ScalarSet("\u{0b}")
    case "a": return ScalarSet("\u{07}")
    case "0": return ScalarSet("\u{00}")
    case "x": return ScalarSet(try hexScalar())
    case "p", "P": throw PatternError("Unicode classes (`\\\(scalar)`) are not supported")
    default:
      let isLetter = scalar.isASCII && (ScalarSet.word.contains(scalar) && scalar != "_")
      guard !isLetter else { throw PatternError("unknown escape `\\\(scalar)`") }
      return ScalarSet(scalar)
    }
  }

  private mutating func hexScalar() throws(PatternError) -> Unicode.Scalar {
    var value: UInt32 = 0
    var digits = 0
    let isBraced = eat("{")
    while let scalar = current, digits < (isBraced ? 6 : 2), let digit = Character(scalar).hexDigitValue {
      value = value << 4 | UInt32(digit)
      digits += 1
      position += 1
    }
    guard digits > 0, isBraced || digits == 2, !isBraced || eat("}"), let scalar = Unicode.Scalar(value) else {
      throw PatternError("`\\x` needs two hexadecimal digits, or more in braces")
    }
    return scalar
  }

  private mutating func characterClass() throws(PatternError) -> ScalarSet {
    let isNegated = eat("^")
    var set = ScalarSet([])
    var isFirst = true
    while let scalar = current {
      if scalar == "]", !isFirst {
        position += 1
        return isNegated ? set.negated : set
      }
      isFirst = false
      set = set.union(try classItem())
    }
    throw PatternError("a `[` is not closed")
  }

  private mutating func classItem() throws(PatternError) -> ScalarSet {
    if let named = try namedClass() { return named }
    let (lower, isSingle) = try classEnd()
    guard isSingle, current == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else { return lower.set }
    position += 1
    let (upper, upperIsSingle) = try classEnd()
    guard upperIsSingle, let first = lower.scalar, let last = upper.scalar, first.value <= last.value else {
      throw PatternError("a range in `[ ]` counts backwards")
    }
    return ScalarSet([first.value...last.value])
  }

  private mutating func classEnd() throws(PatternError) -> (
    item: (set: ScalarSet, scalar: Unicode.Scalar?), isSingle: Bool
  ) {
    guard let scalar = current else { throw PatternError("a `[` is not closed") }
    position += 1
    guard scalar == "\\" else { return ((ScalarSet(scalar), scalar), true) }
    let escaped = current
    let set = try escapedSet()
    guard let escaped, !"dDwWsS".unicodeScalars.contains(escaped) else { return ((set, nil), false) }
    return ((set, set.single), true)
  }

  private static let namedClasses: [String: ScalarSet] = [
    "alpha": ScalarSet([0x41...0x5a, 0x61...0x7a]), "digit": .digit, "space": .space, "word": .word,
    "alnum": ScalarSet([0x30...0x39, 0x41...0x5a, 0x61...0x7a]), "upper": ScalarSet([0x41...0x5a]),
    "lower": ScalarSet([0x61...0x7a]), "xdigit": ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66]),
    "punct": ScalarSet([0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e]), "print": ScalarSet([0x20...0x7e]),
  ]

  /// `[:alpha:]`, inside a class.
  private mutating func namedClass() throws(PatternError) -> ScalarSet? {
    guard current == "[", position + 1 < scalars.count, scalars[position + 1] == ":" else { return nil }
    var name = String.UnicodeScalarView()
    var index = position + 2
    while index < scalars.count, scalars[index] != ":", scalars[index] != "]" {
      name.append(scalars[index])
      index += 1
    }
    guard index + 1 < scalars.count, scalars[index] == ":", scalars[index + 1] == "]" else { return nil }
    guard let set = PatternParser.namedClasses[String(name)] else {
      throw PatternError("unknown class `[:\(String(name)):]`")
    }
    position = index + 2
    return set
  }
}
