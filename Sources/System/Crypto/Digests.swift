import CCrypto

/// Why a digest cannot be made: libcrypto is not there, or refuses (a policy of the machine forbids SHA-1).
public struct CryptoFailure: Error, Sendable, Equatable {
  /// One sentence that says what to install or change.
  public let message: String
}

/// The digests and codes that clouds ask for in their log-ins. (The hash of the journal is the engine's own.)
public enum Digests {
  /// 64 bytes.
  public static func sha512(_ bytes: [UInt8]) throws(CryptoFailure) -> [UInt8] {
    let crypto = try Crypto.loaded.get()
    var digest = [UInt8](repeating: 0, count: 64)
    let code = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe digest.withUnsafeMutableBufferPointer { out in
        unsafe out.baseAddress.map { unsafe crypto_sha512(crypto.table, bytes.baseAddress, bytes.count, $0) } ?? 0
      }
    }
    guard code == 1 else { throw CryptoFailure(message: "libcrypto refuses to make a SHA-512 digest") }
    return digest
  }

  /// RFC 2104 with SHA-1: 20 bytes.
  public static func hmacSHA1(_ bytes: [UInt8], key: [UInt8]) throws(CryptoFailure) -> [UInt8] {
    let crypto = try Crypto.loaded.get()
    guard let keyCount = Int32(exactly: key.count) else { throw CryptoFailure(message: "the key is too long") }
    var code = [UInt8](repeating: 0, count: 20)
    let isDone = unsafe key.withUnsafeBufferPointer { key in
      unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe code.withUnsafeMutableBufferPointer { out in
          unsafe out.baseAddress.map {
            unsafe crypto_hmac_sha1(crypto.table, key.baseAddress, keyCount, bytes.baseAddress, bytes.count, $0)
          } ?? 0
        }
      }
    }
    guard isDone == 1 else {
      throw CryptoFailure(message: "libcrypto refuses HMAC with SHA-1; a policy of this machine may forbid it")
    }
    return code
  }
}

/// The functions of libcrypto, loaded on first use and kept until the process ends. `@unchecked Sendable`: the table is
/// filled before anybody sees it, and never changed.
@safe struct Crypto: @unchecked Sendable {
  /// Written once, before anybody else can see it; never freed.
  let table: UnsafePointer<crypto_functions>

  static let loaded: Result<Crypto, CryptoFailure> = {
    let table = UnsafeMutablePointer<crypto_functions>.allocate(capacity: 1)
    if let reason = unsafe crypto_functions_load(table) {
      let text = unsafe String(cString: reason)
      return .failure(
        CryptoFailure(message: "this log-in needs libcrypto: install the Debian package `libssl3` (\(text))"))
    }
    return .success(unsafe Crypto(table: UnsafePointer(table)))
  }()
}
