/// Why a command did nothing: for ever the same word for the same reason, for programs that read `error.code`. A new
/// code does not compile without its text.
public enum RefusalCode: String, CaseIterable, Sendable {
  case action = "E-ACTION"
  case ambiguous = "E-AMBIGUOUS"
  case answered = "E-ANSWERED"
  case approver = "E-APPROVER"
  case asked = "E-ASKED"
  case backup = "E-BACKUP"
  case descriptors = "E-DESCRIPTORS"
  case detach = "E-DETACH"
  case diskFull = "E-DISK-FULL"
  case ended = "E-ENDED"
  case expression = "E-EXPRESSION"
  case fault = "E-FAULT"
  case file = "E-FILE"
  case input = "E-INPUT"
  case invalid = "E-INVALID"
  case keyTaken = "E-KEY-TAKEN"
  case lock = "E-LOCK"
  case locked = "E-LOCKED"
  case mock = "E-MOCK"
  case noEntry = "E-NO-ENTRY"
  case noRollback = "E-NO-ROLLBACK"
  case notEnded = "E-NOT-ENDED"
  case notFound = "E-NOT-FOUND"
  case notSeen = "E-NOT-SEEN"
  case notSupported = "E-NOT-SUPPORTED"
  case notWaiting = "E-NOT-WAITING"
  case owned = "E-OWNED"
  case people = "E-PEOPLE"
  case port = "E-PORT"
  case provider = "E-PROVIDER"
  case readOnly = "E-READ-ONLY"
  case real = "E-REAL"
  case restored = "E-RESTORED"
  case secret = "E-SECRET"
  case secretName = "E-SECRET-NAME"
  case simulation = "E-SIMULATION"
  case ssh = "E-SSH"
  case step = "E-STEP"
  case store = "E-STORE"
  case storeDamaged = "E-STORE-DAMAGED"
  case storeNewer = "E-STORE-NEWER"
  case storeWrite = "E-STORE-WRITE"
  case superseded = "E-SUPERSEDED"
  case temporary = "E-TEMPORARY"
  case tooLate = "E-TOO-LATE"
  case undone = "E-UNDONE"
  case unknownCommand = "E-UNKNOWN-COMMAND"
  case unknownOption = "E-UNKNOWN-OPTION"
  case usage = "E-USAGE"

  /// One line for the list, lower case, no full stop.
  public var meaning: String {
    switch self {
    case .action: "an action does not exist, or cannot be used in this way"
    case .ambiguous: "the run that is meant is not clear"
    case .answered: "somebody else has answered this question already"
    case .approver: "this person may not approve the step"
    case .asked: "somebody has asked for a cancel already"
    case .backup: "the copy of the store cannot be written there"
    case .descriptors: "the process may not open as many files as a run needs"
    case .detach: "the run could not be detached"
    case .diskFull: "no space is left where the store or the backup is"
    case .ended: "the run has ended, so this cannot be done with it any more"
    case .expression: "the expression cannot be evaluated"
    case .fault: "a fault for the simulated cloud cannot be understood"
    case .file: "a file cannot be read"
    case .input: "an input is missing or does not fit its declaration"
    case .invalid: "the runbook has mistakes"
    case .keyTaken: "the key of `--key` belongs to a run of another file or other inputs"
    case .lock: "no run holds this lock"
    case .locked: "another run holds a lock that this run needs"
    case .mock: "the mock file does not fit the simulation"
    case .noEntry: "there is no such undo step left"
    case .noRollback: "the run has nothing left to undo"
    case .notEnded: "the run has not ended, and this needs one that has"
    case .notFound: "the store has no such run"
    case .notSeen: "the run asks another question now than the one that was shown"
    case .notSupported: "this command is not supported yet"
    case .notWaiting: "the run does not ask this question"
    case .people: "the runbook asks several people, or people by name, and the store knows none"
    case .owned: "another process carries the run on"
    case .port: "the port cannot be used"
    case .provider: "there is no such provider, or its fields are wrong"
    case .readOnly: "the store can only be read"
    case .real: "nobody agreed to real actions in a simulation"
    case .restored: "the store was put back from an older copy, and the run may have done more"
    case .secret: "a secret is missing, or was given on the command line"
    case .secretName: "the run has no secret of this name"
    case .simulation: "the simulated cloud cannot be served"
    case .ssh: "the other machine cannot be asked over SSH"
    case .step: "the run has no such step"
    case .store: "the store cannot be opened"
    case .storeDamaged: "the store is damaged"
    case .storeNewer: "the store or the run was made by a newer release"
    case .storeWrite: "the store could not be written"
    case .superseded: "a later run of the same runbook does the work in its place (`--supersede`)"
    case .temporary: "no temporary folder can be made"
    case .tooLate: "the cancel or the answer came too late"
    case .undone: "a step that comes before `--from STEP` was undone"
    case .unknownCommand: "there is no such command"
    case .unknownOption: "the command has no such option"
    case .usage: "the command line is not complete, or contradicts itself"
    }
  }

