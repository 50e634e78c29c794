/// The meaning of a status for the request that it answers, the same for every client.
public enum HTTPStatus {
  /// Whether the other side certainly did nothing: it understood the request and said no.
  ///
  /// A 5xx may come after the effect, or from a proxy that gave up on a server which did not. So may 408 and what
  /// proxies say when somebody hung up (444, 460, 499, and every 4xx without a name). A redirect is what many forms
  /// answer once they have done what was asked (301, 302, 303); only 307 and 308 ask for the same request elsewhere.
  public static func isRefusal(_ status: Int) -> Bool {
    switch status {
    case 307, 308, 400...407, 409...418, 421...426, 428, 429, 431, 451: true
    default: false
    }
  }
}
