import ZomroCloud
import Runbook
import Simulator
import TestSupport
import Testing

/// Rescue, passwords, and calls that the vocabulary does not have.
struct ZomroOwnActionsTests {
  private static let good = "Rescue1word"

  @Test func everyDeclaredActionIsBound() throws {
    let provider = try ZomroFixture(ZomroWire(200, "{}")).provider
    let actions = ZomroProvider().actions
    #expect(actions.count > 30)
    #expect(Set(actions.map { $0.name }).count == actions.count)
    for declaration in actions {
      let action = try #require(provider.action(declaration.name), "`\(declaration.name)` is not bound")
      #expect(action.declaration.name == declaration.name)
      #expect(action.declaration.operation != nil)
    }
    #expect(provider.action("zomro.none") == nil)
  }

  // MARK: Rescue

  /// A Zomro that offers these images to boot from.
  private static func offering(_ values: String) -> ZomroWire {
    ZomroWire { function, form in
      switch function {
      case "instances": ZomroWire.list(ZomroWire.server())
      case "instances.fleio.rescue":
        form["sok"] == "ok"
          ? ZomroWire.doc(#""ok":{}"#) : ZomroWire.doc(#""slist":{"$name":"select_boot","val":[\#(values)]}"#)
      default: nil
      }
    }
  }

  private static let offer = """
    {"$depend":"pub","$key":"uuid-1","$":"Debian 12"},{"$depend":"own","$name":"foo","$key":"uuid-2","$":"Centos 9"},
    {"$depend":"shr","$name":"twice","$key":"uuid-3","$":"x"},{"$depend":"own","$name":"twice","$key":"uuid-4","$":"y"},
    {"$depend":"own","$key":"null","$":"none"}
    """

  private func entered(_ image: String, _ wire: ZomroWire) async throws -> StepFailure? {
    let fixture = try ZomroFixture(wire)
    let driver = try fixture.driver("rescue.enter")
    let with: [String: Value] = ["image": .string(image), "password": .secret(Secret(Self.good, named: ["p"]))]
    do { _ = try await driver.action.perform(fixture.intended(driver, with)) } catch { return error }
    return nil
  }

  @Test(arguments: [
    ("uuid-1", "uuid-1", "pub"), ("Debian 12", "uuid-1", "pub"), ("foo", "uuid-2", "own"), ("uuid-3", "uuid-3", "shr"),
    ("uuid-4", "uuid-4", "own"),
  ])
  func theImageIsNamedAndItsZoneComesFromTheReply(image: String, key: String, zone: String) async throws {
    let wire = Self.offering(Self.offer)
    #expect(try await entered(image, wire) == nil)
    let sent = try #require(wire.last("instances.fleio.rescue"))
    #expect(sent["select_boot"] == key)
    #expect(sent["zone"] == zone)
    #expect(sent["password"] == Self.good)
    #expect(sent["elid"] == ZomroFixture.server)
    #expect(sent["out"] == "json")
    #expect(sent["lang"] == "en")
  }

  @Test(
    arguments: [
      ("twice", .conflict, "uuid-3, uuid-4"), ("Debian 13", .notFound, "Debian 12, foo"), ("null", .notFound, "offers"),
      ("Debian", .notFound, "offers"),
    ] as [(String, StepFailure.Kind, String)])
  func anImageThatIsNotOneIsRefused(image: String, kind: StepFailure.Kind, words: String) async throws {
    let wire = Self.offering(Self.offer)
    let failure = try #require(try await entered(image, wire))
    #expect(failure.kind == kind)
    #expect(failure.effect == StepFailure.Effect.none)
    #expect(failure.message.contains(words), "\(failure.message)")
    #expect(wire.seen.allSatisfy { $0["func"] != "instances.fleio.rescue" || $0["sok"] == nil })
    let fixture = try ZomroFixture(wire)
    #expect(try await fixture.problems("rescue.enter", ["image": .string(image)]).count == 1)
    #expect(try await fixture.problems("rescue.enter", ["image": "foo"]) == [])
  }

  @Test func nothingIsOfferedWhereThereIsNothing() async throws {
    let failure = try #require(try await entered("foo", Self.offering("")))
    #expect(failure.message.contains("offers nothing"))
  }

  @Test func rescueImagesAreListed() async throws {
    let images = try await ZomroFixture(Self.offering(Self.offer)).run("rescue.images")["images"]?.list
    #expect(images?.compactMap { $0["name"]?.string } == ["Debian 12", "foo", "twice", "twice"])
    #expect(images?.compactMap { $0["scope"]?.string } == ["pub", "own", "shr", "own"])
  }

  @Test func rescueIsEnteredAndLeft() async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    try await fixture.run("server.stop", key: "stop")
    let driver = try fixture.driver("rescue.enter")
    let reports = Box<[String]>([])
    _ = try await driver.action.perform(fixture.intended(driver, ["image": "Debian 12"], reports: reports))
    #expect(reports.value.contains { $0.contains("no `password`") })
    await fixture.clock.sleep(for: .seconds(200))
    #expect(try await fixture.run("rescue.enter", ["image": "Debian 12"])["state"] == "rescue")
    #expect(twin.effects("rescue.enter") == 1)
    let refused = try await fixture.failure("server.stop")
    #expect(refused.kind == .conflict)
    #expect(refused.effect == StepFailure.Effect.none)
    #expect(refused.message.contains("`rescued`"))
    #expect(try await fixture.run("rescue.exit")["state"] == "running")
    #expect(try await fixture.run("rescue.exit", key: "again")["state"] == "running")
    #expect(twin.effects("rescue.exit") == 1)
    try await fixture.run("server.stop", key: "stop-2")
    #expect(try await fixture.failure("rescue.exit").kind == .conflict)
  }

