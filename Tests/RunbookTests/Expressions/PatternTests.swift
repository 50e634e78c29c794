import Testing

@testable import Runbook

@Suite struct PatternTests {
  @Test(arguments: [
    ("abc", "xxabcxx", true), ("^abc$", "abc", true), ("^abc$", "xabc", false), ("^[0-9]{1,12}$", "12345", true),
    ("^[0-9]{1,12}$", "1234567890123", false), ("^[0-9]{1,12}$", "", false),
    ("^[a-z0-9.-]{1,253}$", "db-1.example.com", true),
    ("^[a-z0-9.-]{1,253}$", "db_1", false), ("a|b|cd", "xcdx", true), ("^(a|b)*c$", "ababc", true),
    ("^(a|b)*c$", "abd", false),
    ("a.c", "abc", true), ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true), ("(?i)ABC", "xaBcx", true),
    ("(?i)[a-c]+z", "BCAZ", true),
    ("\\d+-\\w+", "12-ab", true), ("^\\S+$", "a b", false), ("\\bcat\\b", "a cat b", true),
    ("\\bcat\\b", "concat", false),
    ("\\Bcat", "concat", true), ("^a{3}$", "aaa", true), ("^a{3}$", "aa", false), ("^a{2,}$", "aaaa", true),
    ("^a{0}$", "", true),
    ("a{,2}", "a{,2}", true), ("x{", "x{", true), ("[^a-z]", "abc1", true), ("[^a-z]", "abc", false),
    ("[]a]", "]", true),
    ("[a\\-z]", "-", true), ("[[:alpha:]]+1", "ab1", true), ("\\x41\\x{1F600}", "A😀", true), ("^é$", "é", true),
    ("^$", "", true),
    ("", "anything", true), ("(?m)^b$", "a\nb\nc", true), ("^b$", "a\nb\nc", false), ("(?:ab)+?c", "ababc", true),
    ("(?P<name>a)b", "ab", true), ("\\.", "a", false), ("\\.", ".", true), ("(a*)*b", "aaab", true),
    ("((a?){3}){2}", "", true),
    ("^(a|ab)(c|bcd)$", "abcd", true), ("\\Aab\\z", "ab", true),
  ])
  func aPatternFindsWhatItSays(_ pattern: String, _ text: String, _ expected: Bool) throws {
    #expect(try Pattern(pattern).matches(text) == expected)
  }

  @Test(arguments: [
    ("(", "a `(` is not closed"), (")", "a `)` closes nothing"), ("[a", "a `[` is not closed"),
    ("*a", "nothing stands before `*`"),
    ("a**", "a quantifier follows a quantifier"), ("a{2,1}", "a repeat `{2,1}` counts backwards"),
    ("a{1001}", "a repeat of more than 1000"),
    ("[z-a]", "a range in `[ ]` counts backwards"),
    ("(?=a)", "look-ahead is not supported: it cannot run in linear time"),
    ("(a)\\1", "back-references are not supported: they cannot run in linear time"), ("\\q", "unknown escape `\\q`"),
    ("a\\", "the pattern ends in `\\`"),
    ("\\pL", "Unicode classes (`\\p`) are not supported"), ("[[:foo:]]", "unknown class `[:foo:]`"),
    ("((a{1000}){1000}){1000}", "the pattern is too large once its repeats are written out"),
  ])
  func whatIsNoPatternIsRefusedWithItsReason(_ pattern: String, _ message: String) {
    #expect(throws: PatternError(message)) { try Pattern(pattern) }
  }

  /// A backtracking engine needs longer than the age of the universe for this.
  @Test(arguments: ["^(a+)+$", "^(a|aa)+$", "(a*)*c", "^(([a-z])+.)+[A-Z]([a-z])+$"])
  func hostilePatternsEnd(_ pattern: String) throws {
    #expect(try !Pattern(pattern).matches(String(repeating: "a", count: 5000) + "!"))
  }

  @Test func deepGroupsAreRefusedNotATrap() {
    let deep = String(repeating: "(", count: 2000)
    #expect(throws: PatternError("more than 64 levels of groups")) { try Pattern(deep) }
  }
}
