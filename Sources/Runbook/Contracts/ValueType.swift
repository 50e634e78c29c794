/// The type of a field, an output or an expression, as the checker knows it before anything runs.
public indirect enum ValueType: Sendable, Equatable {
  /// Not known before the run; every operation on it is allowed and checked when it happens.
  case any
  case null, bool, int, double, string, duration, timestamp
  case list(ValueType)
  case map(ValueType)
  /// A map with declared keys; a key that is not among them is a load error.
  case object([String: ValueType])
  case optional(ValueType)
  /// A string that must not be seen.
  case secret
}
