# What `ssh.run` asks of the other machine. It comes with each session, behind `keeper.sh`.
#
# An order sets rb_key (the step's key), rb_gen (its rank: a later order has a higher one) and what its verb needs, and
# then calls rb_start, rb_attach or rb_stop, or one of `leftovers.sh`. The answer is lines and counted bytes on
# standard output, see `RemoteReply`.

# The user, and the mask that the script gets: the login's own. Older kernels do not tell the mask.
rb_uid= rb_mask=
{
  while read -r rb_word rb_real rb_effective rb_rest; do
    case $rb_word in
    Umask:) rb_mask=$rb_real ;;
    Uid:) rb_uid=$rb_effective && break ;;
    esac
  done <"/proc/$$/status"
} 2>/dev/null
[ -n "$rb_mask" ] || rb_mask=$(umask)
umask 077

rb_say() { printf '%s\n' "$*" 2>/dev/null || exit 0; }

# Whole under its name, or not there.
rb_write() { { printf '%s\n' "$2" >"$rb_d/$1.$$" && mv "$rb_d/$1.$$" "$rb_d/$1"; } 2>/dev/null; }

# ---- The folder

# A folder that is ours alone, and no link.
rb_owned() {
  rb_list=$(ls -ldn "$1" 2>/dev/null) || return 1
  set -- $rb_list
  case $1 in drwx------*) [ "$3" = "$rb_uid" ] ;; *) return 1 ;; esac
}

# Whether nobody else can put another folder in the place of one that lies in it.
rb_guarded() {
  rb_list=$(ls -ldn "$1/." 2>/dev/null) || return 1
  set -- $rb_list
  [ "$3" = "$rb_uid" ] || [ "$3" = 0 ] || return 1
  case $1 in d???????-* | d????????t* | d????????T*) ;; *) return 1 ;; esac
}

