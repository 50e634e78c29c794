import Runbook
import Testing

/// Hostile expressions end with a typed error: no trap, no exhausted stack, no endless work.
@Suite struct ExpressionLimitTests {
  static func nested(_ open: String, _ core: String, _ close: String, _ count: Int) -> String {
    String(repeating: open, count: count) + core + String(repeating: close, count: count)
  }

  @Test(arguments: [
    nested("(", "1", ")", 3000), nested("[", "", "]", 3000), nested("{'a':", "1", "}", 900),
    nested("!", "true", "", 3000),
    nested("-", "x", "", 3000), nested("", "x", ".a", 3000), nested("", "x", "[0]", 2000),
    nested("true ? 1 : ", "1", "", 600),
    nested("size(", "x", ")", 1000), nested("1+", "1", "", 3000), nested("x.map(x,", "x", ")", 800),
    nested("", "x", ".trim()", 1000),
    nested("[1].map(x, ", "x", ")", 500),
  ])
  func deepNestingIsRefused(_ source: String) {
    #expect(
      result(of: source, in: ["x": 1]).hasPrefix("refused: E-EXPR-LIMIT: the expression nests more than 64 levels deep")
    )
  }

  @Test(arguments: [
    nested("(", "1", ")", 60), nested("[", "", "]", 60), nested("1+", "1", "", 60), nested("", "x", ".a", 60),
    nested("[1].map(x, ", "x", ")", 30), nested("true ? 1 : ", "1", "", 60), nested("{'a':", "1", "}", 60),
  ])
  func sixtyLevelsAreFine(_ source: String) {
    var value: Value = 1
    for _ in 0..<60 { value = ["a": value] }
    #expect(!result(of: source, in: ["x": value]).hasPrefix("refused"))
    #expect(!result(of: source, in: ["x": value]).hasPrefix("error"))
  }

  @Test func manyOperandsOfAndAndOrAreNoNesting() {
    #expect(result(of: Array(repeating: "true", count: 900).joined(separator: "&&")) == "true")
    #expect(result(of: Array(repeating: "false", count: 900).joined(separator: "||")) == "false")
  }

  @Test func aLongSourceIsRefused() {
    let refusal = "refused: E-EXPR-LIMIT: an expression may have 8192 bytes at most; put parts of it into `vars`"
    #expect(result(of: "'" + String(repeating: "a", count: 9000) + "'").hasPrefix("refused: E-EXPR"))
    #expect(result(of: "1" + String(repeating: " ", count: 9000) + "+ 1") == refusal)
    #expect(result(of: String(repeating: "a || ", count: 5000) + "a") == refusal)
    #expect(result(of: "${{ '" + String(repeating: "a", count: 9000)).hasPrefix("refused: E-EXPR-SYNTAX"))
    #expect(result(of: String(repeating: "a", count: 8000)).hasPrefix("refused: E-EXPR-NAME"))
    #expect(result(of: String(repeating: "1==2||", count: 1160) + "true") == "true")
  }

  static let ten = "[0,1,2,3,4,5,6,7,8,9]"

  @Test func workIsBounded() {
    let loops = "\(Self.ten).all(a, \(Self.ten).all(b, \(Self.ten).all(c, \(Self.ten).all(d, a + b + c + d < 99))))"
    #expect(result(of: loops).hasPrefix("error: the expression takes more than 10000 steps, in `"))
    // A spent budget is final: `||` must not turn it into an answer.
    #expect(result(of: loops + " || true").hasPrefix("error: the expression takes more than 10000 steps"))
  }

  /// `x` doubled 40 times: by `+`, by lists, and by parts that are shared and small in memory.
  static func doubled(_ step: String, _ start: String, _ count: Int) -> String {
    var source = "optional.of(\(start))"
    for _ in 0..<count { source += ".optMap(a, \(step))" }
    return source + ".value()"
  }

  @Test(arguments: [
    doubled("a + a", "'0123456789abcdef'", 40), doubled("[a, a]", "1", 40), doubled("{'a': a, 'b': a}", "1", 40),
    doubled("a + a", "[1, 2]", 40), doubled("[a, a]", "'0123456789abcdef'", 40),
    "to_json(" + doubled("[a, a]", "1", 40) + ")",
    doubled("a.replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')", "'a'", 20),
    doubled("[a, a].join(a)", "'abcdefgh'", 20),
    doubled("'%s%s'.format([a, a])", "'abcdefgh'", 30), doubled("base64(a)", "'abcdefghabcdefghabcdefgh'", 45),
    "(" + doubled("[a, a]", "1", 40) + ") == " + doubled("[a, a]", "1", 40),
    "(" + doubled("[a, a]", "1", 40) + ") in [" + doubled("[a, a]", "1", 40) + "]",
  ])
  func whatGrowsWithoutEndIsStopped(_ source: String) {
    let answer = result(of: source)
    #expect(answer.hasPrefix("error: ") || answer.hasPrefix("refused: E-EXPR-LIMIT"), "\(answer.prefix(80))")
  }

  @Test func whatIsOnlyReadMayBeHuge() {
    let text = String(repeating: "a", count: 2 << 20)
    let roots: [String: Value] = ["x": .string(text), "m": ["o": .string(text), "l": [.string(text)]]]
    for source in ["x", "m.o", "m.l[0]", "m.?o", "1 > 2 ? '' : x", "m.?p.orValue(x)", "m"] {
      #expect(!result(of: source, in: roots).hasPrefix("error"), "\(source)")
    }
    #expect(
      result(of: "x.contains('b') || x.endsWith('b') || x.matches('b$') || size(x) != 2097152", in: roots) == "false")
    #expect(result(of: "size(x.split('b'))", in: roots) == "1")
  }

  @Test(arguments: [
    "x + x", "[x]", "x.trim()", "x.upperAscii()", "x.substring(1)", "x.reverse()", "json(x)", "to_json(x)",
    "[x, x].join('')", "'%s'.format([x])", "x.split('')",
  ])
  func whatIsBuiltMayNot(_ source: String) {
    let big: Value = .string(String(repeating: "a", count: 2 << 20))
    let answer = result(of: source, in: ["x": big])
    #expect(answer.hasPrefix("error: ") && answer.contains("larger than 1 MiB"), "\(answer.prefix(200))")
  }

  @Test func patternsPayForTheirWork() {
    let text: Value = .string(String(repeating: "a", count: 4000))
    #expect(result(of: "x.matches('^(a+)+$')", in: ["x": text]) == "true")
    #expect(result(of: "x.matches('(a?){100}b')", in: ["x": text]) == "false")
    let most = "\(Self.ten).all(a, \(Self.ten).all(b, \(Self.ten).all(c, a + b + c < 99)))"
    #expect(result(of: most) == "true")
    #expect(
      result(of: most + " && x.matches('(a?){900}(a?){900}b')", in: ["x": text])
        .hasPrefix("error: the expression takes more than 10000 steps, in `x.matches("))
  }

  @Test func searchesAreLinear() {
    let big: Value = .string(String(repeating: "a", count: 500_000))
    let part: Value = .string(String(repeating: "a", count: 250_000) + "b")
    let roots = ["x": big, "p": part]
    #expect(result(of: "x.indexOf(p)", in: roots) == "-1")
    #expect(result(of: "x.lastIndexOf(p)", in: roots) == "-1")
    #expect(result(of: "x.contains(p)", in: roots) == "false")
    #expect(result(of: "size(x.replace(p, ''))", in: roots) == "500000")
    #expect(result(of: "size(x.split(p))", in: roots) == "1")
  }

  @Test func aDeepValueIsNoResult() {
    var value: Value = 1
    for _ in 0..<60 { value = [value] }
    #expect(result(of: "[[[[[[x]]]]]]", in: ["x": value]).hasPrefix("error: the result nests more than 64 levels deep"))
  }

  /// Random tokens, random bytes: whatever comes, there is an answer.
  @Test func nothingTraps() {
    let tokens = [
      "x", "inputs", "1", "-", "9223372036854775807", "1.5", "1e308", "'a'", "\"", "r'", "(", ")", "[", "]", "{", "}",
      ".", ".?", "[?", ",", "?",
      ":", "==", "!=", "<", ">=", "&&", "||", "!", "+", "*", "/", "%", " in ", "null", "true", "map", "all(",
      "x.map(y, ", "has(", "optional.of(",
      "size(", ".format([", ".matches('", ".substring(", "duration('1h')", "timestamp(0)", "\\u", "é", "😀", "\u{0}",
      "${{", "}}", "int(", "double(",
      ".orValue(", ".split('', ", ".replace('', 'a', ", "slice(", "sort_by(", ".charAt(", "'%.3f'", ".join(", "json('[",
      "glob(", "-9223372036854775808",
    ]
    var state: UInt64 = 42
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: state >> 33) % limit
    }
    var values = 0
    for _ in 0..<6000 {
      let source = (0..<(1 + random(14))).map { _ in tokens[random(tokens.count)] }.joined()
      let answer = result(
        of: source, in: ["x": [1, "a", .double(.infinity), .double(.nan)], "inputs": ["a": .int(.min)]])
      if !answer.hasPrefix("refused") { values += 1 }
      _ = Template.scalar(source, at: .beginning, in: TypeEnvironment(roots: ["x": .any]))
      _ = try? Pattern(source).matches("aé\u{0}b")
    }
    #expect(values > 50)
  }
}
