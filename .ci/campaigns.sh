#!/bin/sh
# Prints a pattern of the test suites that have a long form: those whose file asks `Campaign` how far to go.
# campaigns.sh NAMES: only those whose names begin so, a pattern of grep; campaigns.sh -v NAMES: only the others.
set -eu
option=
if [ "$1" = -v ]; then
  option=-v
  shift
fi
cd "$(dirname "$0")/.."
grep -rlE 'Campaign\.(count|isLong|part)' Tests --include='*Tests.swift' \
  | sed 's|.*/||; s|\.swift$||' | grep $option -E "^($1)" | sort | paste -sd '|' -
