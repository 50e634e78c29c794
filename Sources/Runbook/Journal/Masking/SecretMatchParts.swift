extension SecretMatch {
  /// The match as stretches of forms of the secret, in order. Gaps between the digits of an encoding are in none of
  /// them.
  func parts(of unit: SecretUnit, in text: Span<UInt8>) -> [SecretStretch] {
    switch reading {
    case .plain: plainParts(unit, text)
    case .escaped(.json):
      escapedParts(unit, text, .json, JSONEscaping.all.map { ($0.name, $0.chunks(of: unit.bytes)) })
    case .escaped(let reading):
      escapedParts(unit, text, reading, PercentEscaping.all.map { ($0.name, $0.chunks(of: unit.bytes)) })
    case .hex(let isUpper): hexParts(unit, text, isUpper ? "HEX" : "hex")
    case .base64(let form): slices(unit, form.name, runs(in: text, without: DigitKind.base64Gap))
    }
  }

  /// More than one where the secret overlaps itself (`abcabcabc` of `abcabc`).
  private func plainParts(_ unit: SecretUnit, _ text: Span<UInt8>) -> [SecretStretch] {
    var parts: [SecretStretch] = []
    var place = range.lowerBound
    while place < range.upperBound {
      let earliest = max(range.lowerBound, place - unit.bytes.count + 1)
      let start = (earliest...place).last { unit.bytes.matches(text, at: $0) } ?? place
      let end = min(start + unit.bytes.count, range.upperBound)
      parts.append(
        SecretStretch(range: place..<end, name: unit.name, form: unit.prefix + "raw", from: place - start))
      place = end
    }
    return parts
  }

  /// One part if one writer has made all of it; else the longest stretch that one of them can have made, and so on.
  private func escapedParts(
    _ unit: SecretUnit, _ text: Span<UInt8>, _ reading: EscapedReading, _ writers: [(name: String, chunks: [[UInt8]])]
  ) -> [SecretStretch] {
    let plain = reading == .json ? JSONEscaping.unescaped(unit.bytes) : unit.bytes.map { [$0] }
    let writers = writers + [(name: "raw", chunks: plain)]
    var parts: [SecretStretch] = []
    var place = range.lowerBound
    var done = 0
    while place < range.upperBound, done < plain.count {
      var best: (name: String, count: Int, part: SecretStretch)?
      for (name, chunks) in writers {
        var end = place
        var count = done
        while count < chunks.count, end < range.upperBound, chunks[count].matches(text, at: end) {
          // The `\` of an escape is not the letter itself.
          let length = reading.step(text, at: end).length
          guard length == 1 || length == chunks[count].count else { break }
          end += chunks[count].count
          count += 1
        }
        guard count > best?.count ?? done else { continue }
        let from = chunks[..<done].reduce(0) { $0 + $1.count }
        let to = count == chunks.count ? nil : from + end - place
        let part = SecretStretch(range: place..<end, name: unit.name, form: unit.prefix + name, from: from, to: to)
        best = (name, count, part)
      }
      // Every step that is read can be written by one of them; if not, the secret is told less exactly, never shown.
      guard let best else {
        return parts + [SecretStretch(range: place..<range.upperBound, name: unit.name, form: unit.prefix + "raw")]
      }
      parts.append(best.part)
      place = best.part.range.upperBound
      done = best.count
    }
    return parts
  }

  private func hexParts(_ unit: SecretUnit, _ text: Span<UInt8>, _ form: String) -> [SecretStretch] {
    let runs = runs(in: text, without: DigitKind.hexGap)
    if runs.count == unit.bytes.count, runs.count > 1 {
      let gaps = zip(runs, runs.dropFirst()).map { before, after in
        (before.upperBound..<after.lowerBound).map { text[$0] }
      }
      if let gap = gaps.first, gap.count <= 2, gaps.allSatisfy({ $0 == gap }), runs.allSatisfy({ $0.count == 2 }),
        gap.allSatisfy({ " :-".utf8.contains($0) })
      {
        let name = unit.prefix + form + String(decoding: gap, as: UTF8.self)
        return [SecretStretch(range: range, name: unit.name, form: name)]
      }
    }
    return slices(unit, form, runs)
  }

  private func slices(_ unit: SecretUnit, _ form: String, _ runs: [Range<Int>]) -> [SecretStretch] {
    var from = 0
    return runs.enumerated().map { index, run in
      let start = from
      from += run.count
      return SecretStretch(
        range: run, name: unit.name, form: unit.prefix + form, from: start, to: index == runs.count - 1 ? nil : from)
    }
  }

  /// The stretches between the gaps.
  private func runs(in text: Span<UInt8>, without gap: UInt8) -> [Range<Int>] {
    let kinds = DigitKind.table
    var runs: [Range<Int>] = []
    for place in range where kinds[Int(text[place])] & gap == 0 {
      if let last = runs.last, last.upperBound == place {
        runs[runs.count - 1] = last.lowerBound..<place + 1
      } else {
        runs.append(place..<place + 1)
      }
    }
    return runs
  }
}

extension JSONEscaping {
  /// One element a character, as it is.
  static func unescaped(_ bytes: [UInt8]) -> [[UInt8]] {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.map { Array(String($0).utf8) }
  }
}
