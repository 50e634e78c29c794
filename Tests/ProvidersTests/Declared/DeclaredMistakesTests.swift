import DeclaredClouds
import Runbook
import Testing

/// What is wrong with a provider file is told with its place, its reason and what to do; nothing of it can end the
/// process.
@Suite struct DeclaredMistakesTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    let line: String
    let instead: String
    let told: String
    var testDescription: String { instead }

    /// Three lines each, with an empty one between.
    static func read(_ text: String) -> [Mistake] {
      text.split(separator: "\n\n").map { block in
        let lines = block.split(separator: "\n").map { String($0) }
        return Mistake(line: lines[0], instead: lines[1], told: lines[2])
      }
    }
  }

  static let sound = """
    provider: v1
    type: acme
    summary: machines at Acme
    url: https://api.acme.example/v1
    fields:
      token: {secret: true, required: true, help: the token}
    headers:
      Authorization: "Bearer ${{ fields.token }}"
    servers:
      get: {path: "/m/${{ with.server }}", item: result.m}
      list: {path: /m, items: result.ms}
      read: {id: item.id, name: item.name, state: item.state}
      states: {up: running, down: stopped}
    snapshots:
      list: {path: "/m/${{ with.server }}/s", items: result.s}
      read: {id: item.id, name: item.name, state: item.state, created_at: item.at, mark: item.note}
      states: {done: ready}
    actions:
      server.stop:
        request: {method: POST, path: "/m/${{ with.server }}/off"}
      snapshot.create:
        request: {method: POST, path: "/m/${{ with.server }}/s", json: {note: "${{ call.key }}"}}
        found_by: mark
    """

  /// A line of the sound file, what stands there instead, and how what is told of it begins.
  static let mistakes = Mistake.read(
    #"""
    provider: v1
    provider: v2
    1:11: error E-VERSION: `provider` is the version of the format, not `v2`; write `v1`

    type: acme
    type: Acme!
    2:7: error E-NAME: the type `Acme!` must be a lower-case letter and then letters, digits or `_`, at most 64

      Authorization: "Bearer ${{ fields.token }}"
      {Authorization: "Bearer ${{ fields.token }}", AUTHORIZATION: "Bearer ${{ fields.token }}"}
    8:49: error E-NAME: `headers` names `AUTHORIZATION` twice: case means nothing there; take one of them out

    summary: machines at Acme
    sumary: machines at Acme
    3:1: error E-KEY-UNKNOWN: a provider has no key `sumary`; did you mean `summary`?

    url: https://api.acme.example/v1
    url: http://api.acme.example/v1
    4:6: error E-URL: `url` would send credentials unencrypted; write `https://`

    url: https://api.acme.example/v1
    url: ftp://api.acme.example
    4:6: error E-URL: `url` must be an address such as `https://api.example.com/v1`, not `ftp://api.acme.example`

    url: https://api.acme.example/v1
    url: "https://${{ fields.token }}/v1"
    4:6: error E-INTERPOLATION: `url` is read before the run, so it cannot hold `${{ }}`; write its text

      token: {secret: true, required: true, help: the token}
      token: {secret: maybe, help: the token}
    6:19: error E-TYPE: `fields.token.secret` must be `true` or `false`, not `maybe`

      token: {secret: true, required: true, help: the token}
      token: {type: secret, help: the token}
    6:17: error E-CHOICE: `fields.token.type` must be `string`, `int`, `number`, `bool` or `duration`, not `secret`

      Authorization: "Bearer ${{ fields.token }}"
      Authorization: Bearer 0123456789
    8:18: error E-SECRET: `headers.Authorization` holds no secret field; declare one under `fields` with `secret: true`, and write `"Bearer ${{ fields.token }}"`

      Authorization: "Bearer ${{ fields.token }}"
      Accept: text/json
    5:1: error E-SECRET: nothing sends the secret `token`; add `headers: {Authorization: "Bearer ${{ fields.token }}"}`

      Authorization: "Bearer ${{ fields.token }}"
      Authorization: "Bearer ${{ secrets.token }}"
    8:30: error E-EXPR-NAME: `secrets` has no meaning here; 

      Authorization: "Bearer ${{ fields.token }}"
      Authorization: "Bearer ${{ fields.tokn }}"
    8:30: error E-EXPR-MEMBER: no member `tokn`; did you mean `token`?

      Authorization: "Bearer ${{ fields.token }}"
      Host: "${{ fields.token }}"
    8:3: error E-NAME: `Host` is no header that a file may set

      get: {path: "/m/${{ with.server }}", item: result.m}
      get: {path: "/m/${{ fields.token }}", item: result.m}
    10:15: error E-SECRET: `servers.get.path` would show a secret: addresses are logged on the way; secrets go only into `headers` and `json`

      get: {path: "/m/${{ with.server }}", item: result.m}
      get: {path: "/m", query: {t: "${{ fields.token }}"}, item: result.m}
    10:32: error E-SECRET: `servers.get.query.t` would show a secret: addresses are logged on the way; secrets go only into `headers` and `json`

      get: {path: "/m/${{ with.server }}", item: result.m}
      get: {path: "https://evil.example/m", item: result.m}
    10:15: error E-URL: `servers.get.path` must begin with one `/`: requests go to the provider's own address only

      get: {path: "/m/${{ with.server }}", item: result.m}
      get: {path: "", item: result.m}
    10:15: error E-TYPE: `servers.get.path` is empty; write its text

      get: {path: "/m/${{ with.server }}", item: result.m}
      get: {path: /m, query: {t: ""}, item: result.m}
    10:30: error E-TYPE: `servers.get.query.t` is empty; write its text

      get: {path: "/m/${{ with.server }}", item: result.m}
      get: {path: "//evil.example/m", item: result.m}
    10:15: error E-URL: `servers.get.path` must begin with one `/`: requests go to the provider's own address only

      get: {path: "/m/${{ with.server }}", item: result.m}
      get: {path: /m, json: {a: 1}, item: result.m}
    10:19: error E-CONTEXT: a read has no body; put arguments into `query`

      get: {path: "/m/${{ with.server }}", item: result.m}
      get: {path: /m}
    10:8: error E-KEY-MISSING: `servers.get` needs `item`; where the reply holds the server: `result.server`

      list: {path: /m, items: result.ms}
      list: {path: /m, items: "result.ms["}
    11:

      list: {path: /m, items: result.ms}
      list: [/m]
    11:9: error E-TYPE: `servers.list` must be a map (`key: value` lines), not a list

      read: {id: item.id, name: item.name, state: item.state}
      read: {id: item.id, name: result.name, state: item.state}
    12:29: error E-EXPR-NAME: `result` has no meaning here; 

      read: {id: item.id, name: item.name, state: item.state}
      read: {id: item.id, name: item.name}
    12:9: error E-KEY-MISSING: `servers.read` needs `state`; `state: item.state`

      states: {up: running, down: stopped}
      states: {up: runing, down: stopped}
    13:16: error E-CHOICE: `servers.states.up` must be `running`, `stopped`, `rescue`, `paused`, `changing`, `suspended`, `error`, `unknown` or `absent`, not `runing`; did you mean `running`?

      server.stop:
      server.explode:
    19:3: error E-ACTION: no action `server.explode` can be declared; 

      server.stop:
      server.stp:
    19:3: error E-ACTION: no action `server.stp` can be declared; did you mean `server.stop`?

        request: {method: POST, path: "/m/${{ with.server }}/off"}
        timeout: 5m
    19:3: error E-KEY-MISSING: `server.stop` needs `request`; {method: POST, path: …, json: {…}}

        request: {method: POST, path: "/m/${{ with.server }}/off"}
        request: {path: /off}
    20:14: error E-KEY-MISSING: `server.stop.request` needs `method`; one of GET, POST, PUT, PATCH, DELETE

        request: {method: POST, path: "/m/${{ with.server }}/off"}
        request: {method: POST, path: "/m/${{ with.snapshot }}/off"}
    20:43: error E-EXPR-MEMBER: no member `snapshot`; there are `grace`, `mode`, `server`

        found_by: mark
        found_by: luck
    23:15: error E-CHOICE: `snapshot.create.found_by` must be `name` or `mark`, not `luck`

        found_by: mark
        class: E2
    23:12: error E-PROBE: `snapshot.create` is E4, not E2; say how a lost call is found again: `found_by` or `job`

        found_by: mark
        job: snapshot
    23:5: error E-KEY-MISSING: `job` needs `jobs` at the top: how they are listed and read

        request: {method: POST, path: "/m/${{ with.server }}/s", json: {note: "${{ call.key }}"}}
        request: {method: POST, path: "/m/${{ with.server }}/s"}
    21:3: error E-PROBE: `snapshot.create` is to be found by its mark, and its request sends none; put `${{ call.key }}` into a label or a description
    """#)

  @Test(arguments: mistakes)
  func isToldWithItsPlaceAndWhatToDo(_ mistake: Mistake) {
    #expect(Self.sound.ranges(of: mistake.line + "\n").count == 1 || Self.sound.hasSuffix(mistake.line))
    let told = Self.told(Self.sound.replacing(mistake.line, with: mistake.instead))
    #expect(told.contains { $0.hasPrefix(mistake.told) }, "\(told)")
  }

  @Test func theSoundFileIsSound() { #expect(Self.told(Self.sound) == []) }

  /// Every beginning of every file, and every file with one byte changed, is read or refused.
  @Test func noFileEndsTheProcess() {
    let bytes = Array(Self.sound.utf8)
    for end in stride(from: 0, to: bytes.count, by: 7) { _ = try? DeclaredProvider(yaml: Array(bytes[..<end])) }
    for index in stride(from: 0, to: bytes.count, by: 5) {
      for byte: UInt8 in [0, 0x22, 0x7b, 0x2a, 0xff] {
        var changed = bytes
        changed[index] = byte
        _ = try? DeclaredProvider(yaml: changed)
      }
    }
  }

  @Test func aFileThatIsCircularDeepOrHugeIsRefused() {
    #expect(Self.told("provider: v1\nservers: &a {get: *a}").contains { $0.contains("E-YAML") })
    let deep = "provider: v1\nservers: " + String(repeating: "[", count: 1000)
    #expect(Self.told(deep).contains { $0.contains("E-YAML") })
    let huge = "provider: v1\n" + String(repeating: "# filler\n", count: 600_000)
    #expect(Self.told(huge).contains { $0.contains("E-YAML-SIZE") })
    #expect(Self.told("").first == "1:1: error E-EMPTY: the file is empty; begin with `provider: v1`")
    #expect(Self.told("- provider").first?.contains("E-TYPE") == true)
  }

  static func told(_ text: String) -> [String] {
    do throws(Diagnostics) {
      _ = try DeclaredProvider(yaml: Array(text.utf8))
      return []
    } catch {
      return error.items.map { String(DiagnosticText.line($0, file: "f").dropFirst(2)) }
    }
  }
}
