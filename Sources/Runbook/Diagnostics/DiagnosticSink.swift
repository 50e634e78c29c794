/// Where the parts of a validation tell what they find, in any order.
package final class DiagnosticSink {
  package private(set) var items: [Diagnostic] = []
  /// A file with more than this is beyond repair by list; the rest is not even worded.
  static let limit = 1000

  package init(_ items: [Diagnostic] = []) { self.items = items }

  package var isFull: Bool { items.count >= DiagnosticSink.limit }

  package func report(_ diagnostic: @autoclosure () -> Diagnostic) {
    if !isFull { items.append(diagnostic()) }
  }

  package func error(
    _ code: DiagnosticCode, at range: SourceRange, _ message: @autoclosure () -> String,
    hint: @autoclosure () -> String? = nil
  ) {
    if !isFull { items.append(Diagnostic(code, at: range, message(), hint: hint())) }
  }

  package func report(_ diagnostics: Diagnostics) {
    for diagnostic in diagnostics.items { report(diagnostic) }
  }

  package var hasErrors: Bool { items.contains { $0.severity == .error } }
}
