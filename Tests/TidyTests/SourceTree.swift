import Foundation
import TestSupport
import Testing

/// A text file of the project.
struct ProjectFile: Sendable, CustomTestStringConvertible {
  /// Below the project's folder: `Sources/Runbook/Plan/Plan.swift`.
  let path: String
  let text: String
  /// Without their ends; no empty one after the last newline.
  let lines: [Substring]

  init(_ path: String) throws {
    self.path = path
    text = try String(contentsOfFile: Repository.path(path), encoding: .utf8)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    self.lines = lines
  }

  var testDescription: String { path }

  /// The target whose source it is: of `Sources/System/YAML/…`, `Sources/Providers/Zomro/…` and `Sources/Runbook/…`
  /// alike.
  var target: String? {
    let parts = path.split(separator: "/")
    guard parts.count > 2, parts[0] == "Sources" else { return nil }
    if let known = ImportTests.folders.first(where: { path.hasPrefix("Sources/\($0.value)/") }) { return known.key }
    return String(parts[1] == "System" ? parts[2] : parts[1])
  }

  /// Lines with their numbers, comments and the contents of plain string literals taken out.
  var code: [(number: Int, text: String)] {
    var isInText = false
    return lines.enumerated().map { index, line in
      if line.contains("\"\"\"") {
        // A multi-line literal begins or ends here; what stands around it is code all the same.
        isInText.toggle()
        return (index + 1, String(line.prefix(while: { $0 != "\"" })))
      }
      return (index + 1, isInText ? "" : Self.withoutTexts(line))
    }
  }

  /// String literals with the numbers of their lines; a multi-line one gives each of its lines.
  var texts: [(number: Int, text: String)] {
    var isInText = false
    return lines.enumerated().flatMap { index, line -> [(number: Int, text: String)] in
      if line.contains("\"\"\"") {
        isInText.toggle()
        return []
      }
      if isInText { return [(index + 1, String(line))] }
      if line.trimmingPrefix(while: { $0 == " " }).hasPrefix("//") { return [] }
      return line.matches(of: /"(?:[^"\\]|\\.)*"/).map { (index + 1, String($0.output.dropFirst().dropLast())) }
    }
  }

  private static func withoutTexts(_ line: Substring) -> String {
    var code = ""
    var isInText = false
    var previous: Character = " "
    for character in line {
      if character == "\"", previous != "\\" { isInText.toggle() }
      if !isInText, character == "/", previous == "/" { return String(code.dropLast()) }
      if !isInText || character == "\"" { code.append(character) }
      previous = previous == "\\" && character == "\\" ? " " : character
    }
    return code
  }
}

/// The project's files, found on disk.
enum SourceTree {
  static let swift: [ProjectFile] = files(under: ["Sources", "Tests"], suffixes: [".swift"])
  static let sources: [ProjectFile] = swift.filter { $0.path.hasPrefix("Sources/") }
  static let shims: [ProjectFile] = files(under: ["Sources"], suffixes: [".h", ".modulemap"])
  static let prose: [ProjectFile] =
    files(under: ["docs"], suffixes: [".md"]) + ((try? [ProjectFile("README.md")]) ?? [])
  static let scripts: [ProjectFile] =
    files(under: ["Sources", "Tests/Benchmarks", ".ci"], suffixes: [".sh", ".c", "run"])
    + ((try? [ProjectFile("Makefile")]) ?? [])
  static let runbooks: [ProjectFile] = files(under: ["runbooks"], suffixes: [".yaml"])

  static func files(under folders: [String], suffixes: [String]) -> [ProjectFile] {
    folders.flatMap { folder -> [ProjectFile] in
      let below = (try? FileManager.default.subpathsOfDirectory(atPath: Repository.path(folder))) ?? []
      return below.filter { path in suffixes.contains { path.hasSuffix($0) } }.sorted()
        .compactMap { try? ProjectFile("\(folder)/\($0)") }
    }
  }
}
