import Runbook
import Synchronization

/// A reply that no document names: what may come from a proxy, a new release, or somebody who means harm.
enum HostileReply: String, Sendable, CaseIterable {
  case html, empty, null, list, textsAreNumbers, textsAreNull, textsAreLists, numbersAreTexts, numbersAreHuge, words
  case longTexts, endlessText

  private static let endless = Array(#"{"doc":{"elem":""#.utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 10 << 20)

  /// The reply in its place, with status 200 as a change of shape alone would have it.
  func replacing(_ body: [UInt8]) -> [UInt8] {
    switch self {
    case .html: return Array("<!DOCTYPE html><html><body>Please wait</body></html>".utf8)
    case .empty: return []
    case .null: return Array("null".utf8)
    case .list: return Array("[]".utf8)
    case .endlessText: return HostileReply.endless
    default:
      guard let json = try? JSONReader.read(body) else { return body }
      return Array(JSONWriter.text(changed(json)).utf8)
    }
  }

  private func changed(_ value: Value) -> Value {
    switch value {
    case .map(let entries): return .map(entries.mapValues { changed($0) })
    case .list(let items): return .list(items.map { changed($0) })
    case .string(let text):
      switch self {
      case .textsAreNumbers: return 7
      case .textsAreNull: return .null
      case .textsAreLists: return [.string(text)]
      case .words: return text.contains { $0.isNumber || ":/-".contains($0) } ? .string(text) : "quiescing"
      case .longTexts: return .string(text + String(repeating: "y", count: 20_000))
      default: return value
      }
    case .int, .double:
      switch self {
      case .numbersAreTexts: return .string("\(value)")
      case .numbersAreHuge: return .double(1e300)
      default: return value
      }
    default: return value
    }
  }
}

/// Passes requests on, and puts a hostile reply in place of what comes back.
final class HostileTransport: HTTPTransport {
  private let inner: any HTTPTransport
  private let reply: HostileReply
  private let state = Mutex<(isOn: Bool, count: Int, nth: Int?, struck: Int)>((false, 0, nil, 0))

  init(over inner: any HTTPTransport, _ reply: HostileReply) {
    self.inner = inner
    self.reply = reply
  }

  /// From now on: the `nth` reply, or all of them.
  func begin(nth: Int?) { state.withLock { $0 = (true, 0, nth, 0) } }
  /// How many replies were other than they would have been.
  var struck: Int { state.withLock { $0.struck } }

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    let strikes = state.withLock { state -> Bool in
      guard state.isOn else { return false }
      state.count += 1
      return state.nth == nil || state.nth == state.count
    }
    var response = try await inner.send(request)
    guard strikes else { return response }
    let body = reply.replacing(response.body)
    if body != response.body { state.withLock { $0.struck += 1 } }
    response.status = 200
    response.body = body
    guard response.body.count <= request.bodyLimit else {
      throw HTTPFailure(.tooLarge, "the reply is longer than allowed", beforeFirstByte: false)
    }
    return response
  }
}
