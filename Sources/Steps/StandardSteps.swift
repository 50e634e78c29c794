public import Runbook

/// Every keyword that says what a step does. A new kind is one folder and one line here.
public let standardSteps: [any StepKind.Type] = [
  ActionStep.self,
  RunStep.self,
  WaitForStep.self,
  SleepStep.self,
  FailStep.self,
  CommitStep.self,
  ApproveStep.self,
]

/// Every action that needs no provider, the engine's own (`run`, `sleep`, `fail`, `commit`) included.
public let standardActions: [any Action] = makeStandardActions(ssh: SSHProgram(connections: SSHConnections()))

/// The same with another OpenSSH client than the one found on `PATH`.
public func makeStandardActions(ssh: SSHProgram) -> [any Action] {
  standardSteps.flatMap { $0.actions } + [
    HTTPGetAction(),
    HTTPPostAction(),
    HTTPPutAction(),
    HTTPPatchAction(),
    HTTPDeleteAction(),
    WebhookAction(),
    SlackAction(),
    MailAction(),
    TCPAction(),
    LogAction.Info(),
    LogAction.Warn(),
    AssertAction(),
    WriteFileAction(),
    SSHRunAction(program: ssh),
    SSHPingAction(program: ssh),
    SSHRebootAction(program: ssh),
    SSHCopyAction(program: ssh),
    SSHPutBackAction(program: ssh),
  ]
}
