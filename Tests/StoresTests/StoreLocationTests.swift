import Runbook
import Stores
import Testing

/// `--store`, `RUNBOOK_STORE` and the default.
@Suite struct StoreLocationTests {
  struct Found: Sendable {
    var option: String?
    var environment: [String: String]
    var path: String
    init(_ option: String?, _ environment: [String: String], _ path: String) {
      self.option = option
      self.environment = environment
      self.path = path
    }
  }

  @Test(arguments: [
    Found(nil, ["HOME": "/home/ops"], "/home/ops/.local/state/runbook/runbook.db"),
    Found(nil, ["HOME": "/"], "/.local/state/runbook/runbook.db"),
    Found(nil, ["HOME": "/home/ops", "XDG_STATE_HOME": "/state"], "/state/runbook/runbook.db"),
    Found(nil, ["HOME": "/home/ops", "XDG_STATE_HOME": "/state/"], "/state/runbook/runbook.db"),
    Found(nil, ["HOME": "/home/ops", "XDG_STATE_HOME": "relative"], "/home/ops/.local/state/runbook/runbook.db"),
    Found(nil, ["HOME": "/home/ops", "XDG_STATE_HOME": ""], "/home/ops/.local/state/runbook/runbook.db"),
    Found(nil, ["HOME": "/home/ops", "RUNBOOK_STORE": "/x/y.db"], "/x/y.db"),
    Found(nil, ["HOME": "/home/ops", "RUNBOOK_STORE": ""], "/home/ops/.local/state/runbook/runbook.db"),
    Found("/a/b.db", ["RUNBOOK_STORE": "/x/y.db"], "/a/b.db"),
    Found("sqlite:/a/b.db", [:], "/a/b.db"),
    Found("sqlite:///a/b c.db", [:], "/a/b c.db"),
    Found("file:///a/b.db", [:], "/a/b.db"),
    Found("SQLite:~/b.db", ["HOME": "/home/ops"], "/home/ops/b.db"),
    Found("~/b.db", ["HOME": "/home/ops"], "/home/ops/b.db"),
    Found("/odd:name@host.db", [:], "/odd:name@host.db"),
  ])
  func isFound(_ found: Found) throws {
    #expect(try StoreLocation(option: found.option, environment: found.environment).path == found.path)
  }

  @Test(arguments: [("x.db", "/x.db"), ("./x.db", "/x.db"), ("sqlite:sub/x.db", "/sub/x.db")])
  func aRelativePathBeginsInTheWorkingDirectory(_ option: String, _ end: String) throws {
    let path = try StoreLocation(option: option, environment: [:]).path
    #expect(path.hasPrefix("/") && path.hasSuffix(end) && !path.contains("/./"))
  }

  @Test func withoutHomeTheUserDatabaseIsAsked() throws {
    #expect(try StoreLocation(option: nil, environment: [:]).path.hasSuffix("/.local/state/runbook/runbook.db"))
  }

  @Test(arguments: [
    ("", "is empty"),
    ("postgres://db.example.com/runbook", "not supported yet"),
    ("postgresql://ops@db.example.com/runbook", "not supported yet"),
    ("postgres://ops:hunter2@db.example.com/runbook", "holds a password"),
    ("sqlite://ops:hunter2@host/x.db", "holds a password"),
    ("mysql://host/x", "of kind `mysql`"),
    ("sqlite://host/x.db", "names a host"),
    ("sqlite:", "names no file"),
    ("/var/lib/", "names no file"),
    ("a\nb", "control character"),
  ])
  func isRefused(_ option: String, _ words: String) throws {
    guard
      case .unusable(let found) = failure(of: { () throws(StoreFailure) in
        _ = try StoreLocation(option: option, environment: ["HOME": "/home/ops"])
      })
    else {
      Issue.record("`\(option)` was not refused")
      return
    }
    #expect(found.contains(words) && found.contains("--store"))
    #expect(!found.contains("hunter2"))
  }
}
