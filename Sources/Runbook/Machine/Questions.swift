/// What people were asked, told, and have said.
struct Questions: Sendable {
  /// Questions asked so far; they are numbered from 1 in each run.
  private(set) var count = 0
  /// The number of the newest message that the run has read.
  private(set) var lastRequest: Int64 = 0
  /// Of what people were told by `on_waiting`: numbers of questions, and steps whose state nobody knows.
  private(set) var told: Set<Int> = []
  private(set) var toldStates: Set<StepPath> = []
  /// For how long people were asked on the way through the steps, and since the rollback was begun or resumed.
  private(set) var askedTime = Duration.zero
  private(set) var askedTimeOfRollback = Duration.zero

  /// The number of the next question.
  var next: Int { count + 1 }

  /// An earlier release did not number its questions: they count from where they stand.
  mutating func noteQuestion(_ number: Int) { count = max(number, count + 1) }

  mutating func read(_ request: Int64) { lastRequest = max(lastRequest, request) }

  mutating func note(_ told: WaitingTold) {
    if told.cause == .state { toldStates.insert(told.step) } else { self.told.insert(told.question) }
  }

  mutating func forgetState(of path: StepPath) { toldStates.remove(path) }

  mutating func noteAsked(_ duration: Duration, for purpose: Purpose) {
    if purpose == .undo { askedTimeOfRollback += duration } else { askedTime += duration }
  }

  mutating func rollbackBegins() { askedTimeOfRollback = .zero }
}
