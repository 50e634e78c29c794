import ProviderKit
import Runbook

/// Lists, page by page, their filters cleared.
extension ZomroClient {
  static let pageSize: Int64 = 200
  /// More pages, or lines, than any account has: a list that goes on is broken.
  static let pageLimit = 100
  static let lineLimit = 100_000

  /// A list as a whole: its lines, and what the first page's document says beside them.
  struct Listing<Model: Sendable>: Sendable {
    var lines: [Model] = []
    var document: Value = .null
  }

  /// - Parameters:
  ///   - function: of the list; its filter is cleared first if that is long ago.
  ///   - isDoubted: it is cleared in any case.
  func list<Model>(
    _ function: String, _ parameters: [(name: String, value: String)] = [], isDoubted: Bool = false,
    _ model: (Value) throws(SchemaError) -> Model, id: (Model) -> String
  ) async throws(StepFailure) -> Listing<Model> {
    if isDoubted || !filters.isTrusted(function, connection.clock.monotonic) { try await clearFilter(of: function) }
    var listing = Listing<Model>()
    var ids: Set<String> = []
    for page in 1...ZomroClient.pageLimit {
      let reply = try await send(
        .read(function, parameters + [("p_num", String(page)), ("p_cnt", String(ZomroClient.pageSize))]))
      let document = try reply.document()
      if page == 1 { listing.document = document }
      let (lines, total, size) = try reply.decode { json throws(SchemaError) in
        var lines: [Model] = []
        for line in try json.many("elem") { lines.append(try model(line)) }
        // What was asked for, or the less that Zomro gives.
        let size = try json.element("p_cnt").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        let asked = Int(ZomroClient.pageSize)
        return (lines, try json.element("p_elems").flatMap { Int($0) }, min(size ?? asked, asked))
      }
      let known = ids.count
      for line in lines where ids.insert(id(line)).inserted { listing.lines.append(line) }
      guard ids.count <= ZomroClient.lineLimit else {
        throw endless(function, "it has more than \(ZomroClient.lineLimit) lines")
      }
      if lines.isEmpty || ids.count >= total ?? 0 && lines.count < size || ids.count == total {
        return listing
      }
      guard ids.count > known else { throw endless(function, "a page repeats an earlier one") }
    }
    throw endless(function, "it has more than \(ZomroClient.pageLimit) pages")
  }

  private func endless(_ function: String, _ reason: String) -> StepFailure {
    StepFailure(.server, "the list `\(function)` of Zomro does not end: \(reason)")
  }

  /// Empties the stored filter. A panel that has none for this list has nothing to clear.
  private func clearFilter(of function: String) async throws(StepFailure) {
    let fields = ["id", "name"].map { (name: $0, value: SecretPart.plain("")) }
    let call = ZomroCall(function: "\(function).filter", parameters: fields, isCommitted: true, isRead: true)
    do { _ = try await send(call) } catch {
      guard error.detail["type"] == "missed" else { throw error }
    }
    filters.cleared(function, connection.clock.monotonic)
  }
}
