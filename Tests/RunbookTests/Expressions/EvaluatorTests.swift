import Runbook
import Testing

@Suite struct EvaluatorTests {
  static let context: [String: Value] = [
    "x": 5, "y": 0, "f": .double(2.5), "name": "db-1", "empty": "", "on": true, "nothing": nil,
    "list": [1, 2, 3], "nested": ["a": ["b": ["c": 7]], "items": [["n": 1], ["n": 2]], "null": nil],
    "servers": [["name": "b", "size": 2], ["name": "a", "size": 3], ["name": "c", "size": 1]],
    "later": .unknown, "partly": [1, .unknown],
    "token": .secret(Secret("s3cr3t", named: ["token"])),
    "wait": .duration(.seconds(90)), "at": .timestamp(Timestamp(seconds: 1_700_000_000, nanoseconds: 250_000_000)),
    "some": .optional(4), "none": .optional(nil),
  ]

  static let literals = ExpressionCase.table(
    #"""
    1 => 1
    -1 => -1
    - 1 => -1
    --1 => 1
    0x1F => 31
    -0x10 => -16
    9223372036854775807 => 9223372036854775807
    -9223372036854775808 => -9223372036854775808
    1.5 => 1.5
    .5 => 0.5
    1e3 => 1000.0
    1.5E-2 => 0.015
    true => true
    null => null
    'a' => 'a'
    "it's" => 'it's'
    'a\'b' => 'a'b'
    'tab\there' == "tab\u0009here" => true
    '\x41\u00e9\U0001F600\101' => 'Aé😀A'
    r'\d+\n' => '\d+\n'
    R"a\" => 'a\'
    '''it's "q"''' => 'it's "q"'
    """a""" => 'a'
    [] => []
    [1, 'a', null,] => [1, 'a', null]
    {} => {}
    {'a': 1, 'b': [2]} => {a: 1, b: [2]}
    has({'a': 1}.c) => false
    has({'a': 1}.a) => true
    {'a': 1}.?b.orValue(0) => 0
    {'a': 1}.?a.orValue(0) => 1
    [?some, ?none, 1] => [4, 1]
    {?'a': some, ?'b': none} => {a: 4}
    int => 'int'
    ((((1)))) => 1
    """#)

  static let operators = ExpressionCase.table(
    #"""
    1 + 2 * 3 => 7
    (1 + 2) * 3 => 9
    10 - 4 - 3 => 3
    100 / 10 / 2 => 5
    7 % 3 => 1
    -7 % 3 => -1
    -7 / 2 => -3
    x + 1 => 6
    -x => -5
    f * 2.0 => 5.0
    1.0 / 4.0 => 0.25
    'a' + 'b' + name => 'abdb-1'
    [1] + list => [1, 1, 2, 3]
    duration('1m') + duration('30s') == wait => true
    wait - duration('1m') => duration 30s
    -wait => duration -1m30s
    at + duration('1h') => timestamp 2023-11-14T23:13:20.25Z
    duration('1h') + at == at + duration('1h') => true
    at - duration('1h') => timestamp 2023-11-14T21:13:20.25Z
    at - timestamp('2023-11-14T22:13:20Z') => duration 250ms
    1 == 1.0 => true
    1 == 1.5 => false
    9007199254740993 == 9007199254740992.0 => false
    9007199254740993 > 9007199254740992.0 => true
    9223372036854775807 < 9223372036854775808.0 => true
    -9223372036854775808 == -9223372036854775808.0 => true
    1 < 1.5 => true
    2.5 >= 2 => true
    'a' < 'b' => true
    'Z' < 'a' => true
    'é' == 'é' => true
    false < true => true
    duration('1m') < duration('61s') => true
    timestamp('2024-01-01T00:00:00Z') > at => true
    x == 'a' => false
    nothing == null => true
    x != null => true
    [1, 2.0] == [1.0, 2] => true
    {'a': 1} == {'a': 1.0} => true
    {'a': 1} == {'b': 1} => false
    some == optional.of(4) => true
    none == optional.none() => true
    2 in list => true
    9 in list => false
    'a' in nested => true
    'z' in nested => false
    2.0 in list => true
    !on => false
    !!on => true
    x > 3 ? 'big' : 'small' => 'big'
    on ? 1 : 1 / y => 1
    on ? x == 5 ? 'a' : 'b' : 'c' => 'a'
    on && x == 5 || false => true
    list[0] => 1
    nested.a.b.c => 7
    nested['a']['b'].c => 7
    nested.items[1].n => 2
    """#)

  static let errorSemantics = ExpressionCase.table(
    #"""
    false && 1 / y == 1 => false
    1 / y == 1 && false => false
    true || 1 / y == 1 => true
    1 / y == 1 || true => true
    1 / y == 1 && true => error: division by zero, in `1 / y` (`y` is 0)
    false || 1 / y == 1 => error: division by zero, in `1 / y` (`y` is 0)
    x && false => false
    x && true => error: `&&` needs true or false, this is an int, in `x && true` (`x` is 5)
    [0, 1].exists(i, 1 / i == 1) => true
    [1, 0].all(i, 1 / i == 2) => false
    [0].exists(i, 1 / i == 1) => error: division by zero, in `1 / i`
    1 / 0 => error: division by zero, in `1 / 0`
    1 % 0 => error: division by zero, in `1 % 0`
    1.0 / 0.0 => error: division by zero, in `1.0 / 0.0`
    9223372036854775807 + 1 => error: the result does not fit into an int of 64 bits, in `9223372036854775807 + 1`
    -9223372036854775808 - 1 => error: the result does not fit into an int of 64 bits, in `-9223372036854775808 - 1`
    -9223372036854775808 / -1 => error: the result does not fit into an int of 64 bits, in `-9223372036854775808 / -1`
    -9223372036854775808 % -1 => error: the result does not fit into an int of 64 bits, in `-9223372036854775808 % -1`
    -(-9223372036854775808) => error: the result does not fit into an int of 64 bits, in `-(-9223372036854775808)`
    9223372036854775807 * 2 => error: the result does not fit into an int of 64 bits, in `9223372036854775807 * 2`
    1e308 * 10.0 => error: the result does not fit into a double, in `1e308 * 10.0`
    list[3] => error: index 3 is beyond the end of the list of 3, in `list[3]` (`list` is [1,2,3])
    list[-1] => error: an index is never negative, in `list[-1]` (`list` is [1,2,3])
    nested.b => error: there is no `b`; did you mean `a`?, in `nested.b`
    nested.whatever => error: there is no `whatever`; there are `a`, `items`, `null`, in `nested.whatever`
    nothing.a => error: null has no member `a`, in `nothing.a`
    x.a => error: an int has no member `a`, in `x.a`
    x + name => error: `+` cannot take an int and a string, in `x + name` (`x` is 5, `name` is "db-1")
    x + 1.0 => error: `+` cannot take an int and a double, in `x + 1.0` (`x` is 5)
    x < name => error: `<` cannot compare an int with a string, in `x < name` (`x` is 5, `name` is "db-1")
    x ? 1 : 2 => error: `? :` needs true or false, this is an int, in `x ? 1 : 2` (`x` is 5)
    !name => error: `!` needs true or false, this is a string, in `!name` (`name` is "db-1")
    {'a': 1, name + '': 2, 'db-1': 3} => error: the key `db-1` stands twice in one map, in `{'a': 1, name + '': \#
    2, 'db-1': 3}` (`name` is "db-1")
    timestamp('9999-12-31T23:59:59Z') + duration('1d') => error: the result is not between the years 1 and \#
    9999, in `timestamp('9999-12-31T23:59:59Z') + duration('1d')`
    none.value() => error: the optional is absent, so it has no `value()`, in `none.value()` (`none` is absent)
    list.all(i, i > x + name) => error: `+` cannot take an int and a string, in `x + name` (`x` is 5, `name` is \#
    "db-1")
    list.map(i, i / y) => error: division by zero, in `i / y` (`i` is 1, `y` is 0)
    """#)

  static let macros = ExpressionCase.table(
    #"""
    has(nested.a) => true
    has(nested.zz) => false
    has(nested.a.b.c) => true
    list.all(i, i > 0) => true
    list.exists(i, i > 2) => true
    list.exists(i, i > 3) => false
    [].all(i, i) => true
    [].exists(i, i) => false
    list.exists_one(i, i == 2) => true
    list.existsOne(i, i > 1) => false
    list.map(i, i * 2) => [2, 4, 6]
    list.map(i, i > 1, i * 2) => [4, 6]
    list.filter(i, i % 2 == 1) => [1, 3]
    nested.map(k, k) => ['a', 'items', 'null']
    nested.filter(k, k != 'a') => ['items', 'null']
    list.map(i, list.map(j, i * j)) => [[1, 2, 3], [2, 4, 6], [3, 6, 9]]
    list.map(x, x + 1) => [2, 3, 4]
    servers.filter(s, s.size > 1).map(s, s.name) => ['b', 'a']
    nested.?a => some {b: {c: 7}}
    nested.?zz => none
    nested.?zz.b.c => none
    nested.?a.b.c => some 7
    nested.?a.?b.?zz => none
    nested[?'a'].b.c => some 7
    list[?1] => some 2
    list[?9] => none
    nested.?zz.orValue(3) => 3
    nested.?a.b.c.orValue(3) => 7
    nested.?null => some null
    nothing.?a => none
    some.hasValue() => true
    none.hasValue() => false
    some.value() => 4
    none.or(some) => some 4
    some.or(none) => some 4
    none.orValue(1 + 1) => 2
    some.orValue(1 / 0) => 4
    some.optMap(v, v + 1) => some 5
    none.optMap(v, v + 1) => none
    optional.ofNonZeroValue('') => none
    optional.ofNonZeroValue(0) => none
    optional.ofNonZeroValue('a') => some 'a'
    """#)

  static let unknowns = ExpressionCase.table(
    #"""
    later => unknown
    later + 1 => unknown
    later.a.b => unknown
    later[0] => unknown
    later == 1 => unknown
    later == later => unknown
    !later => unknown
    -later => unknown
    later && false => false
    later && true => unknown
    later || true => true
    later && 1 / y == 1 => unknown
    later ? 1 : 2 => unknown
    size(later) => unknown
    later.contains('a') => unknown
    later.matches('a') => unknown
    later.map(i, i) => unknown
    list.filter(i, later) => unknown
    list.exists(i, i == 3 || later) => true
    later.orValue(1) => unknown
    later.?a => unknown
    has(later.a) => unknown
    1 in partly => true
    2 in partly => unknown
    partly == [1, 2] => unknown
    partly == [2, 2] => false
    to_json(partly) => unknown
    size(partly) => 2
    partly[0] => 1
    [later] => [unknown]
    type(later) => unknown
    """#)

  static let secrets = ExpressionCase.table(
    #"""
    token => secret s3cr3t
    'Bearer ' + token => secret Bearer s3cr3t
    token + token => secret s3cr3ts3cr3t
    base64('u:' + token) => secret dTpzM2NyM3Q=
    url_encode(token + '/') => secret s3cr3t%2F
    [token] => [secret s3cr3t]
    on ? token : 'x' => secret s3cr3t
    optional.of(token).orValue('x') => secret s3cr3t
    token == 'x' => error: `==` would reveal something about a secret, in `token == 'x'` (`token` is "***")
    [token] == ['x'] => error: `==` would reveal something about a secret, in `[token] == ['x']` (`token` is "***")
    token in ['x'] => error: `in` would reveal something about a secret, in `token in ['x']` (`token` is "***")
    'x' in [token] => error: `==` would reveal something about a secret, in `'x' in [token]` (`token` is "***")
    token < 'x' => error: `<` would reveal something about a secret, in `token < 'x'` (`token` is "***")
    size(token) => error: `size` would reveal something about a secret, in `size(token)` (`token` is "***")
    token.contains('s') => error: `contains` would reveal something about a secret, in `token.contains('s')` \#
    (`token` is "***")
    token.matches('s') => error: `matches` would reveal something about a secret, in `token.matches('s')` \#
    (`token` is "***")
    sha256(token) => error: `sha256` would reveal something about a secret, in `sha256(token)` (`token` is "***")
    to_json([token]) => error: `to_json` would reveal something about a secret, in `to_json([token])` (`token` is "***")
    '%s'.format([token]) => error: `format` would reveal something about a secret, in `'%s'.format([token])` \#
    (`token` is "***")
    string(token) => error: `string` would reveal something about a secret, in `string(token)` (`token` is "***")
    type(token) => error: `type` would reveal something about a secret, in `type(token)` (`token` is "***")
    token.x => error: `.x` would reveal something about a secret, in `token.x`
    list[token] => error: `[ ]` would reveal something about a secret, in `list[token]` (`list` is [1,2,3], \#
    `token` is "***")
    token ? 1 : 2 => error: `? :` would reveal something about a secret, in `token ? 1 : 2` (`token` is "***")
    !token => error: `!` would reveal something about a secret, in `!token` (`token` is "***")
    -token => error: `-` would reveal something about a secret, in `-token` (`token` is "***")
    token - 1 => error: `-` would reveal something about a secret, in `token - 1` (`token` is "***")
    """#)

  @Test(arguments: literals + operators) func givesItsValue(_ example: ExpressionCase) {
    #expect(result(of: example.source, in: Self.context) == example.expected)
  }
  @Test(arguments: errorSemantics) func tellsErrorsWithTheValuesInThem(_ example: ExpressionCase) {
    #expect(result(of: example.source, in: Self.context) == example.expected)
  }
  @Test(arguments: macros) func macrosAndOptionalsGiveTheirValue(_ example: ExpressionCase) {
    #expect(result(of: example.source, in: Self.context) == example.expected)
  }
  @Test(arguments: unknowns) func anUnknownIsContagious(_ example: ExpressionCase) {
    #expect(result(of: example.source, in: Self.context) == example.expected)
  }
  @Test(arguments: secrets) func aSecretOnlyTravels(_ example: ExpressionCase) {
    #expect(result(of: example.source, in: Self.context) == example.expected)
  }

  @Test func aRootThatTheScopeLacksIsAnError() {
    let environment = TypeEnvironment(roots: ["gone": .any])
    let expression = try? Expression.parse("gone.a", at: .beginning, in: environment).get()
    #expect(throws: ExpressionFailure("`gone` is not available here, in `gone`")) {
      try expression?.evaluate(in: DictionaryScope([:]))
    }
  }

  @Test func theValuesReadAreExplained() throws {
    let roots: [String: Value] = ["result": ["status": 503], "token": .secret(Secret("s3cr3t", named: ["token"]))]
    let environment = TypeEnvironment(roots: roots.mapValues { _ in .any })
    let expression = try Expression.parse(
      "result.status == 200 && [1].all(i, i > 0 || token == '')", at: .beginning, in: environment
    ).get()
    #expect(
      expression.explanation(in: DictionaryScope(roots))
        == "`result.status == 200 && [1].all(i, i > 0 || token == '')`, "
        + "where `result.status` is 503, `token` is \"***\""
    )
  }
}
