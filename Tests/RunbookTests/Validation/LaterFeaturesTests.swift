import Providers
import Steps
import Testing

@testable import Runbook

@Suite struct LaterFeaturesTests {
  @Test("nothing that can be written already is called a feature of a later release")
  func nothingThatIsThereIsLater() {
    let actions = standardActions.map { $0.declaration.name } + standardProviders.flatMap { $0.actions.map { $0.name } }
    #expect(LaterFeatures.actions.isDisjoint(with: actions))
    #expect(LaterFeatures.keys.isDisjoint(with: standardSteps.map { $0.keyword }))
    #expect(LaterFeatures.keys.isDisjoint(with: Validation.topLevelKeys))
    #expect(LaterFeatures.keys.isDisjoint(with: Validation.stepKeys + Validation.holderKeys))
  }
}
