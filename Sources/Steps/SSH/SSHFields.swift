import Runbook

/// Where to connect and how to know that it is the right machine: the fields that all of `ssh.*` take.
enum SSHFields {
  /// Facts that every call over OpenSSH needs beside its fields.
  static let context: Set<CallContext> = [.folder, .rescuedServers]

  static let hostPattern = "^[A-Za-z0-9:][A-Za-z0-9._:-]{0,252}$"
  static let userPattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"
  static let jumpPattern = "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63}@)?[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?$"

  static let declared = [
    Field("host", .string, required: true, pattern: hostPattern, help: "name or address"),
    Field("user", .string, pattern: userPattern, help: "the user to log in as; default: that of the ssh configuration"),
    Field(
      "port", .int, bounds: .int(1...65_535), help: "1 to 65535; default: that of the ssh configuration, else 22"),
    Field("key", .string, acceptsSecret: true, help: "path of a private key, or its content as a secret"),
    Field("password", .string, acceptsSecret: true, help: "password to log in with; without `key` no key is tried"),
    Field(
      "become", .string, pattern: userPattern,
      help: "the user to become after the login, by `sudo` without a password: `root`, or another user"),
    Field("jump", .string, pattern: jumpPattern, help: "machine to go through: `user@host:port`"),
    Field("known_hosts", .string, help: "file of known host keys instead of the user's"),
    Field(
      "host_key", .choice(["strict", "accept_new", "rescue"]), default: "strict",
      help: "`strict`: the host key must be known; `accept_new`: a first one is trusted and kept, a changed one "
        + "refused; `rescue`: another one is trusted for this run, after its `rescue.enter` of `server`"
    ),
    Field("server", .string, help: "with `host_key: rescue`: the server that `rescue.enter` named"),
    Field(
      "connect_timeout", .duration, default: .duration(.seconds(10)), help: "for TCP and key exchange; default `10s`"),
  ]
}
