/// The system's OpenSSH client. A name without `/` is looked up on `PATH` when it is started.
public struct SSHProgram: Sendable {
  public var path: String
  public init(path: String = "ssh") { self.path = path }
}
