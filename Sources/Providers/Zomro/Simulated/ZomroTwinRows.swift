import Runbook

/// Lines of lists and the fields of forms, as the documents show them.
extension ZomroWorld {
  /// Statuses in Russian, for those who do not ask for `lang=en`.
  private static let russian = [
    "active": "активен", "stopped": "остановлен", "rescued": "режим восстановления", "error": "ошибка",
    "booted_from_iso": "загружен с ISO", "suspended": "приостановлен", "resized": "размер изменен",
  ]

  func row(_ server: Server, _ style: ZomroTwinStyle) -> [String: Value] {
    let billing = ZomroWorld.billing(server)
    let status = ZomroWorld.russian[server.status] ?? "в обработке"
    return [
      "id": .zomro(server.id), "servername": .zomro(server.name), "name": .zomro("Cloud VPS #\(server.id)"),
      "ip": .zomro(server.ip), "instance_status": style.language == "en" ? .zomro(server.status) : .zomro(status),
      "item_status": [
        "$orig": .string(billing.code), "$": .string(style.language == "en" ? billing.english : billing.russian),
      ],
      "status": .zomro(billing.number), "createdate": ZomroWorld.date(server.createdAt), "pricelist": .zomro("Cloud-1"),
      "cost": .zomro("0.20 EUR / Day"), "datacentername": .zomro(ZomroWorld.home), "instances_os": .zomro(server.os),
      "change_pricelist": .zomro("on"),
    ]
  }

  /// A stopped server is shown as suspended: the power state is told by `instance_status` alone.
  private static func billing(_ server: Server) -> (code: String, number: String, english: String, russian: String) {
    if server.isBeingDeleted { return ("5_close", "5", "Deleting", "Удаляется") }
    return switch server.status {
    case "stopped", "suspended": ("3_employeesuspend", "3", "Suspended", "Приостановлена")
    case "creating", "building": ("5_open", "5", "Being created", "Открывается")
    default: ("2", "2", "Active", "Активна")
    }
  }

  /// The whole field set of the documents. Snapshots and images have no `backup_type`.
  func row(_ image: Image, _ style: ZomroTwinStyle) -> [String: Value] {
    var row: [String: Value] = [
      "architecture": .zomro("x86_64"), "createdate": ZomroWorld.date(of: image), "disk_format": .zomro("qcow2"),
      "fleio_id": .zomro(image.fleioID), "fleio_status": .zomro(image.status),
      "hypervisor_type": .zomro("any_hypervisor"), "id": .zomro(image.id),
      "image_size": .zomro(image.sizeGB.map { String($0) } ?? ""), "item_real_status": .zomro("2"),
      "min_disk": .zomro(image.minDiskGB), "min_ram": .zomro("0"), "name": .zomro(image.name),
      "os_distro": .zomro(image.osDistro), "os_version": .zomro(image.osVersion),
      "protected": style.word(image.isProtected ? "on" : "off", russian: image.isProtected ? "Да" : "Нет"),
      "region": .zomro(image.region), "visibility": .zomro("private"),
    ]
    if image.kind == .backup { row["backup_type"] = .zomro(image.isManual ? "manual" : "auto") }
    return row
  }

  func row(_ schedule: Schedule) -> [String: Value] {
    [
      "id": .zomro(schedule.id), "name": .zomro(schedule.name),
      "rotation_days": .zomro(schedule.days.sorted().map { String($0) }.joined(separator: ",")),
      "rotation_time": .zomro(ZomroWorld.time(schedule)),
    ]
  }

  /// A date only.
  static func date(_ time: Timestamp) -> Value { .zomro(String(time.description.prefix(10))) }

  /// Every image with an odd number tells its date twice, as BILLmanager sometimes does: then the field is a list.
  private static func date(of image: Image) -> Value {
    let isOdd = (image.id.utf8.last ?? 0) % 2 == 1
    return isOdd ? .list([date(image.createdAt), date(image.createdAt)]) : date(image.createdAt)
  }

  /// What lists of backups and snapshots carry beside their lines.
  func counters(_ kind: ImageKind, server: Server, _ now: Timestamp) -> [String: Value] {
    let all = images.filter { $0.kind == kind && $0.server == server.id }
    // A cent a gigabyte and day.
    let gigabytes = all.reduce(Int64(0)) { $0 + ($1.sizeGB ?? 0) }
    return [
      "manual_created_today": .zomro(madeToday(kind, server: server, now)),
      "manual_created_total": .zomro(Int64(all.count { $0.isManual })),
      "cost": ["stat_cost": .zomro("\(gigabytes / 100).\(gigabytes % 100 / 10)\(gigabytes % 10) EUR")],
    ]
  }

  /// The form of `instances.edit`.
  func form(_ server: Server) -> [String: Value] {
    [
      "elid": .zomro(server.id), "servername": .zomro(server.name), "createdate": ZomroWorld.date(server.createdAt),
      "fotbo_id": .zomro(server.fleioID), "ip": .zomro(server.ip), "ip_v6": .zomro(""),
      "rdns_record": .zomro(server.reverseName), "backup_rotation": .zomro(server.rotation),
    ]
  }

  /// The form of `image.edit`.
  func form(_ image: Image, _ style: ZomroTwinStyle) -> [String: Value] {
    var fields = row(image, style)
    fields["image_name"] = fields["name"]
    fields["name"] = nil
    fields["elid"] = .zomro(image.id)
    return fields
  }
}
