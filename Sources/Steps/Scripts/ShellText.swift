/// Texts that are given to a shell on its standard input.
enum ShellText {
  /// As one word that the shell takes literally.
  static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

  /// What `/bin/sh -eu` reads in order to run `script` with `/dev/null` as its standard input.
  ///
  /// The script is one quoted word on one logical line, so the shell has read all of it before any of it runs: a text
  /// that arrives in part is a syntax error, not half a script; and a command in it cannot swallow the rest of it.
  static func program(_ script: String) -> String { "exec </dev/null; eval \(quoted(script))\n" }
}
