import Providers
import Runbook

/// The runbook that `runbook init` writes: valid as it stands, for one of a few purposes and one cloud.
struct FirstRunbook {
  enum Purpose: String, CaseIterable, Sendable {
    case preUpgrade = "pre-upgrade"
    case backup, drill, deploy

    /// The name of the runbook, and of its file.
    var name: String { self == .preUpgrade ? "pre_upgrade" : rawValue }

    var meaning: String {
      switch self {
      case .preUpgrade: "take a snapshot, upgrade, check; put the snapshot back when anything fails"
      case .backup: "back a server up and keep the newest three backups"
      case .drill: "rehearse a restore, so that you know that it works and how long it takes"
      case .deploy: "copy a folder to a server, reload, check; put the old folder back when anything fails"
      }
    }

    /// Whether it does anything at a cloud.
    var needsCloud: Bool { self != .deploy }
  }

  let purpose: Purpose
  /// nil if the purpose needs none.
  let cloud: (any ProviderKind)?
  /// Where it is written to.
  let path: String

  /// Tries it out.
  var trial: String {
    let given = inputs.flatMap { ["--input", "\($0.name)=\($0.example)"] }
    return AdvisedCommands().line(["run", "--simulate", path] + given)
  }

  /// Actions of the cloud that the runbook needs and the cloud does not have; empty: it can be written.
  var missingActions: [String] {
    guard cloud != nil else { return [] }
    let needed: [String] =
      switch purpose {
      case .preUpgrade: ["snapshot.create", "snapshot.restore"]
      case .backup: ["\(copies).create", "\(copies).prune", "\(copies).delete"]
      case .drill:
        restoresElsewhere
          ? ["backup.find", "server.delete", "server.status"]
          : ["snapshot.create", "snapshot.restore", "snapshot.delete"]
      case .deploy: []
      }
    return needed.filter { !has($0) }
  }

  private func has(_ action: String) -> Bool { cloud?.actions.contains { $0.name == action } ?? false }
  /// Where backups cannot be made, snapshots serve.
  private var copies: String { has("backup.create") ? "backup" : "snapshot" }
  private var restoresElsewhere: Bool { has("backup.restore_as") }

  var text: String {
    switch purpose {
    case .preUpgrade: upgrade
    case .backup: backup
    case .drill: restoresElsewhere ? drillWithACopy : drillOnASpareServer
    case .deploy: deploy
    }
  }

  // MARK: Parts

  /// The input names that a run needs, each with an example.
  var inputs: [(name: String, example: String)] {
    switch purpose {
    case .deploy: [("host", "web01.example.com")]
    case .backup: [("server", server)]
    case .drill: restoresElsewhere ? [("server", server)] : [("server", server), ("host", "spare01.example.com")]
    case .preUpgrade: [("server", server), ("host", "web01.example.com")]
    }
  }

  /// A server of the cloud's documents, which its simulation knows with its snapshots and backups.
  private var server: String {
    switch cloud?.type {
    case "zstack": "4e1c5a70b6d24f3c9a8b7c6d5e4f3a2b"
    case "zomro": "5203773"
    default: "12345"
    }
  }

  /// - Parameter families: globs of the actions that share fields.
  private func head(_ comment: String, _ description: String, _ families: [String] = []) -> String {
    var lines = comment.split(separator: "\n").map { "# \($0)" }
    lines += ["#", "#   \(trial)"]
    lines += ["runbook: v1", "name: \(purpose.name)", "description: \(description)", "", "inputs:"]
    for input in inputs {
      let what = input.name == "server" ? "The cloud's id of the server" : "Name or address of the server"
      lines.append("  \(input.name): {type: string, description: \(what)}")
    }
    return (lines + block + defaults(families)).joined(separator: "\n") + "\n\n"
  }

