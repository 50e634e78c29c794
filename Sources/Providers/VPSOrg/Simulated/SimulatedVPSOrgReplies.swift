import ProviderKit
import Runbook

extension SimulatedVPSOrg {
  /// Which part of a list was asked for.
  struct Page {
    /// nil: everything at once.
    var size: Int?
    var number = 1
    /// Of the list, with host and filters, for `next`.
    var address = ""

    init() {}

    init(_ request: SimulatedRequest, size: Int?) {
      let asked = request.query.first { $0.name == "page_size" }.flatMap { Int($0.value) }
      self.size = (asked ?? size).map { min(max($0, 1), 100) }
      number = max(request.query.first { $0.name == "page" }.flatMap { Int($0.value) } ?? 1, 1)
      let filters = request.query.filter { $0.name != "page" }.map { "&\($0.name)=\($0.value.percentEncoded)" }.joined()
      address = "https://\(request.header("host") ?? "admin.vps.org")\(request.path)?page=NUMBER\(filters)"
    }

    /// `count` is the total; `next` and `previous` appear only in a list that comes in pages.
    func response<Thing>(_ things: [Thing], _ document: (Thing) -> Value) -> HTTPResponse {
      guard let size else { return whole(things, document) }
      let documents = things.map(document)
      let (skipped, overflow) = (number - 1).multipliedReportingOverflow(by: size)
      let part = overflow ? [] : Array(documents.dropFirst(skipped).prefix(size))
      let hasMore = !overflow && skipped + part.count < documents.count
      return .json(
        200,
        [
          "count": .int(Int64(documents.count)), "results": .list(part),
          "next": hasMore ? link(number + 1) : .null, "previous": number > 1 ? link(number - 1) : .null,
        ])
    }

    /// One document after the other: a list of ten thousand is never there as a whole but in its text.
    private func whole<Thing>(_ things: [Thing], _ document: (Thing) -> Value) -> HTTPResponse {
      var response = HTTPResponse.json(200, ["count": .int(Int64(things.count)), "results": []])
      response.body.removeLast("]}".utf8.count)
      for (index, thing) in things.enumerated() {
        if index > 0 { response.body.append(UInt8(ascii: ",")) }
        response.body += JSONWriter.bytes(document(thing))
      }
      response.body += "]}".utf8
      return response
    }

    private func link(_ number: Int) -> Value { .string(address.replacing("NUMBER", with: String(number))) }
  }
}

extension VPSOrgRoute.Refusal {
  func response(_ request: SimulatedRequest) -> HTTPResponse {
    switch self {
    case .notFound: .json(404, ["detail": "Not found."])
    case .methodNotAllowed: .json(405, ["detail": .string("Method \"\(request.method)\" not allowed.")])
    case .badBody: .json(400, ["detail": "JSON parse error."])
    case .badAction: .json(400, ["action": ["Enter a valid value."]])
    }
  }
}
