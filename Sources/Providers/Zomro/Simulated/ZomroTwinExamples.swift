import Runbook

/// What the documents show: one server, and with `examples` its backup and an image of the account.
extension ZomroWorld {
  mutating func addExamples(_ examples: Bool) {
    func time(_ text: String) -> Timestamp { Timestamp(text) ?? Timestamp(seconds: 0) }
    servers.append(
      Server(
        id: "5203773", fleioID: "5eed0000-0000-4000-8000-000005203773", name: "web", ip: "203.0.113.7",
        os: "Ubuntu 22.04", status: "active", createdAt: time("2024-07-22T09:00:00Z")))
    guard examples else { return }
    images.append(
      Image(
        kind: .backup, id: "5203980", fleioID: "b26c0f34-48b2-4cb2-b4eb-388eac959df6", server: "5203773",
        name: "MyBackup", status: "Active", createdAt: time("2024-07-23T10:00:00Z"), sizeGB: 3))
    var own = Image(
      kind: .image, id: "5203102", fleioID: "a9e7c223-5f11-4546-a298-6af546bebde6", name: "foo", status: "Active",
      createdAt: time("2024-07-01T12:00:00Z"), sizeGB: 2)
    own.minDiskGB = 10
    own.osDistro = "Centos"
    own.osVersion = "9 x64"
    images.append(own)
  }

  /// With a larger disk than the documents' server: what is saved from it does not fit that one.
  mutating func addServer(_ id: String, _ now: Timestamp) {
    guard !id.isEmpty, server(id) == nil else { return }
    let number = servers.count
    let uuid = nextUUID()
    servers.append(
      Server(
        id: id, fleioID: uuid, name: "server-\(id)", ip: "203.0.113.\(10 + number % 200)", os: "Ubuntu 22.04",
        diskGB: 40, status: "active", createdAt: now))
    if hasLastNight { addLastNight(id, now) }
  }

  /// A scheduled backup of last night, by the clock. Zomro tells only its date, which is today's.
  mutating func addLastNight(_ server: String, _ now: Timestamp) {
    guard let disk = self.server(server)?.diskGB else { return }
    let number = 5_203_800 + images.count
    var image = Image(
      kind: .backup, id: String(number), fleioID: "5eed0000-0000-4000-8000-00000\(number)", server: server,
      name: "daily",
      status: "Active", createdAt: Timestamp(seconds: now.seconds - (now.seconds % 86_400 + 86_400) % 86_400),
      sizeGB: 3, minDiskGB: disk)
    image.isManual = false
    images.append(image)
  }
}
