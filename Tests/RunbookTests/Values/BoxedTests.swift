import Runbook
import Testing

/// A boxed value is a value: nobody sees the changes of a copy.
@Suite struct BoxedTests {
  private struct Large: Sendable, Equatable {
    var name = "one"
    var numbers = [1, 2, 3]
  }

  @Test func aChangedCopyLeavesTheOthersAlone() {
    let first = Boxed(Large())
    var second = first
    second.name = "two"
    second.numbers.append(4)
    #expect(first.value == Large())
    #expect(second.value == Large(name: "two", numbers: [1, 2, 3, 4]))
  }

  @Test func aWholeValueCanBePutInItsPlace() {
    var box = Boxed(Large())
    let before = box
    box.value = Large(name: "three", numbers: [])
    #expect(box.name == "three")
    #expect(before.name == "one")
  }

  @Test func itCostsOnePointer() { #expect(MemoryLayout<Boxed<Large>>.size == MemoryLayout<Int>.size) }
}
