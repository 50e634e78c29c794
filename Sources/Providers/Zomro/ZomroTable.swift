import ProviderKit
import Runbook

/// Every action of Zomro: how it is declared, what is sent for it, how a lost call is found again, how it is bound.
extension ZomroProvider {
  /// An action with how it is bound to an account.
  typealias Row = CloudRow<ZomroClient>

  static let table: [Row] = servers + rescue + items(.snapshot) + items(.backup) + images + schedules + [raw]

  private static let life = "`max_request_life`, default 90s"
  private static let stateIsRead = "the state is read; sent again if it is not changing as wanted"

  private static let servers: [Row] = [
    Row(ServerVocabulary.status(), Operation("instances", evidence: .found)) {
      ServerStatus(cloud: $0, declaration: $1)
    },
    Row(ServerVocabulary.list(), Operation("instances", evidence: .found)) { ServerList(cloud: $0, declaration: $1) },
    Row(ServerVocabulary.find(), Operation("instances", evidence: .found)) { ServerFind(cloud: $0, declaration: $1) },
    Row(
      ServerVocabulary.stop(within: .seconds(900)),
      Operation(
        "service.stop", recovery: stateIsRead, needs: [.running, .stopped], leaves: .becomes(.stopped),
        evidence: .found,
        note: "the same for every `mode`: Zomro asks the guest, and cuts its power if it does not answer")
    ) { ZomroPower(cloud: $0, verb: .stop, declaration: $1) },
    Row(
      ServerVocabulary.start(within: .seconds(900)),
      Operation(
        "service.start", recovery: stateIsRead, needs: [.running, .stopped], leaves: .becomes(.running),
        evidence: .found)
    ) { ZomroPower(cloud: $0, verb: .start, declaration: $1) },
    Row(
      ServerVocabulary.reboot(within: .seconds(900), class: .opaque),
      Operation(
        "service.reboot", recovery: "by `rebooting`, while it lasts; else a person is asked", needs: [.running],
        leaves: .becomes(.running), evidence: .found)
    ) { ZomroPower(cloud: $0, verb: .reboot, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.change_password", "set the password of a running server's administrator",
        fields: [ServerVocabulary.server, password(required: true, "of the administrator")], effect: .change,
        class: .convergent, suggestedUndo: "irreversible", serverField: "server"),
      Operation(
        "instances.fleio.changepassword", recovery: "sent again; the same password is the same end", needs: [.running],
        evidence: .found)
    ) { ZomroChangePassword(cloud: $0, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.rebuild", "overwrite a server with any image, and wait until it is back",
        fields: [
          ServerVocabulary.server,
          Field("image", .string, required: true, help: "id or whole name of an image that Zomro offers"),
          password(required: false, "of the new system's administrator"),
          Field(
            "power", .choice(PowerAfterRestore.allCases.map { $0.rawValue }), default: "same",
            help: "the state of the server afterwards: `running`, `stopped`, or the `same` as before; default `same`"),
        ], outputs: ["state": .string], effect: .destroy, class: .findable,
        wait: WaitDefaults(
          until: "rebuilt, power as asked", failsOn: "error, suspended, absent", timeout: .seconds(3600)),
        suggestedUndo: "irreversible", before: ServerVocabulary.before, serverField: "server"),
      rebuild("instances.fleio.rebuild, the zone taken from its form")
    ) { ZomroRebuild(cloud: $0, source: .image, declaration: $1) },
  ]

