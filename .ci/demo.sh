#!/bin/sh
# Shows the example runbook in a simulation: demo.sh PATH-OF-RUNBOOK
# Nothing leaves this machine, and nothing is kept.
set -eu
runbook=$1
inputs='--input server=12345 --input host=web01.example.com'

echo
echo "$ runbook run --simulate runbooks/pre_upgrade.yaml $inputs"
# shellcheck disable=SC2086  # several words
"$runbook" run --simulate runbooks/pre_upgrade.yaml $inputs

cat <<TEXT

That was the good day. To see the update fail and everything being put back (exit 3), type:

  $runbook run --simulate --mock runbooks/mocks/update_fails.yaml runbooks/pre_upgrade.yaml $inputs

README.md goes on from here.
TEXT
