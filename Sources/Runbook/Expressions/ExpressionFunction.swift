/// Every function and method; the raw value is its name.
enum ExpressionFunction: String, CaseIterable, Sendable {
  case size, int, double, string, bool, duration, timestamp, type
  case getFullYear, getMonth, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear
  case getHours, getMinutes, getSeconds, getMilliseconds
  case contains, startsWith, endsWith, matches, split, join, lowerAscii, upperAscii, trim, replace, substring, charAt
  case indexOf, lastIndexOf, reverse, format
  case optionalOf = "optional.of"
  case optionalNone = "optional.none"
  case optionalOfNonZeroValue = "optional.ofNonZeroValue"
  case hasValue, value, or, orValue
  case json
  case toJSON = "to_json"
  case base64, sha256
  case urlEncode = "url_encode"
  case hmacSHA256 = "hmac_sha256"
  case glob
  case semverCompare = "semver_compare"
  case sortBy = "sort_by"
  case slice, now

  /// One way to call it: `receiver.f(a)` has its receiver as first parameter.
  struct Overload {
    var isMethod: Bool
    var parameters: [ValueType]
    var result: ValueType
  }

  /// The words of a signature, for messages: "`size(string)`, `size(list)`".
  var usage: String { overloads.map { "`\(describe($0))`" }.joined(separator: ", ") }

  private func describe(_ overload: Overload) -> String {
    var words = overload.parameters.map(\.word)
    let receiver = overload.isMethod && !words.isEmpty ? words.removeFirst() + "." : ""
    return receiver + rawValue + "(" + words.joined(separator: ", ") + ")"
  }

  /// May be given a secret, and hands its taint on.
  var acceptsSecret: Bool {
    switch self {
    case .base64, .urlEncode, .hmacSHA256, .optionalOf, .hasValue, .value, .or, .orValue, .slice: true
    default: false
    }
  }

  /// Read only when a call of it is parsed: no table to build at start-up.
  var overloads: [Overload] {
    switch self {
    case .size: both([[.string], [.list(.any)], [.map(.any)]], .int)
    case .int: functions([[.int], [.double], [.string], [.timestamp]], .int)
    case .double: functions([[.double], [.int], [.string]], .double)
    case .string: functions([[.string], [.int], [.double], [.bool], [.timestamp], [.duration]], .string)
    case .bool: functions([[.bool], [.string]], .bool)
    case .duration: functions([[.duration], [.string]], .duration)
    case .timestamp: functions([[.timestamp], [.string], [.int]], .timestamp)
    case .type: functions([[.any]], .string)
    case .getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear:
      methods([[.timestamp], [.timestamp, .string]], .int)
    case .getHours, .getMinutes, .getSeconds, .getMilliseconds:
      methods([[.timestamp], [.timestamp, .string], [.duration]], .int)
    case .contains, .startsWith, .endsWith: methods([[.string, .string]], .bool)
    case .matches, .glob: both([[.string, .string]], .bool)
    case .split: methods([[.string, .string], [.string, .string, .int]], .list(.string))
    case .join: methods([[.list(.string)], [.list(.string), .string]], .string)
    case .lowerAscii, .upperAscii, .trim: methods([[.string]], .string)
    case .reverse: methods([[.string]], .string) + methods([[.list(.any)]], .any)
    case .replace: methods([[.string, .string, .string], [.string, .string, .string, .int]], .string)
    case .substring: methods([[.string, .int], [.string, .int, .int]], .string)
    case .charAt: methods([[.string, .int]], .string)
    case .indexOf, .lastIndexOf: methods([[.string, .string], [.string, .string, .int]], .int)
    case .format: methods([[.string, .list(.any)]], .string)
    case .optionalOf, .optionalOfNonZeroValue: functions([[.any]], .optional(.any))
    case .optionalNone: functions([[]], .optional(.any))
    case .hasValue: methods([[.optional(.any)]], .bool)
    case .value: methods([[.optional(.any)]], .any)
    case .or: methods([[.optional(.any), .optional(.any)]], .optional(.any))
    case .orValue: methods([[.optional(.any), .any]], .any)
    case .json: functions([[.string]], .any)
    case .toJSON: functions([[.any]], .string)
    case .base64, .sha256, .urlEncode: functions([[.string]], .string)
    case .hmacSHA256: functions([[.string, .string]], .string)
    case .semverCompare: functions([[.string, .string]], .int)
    case .sortBy: functions([[.list(.any), .string]], .list(.any))
    case .slice: functions([[.list(.any), .int, .int]], .list(.any))
    case .now: functions([[]], .timestamp)
    }
  }

  private func functions(_ parameters: [[ValueType]], _ result: ValueType) -> [Overload] {
    parameters.map { Overload(isMethod: false, parameters: $0, result: result) }
  }
  private func methods(_ parameters: [[ValueType]], _ result: ValueType) -> [Overload] {
    parameters.map { Overload(isMethod: true, parameters: $0, result: result) }
  }
  private func both(_ parameters: [[ValueType]], _ result: ValueType) -> [Overload] {
    functions(parameters, result) + methods(parameters, result)
  }

  /// Names that other languages use for ours.
  static let habits: [String: String] = [
    "failure":
      "there is no `failure()`: such steps stand in `on_failure` or `always`; there, `failure` is the error itself",
    "success":
      "there is no `success()`: a step runs only if all before it did; in `always` ask `run.outcome == 'succeeded'`",
    "always": "there is no `always()`: put the step under `always:`",
    "cancelled": "there is no `cancelled()`: in `always` ask `run.outcome == 'cancelled'`",
    "len": "the length of a string, list or map is `size(x)`",
    "length": "the length of a string, list or map is `size(x)`",
    "count": "the length of a string, list or map is `size(x)`", "lower": "write `x.lowerAscii()`",
    "toLowerCase": "write `x.lowerAscii()`", "upper": "write `x.upperAscii()`", "toUpperCase": "write `x.upperAscii()`",
    "toJson": "write `to_json(x)`", "toJSON": "write `to_json(x)`", "fromJson": "write `json(x)`",
    "fromJSON": "write `json(x)`",
    "default": "write `steps.x.?outputs.y.orValue(…)`", "startswith": "write `x.startsWith(y)`",
    "endswith": "write `x.endsWith(y)`", "uint": "there is no `uint`: use `int(x)`",
    "bytes": "there are no bytes: use strings",
    "dyn": "types that are not known are checked in the run: write the value alone", "str": "write `string(x)`",
    "env": "expressions do not see the environment: declare an input", "hashFiles": "write `sha256(text)`",
    "today": "write `now()`", "float": "write `double(x)`", "number": "write `int(x)` or `double(x)`",
    "strip": "write `x.trim()`", "includes": "write `x.contains(y)` or `y in x`",
    "keys": "`m.map(k, k)` gives a map's keys",
  ]

  /// All that may be called, macros included.
  static var allNames: [String] {
    allCases.map { $0.rawValue } + Macro.allCases.map { $0.rawValue } + ["has", "optMap"]
  }
}
