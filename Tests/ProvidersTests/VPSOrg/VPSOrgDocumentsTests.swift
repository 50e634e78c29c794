import VPSOrgCloud
import Runbook
import Simulator
import Testing

/// The examples of the published documents, replayed against the twin: the same request gives the same reply.
struct VPSOrgDocumentsTests {
  struct Example: Sendable, CustomTestStringConvertible {
    var method: String
    var path: String
    var query: [(name: String, value: String)] = []
    var body = ""
    var at = "2025-01-16T16:15:00Z"
    var status: Int
    var reply: String
    var testDescription: String { "\(method) \(path)" }
  }

  static let web = #""server":{"id":12345,"name":"web-server-01"}"#
  static let examples = [
    Example(
      method: "GET", path: "/api/v1/snapshots/", query: [(name: "server_id", value: "12345")], status: 200,
      reply: """
        {"count":2,"results":[{"id":801,\(web),"name":"pre-migration-snapshot","status":"completed","size_mb":5120,
        "created_at":"2025-01-15T18:30:00Z","description":"Before major migration"},{"id":798,\(web),
        "name":"weekly-snapshot-2025-01-08","status":"completed","size_mb":4856,"created_at":"2025-01-08T12:00:00Z",
        "description":"Weekly snapshot"}]}
        """),
    Example(
      method: "POST", path: "/api/v1/snapshots/",
      body: #"{"server_id":12345,"name":"before-update-snapshot","description":"Snapshot before system update"}"#,
      status: 201,
      reply: """
        {"id":802,\(web),"name":"before-update-snapshot","status":"in_progress","size_mb":null,
        "created_at":"2025-01-16T16:15:00Z","description":"Snapshot before system update",
        "message":"Snapshot is being created. This may take 3-10 minutes depending on server size."}
        """),
    Example(
      method: "POST", path: "/api/v1/snapshots/801/restore/", status: 200,
      reply: """
        {"status":"success","message":"Server is being restored from snapshot. This may take 5-15 minutes.",
        "snapshot":{"id":801,"name":"pre-migration-snapshot","created_at":"2025-01-15T18:30:00Z"},
        "server":{"id":12345,"name":"web-server-01","status":"restoring"}}
        """),
    Example(method: "DELETE", path: "/api/v1/snapshots/801/", status: 204, reply: ""),
    Example(
      method: "GET", path: "/api/v1/backups/", query: [(name: "server_id", value: "12345")], status: 200,
      reply: """
        {"count":3,"results":[{"id":501,\(web),"backup_type":"automatic","status":"completed","size_mb":4523,
        "created_at":"2025-01-16T03:00:00Z","expires_at":"2025-02-16T03:00:00Z","description":"Automatic daily backup"},
        {"id":499,\(web),"backup_type":"manual","status":"completed","size_mb":4456,"created_at":"2025-01-14T10:30:00Z",
        "expires_at":null,"description":"Pre-update backup"},{"id":495,\(web),"backup_type":"automatic",
        "status":"completed","size_mb":4389,"created_at":"2025-01-15T03:00:00Z","expires_at":"2025-02-15T03:00:00Z",
        "description":"Automatic daily backup"}]}
        """),
    Example(
      method: "POST", path: "/api/v1/backups/", body: #"{"server_id":12345,"description":"Pre-deployment backup"}"#,
      at: "2025-01-16T15:45:00Z", status: 201,
      reply: """
        {"id":502,\(web),"backup_type":"manual","status":"in_progress","size_mb":null,
        "created_at":"2025-01-16T15:45:00Z","expires_at":null,"description":"Pre-deployment backup",
        "message":"Backup is being created. This may take several minutes depending on server size."}
        """),
    Example(method: "DELETE", path: "/api/v1/backups/501/", status: 204, reply: ""),
    Example(
      method: "POST", path: "/api/v1/servers/12345/restore/", body: #"{"backup_id":501}"#, status: 200,
      reply: """
        {"status":"success","message":"Server is being restored from backup. This may take several minutes.",
        "backup":{"id":501,"created_at":"2025-01-16T03:00:00Z"},
        "server":{"id":12345,"name":"web-server-01","status":"restoring"}}
        """),
    Example(
      method: "GET", path: "/api/v1/servers/", status: 200,
      reply: """
        {"count":1,"results":[{"id":12345,"name":"web-server-01","hostname":"web01.example.com","status":"active",
        "ip_address":"203.0.113.10","location":"us-west",
        "plan":{"id":1,"name":"Standard VPS","vcpus":2,"memory":4096,"storage":80},
        "os":{"id":5,"name":"Ubuntu 22.04 LTS"},
        "created_at":"2025-01-10T14:30:00Z","updated_at":"2025-01-15T10:20:00Z"}]}
        """),
    Example(
      method: "GET", path: "/api/v1/backups/", query: [(name: "backup_type", value: "manual")], status: 200,
      reply: """
        {"count":1,"results":[{"id":499,\(web),"backup_type":"manual","status":"completed","size_mb":4456,
        "created_at":"2025-01-14T10:30:00Z","expires_at":null,"description":"Pre-update backup"}]}
        """),
    Example(method: "DELETE", path: "/api/v1/snapshots/1/", status: 404, reply: #"{"detail":"Snapshot not found."}"#),
    Example(method: "DELETE", path: "/api/v1/backups/1/", status: 404, reply: #"{"detail":"Backup not found."}"#),
    Example(
      method: "POST", path: "/api/v1/snapshots/1/restore/", status: 404, reply: #"{"detail":"Snapshot not found."}"#),
    Example(
      method: "POST", path: "/api/v1/snapshots/", body: #"{"server_id":9,"name":"a"}"#, status: 404,
      reply: #"{"detail":"Server not found."}"#),
    Example(
      method: "POST", path: "/api/v1/snapshots/", body: #"{"name":"a"}"#, status: 400,
      reply: #"{"server_id":["This field is required."]}"#),
    Example(
      method: "POST", path: "/api/v1/snapshots/", body: #"{"server_id":12345,"name":"a b"}"#, status: 400,
      reply: #"{"name":["Enter a valid value."]}"#),
    Example(
      method: "POST", path: "/api/v1/snapshots/", body: "{", status: 400, reply: #"{"detail":"JSON parse error."}"#),
    Example(method: "GET", path: "/api/v1/snapshots", status: 404, reply: #"{"detail":"Not found."}"#),
    Example(method: "PUT", path: "/api/v1/backups/", status: 405, reply: #"{"detail":"Method \"PUT\" not allowed."}"#),
  ]

  @Test(arguments: examples)
  func theTwinAnswersAsDocumented(_ example: Example) throws {
    let start = try #require(Timestamp(example.at))
    let twin = SimulatedVPSOrg(clock: VirtualClock(start: start))
    let reply = twin.answer(
      SimulatedRequest(
        method: example.method, path: example.path, query: example.query,
        headers: [(name: "authorization", value: "Bearer vps_token")], body: Array(example.body.utf8)))
    guard case .response(let response) = reply else { throw StepFailure(.server, "no response") }
    #expect(response.status == example.status)
    let body = response.body.isEmpty ? Value.null : try JSONReader.read(response.body)
    #expect(body == (example.reply.isEmpty ? Value.null : try JSONReader.read(example.reply)))
  }

  @Test(arguments: [nil, "Bearer ", "Bearer nonsense", "Basic dnBzXw=="] as [String?])
  func aTokenThatIsNotOneIsRefused(authorization: String?) throws {
    let twin = SimulatedVPSOrg(clock: VirtualClock())
    let headers = authorization.map { [(name: "authorization", value: $0)] } ?? []
    guard
      case .response(let response) = twin.answer(
        SimulatedRequest(method: "GET", path: "/api/v1/servers/", headers: headers))
    else { throw StepFailure(.server, "no response") }
    #expect(response.status == 401)
    #expect(twin.ledger == [])
  }

  @Test func sameSeedSameDurations() async throws {
    func seconds(_ seed: UInt64) throws -> Timestamp {
      let clock = VirtualClock()
      let twin = SimulatedVPSOrg(clock: clock, seed: seed)
      let request = SimulatedRequest(
        method: "POST", path: "/api/v1/snapshots/801/restore/",
        headers: [(name: "authorization", value: "Bearer vps_token")])
      _ = twin.answer(request)
      while twin.status(ofServer: "12345") == "restoring" { clock.advance(by: .seconds(1)) }
      return clock.now
    }
    #expect(try seconds(1) == seconds(1))
    #expect(try Set((1...8).map { try seconds($0).seconds }).count > 4)
  }
}
