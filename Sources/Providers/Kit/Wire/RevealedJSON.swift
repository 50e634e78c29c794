package import Runbook

extension JSONWriter {
  /// JSON with its secrets in the clear, for the one place that sends it.
  package static func revealed(_ value: Value) -> [UInt8] { bytes(value.revealed) }
}

extension Value {
  fileprivate var revealed: Value {
    switch self {
    case .secret(let secret): .string(secret.reveal())
    case .list(let items): .list(items.map { $0.revealed })
    case .map(let entries): .map(entries.mapValues { $0.revealed })
    case .optional(let value?): value.revealed
    default: self
    }
  }
}
