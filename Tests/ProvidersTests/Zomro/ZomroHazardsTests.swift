import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// What Zomro's servers refuse, and what is sent in the words of its documents.
@Suite(.serialized) struct ZomroHazardsTests {
  private static let with: [String: Value] = [
    "name": "a", "image": "Debian 12", "password": .secret(Secret("Rescue1word", named: ["p"])),
  ]

  // MARK: Refusals for the server's state

  static let refusing = ["rescued", "booted_from_iso", "resized", "suspended", "error", "stopped"]
  static let actions = [
    "server.stop", "server.start", "server.reboot", "snapshot.create", "backup.create", "zomro.change_password",
  ]

  /// From `rescued` and its like nothing but the way out is possible: refused, nothing done, the state named.
  @Test(arguments: actions, refusing)
  func aStateThatRefusesIsNamedAndNothingIsDone(action: String, status: String) async throws {
    let works =
      status == "stopped"
      ? ["server.start", "server.stop", "snapshot.create", "backup.create"] : []
    guard !works.contains(action) else { return }
    let (fixture, twin) = try ZomroFixture.twin()
    twin.setStatus(ofServer: ZomroFixture.server, status)
    let failure = try await fixture.failure(action, Self.with, attempts: 3)
    #expect(failure.kind == .conflict)
    #expect(!failure.retryable)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.message.contains("`\(status)`"), "\(failure.message)")
    #expect(twin.ledger.isEmpty)
    #expect(twin.requests.count { $0 == action } <= 1)
  }

  /// While an image is taken the server takes no other change: asked again until it does, and done once.
  @Test(arguments: ["server.stop", "server.reboot", "backup.create", "rescue.enter", "zomro.change_password"])
  func aServerThatUploadsIsAskedAgain(action: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    let first = try fixture.driver("snapshot.create")
    _ = try await first.action.perform(fixture.intended(first, ["name": "first"]))
    #expect(twin.status(ofServer: ZomroFixture.server) == "image_uploading")
    let failure = try await fixture.failure(action, Self.with, attempts: 1)
    #expect(failure.kind == .conflict)
    #expect(failure.retryable)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.message.contains("`image_uploading`"), "\(failure.message)")
    let earlier = twin.ledger.count
    try await fixture.run(action, Self.with, attempts: 10_000, key: "again")
    #expect(twin.ledger.count - earlier == 1)
  }