  private static let rescue: [Row] = [
    Row(rescueImages, Operation("instances.fleio.rescue without sok")) {
      ZomroRescueImages(cloud: $0, declaration: $1)
    },
    Row(
      RescueVocabulary.enter(
        password: "of the rescue system: \(ZomroPassword.rule); without it the system can hardly be entered",
        within: .seconds(1800), class: .convergent
      ).adding(zone),
      Operation(
        "instances.fleio.rescue", recovery: stateIsRead, needs: [.running, .stopped, .rescue],
        leaves: .becomes(.rescue), note: "the zone comes from the form; Windows images ignore the password")
    ) { ZomroBoot(cloud: $0, source: .rescue, declaration: $1) },
    Row(
      RescueVocabulary.exit(within: .seconds(1800), class: .convergent),
      Operation(
        "instances.fleio.unrescue", recovery: stateIsRead, needs: [.rescue, .running], leaves: .becomes(.running),
        note: "the server runs afterwards, even if it was stopped before")
    ) { ZomroUnrescue(cloud: $0, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.boot_iso", "boot a server from an ISO image and wait until it is there",
        fields: [
          ServerVocabulary.server,
          Field("image", .string, required: true, help: "id or whole name of an ISO image that Zomro offers"), zone,
        ], outputs: ["state": .string], effect: .change, class: .convergent,
        wait: WaitDefaults(until: "booted_from_iso", failsOn: "error, suspended, absent", timeout: .seconds(1800)),
        suggestedUndo: "{action: zomro.eject_iso}", before: ServerVocabulary.before, serverField: "server"),
      Operation(
        "instances.fleio.boot_from_iso", recovery: stateIsRead, needs: [.running, .stopped, .rescue],
        leaves: .becomes(.rescue), evidence: .found)
    ) { ZomroBoot(cloud: $0, source: .iso, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.eject_iso", "boot a server from its own disk again after `zomro.boot_iso`",
        fields: [ServerVocabulary.server], outputs: ["state": .string], effect: .change, class: .convergent,
        wait: WaitDefaults(until: "running", failsOn: "error, suspended, absent", timeout: .seconds(1800)),
        suggestedUndo: "none", before: ServerVocabulary.before, serverField: "server"),
      Operation(
        "instances.fleio.unrescue", recovery: stateIsRead, needs: [.rescue, .running], leaves: .becomes(.running),
        evidence: .found)
    ) { ZomroUnrescue(cloud: $0, declaration: $1) },
  ]

  private static let zone = Field(
    "zone", .string, help: "only an image of this zone: `pub` (everybody's) or `own` (the account's); default: any")

  /// `os` is the name of the system, which an image of one's own has beside its name.
  private static var rescueImages: ActionDeclaration {
    var declaration = RescueVocabulary.images(details: ["os": .string])
    declaration.outputs["zones"] = .list(.string)
    return declaration
  }

  private static func rebuild(_ request: String) -> Operation {
    Operation(
      request, recovery: "by `rebuilding`, while it lasts; seen too late, a person is asked", absence: life,
      needs: [.running, .stopped, .rescue], leaves: .asAsked, evidence: .found,
      note: "a server in rescue, where Zomro refuses it, is brought out of it first")
  }

  private static func items(_ kind: ItemKind) -> [Row] {
    let words = ItemVocabulary(word: kind.rawValue, details: ZomroDetails.facts)
    let evidence: Operation.Evidence = kind == .backup ? .documented : .found
    let list = Operation(kind.zomroList, evidence: evidence)
    let delete = Operation("image.delete", recovery: "sent again; `missed` counts as deleted", evidence: evidence)
    let filters =
      kind == .backup
      ? [
        Field("type", .choice(["manual", "automatic"]), help: "only those made by hand, or by schedule; default: both")
      ]
      : []
    return [
      Row(
        words.create(name: ZomroItemCreate.name, within: .seconds(2 * 3600), class: .findable),
        Operation(
          kind == .backup ? "instances.fleio_bckps.edit" : "instances.snapshots.edit",
          recovery: "its name, among the new ones", absence: life, needs: [.running, .stopped],
          evidence: evidence, note: "the server is busy meanwhile; `description` has no place at Zomro")
      ) { ZomroItemCreate(cloud: $0, kind: kind, declaration: $1) },
      Row(words.list(further: filters), list) { ItemList(cloud: $0, kind: kind, declaration: $1) },
      Row(words.find(further: filters), list) { ItemFind(cloud: $0, kind: kind, declaration: $1) },
      Row(
        words.restore(within: .seconds(2 * 3600), class: .findable),
        rebuild("instances.fleio.rebuild zone=own, the item's fleio_id")
      ) { ZomroRebuild(cloud: $0, source: .item(kind), declaration: $1) },
      Row(words.prune(within: .seconds(900)), delete) { ItemPrune(cloud: $0, kind: kind, declaration: $1) },
      Row(words.delete(within: .seconds(900)), delete) {
        ItemDelete(cloud: $0, kind: kind, listsAccount: false, declaration: $1)
      },
    ]
  }

  private static let image = Field("image", .string, required: true, help: "id of the image (not its UUID)")

