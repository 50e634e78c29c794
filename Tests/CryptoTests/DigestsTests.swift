import Crypto
import Testing

/// Published vectors: FIPS 180-2, RFC 2202; and the log-in of a manual.
@Suite struct DigestsTests {
  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test(arguments: [
    (
      "",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
    ),
    (
      "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
    (
      "password",
      "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb9"
        + "80b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95385ffab0cacbc86"
    ),
  ])
  func theSHA512DigestIsThePublishedOne(text: String, digest: String) throws {
    #expect(hex(try Digests.sha512(Array(text.utf8))) == digest)
  }

  @Test(
    arguments: [
      (Array(repeating: UInt8(0x0b), count: 20), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
      (Array("Jefe".utf8), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
      (
        Array(repeating: UInt8(0xaa), count: 80), "Test Using Larger Than Block-Size Key - Hash Key First",
        "aa4ae5e15272d00e95705637ce8a3b55ed402112"
      ), ([], "", "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"),
    ] as [([UInt8], String, String)])
  func theHMACIsThePublishedOne(key: [UInt8], text: String, code: String) throws {
    #expect(hex(try Digests.hmacSHA1(Array(text.utf8), key: key)) == code)
  }
}
