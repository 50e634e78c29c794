extension StepFailure.Kind {
  /// What an author reads in `error.kind` means, in one line.
  public var meaning: String {
    switch self {
    case .timeout: "the time that a step, an attempt or a wait may take was over"
    case .unreachable: "the other side could not be reached, or did not answer"
    case .auth: "the other side did not accept the credentials"
    case .notFound: "the object that the step names does not exist"
    case .conflict: "the object is in a state in which this cannot be done, or the name is in use"
    case .limit: "a limit was reached: a quota, a disk, or a size"
    case .rateLimited: "the other side asks for fewer requests"
    case .server: "the other side has failed"
    case .exitCode: "a script ended with an exit code that is not 0"
    case .expect: "the attempt was made, and `expect` does not hold"
    case .stopCondition: "`fail_if` holds, or the object can no longer reach the awaited state"
    case .lock: "a lock that the step needs is held by another run"
    case .expression: "an expression of the step could not be evaluated"
    case .input: "a field of the step has a value that cannot be used; the same call would fail again"
    case .cancelled: "somebody cancelled the run"
    case .crashed: "the script or the engine ended in the middle, and nobody saw how it ended"
    case .rejected: "the other side refused the request, and trying again would not help"
    }
  }
}

extension StepFailure.Effect {
  /// What an author reads in `error.effect` means, in one line.
  public var meaning: String {
    switch self {
    case .none: "certainly nothing happened, so nothing is undone"
    case .applied: "it happened, and something after it failed"
    case .unknown: "it may have happened: the engine looks before it undoes it"
    }
  }
}