  /// Somebody else, or an earlier request that came late, brought the server there between the look and the request.
  @Test(arguments: [
    ("server.stop", "service.stop", "active", "stopped"), ("server.stop", "service.stop", "active", "stopping"),
    ("server.start", "service.start", "stopped", "active"), ("server.start", "service.start", "stopped", "starting"),
    ("rescue.enter", "instances.fleio.rescue", "active", "rescued"),
    ("rescue.enter", "instances.fleio.rescue", "active", "rescuing"),
    ("zomro.boot_iso", "instances.fleio.boot_from_iso", "active", "booted_from_iso"),
    ("rescue.exit", "instances.fleio.unrescue", "rescued", "active"),
    ("rescue.exit", "instances.fleio.unrescue", "rescued", "unrescuing"),
  ])
  func aRefusalByAServerThatIsThereAlreadyIsSuccess(
    action: String, function: String, before: String, after: String
  ) async throws {
    let isSent = Box(false)
    let wire = ZomroWire { asked, form in
      switch asked {
      case "instances": return ZomroWire.list(ZomroWire.server(isSent.value ? after : before))
      case function where form["sok"] == nil && (function.hasSuffix("rescue") || function.hasSuffix("iso")):
        guard function != "instances.fleio.unrescue" else { break }
        let list = function.hasSuffix("iso") ? "select_boot_from_iso" : "select_boot"
        return ZomroWire.doc(#""slist":{"$name":"\#(list)","val":[{"$depend":"pub","$key":"u","$":"Debian 12"}]}"#)
      default: break
      }
      guard asked == function else { return nil }
      isSent.value = true
      return ZomroWire.error("fleio_error", after.hasSuffix("ing") ? "runningoperation" : "state", "not now")
    }
    let fixture = try ZomroFixture(wire)
    let driver = try fixture.driver(action)
    let result = try await driver.action.perform(fixture.intended(driver, Self.with))
    #expect(result.outputs["state"] != nil)
    #expect(isSent.value)
  }

  /// A restart that is refused is a failure: that the server runs does not tell that it was restarted.
  @Test func aRefusedRestartIsAFailure() async throws {
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server("active"))
      case "service.reboot": ZomroWire.error("fleio_error", "state", "not now")
      default: nil
      }
    }
    let failure = try await ZomroFixture(wire).failure("server.reboot")
    #expect(failure.kind == .conflict)
    #expect(failure.effect == StepFailure.Effect.none)
  }

  /// The image does not fit the disk: Fleio's own words, passed through as JSON in either place.
  @Test(arguments: [true, false])
  func anImageThatDoesNotFitIsRefusedInFleiosWords(inObject: Bool) async throws {
    let words = #"{"image":["The image needs 40 GB of disk; the server has 20."]}"#
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps": ZomroWire.list(ZomroWire.image("9"))
      case "instances.fleio.rebuild":
        inObject ? ZomroWire.error("fleio_error", words) : ZomroWire.error("fleio_error", nil, words)
      default: nil
      }
    }
    let failure = try await ZomroFixture(wire).failure("backup.restore", ["backup": "9"], attempts: 3)
    #expect(failure.message.contains("image: The image needs 40 GB of disk; the server has 20."), "\(failure.message)")
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(!failure.retryable)
    #expect(wire.count("instances.fleio.rebuild") == 1)
  }

  // MARK: Deleting

  /// Gone between the look and the request: `missed` says so, and that is the end that was asked for.
  @Test(arguments: ["elid", "elname"])
  func whatIsMissedByADeleteIsDeleted(object: String) async throws {
    let isGone = Box(false)
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": return ZomroWire.list(ZomroWire.server())
      case "instances.fleio_bckps": return isGone.value ? ZomroWire.list() : ZomroWire.list(ZomroWire.image("9"))
      case "image.delete":
        isGone.value = true
        return ZomroWire.error("missed", object)
      default: return nil
      }
    }
    try await ZomroFixture(wire).run("backup.delete", ["backup": "9"], attempts: 1)
    #expect(wire.count("image.delete") == 1)
  }

  // MARK: In the words of the documents

  /// One document's table says `plid` for the list, its sample and the panel `elid`; a delete carries all three ids.
  @Test func listsAndDeletesCarryTheDocumentedIDs() async throws {
    let isGone = Box(false)
    let wire = ZomroWire { function, _ in
      switch function {
      case "instances": return ZomroWire.list(ZomroWire.server())
      case "instances.snapshots", "instances.fleio_bckps":
        return isGone.value ? ZomroWire.list() : ZomroWire.list(ZomroWire.image("9"))
      case "image.delete":
        isGone.value = true
        return ZomroWire.doc(#""ok":{}"#)
      default: return nil
      }
    }
    let fixture = try ZomroFixture(wire)
    for word in ["backup", "snapshot"] {
      isGone.value = false
      try await fixture.run("\(word).delete", [word: "9"], key: word)
      let list = try #require(wire.last(word == "backup" ? "instances.fleio_bckps" : "instances.snapshots"))
      #expect(list["elid"] == ZomroFixture.server)
      #expect(list["plid"] == nil)
      let sent = try #require(wire.last("image.delete"))
      #expect(sent["elid"] == "9" && sent["elname"] == "9" && sent["plid"] == ZomroFixture.server)
      #expect(sent["sok"] == "ok")
    }
  }

  /// A rescue names its image in `select_boot`, whatever half of its document says; a boot from ISO in its own field.
  @Test(arguments: [
    ("rescue.enter", "instances.fleio.rescue", "select_boot"),
    ("zomro.boot_iso", "instances.fleio.boot_from_iso", "select_boot_from_iso"),
  ])
  func eachBootNamesItsImageInItsOwnField(action: String, function: String, field: String) async throws {
    let wire = ZomroWire { asked, form in
      if asked == "instances" { return ZomroWire.list(ZomroWire.server()) }
      guard asked == function else { return nil }
      return form["sok"] == "ok"
        ? ZomroWire.doc(#""ok":{}"#)
        : ZomroWire.doc(#""slist":{"$name":"\#(field)","val":{"$depend":"own","$key":"u","$":"Debian 12"}}"#)
    }
    let fixture = try ZomroFixture(wire)
    let driver = try fixture.driver(action)
    _ = try await driver.action.perform(fixture.intended(driver, Self.with))
    let sent = try #require(wire.last(function))
    #expect(sent.keys.filter { $0.hasPrefix("select_") } == [field])
    #expect(sent[field] == "u" && sent["zone"] == "own" && sent["sok"] == "ok")
    let preview = try #require(wire.seen.first { $0["func"] == function })
    #expect(preview["sok"] == nil && preview[field] == nil)
  }

  /// Functions without a form take effect at once, and are sent no `sok`.
  @Test(arguments: [("server.stop", "service.stop", "active"), ("rescue.exit", "instances.fleio.unrescue", "rescued")])
  func whatHasNoFormIsSentWithoutACommit(action: String, function: String, status: String) async throws {
    let wire = ZomroWire { asked, _ in
      asked == "instances"
        ? ZomroWire.list(ZomroWire.server(status)) : asked == function ? ZomroWire.doc(#""ok":{}"#) : nil
    }
    let fixture = try ZomroFixture(wire)
    let driver = try fixture.driver(action)
    let reports = Box<[String]>([])
    _ = try await driver.action.perform(fixture.intended(driver, ["mode": "hard"], reports: reports))
    let sent = try #require(wire.last(function))
    #expect(sent["sok"] == nil && sent["elid"] == ZomroFixture.server)
    if action == "server.stop" { #expect(reports.value.contains { $0.contains("one way to stop") }) }
  }
}
