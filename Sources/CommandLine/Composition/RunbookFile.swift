import Glibc
import Posix
import Runbook

/// A runbook read from the disk: its bytes, and the folder that its own paths start from.
struct RunbookFile {
  /// As the operator named it.
  let path: String
  let bytes: [UInt8]
  /// Absolute, without links.
  let folder: String

  /// Reads an ordinary file of at most 4 MiB, and nothing else: no FIFO, no device.
  init(_ path: String) throws(Refusal) {
    self.path = path
    bytes = try RunbookFile.read(path, limit: SourceText.byteLimit, what: "runbook")
    folder = RunbookFile.realPath(RunbookFile.parent(of: path)) ?? "."
  }

  static func read(_ path: String, limit: Int, what: String) throws(Refusal) -> [UInt8] {
    do throws(FileFailure) { return try FileReading.all(of: path, limit: limit) } catch {
      throw Refusal(
        .usage, .file, "the \(what) `\(DisplayText.escaped(path, limit: 300))` \(error.reason)",
        hint: error == .missing ? "check the path; it is looked for from the current folder" : nil)
    }
  }

  static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
  }

  static func name(of path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  /// nil if there is no such file.
  static func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// Reads the files that a runbook names, below its folder and nowhere else, links included.
  static func reader(below folder: String) -> @Sendable (String, Int) throws(FileRefusal) -> [UInt8] {
    { (path: String, limit: Int) throws(FileRefusal) -> [UInt8] in
      guard let real = realPath("\(folder)/\(path)") else { throw FileRefusal("it does not exist") }
      guard real.hasPrefix(folder == "/" ? "/" : folder + "/") else {
        throw FileRefusal("it leads out of the runbook's folder")
      }
      do throws(FileFailure) { return try FileReading.all(of: real, limit: limit) } catch {
        throw FileRefusal("it \(error.reason)")
      }
    }
  }

  /// The files as they were when the run started.
  static func reader(of pinned: [String: [UInt8]]) -> @Sendable (String, Int) throws(FileRefusal) -> [UInt8] {
    { (path: String, limit: Int) throws(FileRefusal) -> [UInt8] in
      guard let content = pinned[path], content.count <= limit else {
        throw FileRefusal("it was not pinned when the run started")
      }
      return content
    }
  }
}

/// A text that has been found valid, or the diagnostics.
struct CheckedRunbook {
  let runbook: ValidatedRunbook
  let source: PinnedSource

  init(_ file: RunbookFile, isStrict: Bool) throws(Diagnostics) {
    try self.init(file.bytes, folder: file.folder, isStrict: isStrict, reading: RunbookFile.reader(below: file.folder))
  }

  /// A run is carried on with the text it was started with.
  init(_ source: PinnedSource) throws(Diagnostics) {
    try self.init(
      Array(source.text.utf8), folder: source.folder, isStrict: false, reading: RunbookFile.reader(of: source.files))
  }

  private init(
    _ bytes: [UInt8], folder: String, isStrict: Bool,
    reading readFile: @escaping @Sendable (String, Int) throws(FileRefusal) -> [UInt8]
  ) throws(Diagnostics) {
    let context = Composition.validation(isStrict: isStrict, readFile: readFile)
    runbook = try ValidatedRunbook(ParsedDocument(yaml: bytes), in: context)
    source = PinnedSource(text: String(decoding: bytes, as: UTF8.self), files: runbook.pinnedFiles, folder: folder)
  }
}

extension Shell {
  /// Reads and checks a file for a command that works with one; every mistake is printed.
  func check(_ path: String, isStrict: Bool) throws(Refusal) -> CheckedRunbook {
    let file = try RunbookFile(path)
    do throws(Diagnostics) {
      let checked = try CheckedRunbook(file, isStrict: isStrict)
      if !globals.quiet { printDiagnostics(checked.runbook.warnings, path, file.bytes) }
      return checked
    } catch {
      printDiagnostics(error.items, path, file.bytes)
      throw Refusal.invalid(path, error, hint: "`\(AdvisedCommands().line("validate", path))` lists all of them")
    }
  }

  func printDiagnostics(_ items: [Diagnostic], _ path: String, _ bytes: [UInt8]) {
    // Reading the text again is for the excerpts alone.
    guard !items.isEmpty else { return }
    let source = SourceText(showing: bytes)
    for item in items {
      let text =
        source.map { DiagnosticText.excerpt(item, file: path, source: $0) } ?? DiagnosticText.line(item, file: path)
      output.message(text)
    }
  }
}

extension Refusal {
  /// - Parameter hint: what lists the mistakes; nil if there is no such command.
  static func invalid(_ path: String, _ diagnostics: Diagnostics, hint: String? = nil) -> Refusal {
    let errors = diagnostics.items.filter { $0.severity == .error }
    let first = errors.first.map { ": line \($0.range.start.line), \($0.code): \($0.message)" } ?? ""
    return Refusal(
      .usage, .invalid,
      "`\(DisplayText.escaped(path, limit: 300))` has "
        + (errors.count == 1 ? "a mistake" : "\(errors.count) mistakes") + first,
      hint: hint)
  }
}
