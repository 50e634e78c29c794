import Runbook
import Testing

@Suite struct TemplateTests {
  static let roots: [String: Value] = [
    "inputs": [
      "host": "db-1.example.com", "evil": "evil.com/x", "user": "a@b", "n": 5, "f": .double(2.0), "none": nil,
      "list": [1, "a"],
      "empty": "", "base": "https://api.example.com/v1", "wait": .duration(.seconds(90)), "dots": "..",
      "v6": "[::1]:8080",
      "port": "db-1:5432", "query": "a&admin=1", "percent": "a%2fb", "space": "a b", "evilbase": "https://h/?x=",
    ],
    "at": .timestamp(Timestamp(seconds: 0)), "maybe": .optional(nil), "some": .optional("x"), "later": .unknown,
    "secrets": [
      "token": .secret(Secret("s/cret", named: ["token"])), "plain": .secret(Secret("abc", named: ["plain"])),
    ],
  ]
  static let environment = TypeEnvironment(
    roots: [
      "inputs": .map(.any), "at": .timestamp, "maybe": .optional(.string), "some": .optional(.string), "later": .any,
      "secrets": .object(["token": .secret, "plain": .secret]),
    ])

  static func answer(_ text: String, asURL: Bool = false) -> String {
    switch Template.scalar(text, at: .beginning, in: environment) {
    case .failure(let diagnostics): return "refused: " + diagnostics.items.map(\.text).joined(separator: " | ")
    case .success(let template):
      let scope = DictionaryScope(roots)
      do throws(ExpressionFailure) {
        return shown(asURL ? try template.evaluateURL(in: scope) : try template.evaluate(in: scope))
      } catch {
        return "error: " + error.message
      }
    }
  }

