import CMicroHTTPD

/// The functions of libmicrohttpd, loaded on first use and kept until the process ends.
@safe struct MicroHTTPD: @unchecked Sendable {
  /// Written once, before anybody else can see it; never freed.
  let table: UnsafePointer<mhd_functions>

  static let loaded: Result<MicroHTTPD, ServerFailure> = {
    let table = UnsafeMutablePointer<mhd_functions>.allocate(capacity: 1)
    if let reason = unsafe mhd_functions_load(table) {
      let reason = unsafe String(cString: reason)
      return .failure(
        ServerFailure(
          message: "a simulated system needs libmicrohttpd: install the Debian package `libmicrohttpd12` (\(reason))"))
    }
    return .success(unsafe MicroHTTPD(table: UnsafePointer(table)))
  }()
}
