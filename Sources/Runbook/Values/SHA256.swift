/// SHA-256 (FIPS 180-4).
public struct SHA256: Sendable {
  public static func hash(_ bytes: [UInt8]) -> [UInt8] { [] }
}

/// HMAC with SHA-256 (RFC 2104).
public enum HMACSHA256 {
  public static func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] { [] }
}
