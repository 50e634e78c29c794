import Runbook

/// Backups by the calendar.
extension ZomroWorld {
  /// Schedules tell times three hours ahead of UTC.
  private static let ahead: Int64 = 3 * 3600
  /// How far back missed times are made up for: nobody looks at the rest.
  private static let memory: Int64 = 100 * 86_400

  /// The earliest backup that is due until `now`.
  func nextDue(_ now: Timestamp) -> (at: Timestamp, schedule: String)? {
    schedules.compactMap { schedule in ZomroWorld.next(schedule, now).map { (at: $0, schedule: schedule.id) } }
      .min { $0.at < $1.at }
  }

  private static func next(_ schedule: Schedule, _ now: Timestamp) -> Timestamp? {
    let since = max(schedule.since.seconds, now.seconds - memory)
    // Day 0 is the 1st of January of the year 1, a Monday.
    let today = (since + ahead - Timestamp.minimumSeconds) / 86_400
    for day in today...(today + 8) where schedule.days.contains((day + 1) % 7) {
      let time = Timestamp(seconds: day * 86_400 + Timestamp.minimumSeconds + schedule.minute * 60 - ahead)
      if time.seconds > since { return time <= now ? time : nil }
    }
    return nil
  }

  /// A server that is busy or in the wrong state misses its backup.
  mutating func runSchedule(_ id: String, _ now: Timestamp) {
    guard let place = schedules.firstIndex(where: { $0.id == id }) else { return }
    schedules[place].since = now
    let schedule = schedules[place]
    guard let index = servers.firstIndex(where: { $0.id == schedule.server }), servers[index].change == nil,
      ZomroTwinGate.allows(.image, servers[index].status),
      images.count(where: { $0.kind == .backup && $0.server == schedule.server }) < ZomroWorld.mostBackups
    else { return }
    let image = save(.backup, server: index, name: schedule.name, isManual: false, now, Twist())
    record(.backupAuto, image, schedule.name, now)
    rotate(server: schedule.server, keep: servers[index].rotation, now)
  }

  /// The oldest backups of schedules give way; protected ones stay.
  private mutating func rotate(server: String, keep: Int64, _ now: Timestamp) {
    while true {
      let automatic = images.filter { $0.kind == .backup && $0.server == server && !$0.isManual }
      guard automatic.count > keep, let oldest = automatic.first(where: { !$0.isProtected }) else { return }
      images.removeAll { $0.id == oldest.id }
      record(.backupRotate, oldest.id, oldest.name, now)
    }
  }

  /// Makes a schedule, or changes the one of the id.
  mutating func editSchedule(_ form: ZomroTwinForm, _ now: Timestamp) throws(ZomroTwinRefusal) {
    let server = servers[try serverIndex(form["plid"], field: "plid")].id
    guard let name = form["name"] else { throw .missed("name") }
    guard name.count <= ZomroWorld.longestName else { throw .value("name", name) }
    guard let days = form["rotation_days"] else { throw .missed("rotation_days") }
    guard let time = form["rotation_time"] else { throw .missed("rotation_time") }
    guard let wanted = ZomroWorld.days(days) else { throw .value("rotation_days", days) }
    guard let minute = ZomroWorld.minute(time) else { throw .value("rotation_time", time) }
    let id = form["elid"]
    if schedules.contains(where: { $0.server == server && $0.name == name && $0.id != id }) {
      throw .exists("name", name)
    }
    var schedule = Schedule(id: "", server: server, name: name, days: wanted, minute: minute, since: now)
    if let id {
      guard let place = schedules.firstIndex(where: { $0.id == id && $0.server == server }) else {
        throw .missed("elid", id)
      }
      schedule.id = id
      schedules[place] = schedule
    } else {
      schedule.id = nextID()
      schedules.append(schedule)
    }
    record(.scheduleEdit, schedule.id, name, now)
  }

  mutating func deleteSchedule(_ id: String?, _ now: Timestamp) throws(ZomroTwinRefusal) {
    guard let id, let place = schedules.firstIndex(where: { $0.id == id }) else { throw .missed("elid", id) }
    let schedule = schedules.remove(at: place)
    record(.scheduleDelete, schedule.id, schedule.name, now)
  }

  /// `0,3,6`: Sunday, Wednesday and Saturday.
  private static func days(_ text: String) -> Set<Int64>? {
    var days: Set<Int64> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let day = Int64(part), (0...6).contains(day) else { return nil }
      days.insert(day)
    }
    return days
  }

  /// `HH:MM`.
  private static func minute(_ text: String) -> Int64? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = Int64(parts[0]),
      let minute = Int64(parts[1]), (0...23).contains(hour), (0...59).contains(minute)
    else { return nil }
    return hour * 60 + minute
  }

  static func time(_ schedule: Schedule) -> String {
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
    return two(schedule.minute / 60) + ":" + two(schedule.minute % 60)
  }
}
