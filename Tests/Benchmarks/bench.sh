#!/bin/bash
# `make bench`: bench.sh FOLDER-OF-BINARIES [FIGURE...]. Every figure of ours stands beside a floor and a peer, measured in
# turns in the same run; medians. Nothing here needs the network. Figures: start steps scripts output validate http polls
# watch remote many branches.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binaries=$(cd "$1" && pwd)
shift
figures=${*:-start steps scripts output validate http polls watch remote many branches}
runbook=$binaries/runbook

# On the disk of the project, not in memory: flushing is part of what is measured.
work=$(mktemp -d "$binaries/bench.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work HOME=$work RUNBOOK_STORE=$work/store.db

# build NAME LIBRARIES...: compiles a reference program; false, and said, if that cannot be done here.
build() {
  local name=$1
  shift
  cc -O2 -o "$work/$name" "$here/$name.c" "$@" 2>"$work/cc.log" && return
  echo "($name.c could not be compiled: $(head -n 1 "$work/cc.log"))"
  return 1
}
build bench
has() { command -v "$1" >/dev/null 2>&1; }

# measure RUNS NAME COMMAND [NAME COMMAND]...: a table; ratios are to the first line.
measure() {
  local runs=$1 names=() command=(-n "$1")
  shift
  while [ $# -gt 1 ]; do
    names+=("$1")
    read -ra words <<<"$2"
    command+=(-- "${words[@]}")
    shift 2
  done
  "$work/bench" "${command[@]}" >"$work/figures"
  printf '  %-46s %10s %19s %9s %9s %7s\n' '' 'median ms' '(least–most)' 'CPU ms' 'peak MiB' 'ratio'
  local index=0
  while read -r median least most cpu peak; do
    [ $index -gt 0 ] || first=$median
    awk -v n="${names[$index]}" -v m="$median" -v l="$least" -v h="$most" -v c="$cpu" -v p="$peak" -v f="$first" \
      'BEGIN { printf "  %-46s %10.2f %19s %9.2f %9.1f %7.2f\n", n, m, sprintf("(%.2f–%.2f)", l, h), c, p, m / f }'
    index=$((index + 1))
  done <"$work/figures"
  echo
}

# head NAME: the beginning of a runbook.
head_of() { printf 'runbook: v1\nname: %s\nsteps:\n' "$1"; }

# mixed COUNT: steps as people write them, five in turn.
mixed() {
  head_of mixed
  awk -v n="$1" 'BEGIN {
    for (i = 0; i < n; i++) {
      if (i % 5 == 0) printf "  - {id: s%d, run: \"tar -cf /tmp/x.tar ./data\", timeout: 10m, rollback: none}\n", i
      if (i % 5 == 1) printf "  - {id: s%d, wait_for: http.get, with: {url: \"https://db-%d.example.com/health\"}, wait: {every: 5s, timeout: 2m, until: \"result.status == 200\"}}\n", i, i
      if (i % 5 == 2) printf "  - {id: s%d, action: assert, with: {that: \"${{ steps.s%d.status == \047succeeded\047 }}\", message: \"step %d must have run\"}}\n", i, i - 1, i - 1
      if (i % 5 == 3) printf "  - id: s%d\n    action: http.post\n    with: {url: \"https://api.example.com/v1/things\", json: {name: \"thing-%d\", run: \"${{ run.id }}\"}}\n    retry: {attempts: 3, delay: 1s}\n    rollback:\n      - {action: http.delete, with: {url: \"https://api.example.com/v1/things/%d\"}}\n", i, i, i
      if (i % 5 == 4) printf "  - {id: s%d, action: log.info, with: {message: \"%d is done\"}, if: steps.s%d.status == \"succeeded\"}\n", i, i, i - 1
    }
  }'
}

justfile() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "s%d:\n  @true\n\n", i }'; }

branches() {
  echo "== 10 000 durable no-op steps: one after the other, as branches, as iterations"
  { head_of line; awk 'BEGIN { for (i = 0; i < 10000; i++) printf "  - {action: assert, with: {that: true}}\n" }'; } >"$work/line.yaml"
  {
    head_of branches
    echo '  - parallel:'
    awk 'BEGIN { for (i = 0; i < 10000; i++) printf "      - {action: assert, with: {that: true}}\n" }'
  } >"$work/branches.yaml"
  {
    head_of loop
    echo '  - {for_each: {in: inputs.items, max_parallel: 50}, action: assert, with: {that: true}}'
    printf 'inputs: {items: {type: list}}\n'
  } >"$work/loop.yaml"
  awk 'BEGIN { printf "{\"items\": [0"; for (i = 1; i < 10000; i++) printf ", %d", i; print "]}" }' >"$work/items.json"
  measure 3 "10 000 steps in a line" "$runbook run -q $work/line.yaml" "10 000 branches" "$runbook run -q $work/branches.yaml" \
    "10 000 iterations" "$runbook run -q $work/loop.yaml --inputs $work/items.json"
}

