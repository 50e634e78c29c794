import Runbook
import Testing

/// Fields of snapshots and backups that mean something, or are safe, only beside others; maps whose keys are known; and
/// what is no substitute for what a cloud does not have.
@Suite struct ItemFieldsTests {
  @Test(arguments: [
    Refused(
      "- {action: snapshot.prune, rollback: none, with: {server: a, keep: ①-1}}",
      "① E-RANGE: `keep` is -1; it must be 0 or more"),
    Refused(
      "- {action: ①snapshot.prune, rollback: none, with: {server: a, prefix: x}}",
      "① E-KEY-MISSING: `snapshot.prune` needs `keep` or `older_than`; give one of them, or both"),
    Refused(
      "- {action: ①backup.prune, rollback: none, with: {server: a}}",
      "① E-KEY-MISSING: `backup.prune` needs `keep` or `older_than`; give one of them, or both"),
    Refused(
      "- {action: snapshot.prune, rollback: none, with: {server: a, ①older_than: 7d}}",
      "① W-FIELD: `older_than` without `keep` may delete the last snapshot; add `keep`"),
    Refused("- {action: snapshot.prune, rollback: none, with: {server: a, older_than: 7d, keep: 1}}"),
    Refused(
      "- {action: snapshot.create, rollback: none, with: {server: a, name: b, ①if_exists: reuse}}",
      "① W-FIELD: with `if_exists: reuse` the run's undo may restore an existing snapshot; without `max_age` only one "
        + "that was made since the run, or the run that it repeats, began; add `max_age`"),
    Refused("- {action: snapshot.create, rollback: none, with: {server: a, name: b, if_exists: reuse, max_age: 1h}}"),
    Refused(
      "- {action: snapshot.create, rollback: none, with: {server: a, name: b, ①max_age: 1h}}",
      "① E-KEY-TOGETHER: `max_age` limits the age of a reused snapshot, and without `if_exists: reuse` none is reused; "
        + "add `if_exists`, or take it out"),
  ])
  func fieldsThatGoTogetherAreToldSo(_ refused: Refused) { refused.check() }

  private func mistakes(_ type: String, _ step: String) -> [String] {
    let text = """
      runbook: v1
      name: t
      secrets: {s: {source: env, key: S}}
      providers: {cloud: {type: \(type), session: "${{ secrets.s }}"}}
      steps:
        - \(step)
      """
    return Refused.mistakes(text).map { String(DiagnosticText.line($0, file: "f").drop { $0 != " " }.dropFirst()) }
  }

  @Test(arguments: [
    ("{volumeReadBandwith: 4096}", "has no key `volumeReadBandwith`; did you mean `volumeReadBandwidth`?"),
    ("{volumeReadBandwidth: 12}", "`options.volumeReadBandwidth` is 12; it must be 1024 or more"),
    ("{volumeReadBandwidth: fast}", "`options.volumeReadBandwidth` must be a whole number"),
    ("{resourceUuid: abc}", "`options.resourceUuid` is `abc`, which does not match"),
    ("[a]", "`options` must be a map"),
  ])
  func aKeyOfAMapIsCheckedAtLoad(_ options: String, _ told: String) {
    let block = "zstack, url: \"https://z.example.com:8080\""
    let found = mistakes(
      block, "{action: backup.create, rollback: none, with: {server: a, name: b, options: \(options)}}")
    #expect(found.count == 1 && found.first?.contains(told) == true, "\(found)")
  }

  @Test func whatIsNoSubstituteIsSaid() {
    let found = mistakes("zomro", "{action: backup.restore_as, rollback: none, with: {backup: b, name: c}}")
    #expect(found.count == 1)
    #expect(
      found.first?.hasSuffix(
        "zstack can; the nearest that zomro has is `backup.restore`; careful, `backup.restore` is no substitute: it "
          + "would overwrite a server with one of its backups") == true, "\(found)")
    let typo = mistakes("zomro", "{action: snapshot.restore_as, rollback: none, with: {server: b}}")
    #expect(
      typo.first?.hasSuffix(
        "did you mean `snapshot.restore`? Careful, it would overwrite a server with one of its snapshots") == true,
      "\(typo)")
  }
}
