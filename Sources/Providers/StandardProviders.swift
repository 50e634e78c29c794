public import Runbook

/// Every cloud a runbook can name after `type:`. A new one is a folder beside this file and a line here.
public let standardProviders: [any ProviderKind] =
  [
    VPSOrgProvider(), ZomroProvider(), ZStackProvider(),
  ] + ShippedProvider.all
