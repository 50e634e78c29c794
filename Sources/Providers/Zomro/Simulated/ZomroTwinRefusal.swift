import ProviderKit
import Runbook

/// Why a call is refused: what becomes `doc.error`. Every refusal is answered with HTTP 200.
struct ZomroTwinRefusal: Error, Equatable {
  var type: String
  var object: String?
  /// In English, and in Russian for those who do not ask for `lang=en`.
  var english: String
  var russian: String
  /// `param` elements of this name.
  var value: String?

  init(_ type: String, _ object: String?, _ english: String, _ russian: String, value: String? = nil) {
    self.type = type
    self.object = object
    self.english = english
    self.russian = russian
    self.value = value.map { $0.excerpt(100) }
  }

  static let badPassword = ZomroTwinRefusal(
    "auth", "badpassword", "Invalid username or password ", "Неверное имя пользователя или пароль ",
    value: "remote_addr: [203.0.113.9]")
  static let badIP = ZomroTwinRefusal(
    "auth", "badip", "Access from this IP address is denied", "Доступ с этого IP-адреса запрещен",
    value: "remote_addr: [203.0.113.9]")
  /// The session is gone, or the account may not do this.
  static let access = ZomroTwinRefusal("access", nil, "Access denied", "Доступ запрещен")

  static func missed(_ object: String, _ value: String? = nil) -> ZomroTwinRefusal {
    ZomroTwinRefusal(
      "missed", object, "The '\(object)' parameter is missing or names nothing",
      "Параметр '\(object)' отсутствует или ничего не обозначает", value: value)
  }
  static func exists(_ object: String, _ value: String) -> ZomroTwinRefusal {
    ZomroTwinRefusal(
      "exists", object, "There is already one of this '\(object)'", "Объект с таким '\(object)' уже существует",
      value: value)
  }
  /// The value is not repeated for fields that are secret.
  static func value(_ object: String, _ value: String?) -> ZomroTwinRefusal {
    ZomroTwinRefusal(
      "value", object, "The '\(object)' field has an invalid value", "Поле '\(object)' имеет недопустимое значение",
      value: value)
  }
  static let runningOperation = ZomroTwinRefusal(
    "fleio_error", "runningoperation", "Another operation is in progress", "Выполняется другая операция")
  static func state(_ status: String) -> ZomroTwinRefusal {
    ZomroTwinRefusal(
      "fleio_error", "state", "This cannot be done while the server is \(status)",
      "Это невозможно в текущем состоянии сервера: \(status)")
  }
  static func imageState(_ status: String) -> ZomroTwinRefusal {
    ZomroTwinRefusal(
      "fleio_error", "state", "This cannot be done while the image is \(status)",
      "Это невозможно в текущем состоянии образа: \(status)")
  }
  static let protected = ZomroTwinRefusal(
    "fleio_error", "protected", "The image is protected and cannot be deleted", "Образ защищен от удаления")

  /// What Fleio said of one field, passed through as JSON in `$object`.
  static func validation(_ field: String, _ text: String) -> ZomroTwinRefusal {
    ZomroTwinRefusal(
      "fleio_error", JSONWriter.text(.map([field: .list([.string(text)])])), "Fleio refused the request",
      "Fleio отклонил запрос")
  }
  /// A limit is reached; Fleio's words are passed through as JSON in `msg`.
  static func limit(_ text: String) -> ZomroTwinRefusal {
    let json = JSONWriter.text(.map(["non_field_errors": .list([.string(text)])]))
    return ZomroTwinRefusal("fleio_error", "limit", json, json)
  }
  static func notSimulated(_ function: String) -> ZomroTwinRefusal {
    ZomroTwinRefusal(
      "notsimulated", function, "The simulation does not carry out '\(function)'",
      "Симуляция не выполняет '\(function)'")
  }

  func document(language: String) -> Value {
    let text = language == "en" ? english : russian
    var error: [String: Value] = [
      "$type": .string(type), "$lang": .string(language), "msg": .zomro(text), "detail": .zomro(text),
    ]
    if let object { error["$object"] = .string(object) }
    var parameters: [Value] = []
    if let object {
      parameters.append(["$name": "object", "$type": "msg", "$": .string(object)])
    }
    if let value { parameters.append(["$name": "value", "$": .string(value)]) }
    if !parameters.isEmpty { error["param"] = parameters.count == 1 ? parameters[0] : .list(parameters) }
    return ["doc": ["error": .map(error)]]
  }
}