start() {
  echo "== start-up: check 50 steps, run one durable step that does nothing"
  mixed 50 >"$work/mixed50.yaml"
  { head_of one; echo '  - {action: assert, with: {that: true}}'; } >"$work/one.yaml"
  justfile 50 >"$work/just50"
  printf 'one:\n  @true\n' >"$work/just1"
  awk 'BEGIN { printf "all:"; for (i = 0; i < 50; i++) printf " s%d", i; print ""; for (i = 0; i < 50; i++) printf "s%d:\n\t@:\n", i }' >"$work/make50"
  awk 'BEGIN { for (i = 0; i < 50; i++) print "true" }' >"$work/bash50"
  "$runbook" run "$work/one.yaml" >/dev/null
  if has just; then
    measure 101 "just --summary, 50 recipes" "just -f $work/just50 --summary" "runbook validate, 50 steps" "$runbook validate $work/mixed50.yaml" \
      "make -n, 50 targets" "make -n -f $work/make50" "bash -n, 50 lines" "bash -n $work/bash50"
    measure 101 "just, one recipe (not durable)" "just -f $work/just1 one" "runbook run, one step, durable" "$runbook run $work/one.yaml" \
      "make, one target (not durable)" "make -f $work/make50 s0" "bash -c : (not durable)" "bash -c :"
  else
    echo "  (no just on PATH; beside make instead)"
    measure 101 "make -n, 50 targets" "make -n -f $work/make50" "runbook validate, 50 steps" "$runbook validate $work/mixed50.yaml" \
      "bash -n, 50 lines" "bash -n $work/bash50"
    measure 101 "make, one target (not durable)" "make -f $work/make50 s0" "runbook run, one step, durable" "$runbook run $work/one.yaml" \
      "bash -c : (not durable)" "bash -c :"
  fi
}

steps() {
  echo "== 1 000 steps that do nothing, with a durable journal"
  build sqlite_commits -lsqlite3 || return 0
  { head_of noop; awk 'BEGIN { for (i = 0; i < 1000; i++) printf "  - {id: s%d, action: assert, with: {that: true}}\n", i }'; } >"$work/noop.yaml"
  measure 11 "C: 1 000 SQLite WAL+FULL commits" "$work/sqlite_commits $work/c.db 1000" "runbook run, 1 000 steps" "$runbook run -q $work/noop.yaml"
}

many() {
  echo "== 1 000 runs of ten steps that do nothing, at once in one process, with a durable journal"
  rm -f "$work"/many.db*
  printf '  %s\n\n' "$("$binaries/ManyRunsBench" 1000 10 "$work/many.db")"
}

scripts() {
  echo "== 200 steps that each run /bin/true"
  build spawns || return 0
  { head_of true; awk 'BEGIN { for (i = 0; i < 200; i++) printf "  - {id: s%d, run: {command: [/bin/true]}, rollback: none}\n", i }'; } >"$work/true.yaml"
  awk 'BEGIN { for (i = 0; i < 200; i++) print "/bin/true" }' >"$work/true.sh"
  mkdir -p "$work/flushed"
  # A step has two flushes: of its intent, with the outcome before it, and of its folder.
  measure 11 "bash (not durable)" "bash $work/true.sh" "runbook run, 200 steps, durable" "$runbook run -q $work/true.yaml" \
    "C: 200 posix_spawn and wait" "$work/spawns 200" "C: the same with the same flushes" "$work/spawns 200 $work/flushed"
}

output() {
  echo "== 100 MB of output of one script, into the store"
  awk 'BEGIN { for (i = 0; i < 1470588; i++) printf "%08d the quick brown fox jumps over the lazy dog, and more text\n", i }' >"$work/output.txt"
  { head_of output; echo "  - {id: s, run: \"cat '$work/output.txt'\", rollback: none}"; } >"$work/output.yaml"
  { printf 'runbook: v1\nname: masked\nsecrets: {token: {source: env, key: BENCH_TOKEN}}\nsteps:\n'
    echo "  - {id: s, run: \"cat '$work/output.txt'\", env: {T: \"\${{ secrets.token }}\"}, rollback: none}"; } >"$work/masked.yaml"
  printf 'cat %s | cat >%s\n' "$work/output.txt" "$work/output.copy" >"$work/output.sh"
  BENCH_TOKEN=hunter2hunter2-abcdefgh measure 5 "cat | cat >file" "bash $work/output.sh" \
    "runbook run" "$runbook run -q $work/output.yaml" "runbook run, with a secret to mask" "$runbook run -q $work/masked.yaml"
}

