import TestSupport
import Testing

/// Help on actions, as somebody types it.
@Suite struct HelpTopicTests {
  @Test func anActionIsExplainedWithItsFieldsAndALikelySlipIsNamed() async throws {
    let place = try Workplace()
    let copy = try await place.run("help", "ssh.copy")
    #expect(copy.code == 0)
    #expect(copy.stdout.hasPrefix("ssh.copy: copies a file or a folder to another machine"))
    for part in ["  host  ", "Outputs, read as `steps.NAME.outputs.…`\n  changed  true or false", "class E3"] {
      #expect(copy.stdout.contains(part), "\(part) is missing in\n\(copy.stdout)")
    }
    let slip = try await place.run("help", "ssh.cpy")
    #expect(slip.code == 2)
    #expect(slip.stderr == "error: there is no action `ssh.cpy`\n  did you mean `ssh.copy`?\n")
    let odd = try await place.run("help", "frobnicate.everything")
    #expect(odd.stderr.hasSuffix("  `runbook help actions` lists them\n"), "\(odd.stderr)")
  }

  @Test func everyActionIsListedAndExplained() async throws {
    let place = try Workplace()
    let list = try await place.run("help", "actions")
    #expect(list.code == 0)
    let names = list.stdout.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.count > 40 && names.contains("snapshot.restore") && names.contains("ssh.run"))
    for name in names {
      let page = try await place.run("help", name)
      let isCommandToo = ["run", "approve"].contains(name)
      let isThere =
        isCommandToo ? page.stdout.contains("\nIn a runbook, \(name): ") : page.stdout.hasPrefix("\(name): ")
      #expect(page.code == 0 && isThere, "\(name): \(page)")
    }
  }
}