  private static let images: [Row] = [
    Row(
      ActionDeclaration(
        "zomro.images", "list the account's own images", fields: [],
        outputs: ["images": .list(.object(ZomroImageList.facts))], effect: .none, class: .convergent),
      Operation("image", evidence: .found)
    ) { ZomroImageList(cloud: $0, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.image_edit", "rename an image, a backup or a snapshot, or protect it from being deleted",
        fields: [
          image, Field("name", .string, pattern: "^[^\\x00-\\x1f]{1,100}$", help: "default: as it is"),
          Field("protected", .bool, help: "whether it cannot be deleted; default: as it is"),
        ], effect: .change, class: .convergent, suggestedUndo: "none"),
      Operation("image.edit", recovery: "its form is read; sent again if it differs", evidence: .found)
    ) { ZomroImageEdit(cloud: $0, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.image_copy", "copy an image to another region and wait until it is there",
        fields: [
          image, Field("name", .string, required: true, pattern: "^[^\\x00-\\x1f]{1,100}$", help: "of the copy"),
          Field("region", .string, required: true, help: "key or name of a region that Zomro offers"),
        ], outputs: ItemVocabulary(word: "image", details: ZomroDetails.facts).facts, effect: .change,
        class: .findable,
        wait: WaitDefaults(until: "ready", failsOn: "failed, absent", timeout: .seconds(2 * 3600)),
        suggestedUndo: "{action: zomro.image_delete, with: {image: \"${{ self.outputs.id }}\"}}",
        before: ["matching": .list(.string)]),
      Operation(
        "image.copy", recovery: "its name, among the new ones", absence: life, evidence: .found)
    ) { ZomroImageCopy(cloud: $0, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.image_delete", "delete an image of the account for good; one that is gone counts as deleted",
        fields: [image], effect: .destroy, class: .convergent,
        wait: WaitDefaults(until: "absent", failsOn: "–", timeout: .seconds(900)), suggestedUndo: "irreversible",
        before: ["exists": .bool]
      ).changing(.mayFree),
      Operation("image.delete", recovery: "sent again; `missed` counts as deleted")
    ) { ZomroImageDelete(cloud: $0, declaration: $1) },
  ]

  private static let schedules: [Row] = [
    Row(
      ActionDeclaration(
        "zomro.schedule_list", "list when Zomro takes backups of a server by itself",
        fields: [ServerVocabulary.server], outputs: ["schedules": .list(.object(ZomroSchedule.facts))], effect: .none,
        class: .convergent),
      Operation("instances.fleio_bckps.schedule", evidence: .found)
    ) { ZomroScheduleList(cloud: $0, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.schedule_create", "have Zomro take backups of a server by itself",
        fields: [
          ServerVocabulary.server,
          Field("name", .string, required: true, help: "of the schedule, unique on the server"),
          Field(
            "days", .string, required: true, pattern: "^[0-6](,[0-6])*$",
            help: "days of the week, `0` being Sunday: `1,3,5`"),
          Field(
            "time", .string, required: true, pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$",
            help: "`HH:MM`; the panel calls it GMT+3"),
        ], outputs: ZomroSchedule.facts, effect: .change, class: .findable,
        suggestedUndo: "{action: zomro.schedule_delete, with: {schedule: \"${{ self.outputs.id }}\"}}",
        before: ["matching": .list(.string)], serverField: "server"),
      Operation(
        "instances.fleio_bckps.schedule.edit", recovery: "its name, which was free before", absence: life,
        evidence: .found)
    ) { ZomroScheduleCreate(cloud: $0, declaration: $1) },
    Row(
      ActionDeclaration(
        "zomro.schedule_delete", "end a schedule; one that is gone counts as ended",
        fields: [ServerVocabulary.server, Field("schedule", .string, required: true, help: "id of the schedule")],
        effect: .destroy, class: .convergent, suggestedUndo: "irreversible", serverField: "server"),
      Operation(
        "instances.fleio_bckps.schedule.delete", recovery: "the list is read; sent again if it is there",
        evidence: .found)
    ) { ZomroScheduleDelete(cloud: $0, declaration: $1) },
  ]

  private static let raw = Row(
    ActionDeclaration(
      "zomro.call", "make any call of the Zomro API; fails on `doc.error`",
      fields: [
        Field("func", .string, required: true, help: "the function: `instances.edit`"),
        Field("params", .map, acceptsSecret: true, help: "its parameters, without `func auth authinfo out lang sok`"),
        Field("commit", .bool, default: false, help: "`true` sends `sok=ok`; default `false`"),
      ], outputs: ZomroRawCall.result, effect: .change, class: .opaque, suggestedUndo: "none",
      result: ZomroRawCall.result
    ).changing(.mayFree),
    Operation("any", recovery: "never repeated, unless `idempotent: true`", leaves: .unknown)
  ) { ZomroRawCall(cloud: $0, declaration: $1) }

  private static func password(required: Bool, _ whose: String) -> Field {
    Field("password", .string, required: required, acceptsSecret: true, help: "\(whose): \(ZomroPassword.rule)")
  }
}
