#!/bin/sh
# Proves that the tests catch mistakes: planted.sh TEST-PROGRAM, built with -DPLANTED_MISTAKES
# Makes each mistake of Tests/PlantedMistakes.txt and runs the test that stands beside it, which has to fail. Exit
# code 1 if a mistake is caught by nothing, or if a test fails, or is skipped, while no mistake is made.
set -eu
program=$1
table=$(dirname "$0")/../Tests/PlantedMistakes.txt
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The test by its module, name and file, as the testing library writes it.
pattern() { # FILE TEST
  printf '^%s\\..*%s\\(.*/%s:' "${1%%/*}" "$2" "${1##*/}"
}

# `timeout` ends all of its process group, and so what the tests have started.
run() { # SECONDS MISTAKE ARGUMENTS-OF-THE-TEST-PROGRAM...
  seconds=$1
  chosen=$2
  shift 2
  RUNBOOK_MISTAKE=$chosen timeout -k 1 "$seconds" "$program" --testing-library swift-testing "$@" \
    >"$log" 2>&1 </dev/null
}

set --
count=0
while read -r mistake file test; do
  case $mistake in '' | '#'*) continue ;; esac
  set -- "$@" --filter "$(pattern "$file" "$test")"
  count=$((count + 1))
done <"$table"

if ! run 600 '' "$@"; then
  cat "$log" >&2
  echo "planted.sh: these tests fail although no mistake is made" >&2
  exit 1
fi
if grep -E '^[^ ]* Test .* skipped' "$log" >&2; then
  echo "planted.sh: a test that is skipped catches nothing" >&2
  exit 1
fi

missed=0
while read -r mistake file test; do
  case $mistake in '' | '#'*) continue ;; esac
  began=$(date +%s)
  status=0
  run 30 "$mistake" --filter "$(pattern "$file" "$test")" || status=$?
  took=$(($(date +%s) - began))
  case $status in
    0) verdict="CAUGHT BY NOTHING, not even by $test" ;;
    69) verdict="THERE IS NO TEST $test in $file" ;;
    124 | 137) verdict="caught by $test, which never ended" ;;
    *) verdict="caught by $test" ;;
  esac
  case $status in 0 | 69) missed=$((missed + 1)) ;; esac
  printf '%-27s %3d s  %s\n' "$mistake" "$took" "$verdict"
done <"$table"

echo "$((count - missed)) of $count mistakes are caught."
[ "$missed" -eq 0 ]