  /// What to do now, in one or two sentences.
  public var remedy: String {
    switch self {
    case .action:
      "`runbook help actions` lists all actions."
    case .ambiguous:
      "Give the whole id; the message lists those that fit."
    case .answered:
      "`runbook show RUN` shows the answer. Nothing was changed."
    case .approver:
      "Somebody else has to approve. The person who started the run may do so if the step says `allow_requester: true`."
    case .asked:
      "`runbook resume RUN` carries it out if no process works on the run."
    case .backup:
      "A backup replaces no file. Name a new file in a folder that exists."
    case .descriptors:
      "Raise the limit, for example with `ulimit -n 64`."
    case .detach:
      "Look at the message, and start it without `--detach`."
    case .diskFull:
      "Make room. A run that had begun goes on with `runbook resume`."
    case .ended:
      "`runbook show RUN` shows how it ended, `runbook rerun RUN` starts a new one."
    case .expression:
      "The message says why. `--context FILE.json` gives `eval` its values."
    case .fault:
      "`docs/simulation.md` lists them."
    case .file:
      "It must exist, be an ordinary file, and not be too long. Paths start from the current folder."
    case .input:
      "The message names each. `--input NAME=VALUE` gives one, `--inputs FILE.json` all of them."
    case .invalid:
      "`runbook validate FILE` lists all of them, each with its own code."
    case .keyTaken:
      "Use another key for something else. A key stands for one run."
    case .lock:
      "`runbook list --locks` shows the locks that are held."
    case .locked:
      "The message names the run. `--lock-wait 10m` waits for it, `runbook unlock` frees the lock of a "
        + "run that no process works on."
    case .mock:
      "The message says why; the format is described in `docs/simulation.md`."
    case .noEntry:
      "`runbook show RUN` lists what is left to undo."
    case .noRollback:
      "Nothing was changed. `runbook show RUN` shows how the run ended."
    case .notEnded:
      "`runbook resume RUN` carries it on, `runbook cancel RUN` ends it."
    case .notFound:
      "`runbook list` shows the runs; `--store` or RUNBOOK_STORE names another store."
    case .notSeen:
      "Read the question that the message shows. If it may go on, approve with the digest that the message names."
    case .notSupported:
      "`runbook help` lists the commands."
    case .notWaiting:
      "`runbook show RUN` shows the question that is open, if there is one."
    case .people:
      "Take `approvers` out, and `min` if it is above 1. Everybody but the person who starts the run may then approve."
    case .owned:
      "The message names it. Wait for its end, or follow it with `runbook logs RUN --follow`."
    case .port:
      "`--port 0` takes a free one."
    case .provider:
      "`runbook providers` lists the types, `runbook providers TYPE` the fields of one."
    case .readOnly:
      "Check the permissions of the file and of its folder."
    case .real:
      "Answer `y` on a terminal, or give `--yes`."
    case .restored:
      "Look at the servers of the run, and then give `--restored`."
    case .secret:
      "Set the environment variable or the file that the message names. Every user of a machine can read "
        + "its command lines."
    case .secretName:
      "`--without-secret` takes a name from `secrets:` of the run's file."
    case .simulation:
      "The message says why; it needs a free port on this machine."
    case .ssh:
      "Try `ssh HOST true` as the same user."
    case .step:
      "`runbook show RUN` lists its steps."
    case .store:
      "Check the path in `--store` or RUNBOOK_STORE. A store is a file on a local disk."
    case .storeDamaged:
      "Put a backup of the store back. Nothing was changed."
    case .storeNewer:
      "Use that release."
    case .storeWrite:
      "Look at the disk. The run has not ended and goes on with `runbook resume`."
    case .superseded:
      "Nothing was done. `runbook list` shows the later run."
    case .temporary:
      "Check the permissions and the space of the folder that is named."
    case .tooLate:
      "`runbook show RUN` shows what has happened meanwhile. Nothing was changed."
    case .undone:
      "`runbook rerun RUN` without `--from` does all steps again."
    case .unknownCommand:
      "`runbook help` lists the commands."
    case .unknownOption:
      "`runbook help COMMAND` lists the options."
    case .usage:
      "`runbook help COMMAND` shows examples."
    }
  }
}
