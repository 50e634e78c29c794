import Runbook

/// What a script is made of before it is started, here and on other machines.
enum ScriptText {
  /// `NAME='value'; export NAME; ` for each variable.
  static func exports(_ environment: [String: Secret]) -> String {
    environment.sorted { $0.key < $1.key }.map { name, value in
      "\(name)=\(ShellText.quoted(value.reveal())); export \(name); "
    }.joined()
  }

  /// The program that the first line names, as the kernel reads it: `#!/usr/bin/env python3` is `/usr/bin/env` and one
  /// argument, all that follows it. nil: none, so `/bin/sh -eu` runs the script.
  static func interpreter(of script: String) throws(StepFailure) -> [String]? {
    guard script.hasPrefix("#!") else { return nil }
    let line = script.utf8.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    guard !line.contains(UInt8(ascii: "\r")) else {
      throw StepFailure(.input, "the script's first line ends with a carriage return: end lines with a line feed alone")
    }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 1).map { word in
      String(word.drop { $0 == " " || $0 == "\t" })
    }
    guard let program = words.first, program.hasPrefix("/") else {
      throw StepFailure(.input, "the script's first line (`#!`) must name its program by an absolute path")
    }
    let argument = words.dropFirst().first.map { text in
      String(text.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
    return [program] + (argument.map { $0.isEmpty ? [] : [$0] } ?? [])
  }
}
