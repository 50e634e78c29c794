import TestSupport
import Testing

/// A run that tells of its end by mail, to a server of ours.
@Suite struct MailTests {
  private static func text(_ security: String, _ more: String = "") -> String {
    """
    runbook: v1
    name: tells
    inputs: {port: {type: int}, ca: {type: string, default: ""}}
    secrets: {mail: {source: env, key: MAIL_PASSWORD}}
    steps:
      - {id: work, run: 'true', effect: none}
    always:
      - id: tell
        action: notify.mail
        with:
          host: localhost
          port: "${{ inputs.port }}"
          tls: \(security)
          from: Runbook <runbook@example.com>
          to: [ops@example.com, db@example.com]
          subject: "${{ run.name }}: ${{ run.outcome }}"
          text: |
            The run ${{ run.id }} has ended: ${{ run.outcome }}.
            .
            Grüße
          \(more)

    """
  }

  @Test func aRunTellsOfItsEndInsideTLS() async throws {
    var ways = SMTPServer.Ways()
    ways.security = .starttls
    ways.login = ("ops", "mail-secret-7")
    let server = try SMTPServer(ways)
    let place = try Workplace()
    let login = ["user: ops", #"password: "${{ secrets.mail }}""#, #"ca_file: "${{ inputs.ca }}""#]
    try place.write("a.yaml", Self.text("starttls", login.joined(separator: "\n      ")))
    let run = try await place.run(
      ["run", "a.yaml", "--input", "port=\(server.port)", "--input", "ca=\(server.authority?.authority ?? "")"],
      ["MAIL_PASSWORD": "mail-secret-7"])
    #expect(run.code == 0, "\(run.stdout)\(run.stderr)")
    let mail = try #require(server.mails.first)
    let id = try #require(run.runID)
    #expect(server.mails.count == 1 && mail.isEncrypted && mail.user == "ops" && mail.password == "mail-secret-7")
    #expect(mail.sender == "runbook@example.com" && mail.recipients == ["ops@example.com", "db@example.com"])
    #expect(mail.header("Subject") == "tells: succeeded")
    #expect(mail.header("Message-ID") == "<\(id).tell@example.com>")
    #expect(mail.text == "The run \(id) has ended: succeeded.\n.\nGr=C3=BC=C3=9Fe", "\(mail.lines)")
    #expect(!(run.stdout + run.stderr).contains("mail-secret-7"))
  }

  @Test func whatTheServerRefusesIsToldInItsWords() async throws {
    var ways = SMTPServer.Ways()
    ways.recipients["db@example.com"] = "550 5.1.1 <db@example.com>: no such mailbox"
    let server = try SMTPServer(ways)
    let place = try Workplace()
    try place.write("a.yaml", Self.text("none"))
    let run = try await place.run(
      ["run", "a.yaml", "--input", "port=\(server.port)"], ["MAIL_PASSWORD": "mail-secret-7"])
    #expect(run.code == 1, "\(run.stdout)\(run.stderr)")
    #expect(
      run.stdout.contains(
        "refused the recipient `db@example.com`: 550 5.1.1 <db@example.com>: no such mailbox"), "\(run.stdout)")
    // What begins with 5 is not tried again.
    #expect(server.connections == 1)
    #expect(server.mails.isEmpty)
  }

  @Test func whatWillPassIsTriedAgainUnderTheSameName() async throws {
    var ways = SMTPServer.Ways()
    ways.answers[.rcpt] = "450 4.2.0 busy"
    let server = try SMTPServer(ways)
    let place = try Workplace()
    let text = Self.text("none")
    try place.write("a.yaml", text.replacing("    with:", with: "    retry: {attempts: 2, delay: 1ms}\n    with:"))
    let run = try await place.run(
      ["run", "a.yaml", "--input", "port=\(server.port)"], ["MAIL_PASSWORD": "mail-secret-7"])
    #expect(run.code == 1, "\(run.stdout)\(run.stderr)")
    #expect(server.connections == 2)
  }

  /// The final dot has been answered by silence: the mail may have arrived, and comes again with the same name.
  @Test func aMailThatMayHaveArrivedComesAgainWithTheSameMessageID() async throws {
    var ways = SMTPServer.Ways()
    ways.cutsAt = .dot
    let server = try SMTPServer(ways)
    let place = try Workplace()
    let text = Self.text("none")
    try place.write("a.yaml", text.replacing("    with:", with: "    retry: {attempts: 2, delay: 1ms}\n    with:"))
    let run = try await place.run(
      ["run", "a.yaml", "--input", "port=\(server.port)"], ["MAIL_PASSWORD": "mail-secret-7"])
    #expect(run.code == 1, "\(run.stdout)\(run.stderr)")
    let ids = server.mails.map { $0.header("Message-ID") }
    #expect(ids.count == 2 && ids[0] == ids[1] && ids[0]?.contains(".tell@") == true, "\(ids)")
  }

  @Test func aSimulationSendsNoMail() async throws {
    let server = try SMTPServer()
    let place = try Workplace()
    try place.write("a.yaml", Self.text("none"))
    let run = try await place.run("run", "--simulate", "a.yaml", "--input", "port=\(server.port)")
    #expect(run.code == 0, "\(run.stdout)\(run.stderr)")
    #expect(server.connections == 0)
  }

  @Test func aServerThatHangsEndsWithItsStepsTime() async throws {
    var ways = SMTPServer.Ways()
    ways.hangsAt = .data
    let server = try SMTPServer(ways)
    let place = try Workplace()
    try place.write("a.yaml", Self.text("none").replacing("    with:", with: "    timeout: 1s\n    with:"))
    let run = try await place.run(
      ["run", "a.yaml", "--input", "port=\(server.port)"], ["MAIL_PASSWORD": "mail-secret-7"])
    #expect(run.code == 1, "\(run.stdout)\(run.stderr)")
    #expect(run.stdout.contains("tell … failed"), "\(run.stdout)")
  }

  @Test(
    arguments: [
      ("host: localhost", "host: mail/x", "`host` is `mail/x`"),
      ("from: Runbook <runbook@example.com>", "from: Runbook", "an address, or `Name <address>`"),
      (#"subject: "${{ run.name }}: ${{ run.outcome }}""#, #"subject: "a\nb""#, "one line"),
    ])
  func aFieldThatCannotBeRightDoesNotLoad(_ line: String, _ other: String, _ told: String) async throws {
    let place = try Workplace()
    try #require(Self.text("none").contains(line))
    try place.write("a.yaml", Self.text("none").replacing(line, with: other))
    let checked = try await place.run("validate", "a.yaml")
    #expect(checked.code == 2)
    #expect(checked.stderr.contains(told), "\(checked.stderr)")
  }

  @Test(
    arguments: [
      ("starttls", "user: ops", "a `user` logs in with a `password`"),
      ("none", "channel: x", "`notify.mail` has no field `channel`"),
      ("ssl", "", "`tls` must be"),
    ])
  func whatHasNoEffectOrIsNotWholeDoesNotLoad(_ security: String, _ more: String, _ told: String) async throws {
    let place = try Workplace()
    try place.write("a.yaml", Self.text(security, more))
    let checked = try await place.run("validate", "a.yaml")
    #expect(checked.code == 2)
    #expect(checked.stderr.contains(told), "\(checked.stderr)")
  }
}
