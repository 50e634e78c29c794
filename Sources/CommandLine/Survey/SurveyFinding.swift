import Runbook

/// A difference between what an account answered and what the documents say.
struct SurveyFinding: Equatable {
  enum Kind: String {
    case missing, unknown, otherType = "other type", unreadable, notCompared = "not compared"
  }
  var kind: Kind
  /// `GET /servers/*`
  var question: String
  /// `servers[].id`; nil: the answer as a whole.
  var field: String?
  /// "text, and not number".
  var detail: String?
  /// The client cannot do without it.
  var isNeeded: Bool

  /// `missing     GET /servers/*: servers[].id (needed)`
  var text: String {
    let label = kind.rawValue + String(repeating: " ", count: max(0, 12 - kind.rawValue.count))
    let place = field.map { ": \($0)" } ?? ""
    let why = detail.map { ": \($0)" } ?? ""
    return "\(label)\(question)\(place)\(why)\(isNeeded ? " (needed)" : "")"
  }

  var json: Value {
    [
      "kind": .string(kind.rawValue), "question": .string(question), "field": field.map { .string($0) } ?? .null,
      "detail": detail.map { .string($0) } ?? .null, "needed": .bool(isNeeded),
    ]
  }

  /// All differences, in the order of the questions.
  static func all(in exchanges: [Exchange], against documents: DocumentedReplies) -> [SurveyFinding] {
    var shapes: [String: ReplyShape] = [:]
    var findings: [SurveyFinding] = []
    for exchange in exchanges {
      let question = documents.question(like: exchange.question)
      guard (200..<300).contains(exchange.response.status) else {
        add(
          &findings, SurveyFinding(kind: .unreadable, question: question, detail: "status \(exchange.response.status)"))
        continue
      }
      guard let json = exchange.json else {
        let type = exchange.response.header("content-type").map { DisplayText.escaped($0, limit: 60) } ?? "no type"
        add(
          &findings, SurveyFinding(kind: .unreadable, question: question, detail: "no JSON (\(type))", isNeeded: true))
        continue
      }
      shapes[question, default: ReplyShape()].add(json)
    }
    for (question, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      guard let documented = documents.shapes[question] else {
        add(&findings, SurveyFinding(kind: .notCompared, question: question, detail: "the twin has no such answer"))
        continue
      }
      findings += differences(shape, documented, question, documents.needed[question] ?? [])
    }
    return findings
  }

  init(kind: Kind, question: String, field: String? = nil, detail: String? = nil, isNeeded: Bool = false) {
    self.kind = kind
    self.question = question
    self.field = field
    self.detail = detail
    self.isNeeded = isNeeded
  }

  private static func add(_ findings: inout [SurveyFinding], _ finding: SurveyFinding) {
    if !findings.contains(finding) { findings.append(finding) }
  }

  private static func differences(
    _ real: ReplyShape, _ documented: ReplyShape, _ question: String, _ needed: Set<FieldPath>
  ) -> [SurveyFinding] {
    var findings: [SurveyFinding] = []
    for path in documented.paths {
      // If a whole object is missing, that is told once, and not again for each of its fields.
      guard let above = real.shape(at: path.parent), above.types.contains("object") else { continue }
      guard case .field(let name)? = path.parts.last else { continue }
      let isNeeded = needed.contains(path)
      guard let found = above.fields[name] else {
        // A field that the documents show in some objects only may be absent.
        guard documented.shape(at: path.parent)?.isAlwaysThere(name) == true else { continue }
        findings.append(
          SurveyFinding(kind: .missing, question: question, field: path.description, isNeeded: isNeeded))
        continue
      }
      let expected = documented.shape(at: path)?.types ?? []
      let strange = found.types.subtracting(expected).subtracting(["null"])
      // Where the documents show only null, any type may come.
      guard !strange.isEmpty, expected != ["null"] else { continue }
      let words =
        "\(strange.sorted().joined(separator: " and ")) instead of "
        + expected.subtracting(["null"]).sorted().joined(separator: " or ")
      findings.append(
        SurveyFinding(
          kind: .otherType, question: question, field: path.description, detail: words, isNeeded: isNeeded))
    }
    for path in real.paths {
      // An object that the documents show empty holds what its owner puts in: labels.
      guard let above = documented.shape(at: path.parent), !above.fields.isEmpty,
        case .field(let name)? = path.parts.last, above.fields[name] == nil
      else { continue }
      findings.append(SurveyFinding(kind: .unknown, question: question, field: path.description))
    }
    return findings
  }
}
