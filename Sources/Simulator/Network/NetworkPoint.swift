public import Runbook

/// A place where an exchange can be cut or a process killed: each request has one `send` and one `receive`.
public struct NetworkPoint: Sendable, Equatable {
  public enum Direction: String, Sendable {
    /// Just before the request is delivered: what fails here had no effect.
    case send
    /// The other side has acted, the reply is not yet read: what fails here may have had one.
    case receive
  }
  public var direction: Direction
  /// From 1, over sends and receives together, in the order in which they are passed.
  public var number: Int
  public var method: String
  public var url: String
}

/// What an interceptor does with an exchange at one point.
public enum NetworkVerdict: Sendable, Equatable {
  case pass
  case fail(HTTPFailure)
}