  /// While it is on its way out there is nothing to ask for again.
  @Test func leavingRescueTwiceIsLeavingItOnce() async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    twin.setStatus(ofServer: ZomroFixture.server, "rescued")
    let driver = try fixture.driver("rescue.exit")
    _ = try await driver.action.perform(fixture.intended(driver))
    #expect(try await fixture.run("rescue.exit", attempts: 1)["state"] == "running")
    #expect(twin.effects("rescue.exit") == 1)
  }

  @Test func aServerThatIsGoneIsNotFound() async throws {
    let gone = ZomroWire { function, _ in
      function == "instances"
        ? ZomroWire.doc(#""elem":{"id":{"$":"5203773"},"item_status":{"$orig":"4","$":"Deleted"}}"#) : nil
    }
    for action in ["server.status", "server.stop", "rescue.exit"] {
      #expect(try await ZomroFixture(gone).failure(action).kind == .notFound)
      let (fixture, _) = try ZomroFixture.twin()
      #expect(try await fixture.failure(action, ["server": "999"]).kind == .notFound)
      #expect(try await fixture.failure(action, ["server": ".."]).kind == .input)
    }
  }

  // MARK: Passwords

  static let bad = [
    "", "Short1a", "alllower1", "ALLUPPER1", "NoDigitsHere", "With space1", "Quote\"1aaa", "Hash#1aaaa", "Perc%1aaaa",
    "Amp&1aaaaa", "Ünicode1aaa", "Tab\t1aaaaa", String(repeating: "aA1", count: 17),
  ]

  @Test(arguments: bad)
  func aPasswordThatCannotBeIsNotSent(password: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    let secret = Value.secret(Secret(password, named: ["p"]))
    for (action, with) in [
      ("zomro.change_password", [:]), ("rescue.enter", ["image": "Debian 12"]),
      ("zomro.rebuild", ["image": "Debian 12"]),
    ] as [(String, [String: Value])] where !password.isEmpty || action == "zomro.change_password" {
      let failure = try await fixture.failure(action, with.merging(["password": secret]) { given, _ in given })
      #expect(failure.kind == .input, "\(action)")
      #expect(failure.effect == StepFailure.Effect.none)
      #expect(failure.message.contains("`password`"))
      if !password.isEmpty { #expect(!failure.message.contains(password)) }
    }
    #expect(twin.ledger.isEmpty)
  }

  @Test(arguments: ["Abcdefg1", String(repeating: "aA1-", count: 12)])
  func aPasswordThatCanBeIsSent(password: String) async throws {
    let (fixture, twin) = try ZomroFixture.twin()
    _ = try await fixture.run("zomro.change_password", ["password": .secret(Secret(password, named: ["p"]))])
    #expect(twin.effects("server.password") == 1)
  }

  // MARK: zomro.call

  @Test(arguments: ["func", "auth", "authinfo", "out", "lang", "sok"])
  func whatTheClientSetsIsRefused(name: String) async throws {
    let wire = ZomroWire(200, #"{"doc":{}}"#)
    for value in ["x", .secret(Secret("x", named: ["p"]))] as [Value] {
      let failure = try await ZomroFixture(wire).failure(
        "zomro.call", ["func": "instances.edit", "params": .map([name: value])])
      #expect(failure.kind == .input)
      #expect(failure.message.contains("`\(name)`"))
    }
    #expect(wire.requests == [])
  }

  @Test(arguments: ["", "a b", "a\nb", "функция", String(repeating: "a", count: 101)])
  func aFunctionThatIsNoneIsRefused(name: String) async throws {
    let wire = ZomroWire(200, #"{"doc":{}}"#)
    #expect(try await ZomroFixture(wire).failure("zomro.call", ["func": .string(name)]).kind == .input)
    #expect(wire.requests == [])
  }

  @Test func aCallSendsWhatIsAskedAndHidesItsSecrets() async throws {
    let wire = ZomroWire { function, form in
      let echo = form.sorted { $0.key < $1.key }.map { name, value -> Value in
        .map(["$name": .string(name), "$": .string(value), value: "a key"])
      }
      return function == "sshkeys.edit"
        ? ScriptedSystem.reply(200, JSONWriter.text(["doc": ["tparams": .list(echo)]])) : nil
    }
    let fixture = try ZomroFixture(wire)
    let parameters: Value = ["comment": "a&b=c", "elid": 7, "key": .secret(Secret("Param1word", named: ["p"]))]
    let outputs = try await fixture.run("zomro.call", ["func": "sshkeys.edit", "params": parameters, "commit": true])
    let sent = try #require(wire.last("sshkeys.edit"))
    #expect(sent["comment"] == "a&b=c")
    #expect(sent["elid"] == "7")
    #expect(sent["key"] == "Param1word")
    #expect(sent["sok"] == "ok")
    let shown = "\(outputs)"
    #expect(shown.contains("a&b=c"))
    for secret in ["Param1word", "5e5510n0000", ZomroFixture.word] { #expect(!shown.contains(secret)) }
    try await fixture.run("zomro.call", ["func": "sshkeys.edit"], key: "b")
    #expect(wire.last("sshkeys.edit")?["sok"] == nil)
  }

  @Test func aRefusedCallFails() async throws {
    let wire = ZomroWire { function, _ in function == "basket" ? ZomroWire.error("promocode_not_use") : nil }
    let fixture = try ZomroFixture(wire)
    let driver = try fixture.driver("zomro.call")
    #expect(driver.action.declaration.effectClass == .opaque)
    let failure = await #expect(throws: StepFailure.self) {
      try await driver.action.perform(fixture.intended(driver, ["func": "basket"]))
    }
    #expect(failure?.effect == .unknown)
    #expect(failure?.retryable == false)
  }
}
