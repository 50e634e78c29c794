#!/bin/sh
# Makes sure that Debian packages are there: need.sh PACKAGE...
# Asks the local package database first, so that nothing is fetched and no network is needed once they are installed.
set -eu

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "need.sh: this is no Debian; please see to the equivalents of: $*" >&2
  exit 0
fi

missing=
for package in "$@"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status} ' "$package" 2>/dev/null || true)
  case " $status" in
    *" installed "*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as_root=sudo
else
  echo "These packages are missing, and installing them needs root. Please type:" >&2
  echo "  sudo apt-get install$missing" >&2
  exit 1
fi

echo "Installing:$missing"
install() {
  # shellcheck disable=SC2086  # one word a package
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends $missing
}
# A machine that has never asked for the lists of packages does not know them yet.
install >/dev/null 2>&1 || { $as_root apt-get update --quiet && install; }
