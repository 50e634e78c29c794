@testable import Runbook

extension Situation {
  var orderInWords: String {
    guard let place = order.place else { return "\(order)" }
    let word = "\(order)".prefix { $0 != "(" }
    return "\(word) `\(places.all[place].path)`"
  }

  /// The state at the end of a path.
  var inWords: String {
    var lines: [String] = []
    for (place, leaf) in picture.leaves.enumerated() where leaf.status != .pending || ledger.deeds[place].begun > 0 {
      var words = "`\(places.all[place].path)`: \(leaf.status.rawValue)"
      if leaf.status == .started { words += ", \(leaf.progress)" }
      if places.all[place].changes {
        words += ", effect \(leaf.effect.rawValue)"
        let deed = ledger.deeds[place]
        words += " (in truth: \(deed.happened)\(deed.late > 0 ? ", and it may still act" : ""))"
      }
      if let entry = picture.entry(of: place) { words += ", entry \(entry.state)" }
      lines.append(words)
    }
    lines.append(
      "stop \(picture.stop), rollback \(picture.rollback?.rawValue ?? "not decided"), end \(picture.end as Any)")
    lines.append("locks \(ledger.holdsLocks ? "held" : "free")")
    return lines.joined(separator: "\n")
  }
}
