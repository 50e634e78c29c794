import Runbook
import Testing

@Suite struct ExpressionCheckTests {
  static let environment = TypeEnvironment(
    roots: [
      "inputs": .object([
        "server": .string, "count": .int, "share": .double, "hosts": .list(.string), "on": .bool, "wait": .duration,
      ]),
      "vars": .object([:]),
      "secrets": .object(["vps_token": .secret, "hook": .secret]),
      "run": .run, "result": .object(["status": .int, "json": .any, "headers": .map(.string)]),
    ],
    steps: [
      "find": .ran(outputs: ["id": .string, "size": .int, "list": .list(.object(["id": .string]))]),
      "maybe": .mayNotHaveRun(outputs: ["id": .string], because: "it has an `if`"),
      "after": .later(line: 40),
      "sibling": .hidden(line: 12, because: "it is in another branch of the same `parallel`"),
    ])

  static func check(_ source: String, expecting type: ValueType = .any) -> String {
    switch Expression.parse(source, at: .beginning, in: environment, expecting: type) {
    case .success(let expression): "\(expression.type)"
    case .failure(let diagnostics): diagnostics.items.map(\.text).joined(separator: " | ")
    }
  }

  static let types = ExpressionCase.table(
    #"""
    inputs.server => string
    inputs.hosts[0] => string
    inputs.hosts[?0] => optional(string)
    inputs['count'] + 1 => int
    inputs.count > 1.5 => bool
    result.json.a.b[0] => any
    result.json.a + 1 => int
    result.headers['x'] => string
    steps.find.outputs.list.map(i, i.id) => list(string)
    steps.find.outputs.list.filter(i, i.id != '')[0].id => string
    steps.maybe.?outputs.id => optional(string)
    steps.maybe.?outputs.id.orValue('none') => string
    steps.maybe.status == 'succeeded' => bool
    steps.maybe.status == 'succeeded' ? steps.maybe.outputs.id : 'x' => string
    steps.maybe.status == 'succeeded' && steps.maybe.outputs.id == 'x' => bool
    steps.maybe.status != 'succeeded' || steps.maybe.outputs.id == 'x' => bool
    !(steps.maybe.status != 'succeeded') && steps.maybe.outputs.id == 'x' => bool
    steps.maybe.status == 'failed' && steps.maybe.error.kind == 'timeout' => bool
    has(steps.maybe.outputs) && steps.maybe.outputs.id != '' => bool
    steps.maybe.?outputs.hasValue() && steps.maybe.outputs.id != '' => bool
    steps.find.error == null => bool
    'Bearer ' + secrets.vps_token => secret
    base64('u:' + secrets.vps_token) => secret
    [secrets.hook] => list(secret)
    inputs.on ? secrets.hook : 'x' => secret
    run.started_at + inputs.wait => timestamp
    now() - run.started_at > inputs.wait => bool
    inputs.on ? 1 : 'a' => any
    ${{ inputs.count }} => int
    """#)

  static let refusals = ExpressionCase.table(
    #"""
    input.server => E-EXPR-NAME: unknown name `input`; did you mean `inputs`?
    env.HOME => E-EXPR-NAME: unknown name `env`; expressions do not see the environment: declare an input
    self.outputs => E-EXPR-NAME: `self` has no meaning here; `self` is the step itself: in its `expect` and its \#
    `rollback`
    running => E-EXPR-NAME: unknown name `running`; text stands in quotes: `'running'`
    inputs.sever => E-EXPR-MEMBER: no member `sever`; did you mean `server`?
    inputs.zzz => E-EXPR-MEMBER: no member `zzz`; there are `count`, `hosts`, `on`, `server`, `share`, `wait`
    vars.x => E-EXPR-MEMBER: no member `x`; it has none
    steps.fnd.outputs.id => E-EXPR-STEP: there is no step `fnd`; did you mean `find`?
    steps.after.outputs => E-EXPR-STEP-ORDER: step `after` comes later, on line 40; an expression can read only \#
    the steps before it
    steps.sibling.outputs => E-EXPR-STEP-ORDER: step `sibling` on line 12 cannot be read here: it is in another \#
    branch of the same `parallel`
    steps.find.outputs.ip => E-EXPR-MEMBER: no member `ip`; did you mean `id`?
    steps.find.output.id => E-EXPR-MEMBER: no member `output`; did you mean `outputs`?
    steps.maybe.outputs.id => E-EXPR-OPTIONAL: step `maybe` may not have run: it has an `if`; write \#
    `steps.maybe.?outputs` and `.orValue(…)`, or ask `steps.maybe.status == 'succeeded' &&` first
    steps.maybe.status == 'failed' && steps.maybe.outputs.id == '' => E-EXPR-OPTIONAL: step `maybe` may not \#
    have run: it has an `if`; write `steps.maybe.?outputs` and `.orValue(…)`, or ask `steps.maybe.status == \#
    'succeeded' &&` first
    steps.maybe.error.kind => E-EXPR-OPTIONAL: step `maybe` may not have run: it has an `if`; write \#
    `steps.maybe.?error` and `.orValue(…)`, or ask `steps.maybe.status == 'succeeded' &&` first
    steps.maybe.?outputs.ip => E-EXPR-MEMBER: no member `ip`; did you mean `id`?
    steps.maybe.status == 'success' => E-EXPR-TYPE: the status of step `maybe` is never `success`; did you mean \#
    `succeeded`?
    steps => E-EXPR-TYPE: `steps` alone is no value; name one step: `steps.ID.outputs`
    steps[inputs.server] => E-EXPR-TYPE: the step must be named; write `steps.ID`
    inputs.count + 'a' => E-EXPR-TYPE: `+` cannot take an int and a string; convert one: `string(…)` or `int(…)`
    inputs.count + 1.5 => E-EXPR-TYPE: `+` cannot take an int and a double; convert one: `double(…)` or `int(…)`
    inputs.count == '5' => E-EXPR-TYPE: an int never equals a string; convert one: `string(…)` or `int(…)`
    inputs.wait > '5m' => E-EXPR-TYPE: `>` cannot compare a duration with a string; a duration is written \#
    `duration('5m')`
    inputs.hosts > inputs.hosts => E-EXPR-TYPE: `>` cannot compare a list of string with a list of string
    'a' in inputs.server => E-EXPR-TYPE: `in` needs a list or a map, this is a string; write `text.contains(part)`
    1 in inputs.hosts => E-EXPR-TYPE: an int is never in a list of string; convert one: `string(…)` or `int(…)`
    !inputs.count => E-EXPR-TYPE: `!` needs true or false, this is an int; compare it: `… > 0`
    inputs.count && true => E-EXPR-TYPE: `&&` needs true or false, this is an int; compare it: `… > 0`
    inputs.server ? 1 : 2 => E-EXPR-TYPE: `? :` needs true or false, this is a string; compare it: `… == 'text'`
    steps.maybe.?outputs.id == 'x' => E-EXPR-TYPE: an optional string never equals a string; give the optional \#
    a value first: `.orValue(…)`
    steps.maybe.?outputs.id.size() => E-EXPR-TYPE: `size` cannot take optional string; give the optional a \#
    value first: `.orValue(…)`
    size(inputs.count) => E-EXPR-TYPE: `size` cannot take int; it is `size(string)`, `size(list)`, `size(map)`, \#
    `string.size()`, `list.size()`, `map.size()`
    contains(inputs.server, 'a') => E-EXPR-FUNCTION: `contains` is a method; write `string.contains(string)`
    inputs.server.to_json() => E-EXPR-FUNCTION: `to_json` is a function; write `to_json(any)`
    len(inputs.hosts) => E-EXPR-FUNCTION: unknown function `len`; the length of a string, list or map is `size(x)`
    inputs.server.containz('a') => E-EXPR-FUNCTION: unknown method `containz`; did you mean `contains`?
    failure() => E-EXPR-FUNCTION: unknown function `failure`; there is no `failure()`: such steps \#
    stand in `on_failure` or `always`; there, `failure` is the error itself
    inputs.server.matches('a{9999}') => E-EXPR-PATTERN: a repeat of more than 1000
    secrets.vps_token == 'x' => E-EXPR-SECRET: `==` would reveal something about a secret; a secret may only be \#
    joined with `+` or `${{ }}`, encoded with `base64()` or `url_encode()`, and passed on
    size(secrets.hook) => E-EXPR-SECRET: `size` would reveal something about a secret; a secret may only be \#
    joined with `+` or `${{ }}`, encoded with `base64()` or `url_encode()`, and passed on
    secrets.hook.contains('x') => E-EXPR-SECRET: `contains` would reveal something about a secret; a secret may \#
    only be joined with `+` or `${{ }}`, encoded with `base64()` or `url_encode()`, and passed on
    secrets.vps_tokn => E-EXPR-MEMBER: no member `vps_tokn`; did you mean `vps_token`?
    to_json(secrets) => E-EXPR-SECRET: `to_json` would reveal something about a secret; a secret may only be \#
    joined with `+` or `${{ }}`, encoded with `base64()` or `url_encode()`, and passed on
    {1: 2} => E-EXPR-TYPE: a map's key is a string, not an int; a key that is a name stands in quotes: `{'name': …}`
    {'a': 1, 'a': 2} => E-EXPR-TYPE: the key `a` stands twice in one map
    inputs.server[0] => E-EXPR-TYPE: a string has no `[ ]`; write `.charAt(i)` or `.substring(a, b)`
    inputs.hosts['a'] => E-EXPR-TYPE: a list has no member `a`; take one item, `[0].a`, or all, `.map(i, i.a)`
    inputs.server.all(c, c != 'x') => E-EXPR-TYPE: `all` needs a list or a map, this is a string
    inputs.sever + inputs.cont => E-EXPR-MEMBER: no member `sever`; did you mean `server`? | E-EXPR-MEMBER: no \#
    member `cont`; did you mean `count`?
    """#)

  static let syntax = ExpressionCase.table(
    #"""
    1 + => E-EXPR-SYNTAX: expected a value, found the end
    (1 => E-EXPR-SYNTAX: expected `)` after the parenthesised expression, found the end
    [1, 2 => E-EXPR-SYNTAX: expected `]` at the end of the list, found the end
    inputs.count = 1 => E-EXPR-SYNTAX: `=` does not belong in an expression; equality is `==`
    inputs.on and inputs.on => E-EXPR-SYNTAX: expected an operator or the end, found `and`; logical and is `&&`
    inputs.on & inputs.on => E-EXPR-SYNTAX: `&` does not belong in an expression; logical and is `&&`
    inputs.server | upper => E-EXPR-SYNTAX: `|` does not belong in an expression; logical or is `||`; there are \#
    no filters: write `size(x)`, `x.trim()`
    'abc => E-EXPR-SYNTAX: the string that begins here does not end
    “abc” => E-EXPR-SYNTAX: `“` does not belong in an expression; quotes are `'` or `"`
    '\q' => E-EXPR-SYNTAX: `\q` is no escape for a character; a backslash is `\\`; in `r'…'` nothing is escaped
    '\ud800' => E-EXPR-SYNTAX: `\ud800` is no escape for a character; a backslash is `\\`; in `r'…'` nothing is \#
    escaped
    '\U00110000' => E-EXPR-SYNTAX: `\U00110000` is no escape for a character; a backslash is `\\`; in `r'…'` \#
    nothing is escaped
    5m => E-EXPR-SYNTAX: `5m` is no number; a duration is written `duration('5m')`
    1u => E-EXPR-SYNTAX: `1u` is no number; there is no `uint`: write it without the `u`
    b'abc' => E-EXPR-SYNTAX: there are no byte strings; write it without the `b`
    9223372036854775808 => E-EXPR-SYNTAX: `9223372036854775808` is no int of 64 bits; the largest is \#
    9223372036854775807
    99999999999999999999 => E-EXPR-SYNTAX: `99999999999999999999` is no int of 64 bits; the largest is \#
    9223372036854775807
    1e999 => E-EXPR-SYNTAX: `1e999` is too large for a double
    if => E-EXPR-SYNTAX: `if` is a reserved word of the expression language
    inputs.a-b c => E-EXPR-SYNTAX: expected an operator or the end, found `c`
    inputs. => E-EXPR-SYNTAX: expected a name after `.`, found the end; a key that is no name stands in \#
    brackets: `x['a-b']`
    has(inputs) => E-EXPR-SYNTAX: `has` asks for a member; write `has(a.b)`, or `'b' in a`
    [1].map(1, 2) => E-EXPR-SYNTAX: `map` needs a name first, found `1`; write `list.map(x, …)`
    ${{ inputs.on }} && true => E-EXPR-SYNTAX: there is more behind the `}}`; this place takes a whole \#
    expression: leave out `${{` and `}}`
    inputs.on && ${{ true }} => E-EXPR-SYNTAX: `$` does not belong in an expression; no `${{` inside an \#
    expression: write the name alone
    ${{ inputs.on => E-EXPR-SYNTAX: `${{` is not closed; end the expression with `}}`; write `$${{` for a \#
    literal `${{`
    ${{ }} => E-EXPR-SYNTAX: the expression is empty
    1 // one => E-EXPR-SYNTAX: `/` does not belong in an expression; there are no comments inside an expression
    optional.some(1) => E-EXPR-FUNCTION: unknown function `optional.some`; there are `optional.of(x)`, \#
    `optional.none()` and `optional.ofNonZeroValue(x)`
    """#)

  @Test(arguments: types) func knowsTheType(_ example: ExpressionCase) {
    #expect(Self.check(example.source).replacing("Runbook.ValueType.", with: "") == example.expected)
  }
  @Test(arguments: refusals) func refusesWhatCannotBeMeant(_ example: ExpressionCase) {
    #expect(Self.check(example.source) == example.expected)
  }
  @Test(arguments: syntax) func refusesWhatIsNoExpression(_ example: ExpressionCase) {
    #expect(Self.check(example.source) == example.expected)
  }

  @Test(arguments: [
    ("inputs.count", "E-EXPR-TYPE: this place needs a bool, the expression gives an int; compare it: `… > 0`"),
    ("secrets.hook", "E-EXPR-SECRET: a secret cannot stand here; it may only be passed to fields that take one"),
    (
      "steps.maybe.?outputs.id",
      "E-EXPR-TYPE: this place needs a bool, the expression gives an optional string; "
        + "an absent optional is neither: write `.orValue(false)`"
    ),
    ("inputs.on", "bool"),
  ])
  func aPlaceGetsTheTypeItNeeds(_ source: String, _ answer: String) {
    #expect(Self.check(source, expecting: .bool) == answer)
  }

  @Test func aMistakeIsPointedAtOnThePage() {
    func column(_ text: String, _ range: SourceRange) -> [Int] {
      guard case .failure(let diagnostics) = Expression.parse(text, at: range, in: Self.environment) else { return [] }
      return diagnostics.items.flatMap { [$0.range.start.line, $0.range.start.column, $0.range.end.column] }
    }
    func place(_ line: Int, _ column: Int) -> SourceRange.Place { SourceRange.Place(line: line, column: column) }
    let text = "'é' == inputs.sever"
    let width = text.unicodeScalars.count
    #expect(column(text, SourceRange(place(3, 9), place(3, 9 + width))) == [3, 16, 28])
    #expect(column(text, SourceRange(place(3, 9), place(3, 11 + width))) == [3, 17, 29])
    #expect(column(text, SourceRange(place(3, 9), place(4, 2))) == [3, 9, 2])
  }

  @Test func whatAnExpressionReadsIsKnown() throws {
    let source = "[inputs.count, steps.find.outputs.id, secrets.hook, now(), run.started_at]"
    let references = try Expression.parse(source, at: .beginning, in: Self.environment).get().references
    #expect(references.roots == ["inputs", "steps", "secrets", "run"])
    #expect(
      references.steps == ["find"] && references.inputs == ["count"] && references.secrets == ["hook"]
        && references.callsNow)
    func mayBeUnknown(_ source: String) throws -> Bool {
      try Expression.parse(source, at: .beginning, in: Self.environment).get().mayBeUnknown
    }
    #expect(try !mayBeUnknown("inputs.count + 1 > 2 && type(1) == int"))
    #expect(try mayBeUnknown("inputs.count == 1 ? run.id : ''"))
    #expect(try mayBeUnknown("string(now())"))
  }
}