validate() {
  echo "== validate by size: time and memory should grow with the file and not faster"
  build yaml_scan -lyaml || return 0
  local count
  for count in 10 100 1000 10000; do
    mixed "$count" >"$work/mixed$count.yaml"
    local runs=31
    [ "$count" -lt 10000 ] || runs=11
    local peers=()
    if has just; then
      justfile "$count" >"$work/just$count"
      peers=("just --summary, $count recipes" "just -f $work/just$count --summary")
    fi
    measure $runs "C: libyaml's events, $count steps, $(($(wc -c <"$work/mixed$count.yaml") / 1024)) KiB" "$work/yaml_scan $work/mixed$count.yaml" \
      "runbook validate, $count steps" "$runbook validate $work/mixed$count.yaml" "${peers[@]}"
  done
}

# serve READY_MS: starts statusd on a free port.
serve() {
  build statusd || return 1
  "$work/statusd" 0 "$1" >"$work/port" &
  server=$!
  until [ -s "$work/port" ]; do sleep 0.05; done
  port=$(cat "$work/port")
}
unserve() { kill "$server" && wait "$server" 2>/dev/null || true; server=; rm -f "$work/port"; }

http() {
  echo "== 1 000 http.get steps against a server on loopback"
  build http_gets -lcurl && build sqlite_commits -lsqlite3 && serve 0 || return 0
  { head_of gets; awk -v p="$port" 'BEGIN { for (i = 0; i < 1000; i++) printf "  - {id: s%d, action: http.get, with: {url: \"http://127.0.0.1:%d/ok\"}}\n", i, p }'; } >"$work/gets.yaml"
  printf '%s http://127.0.0.1:%s/ok 1000 && %s %s 1000\n' "$work/http_gets" "$port" "$work/sqlite_commits" "$work/d.db" >"$work/gets.sh"
  measure 11 "C: 1 000 libcurl GETs and 1 000 commits" "sh $work/gets.sh" "runbook run, 1 000 GETs, durable" "$runbook run -q $work/gets.yaml"
  unserve
}

# What statusd has to say of how late it was asked.
stats() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
  while IFS= read -r line <&3 && [ "$line" != $'\r' ]; do :; done
  IFS= read -r line <&3
  exec 3>&-
  echo "$line"
}

watch() {
  echo "== runs that wait for servers of one account, each for its own, 20 to 60 s"
  for count in 1000 10000; do
    printf '  %6s runs, each asking every 5 s: %s\n' "$count" "$("$binaries/WatchBench" "$count" "$work/poll$count.db" 5s)"
    printf '  %6s runs, sharing lists:         %s\n' "$count" "$("$binaries/WatchBench" "$count" "$work/watch$count.db")"
  done
  echo
}

polls() {
  echo "== 1 000 runs in one process, each polling every second until its resource is ready after 5 to 6 s"
  build pollclient && serve 5000 || return 0
  printf '  %-34s %s\n' "C, epoll, one thread" "$("$work/pollclient" "$port" 1000)"
  printf '  %-34s %s\n' "  ready to noticed" "$(stats)"
  unserve
  serve 5000
  printf '  %-34s %s\n' "runbook, 1 000 durable runs" "$("$binaries/PollBench" "$port" 1000 "$work/polls.db")"
  printf '  %-34s %s\n' "  ready to noticed" "$(stats)"
  unserve
  echo
}

