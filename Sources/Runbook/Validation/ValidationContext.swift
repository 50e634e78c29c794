/// What a runbook is checked against: the words an author may use, and where the files that it names are read from.
public struct ValidationContext: Sendable {
  public var steps: [any StepKind.Type]
  /// Actions that need no provider, those of the step kinds included.
  public var actions: [ActionDeclaration]
  public var providers: [any ProviderKind]
  /// Warnings that a careful author would not leave (no word of rollback on a change) become errors.
  public var isStrict: Bool
  /// Reads a file by its path below the runbook's folder, at most so many bytes. The path has been checked (relative,
  /// no `..`); the reader must not follow links out of the folder, nor read anything but a regular file.
  public var readFile: @Sendable (_ path: String, _ limit: Int) throws(FileRefusal) -> [UInt8]
  /// Reads a provider that a file declares (`type: ./my_cloud.yaml`).
  public var readProvider: @Sendable (_ yaml: [UInt8]) throws(Diagnostics) -> any ProviderKind

  public init(
    steps: [any StepKind.Type], actions: [ActionDeclaration], providers: [any ProviderKind],
    isStrict: Bool = false,
    readFile: @escaping @Sendable (_ path: String, _ limit: Int) throws(FileRefusal) -> [UInt8] = ValidationContext
      .noFiles,
    readProvider: @escaping @Sendable (_ yaml: [UInt8]) throws(Diagnostics) -> any ProviderKind = ValidationContext
      .noProviders
  ) {
    self.steps = steps
    self.actions = actions
    self.providers = providers
    self.isStrict = isStrict
    self.readFile = readFile
    self.readProvider = readProvider
  }

  /// A context without a folder: a text that was typed, a test.
  @Sendable public static func noFiles(_ path: String, _ limit: Int) throws(FileRefusal) -> [UInt8] {
    throw FileRefusal("there is no folder to read it from")
  }

  /// A context in which no file declares a provider.
  @Sendable public static func noProviders(_ yaml: [UInt8]) throws(Diagnostics) -> any ProviderKind {
    throw Diagnostics([Diagnostic(.provider, at: .beginning, "provider files are not read here")])
  }
}

/// Why a file that a runbook names is not read: one clause ("it is a link").
public struct FileRefusal: Error, Sendable, Equatable {
  public var message: String
  public init(_ message: String) { self.message = message }
}
