import Runbook
import TestSupport
import Testing

/// The message of a failing expression shows the values it read.
@Suite struct ShownValuesTests {
  @Test(arguments: [
    "result.stdout.contains('x') && result.nothing", "int(result.stdout)", "duration(result.stdout)",
    "result.map.none", "semver(result.stdout)", "result.stdout[0]",
  ])
  func aSecretThatIsCutOffAMessageDoesNotSurviveInPart(_ source: String) throws {
    let environment = TypeEnvironment(roots: ["result": .any])
    let masker = Masker(["token": Secret(SecretShreds.text, named: ["token"])])
    guard case .success(let expression) = Expression.parse(source, at: .beginning, in: environment) else { return }
    for text in SecretShreds.texts(beginning: 10...85, length: 200) {
      let scope = DictionaryScope(
        ["result": ["stdout": .string(text), "map": [text: 1]]], now: Timestamp(seconds: 0), masker: masker)
      let failure = #expect(throws: ExpressionFailure.self) { try expression.evaluate(in: scope) }
      #expect(SecretShreds.found(in: failure?.message ?? "") == nil)
      #expect(SecretShreds.found(in: expression.explanation(in: scope)) == nil)
    }
  }
}
