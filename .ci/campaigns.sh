#!/bin/sh
# Prints a pattern of the test suites that have a long form: those whose file asks `Campaign` how far to go.
set -eu
cd "$(dirname "$0")/.."
grep -rlE 'Campaign\.(count|isLong)' Tests --include='*Tests.swift' \
  | sed 's|.*/||; s|\.swift$||' | sort | paste -sd '|' -
