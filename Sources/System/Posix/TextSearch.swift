import CPosix

/// What is looked for in bytes: a text as it is written, or an extended regular expression of POSIX in the C locale,
/// where every byte is a character.
public final class TextSearch: Sendable {
  /// Why a pattern cannot be used, in the C library's words.
  public struct Refusal: Error, Sendable {
    public let reason: String
  }

  private let text: [UInt8]
  private let pattern: CompiledPattern?

  /// - Parameter text: at least one byte.
  public init(text: [UInt8]) {
    self.text = text
    pattern = nil
  }

  public init(pattern: String) throws(Refusal) {
    text = []
    self.pattern = try CompiledPattern(pattern)
  }

  /// Calls `found` with the range of each line that holds it, in order, without its line break.
  public func lines(in bytes: [UInt8], _ found: (Range<Int>) -> Void) {
    guard !bytes.isEmpty else { return }
    unsafe bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return }
      var place = 0
      while place < bytes.count {
        guard let line = unsafe nextLine(start, bytes.count, from: place) else { return }
        found(line)
        place = line.upperBound + 1
      }
    }
  }

  private func nextLine(_ start: UnsafeRawPointer, _ count: Int, from place: Int) -> Range<Int>? {
    guard let pattern else {
      guard let match = unsafe memmem(start + place, count - place, text, text.count) else { return nil }
      let at = unsafe UnsafeRawPointer(match) - start
      let before = unsafe memrchr(start + place, 0x0a, at - place).map { unsafe UnsafeRawPointer($0) - start + 1 }
      // A text that holds a line break takes all its lines with it.
      let last = at + text.count
      let after = unsafe memchr(start + last, 0x0a, count - last).map { unsafe UnsafeRawPointer($0) - start }
      return (before ?? place)..<(after ?? count)
    }
    var place = place
    while place < count {
      let end = unsafe memchr(start + place, 0x0a, count - place).map { unsafe UnsafeRawPointer($0) - start } ?? count
      if unsafe pattern.matches(start + place, end - place) { return place..<end }
      place = end + 1
    }
    return nil
  }
}

/// `regcomp`'s answer. `regexec` only reads it, and glibc guards what it keeps in it with a lock of its own.
@safe private final class CompiledPattern: @unchecked Sendable {
  private let compiled: UnsafeMutableRawPointer

  init(_ pattern: String) throws(TextSearch.Refusal) {
    var words = [CChar](repeating: 0, count: 200)
    guard let compiled = unsafe posix_compile_pattern(pattern, &words, words.count) else {
      let text = words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw TextSearch.Refusal(reason: String(decoding: text, as: UTF8.self))
    }
    unsafe self.compiled = compiled
  }

  deinit { unsafe posix_free_pattern(compiled) }

  func matches(_ start: UnsafeRawPointer, _ count: Int) -> Bool {
    let text = unsafe start.assumingMemoryBound(to: CChar.self)
    return unsafe posix_finds_pattern(compiled, text, count) != 0
  }
}
