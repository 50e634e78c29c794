import CPosix

/// Text in one of the character sets that the C library knows (`iconv -l`).
public enum TextEncoding {
  /// The text in UTF-8, with U+FFFD for every byte that stands for no character.
  ///
  /// - Parameter charset: a name as in `Content-Type`, such as `windows-1252`; case does not matter.
  /// - Returns: nil if the C library does not know the character set.
  public static func utf8(of bytes: [UInt8], in charset: String) -> [UInt8]? {
    guard isName(charset), let conversion = unsafe open(charset) else { return nil }
    defer { unsafe _ = iconv_close(conversion) }
    var result: [UInt8] = []
    var input = bytes
    var piece = [CChar](repeating: 0, count: 4096)
    unsafe input.withUnsafeMutableBytes { buffer in
      var next = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
      var left = buffer.count
      while left > 0 {
        let (code, written) = unsafe piece.withUnsafeMutableBufferPointer { room in
          var end = room.baseAddress
          var free = room.count
          let count = unsafe iconv(conversion, &next, &left, &end, &free)
          return (count == -1 ? posix_errno() : 0, room.count - free)
        }
        result += piece[..<written].lazy.map { UInt8(bitPattern: $0) }
        switch code {
        case 0, E2BIG: continue
        case EILSEQ:
          result += [0xef, 0xbf, 0xbd]
          unsafe next = next.map { unsafe $0 + 1 }
          left -= 1
        default:
          // The last character was cut off.
          result += [0xef, 0xbf, 0xbd]
          left = 0
        }
      }
    }
    return result
  }

  private static func open(_ charset: String) -> iconv_t? {
    let conversion = unsafe iconv_open("UTF-8", charset)
    return unsafe conversion == iconv_t(bitPattern: -1) ? nil : conversion
  }

  /// No slash, with which options of `iconv` begin.
  private static func isName(_ charset: String) -> Bool {
    !charset.isEmpty && charset.utf8.count <= 40
      && charset.utf8.allSatisfy {
        $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || $0 >= 0x30 && $0 <= 0x39 || "-_.:+()".utf8.contains($0)
      }
  }
}
