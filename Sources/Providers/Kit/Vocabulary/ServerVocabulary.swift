package import Runbook

/// The `server.*` actions as every provider declares them: names, fields, outputs and waits. A provider
/// adds its own durations, classes and limits.
package enum ServerVocabulary {
  package static let server = Field("server", .string, required: true, help: "the provider's id of the server")

  package static let facts: [String: ValueType] = [
    "id": .string, "name": .string, "state": .string, "native_state": .string, "ip": .string,
  ]
  package static let before: [String: ValueType] = ["state": .string, "native_state": .string, "change_mark": .string]
  private static let refusals = "error, suspended, absent"

  package static func status() -> ActionDeclaration {
    ActionDeclaration(
      "server.status", "read a server's state", fields: [server], outputs: facts, effect: .none, class: .convergent
    ).shared
  }

  package static func list() -> ActionDeclaration {
    ActionDeclaration(
      "server.list", "list the account's servers", fields: [], outputs: ["servers": .list(.object(facts))],
      effect: .none,
      class: .convergent
    ).shared
  }

  package static func find() -> ActionDeclaration {
    ActionDeclaration(
      "server.find", "find the one server of a name; two are a `conflict`",
      fields: [Field("name", .string, required: true, help: "the whole name")], outputs: facts, effect: .none,
      class: .convergent
    ).shared
  }

  package static func stop(within timeout: Duration) -> ActionDeclaration {
    ActionDeclaration(
      "server.stop", "shut a server down and wait until it is stopped",
      fields: [
        server,
        Field(
          "mode", .choice(StopMode.allCases.map { $0.rawValue }), default: "clean",
          help:
            "`clean` asks the guest, `hard` cuts the power, `clean_then_hard` cuts it after `grace`; default `clean`"),
        Field(
          "grace", .duration, default: .duration(.seconds(300)),
          help: "how long `clean_then_hard` waits for the guest; default `5m`"),
      ],
      outputs: ["state": .string], effect: .change, class: .convergent,
      wait: WaitDefaults(until: "stopped", failsOn: refusals, timeout: timeout),
      suggestedUndo: "{action: server.start, if: self.before.state == 'running'}", before: before, serverField: "server"
    ).shared
  }

  package static func start(within timeout: Duration) -> ActionDeclaration {
    ActionDeclaration(
      "server.start", "start a server and wait until it is running", fields: [server], outputs: ["state": .string],
      effect: .change, class: .convergent, wait: WaitDefaults(until: "running", failsOn: refusals, timeout: timeout),
      suggestedUndo: "{action: server.stop, if: self.before.state == 'stopped'}", before: before, serverField: "server"
    ).shared
  }

  package static func reboot(within timeout: Duration, class effectClass: EffectClass) -> ActionDeclaration {
    ActionDeclaration(
      "server.reboot", "restart a running server and wait until it is running again", fields: [server],
      outputs: ["state": .string], effect: .change, class: effectClass,
      wait: WaitDefaults(until: "running", failsOn: refusals, timeout: timeout), suggestedUndo: "none", before: before,
      serverField: "server"
    ).shared
  }

  package static func delete(within timeout: Duration) -> ActionDeclaration {
    ActionDeclaration(
      "server.delete", "delete a server that this run created", fields: [server], effect: .destroy, class: .convergent,
      wait: WaitDefaults(until: "absent", failsOn: "error", timeout: timeout), suggestedUndo: "irreversible",
      serverField: "server"
    ).shared.given([.createdServers])
  }
}
