extension RunEvent {
  /// The event that a journal entry is: its kind is the name, its body the fields. A body that is no JSON object (a damaged
  /// store is told by its chain, not here) gives an event without fields.
  public init(_ entry: JournalEntry, of runID: String) {
    let fields = (try? JSONReader.read(entry.body))?.map ?? [:]
    self.init(event: entry.kind, runID: runID, sequence: entry.sequence, at: entry.at, fields: fields)
  }
}