  static let scalars = ExpressionCase.table(
    #"""
    plain => 'plain'
    $ {{ x }} $${ => '$ {{ x }} $${'
    ${{ inputs.n }} => 5
    ${{inputs.n}} => 5
    ${{ inputs.list }} => [1, 'a']
    ${{ inputs.none }} => null
    ${{ maybe }} => null
    ${{ some }} => 'x'
    ${{ secrets.plain }} => secret abc
    ${{ {'a': {'b': 1}} }} => {a: {b: 1}}
    ${{ {'a': {'b': 1}}}} => {a: {b: 1}}
    ${{ '}}' }} => '}}'
    pre-${{ inputs.n }}-${{ inputs.host }} => 'pre-5-db-1.example.com'
    ${{ inputs.n }}${{ inputs.n }} => '55'
     ${{ inputs.n }} => ' 5'
    n=${{ inputs.f }} => 'n=2'
    n=${{ inputs.n > 3 }} => 'n=true'
    n=${{ inputs.list }} => 'n=[1,"a"]'
    n=${{ {'b': 1, 'a': inputs.wait} }} => 'n={"a":"1m30s","b":1}'
    n=${{ at }} => 'n=1970-01-01T00:00:00Z'
    n=${{ inputs.wait }} => 'n=1m30s'
    n=${{ some }} => 'n=x'
    n=${{ inputs.empty }} => 'n='
    n=${{ later }} => unknown
    n=${{ [later] }} => unknown
    Bearer ${{ secrets.plain }}! => secret Bearer abc!
    n=${{ inputs.none }} => error: `${{ inputs.none }}` is null or absent, so it cannot stand inside a text; \#
    give it a value with `.orValue(…)` or `? :`
    n=${{ maybe }} => error: `${{ maybe }}` is null or absent, so it cannot stand inside a text; give it a \#
    value with `.orValue(…)` or `? :`
    n=${{ null }} => refused: E-EXPR-TYPE: null cannot stand inside a text
    n=${{ [secrets.plain] }} => refused: E-EXPR-SECRET: a list or map with a secret in it cannot stand inside a \#
    text; name the secret alone
    n=${{ inputs.n / 0 }} => error: division by zero, in `inputs.n / 0` (`inputs.n` is 5)
    $${{ inputs.n }} => '${{ inputs.n }}'
    a $${{ b }} ${{ inputs.n }} => 'a ${{ b }} 5'
    $$${{ inputs.n }} => '$${{ inputs.n }}'
    ${{ inputs.n => refused: E-EXPR-SYNTAX: `${{` is not closed; end the expression with `}}`; write `$${{` for \#
    a literal `${{`
    ${{ nope }} ${{ nada }} => refused: E-EXPR-NAME: unknown name `nope`; text stands in quotes: `'nope'` | \#
    E-EXPR-NAME: unknown name `nada`; text stands in quotes: `'nada'`
    ${{ }} => refused: E-EXPR-SYNTAX: the expression is empty
    ${{ } }} => refused: E-EXPR-SYNTAX: expected a value, found `}`
    """#)

  static let addresses = ExpressionCase.table(
    #"""
    https://${{ inputs.host }}/health => 'https://db-1.example.com/health'
    https://${{ inputs.port }}/health => 'https://db-1:5432/health'
    https://${{ inputs.v6 }}/health => 'https://[::1]:8080/health'
    https://${{ inputs.host }}:8080/ => 'https://db-1.example.com:8080/'
    https://${{ inputs.host }} => 'https://db-1.example.com'
    https://x/${{ inputs.n }}?a=${{ inputs.host }} => 'https://x/5?a=db-1.example.com'
    https://x/?a=${{ inputs.empty }} => 'https://x/?a='
    https://x/${{ url_encode(inputs.evil) }} => 'https://x/evil.com%2Fx'
    ${{ inputs.base }} => 'https://api.example.com/v1'
    ${{ inputs.base }}/servers => 'https://api.example.com/v1/servers'
    https://x/bot${{ url_encode(secrets.token) }}/send => secret https://x/bots%2Fcret/send
    https://x/${{ secrets.plain }} => secret https://x/abc
    https://x/${{ later }} => unknown
    https://${{ inputs.evil }}/health => error: `${{ inputs.evil }}` ("evil.com/x") is no host such as \#
    `db-1.example.com`
    https://${{ inputs.user }}/health => error: `${{ inputs.user }}` ("a@b") is no host such as `db-1.example.com`
    https://${{ inputs.empty }}/health => error: `${{ inputs.empty }}` ("") is empty, so the address would mean \#
    something else
    https://x/${{ inputs.evil }} => error: `${{ inputs.evil }}` ("evil.com/x") holds `/`, which would change \#
    the address; write `url_encode(…)` around it
    https://x/${{ inputs.user }} => error: `${{ inputs.user }}` ("a@b") holds `@`, which would change the \#
    address; write `url_encode(…)` around it
    https://x/${{ inputs.percent }} => error: `${{ inputs.percent }}` ("a%2fb") holds `%`, which would change \#
    the address; write `url_encode(…)` around it
    https://x/${{ inputs.space }} => error: `${{ inputs.space }}` ("a b") holds white space or a control \#
    character, which would change the address; write `url_encode(…)` around it
    https://x/?a=${{ inputs.query }} => error: `${{ inputs.query }}` ("a&admin=1") holds `&`, which would \#
    change the address; write `url_encode(…)` around it
    https://x/snapshots/${{ inputs.empty }} => error: `${{ inputs.empty }}` ("") is empty, so the address would \#
    mean something else
    https://x/a/${{ inputs.dots }}/b => error: the path of the address would hold a `..`, which leads somewhere else
    https://x/a/${{ url_encode(inputs.dots) }}/b => error: the path of the address would hold a `..`, which \#
    leads somewhere else
    https://x/bot${{ secrets.token }}/send => error: `${{ secrets.token }}` holds `/`, which would change the \#
    address; write `url_encode(…)` around it
    ${{ inputs.evilbase }}/servers => error: `${{ inputs.evilbase }}` ("https://h/?x=") is no plain base \#
    address such as `https://db-1.example.com`
    """#)

  @Test(arguments: scalars) func aScalarKeepsItsTypeOrBecomesText(_ example: ExpressionCase) {
    #expect(Self.answer(example.source) == example.expected)
  }
  @Test(arguments: addresses) func aPartOfAnAddressCannotChangeIt(_ example: ExpressionCase) {
    #expect(Self.answer(example.source, asURL: true) == example.expected)
  }

  @Test func listsAndMapsOfConstantsAreConstant() throws {
    let item = try Template.scalar("${{ inputs.n }}", at: .beginning, in: Self.environment).get()
    let secret = try Template.scalar("a${{ secrets.plain }}", at: .beginning, in: Self.environment).get()
    #expect(Template.list([.literal(1), .literal("a")]).constant == [1, "a"])
    #expect(Template.map(["a": .literal(1)]).constant == ["a": 1])
    let mixed = Template.map(["a": .list([item, .literal(2)]), "b": secret])
    #expect(!mixed.isConstant && mixed.isTainted && mixed.expressions.count == 2 && !mixed.mayBeUnknown)
    #expect(mixed.type == .object(["a": .list(.any), "b": .secret]))
    #expect(shown(try mixed.evaluate(in: DictionaryScope(Self.roots))) == "{a: [5, 2], b: secret aabc}")
    #expect(mixed.references.inputs == ["n"] && mixed.references.secrets == ["plain"])
    let later = try Template.scalar("x ${{ later }}", at: .beginning, in: Self.environment).get()
    #expect(later.mayBeUnknown)
  }

  @Test func aSecretInATextNeverPrints() throws {
    let template = try Template.scalar("a${{ secrets.plain }}", at: .beginning, in: Self.environment).get()
    #expect("\(try template.evaluate(in: DictionaryScope(Self.roots)))" == "secret(***)")
  }
}