  /// `secrets:` and `providers:`, as `runbook providers check` reads them from the environment too.
  private var block: [String] {
    guard let cloud else { return [] }
    let ways = cloud.credentials.sorted { ($0.count > 1 ? 0 : 1) < ($1.count > 1 ? 0 : 1) }
    let names = cloud.fields.filter { $0.required }.map { $0.name }
    let fields = (names + (ways.first ?? []).filter { !names.contains($0) })
      .compactMap { name in cloud.allFields.first { $0.name == name } }
    var secrets: [String] = []
    var settings: [String] = []
    for field in fields {
      let secret = "\(cloud.type)_\(field.name)"
      if field.acceptsSecret {
        secrets.append("  \(secret): {source: env, key: \(secret.uppercased())}")
        settings.append("    \(field.name): \"${{ secrets.\(secret) }}\"")
      } else {
        let isAddress = field.kind == .url
        settings.append("    \(field.name): \(isAddress ? "https://\(cloud.type).example.com" : "ops")   # write yours")
      }
    }
    if purpose == .backup, cloud.fields.contains(where: { $0.name == "backup_storage" }) {
      settings.append("    backup_storage: fc50c1ece4753c1981e3e3f65a151e0e   # write the id of your image store")
    }
    return ["", "# Read from the environment when the run starts, never stored, printed as ***.", "secrets:"] + secrets
      + ["", "providers:", "  cloud:", "    type: \(cloud.type)"] + settings
  }

  private func defaults(_ families: [String]) -> [String] {
    if families.isEmpty { return [] }
    let lines = families.map { glob in
      glob == "ssh.*"
        ? #"  "ssh.*": {with: {host: "${{ inputs.host }}", user: root}}"#
        : #"  "\#(glob)": {with: {server: "${{ inputs.server }}"}}"#
    }
    return ["", "# Written once for all actions of these families.", "defaults:"] + lines
  }

  // MARK: Purposes

  private var upgrade: String {
    head(
      """
      Upgrade a server so that a failure leaves no trace: take a snapshot first, upgrade, check, and put the snapshot
      back when anything goes wrong on the way.
      """, "Take a snapshot, upgrade, check; put the snapshot back when anything fails", ["snapshot.*", "ssh.*"])
        + #"""
        steps:
          # A server that does not answer is not upgraded.
          - {id: answers, wait_for: ssh.ping, timeout: 5m}

          # Kept after the run, so there is nothing to undo. The name is unique: it is found again after a lost reply.
          - {id: snapshot, action: snapshot.create, with: {name: "pre-${{ run.id }}"}, rollback: none}

          - id: upgrade
            action: ssh.run
            with:
              script: |
                export DEBIAN_FRONTEND=noninteractive
                apt-get update
                apt-get --yes upgrade
            timeout: 1h
            rollback:
              - action: snapshot.restore
                with: {snapshot: "${{ steps.snapshot.outputs.id }}", power: running}
                timeout: 1h

          # Three good answers in a row; otherwise the upgrade counts as failed, and is undone.
          - {id: healthy, wait_for: ssh.ping, wait: {every: 5s, stable: 3, timeout: 15m}}

        """#
  }

  private var backup: String {
    let word = copies
    return head(
      """
      Back a server up and keep the newest three \(word)s that this runbook has made. For a timer: a key for each day
      makes it safe to start twice.
      """, "Create a \(word), then keep the newest three", ["\(word).*"])
        + #"""
        steps:
          # Half a \#(word) is of no use: if it fails or the run is cancelled, it is deleted.
          - id: \#(word)
            action: \#(word).create
            with: {name: "nightly-${{ run.id }}"}
            timeout: 3h
            rollback:
              - {action: \#(word).delete, with: {\#(word): "${{ self.outputs.id }}"}, if: has(self.outputs.id)}

          # From here on it stays, even if a later step fails.
          - commit: the \#(word) is complete

          # Only those whose name begins with `nightly-` are deleted, the oldest first.
          - {id: prune, action: \#(word).prune, with: {prefix: nightly-, keep: 3}, rollback: none}

        outputs:
          \#(word): steps.\#(word).outputs.id

        """#
  }

  private var drillWithACopy: String {
    head(
      """
      Rehearse a restore: make a second server of the newest backup, see that it answers, measure how long that took
      and how old its data are, and delete it again. Nothing is done to the server that was backed up. A missed
      objective ends the run with exit 8.
      """, "Restore the newest backup as a new server, measure RTO and RPO, delete it")
        + #"""
        drill:
          objectives: {rto: 1h, rpo: 26h}   # write yours
          measure:
            outage_at: run.started_at       # as if the server were lost now
            data_as_of: steps.newest.outputs.created_at
            restored_at: steps.answers.finished_at
          # Holds before the first step, and again after the last one.
          steady_state:
            - {id: production, action: server.status, with: {server: "${{ inputs.server }}"}, expect: self.outputs.state == 'running'}

        # What the drill has made is taken away, whether its objectives are met or missed.
        rollback_policy: {after: [success, failure, cancel]}

        steps:
          - {id: newest, action: backup.find, with: {server: "${{ inputs.server }}", newest: true}}

          # The new server belongs to this run, which deletes it in every case.
          - id: copy
            action: backup.restore_as
            with: {backup: "${{ steps.newest.outputs.id }}", name: "drill-${{ run.id }}"}
            timeout: 4h
            rollback:
              - {action: server.delete, with: {server: "${{ self.outputs.id }}"}, if: self.outputs.id != null}

          - id: answers
            wait_for: net.tcp
            with: {host: "${{ steps.copy.outputs.ip }}", port: 22}
            wait: {every: 5s, stable: 3, timeout: 15m}

        outputs:
          backup: steps.newest.outputs.name

        """#
  }

  private var drillOnASpareServer: String {
    head(
      """
      Rehearse a restore on a spare server: take a snapshot, make a change that can be seen, put the snapshot back,
      prove that the change is gone, and measure how long that took. Never name a server that somebody uses:
      everything on it is overwritten. A missed objective ends the run with exit 8.
      """, "Put a snapshot back onto a spare server, prove it, and measure the RTO", ["snapshot.*", "ssh.*"])
        + #"""
        drill:
          objectives: {rto: 1h}             # write yours
          measure:
            outage_at: steps.restore.started_at
            restored_at: steps.answers.finished_at

        # What the drill has made is taken away, whether its objective is met or missed.
        rollback_policy: {after: [success, failure, cancel]}

        steps:
          - id: snapshot
            action: snapshot.create
            with: {name: "drill-${{ run.id }}"}
            rollback:
              - {action: snapshot.delete, with: {snapshot: "${{ self.outputs.id }}"}, if: has(self.outputs.id)}

          - id: change
            action: ssh.run
            with: {script: touch /var/tmp/drill}
            rollback: [{action: ssh.run, with: {script: rm -f /var/tmp/drill}}]

          - id: restore
            action: snapshot.restore
            with: {snapshot: "${{ steps.snapshot.outputs.id }}", power: running}
            timeout: 2h
            rollback: none

          - {id: answers, wait_for: ssh.ping, wait: {every: 5s, stable: 3, timeout: 15m}}

          # Fails if the file is still there: then the restore has put nothing back.
          - {id: proof, action: ssh.run, with: {script: test ! -e /var/tmp/drill}, effect: none}

        """#
  }

  private var deploy: String {
    head(
      """
      Deploy the folder `site` beside this file: copy it, reload the web server, and see that the page answers. When
      anything fails, the old folder is put back and the web server is reloaded again.
      """, "Copy a folder, reload, check; put the old folder back when anything fails", ["ssh.*"])
        + #"""
        steps:
          # The old folder is kept beside the copy; the undo steps are done from top to bottom.
          - id: copy
            action: ssh.copy
            with: {upload: ./site, to: /var/www/site}
            rollback:
              - {action: ssh.put_back, with: {before: "${{ self.before }}"}}
              - {action: ssh.run, with: {script: systemctl reload nginx}}

          - {id: reload, action: ssh.run, with: {script: systemctl reload nginx}, rollback: none}

          - id: healthy
            wait_for: http.get
            with: {url: "https://${{ inputs.host }}/"}
            wait: {every: 5s, stable: 3, timeout: 10m}

        """#
  }
}
