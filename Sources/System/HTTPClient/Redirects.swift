import CCurl

/// Where a redirect leads, if it may be followed: to the same scheme, host and port, so that headers stay where they
/// were meant to go, and never with another request than the one that was asked for.
///
/// 307 and 308 ask for the same request elsewhere (RFC 9110, 15.4). 301 and 302 are followed only with what changes
/// nothing: many clients make a GET of a POST then, which is another request. A 303 says that the request was carried
/// out, and where its outcome can be fetched.
///
/// - Returns: the request to make next; nil when `response` is the answer.
func target(of response: ClientResponse, to request: ClientRequest) throws(ClientFailure) -> ClientRequest? {
  guard [301, 302, 303, 307, 308].contains(response.status), let location = response.header("location"),
    let url = resolve(location, against: request.url, try Curl.loaded.get())
  else { return nil }
  var next = request
  next.url = url
  let isRead = ["GET", "HEAD"].contains(request.method)
  if [301, 302].contains(response.status), !isRead { return nil }
  if response.status == 303, !isRead {
    next.method = "GET"
    next.body = nil
    next.headers.removeAll { ["content-type", "content-encoding"].contains($0.name.lowercased()) }
  }
  do { try next.check() } catch { return nil }
  return next
}

/// nil when `location` is no URL or lies on another scheme, host or port.
private func resolve(_ location: String, against base: String, _ curl: Curl) -> String? {
  guard let url = unsafe curl.table.pointee.url() else { return nil }
  defer { unsafe curl.table.pointee.url_cleanup(url) }
  func part(_ which: CURLUPart) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe curl.table.pointee.url_get(url, which, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK,
      let found = unsafe text
    else { return nil }
    defer { unsafe curl.table.pointee.free(found) }
    return unsafe String(cString: found)
  }
  func origin() -> [String?] {
    [part(CURLUPART_SCHEME), part(CURLUPART_HOST)?.lowercased(), part(CURLUPART_PORT), part(CURLUPART_USER)]
  }
  guard unsafe curl.table.pointee.url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK else { return nil }
  let before = origin()
  guard unsafe curl.table.pointee.url_set(url, CURLUPART_URL, location, 0) == CURLUE_OK, origin() == before else {
    return nil
  }
  // The explicit default port is dropped again, so that messages name the host as it was written.
  var text: UnsafeMutablePointer<CChar>?
  guard unsafe curl.table.pointee.url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK, let found = unsafe text else {
    return nil
  }
  defer { unsafe curl.table.pointee.free(found) }
  return unsafe String(cString: found)
}
