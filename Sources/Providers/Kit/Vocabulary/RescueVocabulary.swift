package import Runbook

/// The `rescue.*` actions as every provider declares them: the server boots from another system, its own disks attached
/// beside it, and back.
package enum RescueVocabulary {
  static let image: [String: ValueType] = ["id": .string, "name": .string, "scope": .string]

  /// - Parameter details: what the provider tells of each beyond that.
  package static func images(details: [String: ValueType] = [:]) -> ActionDeclaration {
    ActionDeclaration(
      "rescue.images", "list the systems a server can be rescued with",
      fields: [ServerVocabulary.server],
      outputs: ["images": .list(.object(image.merging(details) { ours, _ in ours }))], effect: .none,
      class: .convergent
    ).shared
  }

  /// - Parameter password: how the provider treats the password of the rescue system, for the field's help.
  package static func enter(password: String, within timeout: Duration, class effectClass: EffectClass)
    -> ActionDeclaration
  {
    ActionDeclaration(
      "rescue.enter", "boot a server into a rescue system and wait until it is there",
      fields: [
        ServerVocabulary.server,
        Field("image", .string, required: true, help: "id or whole name of an image that `rescue.images` lists"),
        Field("password", .string, acceptsSecret: true, help: password),
      ],
      outputs: ["state": .string], effect: .change, class: effectClass,
      wait: WaitDefaults(until: "rescue", failsOn: "error, suspended, absent", timeout: timeout),
      suggestedUndo: "{action: rescue.exit, if: self.before.state != 'rescue'}", before: ServerVocabulary.before,
      serverField: "server"
    ).shared
  }

  package static func exit(within timeout: Duration, class effectClass: EffectClass) -> ActionDeclaration {
    ActionDeclaration(
      "rescue.exit", "boot a server from its own disk again and wait until it is running",
      fields: [ServerVocabulary.server], outputs: ["state": .string], effect: .change, class: effectClass,
      wait: WaitDefaults(until: "running", failsOn: "error, suspended, absent", timeout: timeout),
      suggestedUndo: "none", before: ServerVocabulary.before, serverField: "server"
    ).shared
  }
}
