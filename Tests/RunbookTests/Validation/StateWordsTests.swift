import Testing

@Suite struct StateWordsTests {
  @Test(arguments: [
    Refused.strictly(
      "- {run: x, rollback: none, if: ①\"run.state in ['Running', 'stopped'] || 'READY' == run.state\"}".replacing(
        "run.state", with: "json('{}').state"),
      "① W-WORD: no state is called `Running`: states are written in small letters; write `running`; the cloud's own "
        + "word is `native_state`",
      "① W-WORD: no state is called `READY`: states are written in small letters; write `ready`; the cloud's own word "
        + "is `native_state`"),
    Refused.strictly("- {run: x, rollback: none, if: \"json('{}').state == 'running' || json('{}').word == 'Ready'\"}"),
  ])
  func aStateThatIsNoneIsTold(_ refused: Refused) { refused.check() }
}
