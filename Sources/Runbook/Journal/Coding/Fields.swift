/// Reads the fields of one entry; a missing or ill-typed one is damage.
struct Fields {
  let entry: JournalEntry
  let body: Value

  init(_ entry: JournalEntry, _ secrets: SecretCoder) throws(StoreFailure) {
    self.entry = entry
    guard case .map(var fields)? = try? JSONReader.read(entry.body) else {
      throw Fields.damage(entry, "its body is not a JSON object")
    }
    for name in Fact.carriers {
      if let value = fields[name] { fields[name] = ValueMarks.apply(fields["_\(name)_marks"], to: value, secrets) }
    }
    body = .map(fields)
  }
  static func damage(_ entry: JournalEntry, _ what: String) -> StoreFailure {
    .damaged("journal entry \(entry.sequence) (`\(entry.kind)`): \(what)")
  }
  func text(_ name: String) throws(StoreFailure) -> String {
    guard let text = body[name]?.string else { throw Fields.damage(entry, "`\(name)` is missing") }
    return text
  }
  func int(_ name: String) throws(StoreFailure) -> Int64 {
    guard let number = body[name]?.int else { throw Fields.damage(entry, "`\(name)` is missing") }
    return number
  }
  func instant(_ name: String) throws(StoreFailure) -> Timestamp {
    guard let instant = optionalInstant(name) else { throw Fields.damage(entry, "`\(name)` is missing") }
    return instant
  }
  func optionalInstant(_ name: String) -> Timestamp? { body[name]?.string.flatMap { Timestamp($0) } }
  func word<Word: RawRepresentable>(_ name: String, _: Word.Type) throws(StoreFailure) -> Word
  where Word.RawValue == String {
    guard let word = Word(rawValue: try text(name)) else { throw Fields.damage(entry, "`\(name)` is no known word") }
    return word
  }
  func optionalText(_ name: String) -> String? { body[name]?.string }
  func map(_ name: String) -> [String: Value] { body[name]?.map ?? [:] }
  var error: StepError? { body["error"].flatMap { StepError($0) } }
  var attempt: Int {
    body["attempt"]?.int.flatMap { Int(exactly: $0) } ?? body["attempts"]?.int.flatMap { Int(exactly: $0) } ?? 1
  }
  func step(_ name: String = "step") throws(StoreFailure) -> StepPath { StepPath(try text(name)) }
  /// Of an entry about a step or an undo step.
  func path() throws(StoreFailure) -> StepPath {
    if let entry = optionalText("entry") { StepPath(entry) } else { try step() }
  }
  func number(_ name: String) throws(StoreFailure) -> Int {
    guard let number = Int(exactly: try int(name)) else { throw Fields.damage(entry, "`\(name)` is out of range") }
    return number
  }
  func texts(_ name: String) -> [String] { body[name]?.list?.compactMap { $0.string } ?? [] }
}

/// A kind of journal entry and its body; fields without a value are left out.
typealias CodedFact = (kind: String, fields: [String: Value?])

/// A text of which an entry may have none.
func ifAny(_ text: String?) -> Value? { text.map { .string($0) } }

/// A list that an entry leaves out if it is empty.
func ifAny(_ texts: [String]) -> Value? { texts.isEmpty ? nil : .list(texts.map { .string($0) }) }

extension ActionResult {
  var coded: Value? {
    outputs.isEmpty && result.isEmpty ? nil : .map(["outputs": .map(outputs), "result": .map(result)])
  }

  init(coded: Value?) {
    self.init(outputs: coded?["outputs"]?.map ?? [:], result: coded?["result"]?.map ?? [:])
  }
}

extension BootTime {
  var coded: Value? {
    let (seconds, attoseconds) = elapsed.components
    return ["id": .string(id), "s": .int(seconds), "ns": .int(attoseconds / 1_000_000_000)]
  }

  init?(coded: Value?) {
    guard let id = coded?["id"]?.string, let seconds = coded?["s"]?.int, let rest = coded?["ns"]?.int else {
      return nil
    }
    // A number of seconds beyond all reason is no moment of a boot.
    guard (0...1 << 40).contains(seconds), (0..<1_000_000_000).contains(rest) else { return nil }
    self.init(id: id, elapsed: .seconds(seconds) + .nanoseconds(rest))
  }
}