rb_candidates() {
  rb_state=${XDG_STATE_HOME:-}
  case $rb_state in /*) ;; *) [ -d "${HOME:-}" ] && rb_state=$HOME/.local/state || rb_state= ;; esac
  rb_1=${rb_state:+$rb_state/runbook/ssh}
  rb_2=/run/user/$rb_uid/runbook-ssh
  rb_3=/dev/shm/runbook-ssh-$rb_uid
  rb_4=/var/tmp/runbook-ssh-$rb_uid
}

# Whether scripts can be kept there; else rb_why.
rb_usable() {
  rb_tried=
  if [ ! -d "$1" ]; then
    if [ "$1" = "$rb_1" ]; then mkdir -p "$1" 2>/dev/null; else mkdir "$1" 2>/dev/null; fi
  fi
  rb_why='it cannot be made'
  [ -d "$1" ] || return 1
  rb_why='it is not a folder of this user alone (0700)'
  rb_owned "$1" || return 1
  rb_why='the folder that it lies in belongs to another user, or everybody may write to it'
  rb_guarded "${1%/*}" || return 1
  rb_why='it cannot be written'
  { printf '#!/bin/sh\nexit 0\n' >"$1/.try.$$" && chmod 700 "$1/.try.$$"; } 2>/dev/null || return 1
  rb_why='no program may be started there (noexec)'
  "$1/.try.$$" </dev/null >/dev/null 2>&1
  set -- $? "$1"
  rm -f "$2/.try.$$"
  [ "$1" = 0 ] && rb_tried=$2
}

# Whether the folder was tried and looked over within the last hour, since this boot and with this PATH. Nobody else
# can have written that down: the file is ours, and lies in a folder of ours.
rb_known() {
  [ -O "$1" ] && [ ! -h "$1" ] && [ -O "$1/.checked" ] && [ ! -h "$1/.checked" ] || return 1
  { { read -r rb_at rb_since rb_how rb_whole && IFS= read -r rb_path; } <"$1/.checked"; } 2>/dev/null || return 1
  [ "$rb_whole" = . ] && [ "$rb_path" = "${PATH:-}" ] || return 1
  { read -r rb_boot </proc/sys/kernel/random/boot_id && rb_clock; } 2>/dev/null || return 1
  [ "$rb_at" = "$rb_boot" ] && [ "$rb_now" -ge "$rb_since" ] && [ "$rb_now" -lt $((rb_since + 360000)) ] || return 1
  rb_good=$1
}

# Removes what is a week old, finds out how a program gets its signals back (rb_how), and writes down that it is done.
rb_check() {
  rb_sweep "$1"
  rb_how=none
  if env --default-signal=INT,QUIT true 2>/dev/null; then
    rb_how=env
  elif perl -e 1 2>/dev/null; then
    rb_how=perl
  fi
  [ "$rb_tried" = "$1" ] || return 0
  read -r rb_boot </proc/sys/kernel/random/boot_id
  rb_clock
  {
    printf '%s\n' "$rb_boot $rb_now $rb_how ." "${PATH:-}" >"$1/.checked.$$" && mv -f "$1/.checked.$$" "$1/.checked"
  } 2>/dev/null
}

# The folder of the key, wherever it is.
rb_find() {
  rb_candidates
  for rb_base in "$rb_1" "$rb_2" "$rb_3" "$rb_4"; do
    rb_d=$rb_base/$rb_key
    [ -n "$rb_base" ] && [ -d "$rb_d" ] && rb_owned "$rb_base" && rb_owned "$rb_d" && return 0
  done
  return 1
}

# A new folder in a place that is known to be good. Fails if there is one already, or it has to be looked for.
rb_quick() {
  rb_candidates
  [ -n "$rb_uid" ] || return 1
  for rb_base in "$rb_1" "$rb_2" "$rb_3" "$rb_4"; do
    [ -z "$rb_base" ] || [ ! -e "$rb_base/$rb_key" ] || return 1
  done
  rb_base=${rb_1:-$rb_2}
  rb_known "$rb_base" || return 1
  rb_d=$rb_base/$rb_key
  mkdir "$rb_d" 2>/dev/null
}

# The same, found or made. Fails when no place will do; rb_reasons says why.
rb_place() {
  rb_find && return 0
  rb_reasons=
  for rb_base in "$rb_1" "$rb_2" "$rb_3" "$rb_4"; do
    if [ -z "$rb_base" ]; then
      rb_base='the state folder' rb_why='neither XDG_STATE_HOME nor HOME names one'
    elif rb_usable "$rb_base"; then
      rb_d=$rb_base/$rb_key
      mkdir "$rb_d" 2>/dev/null
      rb_owned "$rb_d" && return 0
      rb_why='the folder of the script cannot be made in it'
    fi
    rb_reasons="$rb_reasons${rb_reasons:+; }$rb_base: $rb_why"
  done
  return 1
}

# Writes our rank down: an order of a lower one that arrives later is not carried out. The files of lower ranks are left
# to the caller, in rb_lower.
rb_fence() {
  if ! { printf '' >"$rb_d/gen.$rb_gen"; } 2>/dev/null; then
    rb_say "n $rb_d cannot be written"
    exit 0
  fi
  rb_highest
  if [ "$rb_max" -gt "$rb_gen" ]; then
    rm -f "$rb_d/gen.$rb_gen"
    rb_say "g $rb_max"
    exit 0
  fi
  rb_lower=
  for rb_file in "$rb_d"/gen.*; do
    rb_n=${rb_file##*.}
    case $rb_n in '' | *[!0-9]*) continue ;; esac
    [ "$rb_n" -lt "$rb_gen" ] && rb_lower="$rb_lower gen.$rb_n"
  done
  return 0
}

# ---- Sessions

# Sets rb_st: absent, starting, running, unkept (its keeper is gone), ended, lost or rebooted.
rb_look() {
  rb_st=ended
  rb_ended && return
  rb_st=absent
  [ -e "$rb_d/live" ] || return
  rb_process
  if ! rb_keeper; then
    # Its keeper is between two lines, or gone. After a while it may not start the script any more.
    rb_st=starting
    rb_clock
    rb_patience=${rb_patience:-$((rb_now + 1000))}
    [ "$rb_now" -ge "$rb_patience" ] || return
    rb_once void
    rb_keeper || rb_st=lost
    return
  fi
  read -r rb_boot </proc/sys/kernel/random/boot_id
  rb_st=rebooted
  [ "$rb_kept" = "$rb_boot" ] || return
  rb_st=running
  [ -n "$rb_s" ] || rb_st=starting
  rb_alive "$rb_keeper" "$rb_keeper0" && return
  # Its last deed is to write the end down.
  rb_st=ended
  rb_ended && return
  rb_st=absent
  [ -e "$rb_d/live" ] || return
  rb_st=lost
  [ -n "$rb_s" ] || rb_process || return
  rb_members && rb_st=unkept
}

rb_keeper() {
  rb_keeper= rb_keeper0= rb_kept=
  { read -r rb_keeper rb_keeper0 rb_kept <"$rb_d/keeper"; } 2>/dev/null
}

rb_ended() {
  rb_whole=
  { read -r rb_code rb_cause rb_whole <"$rb_d/rc"; } 2>/dev/null
  [ "$rb_whole" = . ]
}

# Sends what there is of a stream from an offset on; sets rb_off. Fails if there is nothing.
rb_send() { # name, letter, offset, limit
  rb_off=$3 rb_size=$4
  [ -n "$rb_size" ] || rb_length "$1"
  [ "$rb_size" -gt "$rb_off" ] || return 1
  # Of a stream that is far ahead only the end is wanted; the reader counts what is left out.
  [ $((rb_size - rb_off)) -le 100663296 ] || rb_off=$((rb_size - 33554432))
  rb_count=$((rb_size - rb_off))
  [ "$rb_count" -le 4194304 ] || rb_count=4194304
  rb_say "$2 $rb_off $rb_count"
  if [ "$rb_off" = 0 ]; then
    head -c "$rb_count" "$rb_d/$1" 2>/dev/null || exit 0
  else
    tail -c +$((rb_off + 1)) "$rb_d/$1" 2>/dev/null | head -c "$rb_count" || exit 0
  fi
  rb_off=$((rb_off + rb_count))
  rb_sent=$((rb_sent + rb_count))
}

# Sets rb_size, of a stream.
rb_length() {
  rb_size=0
  [ -s "$rb_d/$1" ] && rb_list=$(ls -ln "$rb_d/$1" 2>/dev/null) || return 0
  set -- $rb_list
  rb_size=$5
}

# Tells what becomes of the script, until its end is told, or this session has sent or lasted long enough.
# rb_out and rb_err: where to go on; empty: nobody wants the output.
rb_follow() {
  rb_clock
  rb_until=$((rb_now + rb_share)) rb_beat=$((rb_now + 500)) rb_soon=$((rb_now + 300)) rb_first=$((rb_now + 30))
  rb_sent=0 rb_told= rb_out_end= rb_err_end=
  while :; do
    rb_look
    case $rb_st in
    absent)
      if [ -n "${rb_starting:-}" ] && [ "$rb_now" -lt "$rb_until" ]; then
        if [ -f "$rb_d/refused.$rb_gen" ]; then
          rb_say "n it could not be started in $rb_d: is the disk full?"
          return
        fi
        rb_nap 0.01
        rb_clock
        continue
      fi
      rb_say a
      return
      ;;
    starting) ;;
    *)
      rb_starting=
      [ -n "$rb_told" ] || rb_say "b $rb_d"
      rb_told=1
      ;;
    esac
    rb_news=
    if [ -n "$rb_out" ]; then
      # What is written after the end by others is not its output.
      if [ "$rb_st" = ended ] && [ -z "$rb_out_end" ]; then
        rb_length stdout
        rb_out_end=$rb_size
        rb_length stderr
        rb_err_end=$rb_size
      fi
      if rb_send stdout o "$rb_out" "$rb_out_end"; then rb_out=$rb_off rb_news=1; fi
      if rb_send stderr e "$rb_err" "$rb_err_end"; then rb_err=$rb_off rb_news=1; fi
    fi
    rb_clock
    if [ -z "$rb_news" ]; then
      case $rb_st in
      ended) rb_say "x $rb_code $rb_cause" && return ;;
      lost) rb_say l && return ;;
      rebooted) rb_say r && return ;;
      unkept)
        if [ -f "$rb_d/stop" ]; then
          rb_once over
          read -r rb_grace <"$rb_d/stop"
          rb_end_tree "$rb_grace"
          rb_write rc "- cancelled ."
          continue
        fi
        ;;
      esac
    fi
    if [ "$rb_sent" -ge 8388608 ] || [ "$rb_now" -ge "$rb_until" ]; then
      rb_say t
      return
    fi
    [ -z "$rb_news" ] || continue
    # Whoever has hung up is noticed by this.
    if [ "$rb_now" -ge "$rb_beat" ]; then rb_say . && rb_beat=$((rb_now + 500)); fi
    if [ "$rb_now" -lt "$rb_first" ]; then
      rb_nap 0.01
    elif [ "$rb_now" -lt "$rb_soon" ]; then
      rb_nap 0.05
    else
      rb_nap 0.5
    fi
  done
}

rb_able() {
  for rb_tool in setsid grep tail head ls mv rm mkdir mkfifo tee tr sleep; do
    command -v "$rb_tool" >/dev/null 2>&1 && continue
    rb_say "n there is no program $rb_tool on PATH"
    exit 0
  done
  [ -r /proc/sys/kernel/random/boot_id ] && [ -r /proc/uptime ] && return 0
  rb_say 'n /proc is not there: a script can be kept on a Linux machine only'
  exit 0
}

# The folder of the key, under our rank.
rb_enter() {
  rb_good= rb_tried=
  if ! rb_quick; then
    rb_able
    if ! rb_place; then
      rb_say "n no folder will do to keep the script in. $rb_reasons"
      exit 0
    fi
  fi
  rb_fence
  [ -z "$rb_lower" ] || (cd "$rb_d" && exec rm -f $rb_lower)
}

# The script, and its keeper.
rb_bring() {
  rb_name=script
  if ! rb_once script "$rb_script"; then
    # Another order has brought it, or is just about to: only a keeper may put one in its place.
    rb_name=script.$rb_gen
    printf '%s' "$rb_script" >"$rb_d/$rb_name" || return 1
  fi
  # Whose first line names its program.
  case $rb_script in '#!'*) chmod 700 "$rb_d/$rb_name" || return 1 ;; esac
  printf '%s\nrb_key=%s rb_gen=%s rb_life=%s rb_grace=%s rb_mask=%s rb_name=%s rb_how=%s\n%s\n' "$rb_keeper_lib" \
    "$rb_key" "$rb_gen" "$rb_life" "$rb_grace" "$rb_mask" "$rb_name" "$rb_how" 'umask 077; rb_d=${0%/*}; rb_keep "$@"' \
    >"$rb_d/keep.$rb_gen"
}

rb_start() { # rb_keeper_lib, rb_script, rb_launch, rb_life, rb_grace, rb_done
  rb_enter
  if [ -e "$rb_d/live" ]; then
    rb_drop
    rb_follow
    return
  fi
  rb_base=${rb_d%/*}
  [ "$rb_good" = "$rb_base" ] || rb_known "$rb_base" || rb_check "$rb_base"
  if ! rb_bring 2>/dev/null; then
    rm -f "$rb_d/script.$rb_gen" "$rb_d/keep.$rb_gen"
    rb_say "n $rb_d cannot be written: is the disk full?"
    return
  fi
  rb_starting=1 rb_begun=
  mkfifo "$rb_d/out" "$rb_d/err" >/dev/null 2>&1 &
  # The keeper ends it as soon as there is something to see.
  sleep 0.1 >/dev/null 2>&1 &
  rb_waker=$!
  rb_stat "$rb_waker"
  printf '%s' "$rb_launch" 2>/dev/null |
    setsid /bin/sh "$rb_d/keep.$rb_gen" "$rb_waker" "$rb_begun" >/dev/null 2>&1 &
  rb_drop
  wait "$rb_waker" 2>/dev/null
  rb_follow
}

rb_attach() {
  rb_enter
  rb_follow
}

rb_stop() { # rb_grace
  rb_enter
  rb_look
  [ "$rb_st" = absent ] || rb_ended || rb_write stop "$rb_grace" || { rb_say "n $rb_d cannot be written" && return; }
  rb_out= rb_err=
  rb_follow
}
