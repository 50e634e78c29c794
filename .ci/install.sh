#!/bin/sh
# Puts the binary, its manual page and its completions under a prefix: install.sh PATH-OF-RUNBOOK PREFIX
set -eu
runbook=$1
prefix=$2
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

"$runbook" help --man >"$made/runbook.1"
"$runbook" completion bash >"$made/runbook.bash"
"$runbook" completion zsh >"$made/_runbook"
"$runbook" completion fish >"$made/runbook.fish"

install -D -m 755 "$runbook" "$prefix/bin/runbook"
install -D -m 644 "$made/runbook.1" "$prefix/share/man/man1/runbook.1"
install -D -m 644 "$made/runbook.bash" "$prefix/share/bash-completion/completions/runbook"
install -D -m 644 "$made/_runbook" "$prefix/share/zsh/site-functions/_runbook"
install -D -m 644 "$made/runbook.fish" "$prefix/share/fish/vendor_completions.d/runbook.fish"
