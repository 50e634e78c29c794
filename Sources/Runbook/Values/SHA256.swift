/// SHA-256 (FIPS 180-4), in Swift so that fingerprints need no C library at start-up.
public struct SHA256: Sendable {
  private var state: InlineArray<8, UInt32> = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  /// Bytes that do not fill a block of 64 yet.
  private var pending: [UInt8] = []
  /// In bytes; a message of 2^61 bytes and more is beyond any memory.
  private var length: UInt64 = 0

  public init() {}

  /// 32 bytes.
  public static func hash(_ bytes: [UInt8]) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(bytes)
    return hasher.finalize()
  }

  public mutating func update(_ bytes: [UInt8]) {
    length &+= UInt64(bytes.count)
    var start = 0
    if !pending.isEmpty {
      start = min(64 - pending.count, bytes.count)
      pending.append(contentsOf: bytes[..<start])
      guard pending.count == 64 else { return }
      let block = pending
      pending = []
      SHA256.compress(block.span, from: 0, into: &state)
    }
    let span = bytes.span
    while bytes.count - start >= 64 {
      SHA256.compress(span, from: start, into: &state)
      start += 64
    }
    pending.append(contentsOf: bytes[start...])
  }

  /// 32 bytes. The hasher is used up.
  public consuming func finalize() -> [UInt8] {
    let bits = length &* 8
    var tail = pending
    tail.append(0x80)
    while tail.count % 64 != 56 { tail.append(0) }
    for shift in stride(from: UInt64(56), through: 0, by: -8) { tail.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    for start in stride(from: 0, to: tail.count, by: 64) {
      SHA256.compress(tail.span, from: start, into: &state)
    }
    var digest: [UInt8] = []
    digest.reserveCapacity(32)
    for index in state.indices {
      for shift in stride(from: UInt32(24), through: 0, by: -8) {
        digest.append(UInt8(truncatingIfNeeded: state[index] >> shift))
      }
    }
    return digest
  }

  /// Takes in one block of 64 bytes. The message schedule rolls over 16 words; eight rounds a turn, so that the eight
  /// variables come back to their places without being moved.
  private static func compress(_ bytes: Span<UInt8>, from start: Int, into state: inout InlineArray<8, UInt32>) {
    var words = InlineArray<16, UInt32> { index in
      let at = start &+ index &* 4
      let high = UInt32(bytes[at]) << 24 | UInt32(bytes[at &+ 1]) << 16
      return high | UInt32(bytes[at &+ 2]) << 8 | UInt32(bytes[at &+ 3])
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    var turn = 0
    while turn < 64 {
      let half = turn & 8
      if turn >= 16 { SHA256.extend(&words, half) }
      SHA256.round(a, b, c, &d, e, f, g, &h, SHA256.constants[turn] &+ words[half])
      SHA256.round(h, a, b, &c, d, e, f, &g, SHA256.constants[turn &+ 1] &+ words[half &+ 1])
      SHA256.round(g, h, a, &b, c, d, e, &f, SHA256.constants[turn &+ 2] &+ words[half &+ 2])
      SHA256.round(f, g, h, &a, b, c, d, &e, SHA256.constants[turn &+ 3] &+ words[half &+ 3])
      SHA256.round(e, f, g, &h, a, b, c, &d, SHA256.constants[turn &+ 4] &+ words[half &+ 4])
      SHA256.round(d, e, f, &g, h, a, b, &c, SHA256.constants[turn &+ 5] &+ words[half &+ 5])
      SHA256.round(c, d, e, &f, g, h, a, &b, SHA256.constants[turn &+ 6] &+ words[half &+ 6])
      SHA256.round(b, c, d, &e, f, g, h, &a, SHA256.constants[turn &+ 7] &+ words[half &+ 7])
      turn &+= 8
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }

  @inline(__always)
  private static func extend(_ words: inout InlineArray<16, UInt32>, _ half: Int) {
    for index in half..<half &+ 8 {
      let early = words[(index &+ 1) & 15]
      let late = words[(index &+ 14) & 15]
      let small0 = early.rotated(7) ^ early.rotated(18) ^ early >> 3
      let small1 = late.rotated(17) ^ late.rotated(19) ^ late >> 10
      words[index & 15] = words[index & 15] &+ small0 &+ words[(index &+ 9) & 15] &+ small1
    }
  }

  @inline(__always)
  private static func round(
    _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32,
    _ word: UInt32
  ) {
    let big1 = e.rotated(6) ^ e.rotated(11) ^ e.rotated(25)
    let first = h &+ big1 &+ (g ^ (e & (f ^ g))) &+ word
    let big0 = a.rotated(2) ^ a.rotated(13) ^ a.rotated(22)
    d = d &+ first
    h = first &+ big0 &+ ((a & b) | (c & (a | b)))
  }

  private static let constants: InlineArray<64, UInt32> = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]
}

/// HMAC with SHA-256 (RFC 2104).
public enum HMACSHA256 {
  /// 32 bytes. A key of any length.
  public static func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    var block = key.count > 64 ? SHA256.hash(key) : key
    block += [UInt8](repeating: 0, count: 64 - block.count)
    var inner = SHA256()
    inner.update(block.map { $0 ^ 0x36 })
    inner.update(bytes)
    return SHA256.hash(block.map { $0 ^ 0x5c } + inner.finalize())
  }
}

extension [UInt8] {
  /// Two lower-case digits a byte.
  public var hexadecimal: String {
    let table = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(count * 2)
    for byte in self {
      text.append(table[Int(byte >> 4)])
      text.append(table[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension UInt32 {
  fileprivate func rotated(_ count: UInt32) -> UInt32 { self &>> count | self &<< (32 &- count) }
}
