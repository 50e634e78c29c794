import Runbook

/// Images to boot or to rebuild from, as the previews offer them.
extension ZomroWorld {
  struct PublicImage: Sendable {
    var id: String
    var name: String
    init(_ id: String, _ name: String) {
      self.id = id
      self.name = name
    }
  }

  /// In the documents' order.
  static let publicImages = [
    PublicImage("f8f2573f-56c4-44c5-8469-84eee4aa64e7", "Ubuntu 22.04"),
    PublicImage("0bf4deb2-855c-4863-8518-6006d804adbb", "Debian 10"),
    PublicImage("18d0ee2e-4d57-4f40-9b56-03c1773b5831", "AlmaLinux 8"),
    PublicImage("1d9dda4c-34b0-4304-a90a-8f3018722fa2", "Rocky-Linux-8"),
    PublicImage("2af0af94-0e6e-4ef3-8837-d41fdbfa3564", "Windows Server 2016"),
    PublicImage("3010ae60-0185-4021-98da-f50013147ebd", "Debian 11"),
    PublicImage("479c96f1-ccc6-47a2-952c-c9e3bbdc8d07", "Ubuntu 20.04"),
    PublicImage("5da4ad83-45f6-4c0e-9a7e-7a7c18b2be6c", "AlmaLinux 9"),
    PublicImage("7d7911e3-7178-4f36-a308-d841db5fe654", "CentOS Stream 9"),
    PublicImage("92fabac2-69cc-46ad-8439-c377e0c90632", "Ubuntu 23.04"),
    PublicImage("93878ba5-6b9e-4924-a4be-34edb623f808", "Debian 12"),
    PublicImage("a8b7bcb3-6698-4264-b413-f2b866a46a70", "Rocky-Linux-9"),
    PublicImage("b10434c0-d839-428f-a919-cac733fd6552", "Windows Server 2019"),
    PublicImage("bda2467e-e192-4e4e-becc-cda2e71b9767", "Windows Server 2022"),
  ]
  /// Offered to boot from, never for rescue.
  static let publicISOs = [
    PublicImage("5eed1500-0000-4000-8000-000000000001", "SystemRescue 11"),
    PublicImage("5eed1500-0000-4000-8000-000000000002", "Debian 12 netinst"),
  ]
  /// The account's key.
  static let key = PublicImage("5eed5500-0000-4000-8000-000000000001", "ops")

  /// Zones and images of a rescue: `pub` and the account's own images.
  func rescueChoices(_ style: ZomroTwinStyle) -> [Value] {
    [
      ZomroWorld.zones(["pub", "own"], style),
      style.choice("select_boot", ZomroWorld.publics(ZomroWorld.publicImages, "pub") + own([.image])),
    ]
  }

  func isoChoices(_ style: ZomroTwinStyle) -> [Value] {
    [
      ZomroWorld.zones(["pub", "own"], style),
      style.choice("select_boot_from_iso", ZomroWorld.publics(ZomroWorld.publicISOs, "pub") + own([])),
    ]
  }

  /// Here public images have the zone `image`, and backups and snapshots are among the account's own.
  func rebuildChoices(_ style: ZomroTwinStyle) -> [Value] {
    [
      ZomroWorld.zones(["image", "own"], style),
      style.choice(
        "select_rebuild", ZomroWorld.publics(ZomroWorld.publicImages, "image") + own([.backup, .snapshot, .image])),
      style.choice("ssh_keys", [["$key": .string(ZomroWorld.key.id), "$": .string(ZomroWorld.key.name)]]),
    ]
  }

  private static func zones(_ keys: [String], _ style: ZomroTwinStyle) -> Value {
    style.choice("zone", keys.map { ["$key": .string($0), "$": .string($0)] })
  }

  private static func publics(_ images: [PublicImage], _ zone: String) -> [Value] {
    images.map { ["$depend": .string(zone), "$key": .string($0.id), "$": .string($0.name)] }
  }

  /// A zone without an image has an entry that stands for none.
  private func own(_ kinds: Set<ImageKind>) -> [Value] {
    let mine = ownImages(kinds).map { image -> Value in
      [
        "$depend": "own", "$name": .string(image.name), "$key": .string(image.fleioID),
        "$": .string("\(image.osDistro) \(image.osVersion)"),
      ]
    }
    return mine.isEmpty ? [["$depend": "own", "$key": "null", "$": "-- none --"]] : mine
  }

  private func ownImages(_ kinds: Set<ImageKind>) -> [Image] {
    images.filter { kinds.contains($0.kind) && $0.status == "Active" && $0.region == ZomroWorld.home }
  }

  /// The image a rescue boots from.
  func checkRescueImage(_ form: ZomroTwinForm) throws(ZomroTwinRefusal) -> String {
    guard let id = form["select_boot"] else { throw .missed("select_boot") }
    guard let zone = form["zone"] else { throw .missed("zone") }
    switch zone {
    case "pub" where ZomroWorld.publicImages.contains { $0.id == id }: return id
    case "own" where ownImages([.image]).contains { $0.fleioID == id }: return id
    case "pub", "own": throw .value("select_boot", id)
    default: throw .value("zone", zone)
    }
  }

  func checkISO(_ form: ZomroTwinForm) throws(ZomroTwinRefusal) -> String {
    guard let id = form["select_boot_from_iso"] else { throw .missed("select_boot_from_iso") }
    guard let zone = form["zone"] else { throw .missed("zone") }
    guard zone == "pub" || zone == "own" else { throw .value("zone", zone) }
    guard zone == "pub", ZomroWorld.publicISOs.contains(where: { $0.id == id }) else {
      throw .value("select_boot_from_iso", id)
    }
    return id
  }
}