# An OpenSSH server on loopback with keys of its own, and a client's configuration that leads there as h1 to h100.
listen() {
  local sshd
  sshd=$(PATH=$PATH:/usr/sbin command -v sshd) && has ssh && has ssh-keygen || { echo "  (no OpenSSH server here)"; return 1; }
  remote=$work/remote
  mkdir -p "$remote"
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  ssh-keygen -q -t ed25519 -N '' -f "$remote/host"
  ssh-keygen -q -t ed25519 -N '' -f "$remote/key"
  # A home of its own: what a shell's start files do would be most of each session.
  sed "s#^#environment=\"XDG_STATE_HOME=$remote\",environment=\"HOME=$remote\" #" "$remote/key.pub" >"$remote/authorized"
  echo "* $(cut -d' ' -f1,2 "$remote/host.pub")" >"$remote/known"
  local port=$((20000 + RANDOM % 10000))
  printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $remote/host" 'PidFile none' \
    "AuthorizedKeysFile $remote/authorized" 'StrictModes no' 'UsePAM no' 'PermitUserEnvironment yes' 'PermitRootLogin yes' \
    'MaxStartups 300' 'LogLevel ERROR' >"$remote/sshd_config"
  printf '%s\n' 'Host *' '  HostName 127.0.0.1' "  Port $port" "  IdentityFile $remote/key" '  IdentitiesOnly yes' \
    "  UserKnownHostsFile $remote/known" '  BatchMode yes' '  HostKeyAlias bench' >"$remote/config"
  "$sshd" -D -e -f "$remote/sshd_config" 2>"$remote/log" &
  server=$!
  until ssh -F "$remote/config" h1 true 2>/dev/null; do sleep 0.1; done
}

# remote_steps NAME FIELDS: a runbook of 100 steps that run `true` there.
remote_steps() {
  { head_of "$1"; awk -v f="$2" 'BEGIN { for (i = 0; i < 100; i++) printf "  - {id: s%d, action: ssh.run, with: {host: h1, script: \"true\"%s}, rollback: none}\n", i, f }'; } >"$work/$1.yaml"
}

remote() {
  echo "== 100 steps that each run true on one machine, over ssh on loopback"
  listen || return 0
  # The command takes the ssh on its PATH. A shell between the two would be most of what it costs.
  build with_config "-DPROGRAM=\"$(command -v ssh)\"" "-DCONFIG=\"$remote/config\"" || return 0
  mkdir -p "$remote/bin"
  mv "$work/with_config" "$remote/bin/ssh"
  local ssh="ssh -F $remote/config"
  { echo "$ssh -M -S $remote/ctl -o ControlPersist=60 h1 true"
    awk -v s="$ssh -S $remote/ctl h1 true" 'BEGIN { for (i = 0; i < 99; i++) print s }'
    echo "$ssh -S $remote/ctl -O exit h1 2>/dev/null"; } >"$work/shared.sh"
  awk -v s="$ssh h1 true" 'BEGIN { for (i = 0; i < 100; i++) print s }' >"$work/own.sh"
  remote_steps kept ''
  remote_steps attached ', detached: false'
  local peers=()
  if has ansible-playbook; then
    printf '[all]\nh1 ansible_ssh_common_args="-F %s/config" ansible_pipelining=true\n' "$remote" >"$remote/hosts"
    { printf -- '- hosts: all\n  gather_facts: false\n  tasks:\n'; for _ in {1..100}; do echo '    - command: "true"'; done; } >"$remote/true.yml"
    peers=("ansible, pipelining, 100 tasks" "ansible-playbook -i $remote/hosts $remote/true.yml")
  else
    echo "  (no ansible on PATH: its line is left out)"
  fi
  PATH=$remote/bin:$PATH measure 5 "ssh with ControlMaster, 100 times (not durable)" "bash $work/shared.sh" \
    "ssh, 100 logins" "bash $work/own.sh" \
    "runbook run, 100 ssh.run, detached: false" "$runbook run -q $work/attached.yaml" \
    "runbook run, 100 ssh.run, kept there" "$runbook run -q $work/kept.yaml" "${peers[@]}"
  if [ -s "$work/output.txt" ]; then
    echo "== 100 MB of output over one connection"
    { head_of far; echo "  - {id: s, action: ssh.run, with: {host: h1, script: \"cat '$work/output.txt'\"}, rollback: none}"; } >"$work/far.yaml"
    printf '%s h1 cat %s >%s\n' "$ssh" "$work/output.txt" "$work/output.copy" >"$work/far.sh"
    PATH=$remote/bin:$PATH measure 5 "ssh HOST cat >file" "bash $work/far.sh" "runbook run, ssh.run, kept there" "$runbook run -q $work/far.yaml"
  fi
  echo "== 100 machines at once, from one process"
  mkdir -p "$work/many"
  "$binaries/SSHBench" 100 "$work/many" "$remote/config"
  echo
  kill "$server" && wait "$server" 2>/dev/null || true
  server=
}

echo "$(nproc) processors, $(uname -sr), $(df --output=fstype "$work" | tail -n 1); medians; peak is the largest process"
has just || echo "(just is not installed: its lines are left out)"
echo
for figure in $figures; do $figure; done
