/// The fields of a step that asks a person.
public enum ApprovalField {
  public static let prompt = "prompt"
  public static let timeout = "timeout"
  public static let onTimeout = "on_timeout"
  public static let allowsRequester = "allow_requester"
  public static let approvers = "approvers"
  public static let minimum = "min"
}

/// A question on whose answer a step depends: what a person is shown, who may answer, and until when.
public struct ApprovalQuestion: Sendable, Equatable {
  /// What counts as the answer when nobody gives one in time.
  public enum TimeoutAnswer: String, Sendable, CaseIterable {
    case reject
    case `continue`
  }

  public var step: StepPath
  /// Questions are numbered from 1 in each run, those about lost outcomes included. 0: not asked yet.
  public var number: Int
  /// Rendered once, when the question was asked; secrets are masked.
  public var prompt: String
  public var until: Timestamp
  public var onTimeout: TimeoutAnswer
  public var allowsRequester: Bool
  /// Names of the people who may approve; empty: everybody.
  public var approvers: [String]
  /// How many people must approve.
  public var minimum: Int

  public init(
    step: StepPath, number: Int = 0, prompt: String, until: Timestamp, onTimeout: TimeoutAnswer = .reject,
    allowsRequester: Bool = false, approvers: [String] = [], minimum: Int = 1
  ) {
    self.step = step
    self.number = number
    self.prompt = prompt
    self.until = until
    self.onTimeout = onTimeout
    self.allowsRequester = allowsRequester
    self.approvers = approvers
    self.minimum = minimum
  }

  /// Twelve hexadecimal digits that name what is shown. An answer carries them, so that it counts for this text alone.
  public var digest: String {
    let shown = [step.text, prompt, String(minimum)] + approvers
    let bytes = Array(shown.joined(separator: "\0").utf8)
    return String(Hex.text(SHA256.hash(bytes)).prefix(12))
  }

  /// It holds nothing that can be read.
  static func isBlank(_ prompt: String) -> Bool {
    prompt.unicodeScalars.allSatisfy { $0.properties.isWhitespace || DisplayText.isInvisible($0.value) }
  }

  /// - Parameter with: the evaluated fields of the step.
  /// - Throws: a field that is not what the declaration says.
  init(step: StepPath, _ with: [String: Value], until: Timestamp, mask: (String) -> String) throws(StepFailure) {
    let fields = Arguments(with)
    var names: [String] = []
    for name in fields[ApprovalField.approvers]?.list ?? [] {
      guard let name = name.string, !name.isEmpty else {
        throw StepFailure.unfit("`\(ApprovalField.approvers)` must be a list of names")
      }
      names.append(name)
    }
    let word = try fields.optionalText(ApprovalField.onTimeout) ?? TimeoutAnswer.reject.rawValue
    guard let onTimeout = TimeoutAnswer(rawValue: word) else {
      throw StepFailure.unfit("`\(ApprovalField.onTimeout)` must be `reject` or `continue`")
    }
    let minimum = try fields.int(ApprovalField.minimum) ?? 1
    let most = names.isEmpty ? 20 : Int64(Set(names).count)
    guard (1...max(most, 1)).contains(minimum) else {
      throw StepFailure.unfit(
        "`\(ApprovalField.minimum)` is \(minimum), and \(names.isEmpty ? "at most 20" : "only \(most)") people "
          + "can approve"
      )
    }
    let prompt = try fields.text(ApprovalField.prompt)
    guard !ApprovalQuestion.isBlank(prompt) else {
      throw StepFailure.unfit("`\(ApprovalField.prompt)` is blank: it asks nothing")
    }
    self.init(
      step: step, prompt: mask(prompt), until: until, onTimeout: onTimeout,
      allowsRequester: try fields.bool(ApprovalField.allowsRequester) ?? false, approvers: names,
      minimum: Int(minimum))
  }
}

/// What a person said to a question.
public struct ApprovalAnswer: Sendable, Equatable {
  public var step: StepPath
  /// The number of the question.
  public var question: Int
  /// Of what the person was shown.
  public var digest: String
  public var isApproval: Bool
  public var by: String
  public var comment: String
  /// On the run's time line.
  public var at: Timestamp
  /// The number of the message.
  public var request: Int64

  public init(
    step: StepPath, question: Int, digest: String, isApproval: Bool, by: String, comment: String, at: Timestamp,
    request: Int64
  ) {
    self.step = step
    self.question = question
    self.digest = digest
    self.isApproval = isApproval
    self.by = by
    self.comment = comment
    self.at = at
    self.request = request
  }

  /// The names of the messages that hold one.
  public static let approval = "approve"
  public static let rejection = "reject"

  /// The body of the message.
  public var message: Value {
    [
      "step": .string(step.text), "question": .int(Int64(question)), "digest": .string(digest), "at": .timestamp(at),
      "comment": .string(comment),
    ]
  }

  /// From a message to the run; nil if it is none.
  init?(_ request: RunRequest, _ body: Value) {
    guard [ApprovalAnswer.approval, ApprovalAnswer.rejection].contains(request.kind),
      let step = (body["step"]?.string).map({ StepPath($0) }),
      let question = body["question"]?.int.flatMap({ Int(exactly: $0) }),
      let digest = body["digest"]?.string
    else { return nil }
    self.init(
      step: step, question: question, digest: digest, isApproval: request.kind == ApprovalAnswer.approval,
      by: request.requester, comment: body["comment"]?.string ?? "",
      at: body["at"]?.string.flatMap { Timestamp($0) } ?? request.at, request: request.id)
  }
}
