/// Facts to journal entries and back. An entry that does not decode is damage, named by its sequence number.
extension Fact {
  /// For a fact without secrets.
  public func entry(at instant: Timestamp) -> NewEntry { entry(at: instant, .none) }

  func entry(at instant: Timestamp, _ secrets: SecretCoder) -> NewEntry {
    let (kind, fields) = fields(secrets)
    return NewEntry(at: instant, kind: kind, body: JSONWriter.bytes(.map(fields)))
  }

  /// The masked fields, and beside those that need it the marks from which a later process has the true values.
  func fields(_ secrets: SecretCoder) -> (kind: String, body: [String: Value]) {
    let (kind, optionals) = coded
    var fields = optionals.compactMapValues { $0 }
    for name in Fact.carriers {
      guard let value = fields[name] else { continue }
      if let marks = ValueMarks.of(value, secrets) { fields["_\(name)_marks"] = marks }
      fields[name] = secrets.masker.mask(value).showingStored
    }
    return (kind, fields)
  }

  /// Fields that hold values of authors and actions: instants, durations and secrets among them.
  static let carriers = ["inputs", "outputs", "with", "_env", "_result", "_before", "_inherited", "items"]

  private var coded: CodedFact {
    switch self {
    case .run(let fact): fact.coded
    case .step(let path, let fact): fact.coded(path)
    case .scope(let path, let fact): fact.coded(path)
    case .rollback(let fact): fact.coded
    }
  }

  /// - Throws: `damaged` for an entry this release cannot have written.
  public init(_ entry: JournalEntry) throws(StoreFailure) { try self.init(entry, .none) }

  /// - Parameter secrets: of the process that reads; values that hold any other are read as lost.
  init(_ entry: JournalEntry, _ secrets: SecretCoder) throws(StoreFailure) {
    let fields = try Fields(entry, secrets)
    if let (path, fact) = try StepFact.read(fields) {
      self = .step(path, fact)
    } else if let fact = try RunFact.read(fields) {
      self = .run(fact)
    } else if let (path, fact) = try ScopeFact.read(fields) {
      self = .scope(path, fact)
    } else if let fact = try RollbackFact.read(fields) {
      self = .rollback(fact)
    } else {
      throw Fields.damage(entry, "this release does not know this kind of entry")
    }
  }
}
