/// A fault of the machine that is known and not mended yet. This list is empty when all are.
struct KnownFault: Hashable, Sendable {
  var property: Property
  /// A part of the complaint.
  var complaint: String
  var reason: String

  func explains(_ violation: Violation) -> Bool {
    violation.property == property && violation.complaint.contains(complaint)
  }

  static let all: [KnownFault] = []
}
