import Runbook
import Testing

@Suite struct WaitingRulesTests {
  @Test(arguments: [
    Refused(
      "on_waiting:\n- {①run: 'true'}",
      "① E-CONTEXT: `on_waiting` only tells people, and `run` does something else; use `notify.mail`, "
        + "`notify.slack`, `notify.webhook`"),
    Refused(
      "on_waiting:\n- {action: ①http.post, with: {url: 'https://h/'}}",
      "① E-CONTEXT: `on_waiting` only tells people, and `http.post` does something else; use `notify.mail`, "
        + "`notify.slack`, `notify.webhook`"),
    Refused(
      "on_waiting:\n- {action: notify.webhook, with: {url: 'https://h/', text: x}, ①retry: {attempts: 3}, ②id: a}",
      "① E-CONTEXT: `retry` has no effect in `on_waiting`; take it out: a message is sent until it has arrived, for "
        + "two minutes in all, and its failure ends nothing",
      "② E-CONTEXT: `id` has no effect in `on_waiting`; take it out: a message is sent until it has arrived, for two "
        + "minutes in all, and its failure ends nothing"),
  ])
  func isRefusedWithItsReason(_ refused: Refused) { refused.check() }

  @Test func onlyAMessageReadsForWhatTheRunWaits() {
    let text = """
      runbook: v1
      name: a
      steps:
      - {action: log.info, with: {message: "${{ waiting.message }}"}}
      on_waiting:
      - {action: notify.webhook, with: {url: 'https://h/', text: "${{ waiting.message }} ${{ waiting.none }}"}}

      """
    let found = Refused.mistakes(text)
    #expect(found.map(\.range.start.line) == [4, 6], "\(found.map(\.message))")
  }
}
