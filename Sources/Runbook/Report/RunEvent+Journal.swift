extension RunEvent {
  /// The event that a journal entry is: its kind is the name, its body the fields but for the engine's own, whose names begin
  /// with `_`. nil for an entry that is not shown (the pinned source). A body that is no JSON object gives an event without
  /// fields: damage is told by the store's chain, not here.
  public init?(_ entry: JournalEntry, of runID: String) {
    guard entry.kind != "run.pinned" else { return nil }
    let fields = (try? JSONReader.read(entry.body))?.map ?? [:]
    self.init(
      event: entry.kind, runID: runID, sequence: entry.sequence, at: entry.at, fields: fields.filter { !$0.key.hasPrefix("_") })
  }
}
