/// Shell-like patterns over a whole text: `*` any run of characters, `?` one, `[a-z]` and `[!a-z]` one of (not of)
/// these, `\` takes the next character as it is.
public enum Glob {
  public static func matches(_ pattern: String, _ text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    let parts = Glob.parts(of: Array(pattern.unicodeScalars))
    var (position, part) = (0, 0)
    // Where to go on if what follows the last `*` does not fit: the star, and how far it reaches.
    var star: (part: Int, position: Int)?
    while position < scalars.count {
      if part < parts.count, case .star = parts[part] {
        star = (part, position)
        part += 1
      } else if part < parts.count, parts[part].takes(scalars[position]) {
        part += 1
        position += 1
      } else if let last = star {
        star = (last.part, last.position + 1)
        part = last.part + 1
        position = last.position + 1
      } else {
        return false
      }
    }
    while part < parts.count, case .star = parts[part] { part += 1 }
    return part == parts.count
  }

  private enum Part {
    case star, anyOne
    case one(Unicode.Scalar)
    case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)

    func takes(_ scalar: Unicode.Scalar) -> Bool {
      switch self {
      case .star: false
      case .anyOne: true
      case .one(let wanted): wanted == scalar
      case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
      }
    }
  }

  private static func parts(of pattern: [Unicode.Scalar]) -> [Part] {
    var parts: [Part] = []
    var position = 0
    while position < pattern.count {
      switch pattern[position] {
      case "*": parts.append(.star)
      case "?": parts.append(.anyOne)
      case "\\" where position + 1 < pattern.count:
        position += 1
        parts.append(.one(pattern[position]))
      case "[":
        if let (set, end) = self.set(pattern, from: position) {
          parts.append(set)
          position = end
        } else {
          parts.append(.one("["))
        }
      case let other: parts.append(.one(other))
      }
      position += 1
    }
    return parts
  }

  /// The set that begins at `start`, and the position of its `]`; nil if there is none (then `[` is a plain character).
  private static func set(_ pattern: [Unicode.Scalar], from start: Int) -> (Part, Int)? {
    var position = start + 1
    let isNegated = position < pattern.count && (pattern[position] == "!" || pattern[position] == "^")
    if isNegated { position += 1 }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    let first = position
    while position < pattern.count {
      let low = pattern[position]
      if low == "]", position > first { return (.set(ranges, isNegated: isNegated), position) }
      if position + 2 < pattern.count, pattern[position + 1] == "-", pattern[position + 2] != "]" {
        let high = pattern[position + 2]
        if low <= high { ranges.append(low...high) }
        position += 3
      } else {
        ranges.append(low...low)
        position += 1
      }
    }
    return nil
  }
}
