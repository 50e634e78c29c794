# What keeps a script on another machine, in the sh that every Linux has. It comes over standard input with each
# session, before `remote.sh`, and lies beside a script as its keeper. `docs/ssh.md` says what it leaves there.
#
# In these files no text that is quoted goes over several lines: comments and what lines begin with are not sent.

rb_nap() { sleep "$1" 2>/dev/null || sleep 1; }

# Hundredths of a second since the boot, suspended time included.
rb_clock() {
  read -r rb_up rb_rest </proc/uptime
  rb_now=$((${rb_up%.*} * 100 + 1${rb_up#*.} - 100))
}

# State, parent, group, session and start of a process. Fails if there is none.
rb_stat() {
  rb_line=
  { read -r rb_line <"/proc/$1/stat"; } 2>/dev/null
  case $rb_line in *') '*) ;; *) return 1 ;; esac
  set -- ${rb_line##*') '}
  rb_run=$1 rb_parent=$2 rb_group=$3 rb_session=$4 rb_begun=${20}
}

rb_alive() { rb_stat "$1" && [ "$rb_begun" = "$2" ] && [ "$rb_run" != Z ]; }

# Makes a file. Of several that try one succeeds: noclobber opens it with O_EXCL.
rb_once() { # name, content
  set -C
  { printf '%s' "${2:-}" >"$rb_d/$1"; } 2>/dev/null
  rb_made=$?
  set +C
  return "$rb_made"
}

# A line that was written as a whole: what was cut off by a crash or a full disk lacks its newline, and `read` fails.
rb_process() {
  rb_s= rb_s0=
  { read -r rb_s rb_s0 <"$rb_d/process"; } 2>/dev/null && return
  rb_s=
  return 1
}

rb_highest() {
  rb_max=0
  for rb_file in "$rb_d"/gen.*; do
    rb_n=${rb_file##*.}
    case $rb_n in '' | *[!0-9]*) continue ;; esac
    [ "$rb_n" -gt "$rb_max" ] && rb_max=$rb_n
  done
  return 0
}

# ---- Processes

# All that came from the script and lives: of its session and group, with its mark, and their children.
rb_members() {
  rb_pids=
  rb_reused=
  rb_stat "$rb_s" && [ "$rb_begun" != "$rb_s0" ] && rb_reused=1
  rb_marked=" $(grep -lF "RUNBOOK_SCRIPT=$rb_key." /proc/[0-9]*/environ 2>/dev/null | tr '\n' ' ')"
  rb_all=
  for rb_proc in /proc/[0-9]*; do
    rb_pid=${rb_proc#/proc/}
    rb_stat "$rb_pid" || continue
    [ "$rb_run" != Z ] && [ "$rb_begun" -ge "$rb_s0" ] || continue
    rb_all="$rb_all $rb_pid:$rb_parent"
    case $rb_marked in
    *" $rb_proc/environ "*) ;;
    *)
      [ -z "$rb_reused" ] || continue
      [ "$rb_pid" = "$rb_s" ] || [ "$rb_session" = "$rb_s" ] || [ "$rb_group" = "$rb_s" ] || continue
      ;;
    esac
    rb_pids="$rb_pids $rb_pid"
  done
  rb_grew=$rb_pids
  while [ -n "$rb_grew" ]; do
    rb_grew=
    for rb_pair in $rb_all; do
      rb_pid=${rb_pair%:*}
      case "$rb_pids " in *" $rb_pid "*) continue ;; esac
      case "$rb_pids " in *" ${rb_pair#*:} "*) rb_pids="$rb_pids $rb_pid" rb_grew=1 ;; esac
    done
  done
  [ -n "$rb_pids" ]
}

# TERM, the grace (hundredths of a second), KILL until nothing is left.
rb_end_tree() {
  rb_members && kill -TERM $rb_pids 2>/dev/null
  [ -n "$rb_pids" ] && kill -CONT $rb_pids 2>/dev/null
  rb_clock
  rb_last=$((rb_now + $1))
  while rb_members; do
    rb_clock
    [ "$rb_now" -lt "$rb_last" ] || kill -KILL $rb_pids 2>/dev/null
    if [ "$rb_now" -gt $((rb_last + 1000)) ]; then rb_nap 1; else rb_nap 0.05; fi
  done
}

# ---- The keeper: starts the script, waits for it, and ends it when its time is over or somebody asks for it.

