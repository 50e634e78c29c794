/// Numbers from one seed (SplitMix64): the same seed gives the same durations on every machine.
package struct TwinRandom: Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// The next of the sequence, in the range.
  package mutating func draw(_ range: ClosedRange<Int64>) -> Int64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    mixed ^= mixed >> 31
    let span = UInt64(bitPattern: range.upperBound &- range.lowerBound)
    return range.lowerBound &+ Int64(bitPattern: span == .max ? mixed : mixed % (span + 1))
  }
}
