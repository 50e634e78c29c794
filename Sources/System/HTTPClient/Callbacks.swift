import CCurl

/// The functions that libcurl calls, always inside a call of ours and so under the lock of `Transfers`.
enum Callbacks {
  static let socketChanged: curl_socket_callback = { _, socket, interest, owner, known in
    guard let owner = unsafe owner else { return 0 }
    unsafe Unmanaged<Transfers>.fromOpaque(owner).takeUnretainedValue()
      .socketChanged(socket, interest, isKnown: known != nil)
    return 0
  }

  static let timerChanged: curl_multi_timer_callback = { _, milliseconds, owner in
    guard let owner = unsafe owner else { return 0 }
    unsafe Unmanaged<Transfers>.fromOpaque(owner).takeUnretainedValue().timerChanged(milliseconds: milliseconds)
    return 0
  }

  static let header: curl_write_callback = { bytes, size, count, owner in
    guard let exchange = unsafe exchange(owner), let bytes = unsafe bytes else { return 0 }
    return unsafe exchange.receive(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
  }

  static let body: curl_write_callback = { bytes, size, count, owner in
    guard let exchange = unsafe exchange(owner), let bytes = unsafe bytes else { return 0 }
    return unsafe exchange.receive(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
  }

  static let upload: curl_read_callback = { buffer, size, count, owner in
    guard let exchange = unsafe exchange(owner), let buffer = unsafe buffer else { return Int(CURL_READFUNC_ABORT) }
    return unsafe exchange.upload(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
  }

  static let openSocket: curl_opensocket_callback = { owner, _, address in
    guard let exchange = unsafe exchange(owner), let address = unsafe address else { return CURL_SOCKET_BAD }
    return unsafe exchange.openSocket(to: address)
  }

  static let mayLeave: curl_prereq_callback = { owner, address, _, _, _ in
    guard let exchange = unsafe exchange(owner), let address = unsafe address else { return CURL_PREREQFUNC_ABORT }
    return unsafe exchange.mayLeave(to: String(cString: address)) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
  }

  private static func exchange(_ owner: UnsafeMutableRawPointer?) -> Exchange? {
    guard let owner = unsafe owner else { return nil }
    return unsafe Unmanaged<Exchange>.fromOpaque(owner).takeUnretainedValue()
  }
}
