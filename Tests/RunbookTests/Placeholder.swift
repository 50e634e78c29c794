// Tests of Runbook.