# Launcher on standard input; rb_life and rb_grace in hundredths of a second; rb_name: of the script's file; rb_setsid:
# the program. The word: pid of the session's shell, which waits for our end, and is told when it should wait no longer.
rb_keep() {
  exec 3<&0 </dev/null >/dev/null 2>&1
  rb_reader=$1
  rb_highest
  [ "$rb_max" -le "$rb_gen" ] || exit 0
  if ! rb_once live; then
    # Nobody else has made it: the disk is full.
    [ -e "$rb_d/live" ] || printf '' >"$rb_d/refused.$rb_gen"
    exit 0
  fi
  rb_highest
  # An order of a higher rank has looked in between, and may have found nothing.
  if [ "$rb_max" -gt "$rb_gen" ]; then
    rm -f "$rb_d/live"
    exit 0
  fi
  read -r rb_boot </proc/sys/kernel/random/boot_id
  rb_stat $$
  if [ "$rb_name" != script ]; then mv "$rb_d/$rb_name" "$rb_d/script" || rb_unstarted; fi
  # The session makes them too, at the same time.
  rb_pipes || mkfifo "$rb_d/out" "$rb_d/err"
  rb_pipes || rb_unstarted
  printf '%s\n' "$$ $rb_begun $rb_boot" >"$rb_d/keeper" || rb_unstarted
  # Somebody has waited for us for too long, and believes that nothing was started.
  [ ! -e "$rb_d/void" ] || rb_unstarted
  # A pipe, so that a script may open /dev/stdout anew. tee reads on when the disk is full: that loses output, not the
  # script.
  tee -a "$rb_d/stdout" <"$rb_d/out" 3<&- &
  rb_stdout=$!
  tee -a "$rb_d/stderr" <"$rb_d/err" 3<&- &
  rb_stderr=$!
  rb_time 3<&- &
  rb_timer=$!
  # A process of ours reads the launcher and becomes the script: no other shell is needed for that.
  (
    set -- "$rb_d" "$rb_mask" "$rb_setsid"
    . /proc/self/fd/3
  ) >"$rb_d/out" 2>"$rb_d/err"
  rb_code=$?
  rb_process || rb_unstarted
  rb_cause=exited
  if rb_once over; then
    kill "$rb_timer"
  else
    wait "$rb_timer"
    rb_cause=cancelled
    read -r rb_word <"$rb_d/over" && rb_cause=$rb_word
  fi
  rb_drain
  printf '%s\n' "$rb_code $rb_cause ." >"$rb_d/rc"
  exit 0
}

rb_pipes() { [ -p "$rb_d/out" ] && [ -p "$rb_d/err" ]; }

# What it left in the background and still writes to its output gets a second.
rb_drain() {
  rb_i=0
  while [ "$rb_i" -lt 40 ] && { rb_goes_on "$rb_stdout" || rb_goes_on "$rb_stderr"; }; do
    rb_i=$((rb_i + 1))
    # Mostly it takes no longer than to look.
    [ "$rb_i" -gt 15 ] || continue
    if [ "$rb_i" -le 20 ]; then rb_nap 0.01; else rb_nap 0.05; fi
  done
  [ "$rb_i" -lt 40 ] || printf '' >"$rb_d/held"
}

rb_goes_on() { rb_stat "$1" && [ "$rb_run" != Z ]; }

# The session that has started us waits for our end: it shall look at the script. Once it is gone our parent is another.
rb_nudge() {
  [ "$rb_nudges" -lt 5 ] || return 0
  rb_nudges=$((rb_nudges + 1))
  rb_stat $$ && [ "$rb_parent" = "$rb_reader" ] && kill -USR1 "$rb_reader"
}

# Its program did not begin, and never will.
rb_unstarted() {
  [ -n "${rb_timer:-}" ] && kill "$rb_timer"
  printf '' >"$rb_d/refused.$rb_gen"
  rm -f "$rb_d/keeper" "$rb_d/process" "$rb_d/out" "$rb_d/err" "$rb_d/live"
  exit 0
}

rb_time() {
  rb_clock
  rb_limit=$((rb_now + rb_life))
  rb_fast=$((rb_now + 3000)) rb_nudges=0
  while :; do
    [ -e "$rb_d/over" ] && return
    if rb_process; then
      rb_cause=
      rb_clock
      [ "$rb_now" -ge "$rb_limit" ] && rb_cause=timeout
      [ -f "$rb_d/stop" ] && { rb_cause=cancelled && read -r rb_grace <"$rb_d/stop"; }
      if [ -n "$rb_cause" ]; then
        rb_once over || return
        printf '%s\n' "$rb_cause" >>"$rb_d/over"
        rb_end_tree "$rb_grace"
        return
      fi
    fi
    # Never long past the limit.
    if [ "$rb_now" -lt "$rb_fast" ] || [ $((rb_limit - rb_now)) -lt 200 ]; then rb_nap 0.1; else rb_nap 1; fi
    rb_nudge
  done
}
