import Runbook
import Testing

@Suite struct FunctionTests {
  static let conversions = ExpressionCase.table(
    #"""
    size('') => 0
    size('a😀é') => 3
    'abc'.size() => 3
    size([1, 2]) => 2
    size({'a': 1}) => 1
    hmac_sha256('key', 'The quick brown fox jumps over the lazy dog') => \#
    'f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8'
    int('42') => 42
    int('-7') => -7
    int(2.9) => 2
    int(-2.9) => -2
    int(timestamp('1970-01-01T00:01:00Z')) => 60
    int('x') => error: `x` is no int, in `int('x')`
    int('1.5') => error: `1.5` is no int, in `int('1.5')`
    int('99999999999999999999') => error: `99999999999999999999` is no int, in `int('99999999999999999999')`
    int(1e300) => error: 1e+300 does not fit into an int of 64 bits, in `int(1e300)`
    int(9223372036854775808.0) => error: 9223372036854776000 does not fit into an int of 64 bits, in \#
    `int(9223372036854775808.0)`
    double(3) => 3.0
    double('2.5') => 2.5
    double('nan') => error: `nan` is no double, in `double('nan')`
    double('inf') => error: `inf` is no double, in `double('inf')`
    double('0x1p3') => error: `0x1p3` is no double, in `double('0x1p3')`
    string(1) => '1'
    string(1.0) => '1'
    string(-0.5) => '-0.5'
    string(1e20) => '100000000000000000000'
    string(1e21) => '1e+21'
    string(1.25e30) => '1.25e+30'
    string(1e-6) => '0.000001'
    string(1e-7) => '0.0000001'
    string(1e-8) => '1e-8'
    string(1.5e-10) => '1.5e-10'
    string(123456.789) => '123456.789'
    string(100.0) => '100'
    string(0.0) => '0'
    string(-0.0) => '0'
    string(true) => 'true'
    string(duration('1h30m')) => '1h30m'
    string(duration('1m') + duration('500ms')) => '1m500ms'
    string(timestamp('2024-02-29T12:00:00+02:00')) => '2024-02-29T10:00:00Z'
    string(null) => refused: E-EXPR-TYPE: `string` cannot take null; it is `string(string)`, `string(int)`, \#
    `string(double)`, `string(bool)`, `string(timestamp)`, `string(duration)`
    bool('true') => true
    bool('f') => false
    bool('yes') => error: `yes` is no bool, in `bool('yes')`
    duration('2d') => duration 2d
    duration('') => refused: E-EXPR-TYPE: `` is no duration; durations look like `250ms`, `30s`, `5m`, `1h30m`, `2d`
    duration('5') => refused: E-EXPR-TYPE: `5` is no duration; durations look like `250ms`, `30s`, `5m`, `1h30m`, `2d`
    duration('5' + 'x') => error: `5x` is no duration; it looks like `30s`, `5m`, `1h30m`, `2d`, in \#
    `duration('5' + 'x')`
    timestamp('2024-13-01T00:00:00Z') => refused: E-EXPR-TYPE: `2024-13-01T00:00:00Z` is no timestamp; \#
    timestamps look like `2025-01-16T16:15:00Z`
    timestamp(0) => timestamp 1970-01-01T00:00:00Z
    timestamp(99999999999999) => error: 99999999999999 seconds since 1970 are not between the years 1 and 9999, \#
    in `timestamp(99999999999999)`
    type(1) => 'int'
    type(1.0) == double => true
    type(null) == null_type => true
    type([]) == list && type({}) == map => true
    type(now()) == timestamp => true
    now() => timestamp 2023-11-14T22:13:20Z
    """#)

  static let times = ExpressionCase.table(
    #"""
    timestamp('2024-02-29T13:14:15.678Z').getFullYear() => 2024
    timestamp('2024-02-29T13:14:15.678Z').getMonth() => 1
    timestamp('2024-02-29T13:14:15.678Z').getDate() => 29
    timestamp('2024-02-29T13:14:15.678Z').getDayOfMonth() => 28
    timestamp('2024-02-29T13:14:15.678Z').getDayOfWeek() => 4
    timestamp('2024-02-29T13:14:15.678Z').getDayOfYear() => 59
    timestamp('2024-02-29T13:14:15.678Z').getHours() => 13
    timestamp('2024-02-29T13:14:15.678Z').getMinutes() => 14
    timestamp('2024-02-29T13:14:15.678Z').getSeconds() => 15
    timestamp('2024-02-29T13:14:15.678Z').getMilliseconds() => 678
    timestamp('2024-02-29T23:30:00Z').getDate('+02:00') => 1
    timestamp('2024-03-01T00:30:00Z').getHours('-01:00') => 23
    timestamp('2024-03-01T00:30:00Z').getHours('UTC') => 0
    timestamp('2024-03-01T00:30:00Z').getHours('Nowhere/At') => error: `Nowhere/At` is no time zone known \#
    here; it is `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin` if this machine has a time zone \#
    database (`tzdata`), in `timestamp('2024-03-01T00:30:00Z').getHours('Nowhere/At')`
    timestamp('1969-12-31T00:00:00Z').getDayOfWeek() => 3
    timestamp('0001-01-01T00:00:00Z').getDayOfYear('-01:00') => 365
    duration('1h30m').getHours() => 1
    duration('1h30m').getMinutes() => 90
    duration('1h30m').getSeconds() => 5400
    duration('250ms').getMilliseconds() => 250
    """#)

  static let texts = ExpressionCase.table(
    #"""
    'hello'.contains('ell') => true
    'hello'.contains('') => true
    'hello'.contains('x') => false
    'hello'.startsWith('he') => true
    'hello'.endsWith('lo') => true
    'hello'.endsWith('hello!') => false
    'hello'.matches('^h.*o$') => true
    matches('hello', 'ell') => true
    'hello'.matches('(') => refused: E-EXPR-PATTERN: a `(` is not closed
    'hello'.matches('(' + '') => error: a `(` is not closed, in `'hello'.matches('(' + '')`
    'a,b,,c'.split(',') => ['a', 'b', '', 'c']
    'a,b,c'.split(',', 2) => ['a', 'b,c']
    'a,b,c'.split(',', 0) => []
    'a,b,c'.split(',', 1) => ['a,b,c']
    'a,b,c'.split(',', -1) => ['a', 'b', 'c']
    'abc'.split('') => ['a', 'b', 'c']
    'abc'.split('', 2) => ['a', 'bc']
    ''.split(',') => ['']
    ['a', 'b'].join() => 'ab'
    ['a', 'b'].join('-') => 'a-b'
    [].join('-') => ''
    'AbÉ'.lowerAscii() => 'abÉ'
    'abé'.upperAscii() => 'ABé'
    ' \t a b\n'.trim() => 'a b'
    '   '.trim() => ''
    'aXbXc'.replace('X', '-') => 'a-b-c'
    'aXbXc'.replace('X', '-', 1) => 'a-bXc'
    'aXbXc'.replace('X', '-', 0) => 'aXbXc'
    'aXbXc'.replace('X', '-', -1) => 'a-b-c'
    'aé'.replace('', '_') => '_a_é_'
    'aé'.replace('', '_', 2) => '_a_é'
    'aaa'.replace('aa', 'b') => 'ba'
    'héllo'.substring(1) => 'éllo'
    'héllo'.substring(1, 3) => 'él'
    'abc'.substring(3) => ''
    'abc'.substring(4) => error: position 4 is outside the string of 3, in `'abc'.substring(4)`
    'abc'.substring(2, 1) => error: 2 to 1 is outside the string of 3, in `'abc'.substring(2, 1)`
    'abc'.substring(-1) => error: position -1 is outside the string of 3, in `'abc'.substring(-1)`
    'abc'.charAt(1) => 'b'
    'abc'.charAt(3) => ''
    'abc'.charAt(9223372036854775807) => error: position 9223372036854775807 is outside the string of 3, in \#
    `'abc'.charAt(9223372036854775807)`
    'abcabc'.indexOf('c') => 2
    'abcabc'.indexOf('c', 3) => 5
    'abcabc'.indexOf('x') => -1
    'abcabc'.indexOf('') => 0
    'abcabc'.indexOf('', 6) => 6
    'abcabc'.indexOf('c', 7) => error: position 7 is outside the string of 6, in `'abcabc'.indexOf('c', 7)`
    'abcabc'.lastIndexOf('b') => 4
    'abcabc'.lastIndexOf('b', 3) => 1
    'abcabc'.lastIndexOf('abcabcd') => -1
    'abcabc'.lastIndexOf('') => 6
    'é😀'.reverse() => '😀é'
    [1, 2].reverse() => [2, 1]
    '%s is %d'.format(['a', 3]) => 'a is 3'
    '%.2f %e %x %X %o %b %%'.format([1.005, 12345.678, 255, 'k', 8, 5]) => '1.00 1.234568e+04 ff 6B 10 101 %'
    '%.0f'.format([1e300]).size() => 301
    '%s %s'.format([[1, 'a'], null]) => '[1,"a"] null'
    '%d'.format(['a']) => error: `%d` cannot show a string, in `'%d'.format(['a'])`
    '%d'.format([]) => error: the format asks for more than the 0 values given, in `'%d'.format([])`
    'x'.format([1]) => error: the format asks for 0 values, 1 are given, in `'x'.format([1])`
    '%y'.format([1]) => error: `%y` is no verb of `format`; there are `%s %d %f %e %x %X %o %b %%`, in \#
    `'%y'.format([1])`
    '%.99f'.format([1.0]) => error: a precision in a format is `.0` to `.40`, in `'%.99f'.format([1.0])`
    '%'.format([]) => error: the format ends after a `%`; a literal one is `%%`, in `'%'.format([])`
    """#)

  static let ours = ExpressionCase.table(
    #"""
    json('{"a": [1, 2.5, null]}').a => [1, 2.5, null]
    json('{') => error: this is no JSON: expected a key in quotes (at byte 1), in `json('{')`
    json('{"a":1,"a":2}') => error: this is no JSON: a key stands twice in one object (at byte 12), in \#
    `json('{"a":1,"a":2}')`
    to_json({'b': 1, 'a': [true, 'x']}) => '{"a":[true,"x"],"b":1}'
    json(to_json([1, 'a'])) == [1, 'a'] => true
    base64('') => ''
    base64('f') => 'Zg=='
    base64('fo') => 'Zm8='
    base64('foobar') => 'Zm9vYmFy'
    sha256('abc') => 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    url_encode('a b/é?&=~._-') => 'a%20b%2F%C3%A9%3F%26%3D~._-'
    glob('pre-2024', 'pre-*') => true
    'pre-2024'.glob('*-????') => true
    'abc'.glob('[a-c]b[!d]') => true
    'abc'.glob('ab') => false
    'a*c'.glob('a\\*c') => true
    'axc'.glob('a\\*c') => false
    'ab[c'.glob('ab[c') => true
    ''.glob('*') => true
    semver_compare('1.2.3', '1.10.0') => -1
    semver_compare('v2.0.0', '2.0') => 0
    semver_compare('1.0.0-rc.1', '1.0.0') => -1
    semver_compare('1.0.0-rc.10', '1.0.0-rc.9') => 1
    semver_compare('1.0.0-alpha', '1.0.0-1') => 1
    semver_compare('1.0.0+build', '1.0.0') => 0
    semver_compare('99999999999999999999.0.0', '99999999999999999998.0.0') => 1
    semver_compare('one', '1.0.0') => error: `one` is no version; it looks like `1.4.2` or `2.0.0-rc.1`, in \#
    `semver_compare('one', '1.0.0')`
    sort_by([{'n': 3}, {'n': 1}, {'n': 2}], 'n') => [{n: 1}, {n: 2}, {n: 3}]
    sort_by([{'n': 'b', 'i': 1}, {'n': 'a', 'i': 2}, {'n': 'b', 'i': 0}], 'n').map(x, x.i) => [2, 1, 0]
    sort_by([], 'n') => []
    sort_by([{'n': 1}, {'m': 1}], 'n') => error: `sort_by` needs `n` in every item; item 1 has none, in \#
    `sort_by([{'n': 1}, {'m': 1}], 'n')`
    sort_by([{'n': 1}, {'n': 'a'}], 'n') => error: `sort_by` cannot compare an int with a string (item 1), in \#
    `sort_by([{'n': 1}, {'n': 'a'}], 'n')`
    slice([1, 2, 3], 0, 2) => [1, 2]
    slice([1, 2, 3], 1, 99) => [2, 3]
    slice([1, 2, 3], 9, 99) => []
    slice([1, 2, 3], 2, 1) => error: `slice` needs 0 <= a <= b, these are 2 and 1, in `slice([1, 2, 3], 2, 1)`
    slice([1, 2, 3], -1, 1) => error: `slice` needs 0 <= a <= b, these are -1 and 1, in `slice([1, 2, 3], -1, 1)`
    """#)

  @Test(arguments: conversions) func convertsAsCELDoes(_ example: ExpressionCase) {
    #expect(result(of: example.source) == example.expected)
  }
  @Test(arguments: times) func readsThePartsOfATime(_ example: ExpressionCase) {
    #expect(result(of: example.source) == example.expected)
  }
  @Test(arguments: texts) func worksOnTextsByCodePoints(_ example: ExpressionCase) {
    #expect(result(of: example.source) == example.expected)
  }
  @Test(arguments: ours) func hasItsOwnFunctions(_ example: ExpressionCase) {
    #expect(result(of: example.source) == example.expected)
  }
}
