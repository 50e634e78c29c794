# What `ssh.run` asks of the other machine. It comes with each session, behind `keeper.sh`.
#
# An order sets rb_key (the step's key), rb_gen (its rank: a later order has a higher one) and what its verb needs, and
# then calls rb_start, rb_attach or rb_stop, or one of `leftovers.sh`. The answer is lines and counted bytes on
# standard output, see `RemoteReply`.
#
# Most orders need no more than this: `places.sh` and `leftovers.sh` come with them as text, and are read when they are
# asked for something.
rb_more() {
  [ -z "$rb_seldom" ] || eval "$rb_seldom"
  rb_seldom=
}

# Until a folder is found: nothing can be read or written in it.
rb_d=/dev/null

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

rb_candidates() {
  rb_state=${XDG_STATE_HOME:-}
  case $rb_state in /*) ;; *) [ -d "${HOME:-}" ] && rb_state=$HOME/.local/state || rb_state= ;; esac
  rb_1=${rb_state:+$rb_state/runbook/ssh}
  rb_2=/run/user/$rb_uid/runbook-ssh
  rb_3=/dev/shm/runbook-ssh-$rb_uid
  rb_4=/var/tmp/runbook-ssh-$rb_uid
}

# Whether the folder was tried and looked over within the last hour, since this boot and with this PATH. Nobody else
# can have written that down: the file is ours, and lies in a folder of ours.
rb_known() {
  [ -O "$1" ] && [ ! -h "$1" ] && [ -O "$1/.checked" ] && [ ! -h "$1/.checked" ] || return 1
  { { read -r rb_at rb_since rb_how rb_whole && IFS= read -r rb_path; } <"$1/.checked"; } 2>/dev/null || return 1
  [ "$rb_whole" = . ] && [ "$rb_path" = "${PATH:-}" ] && [ -p "$1/.new/out" ] && [ -p "$1/.new/err" ] || return 1
  { read -r rb_boot </proc/sys/kernel/random/boot_id && rb_clock; } 2>/dev/null || return 1
  [ "$rb_at" = "$rb_boot" ] && [ "$rb_now" -ge "$rb_since" ] && [ "$rb_now" -lt $((rb_since + 360000)) ] || return 1
  rb_good=$1
}

# Where a new folder goes: a place that is known to be good. Fails if there is one already, or it has to be looked for.
rb_quick() {
  rb_candidates
  [ -n "$rb_uid" ] || return 1
  for rb_base in "$rb_1" "$rb_2" "$rb_3" "$rb_4"; do
    [ -z "$rb_base" ] || [ ! -e "$rb_base/$rb_key" ] || return 1
  done
  rb_base=${rb_1:-$rb_2}
  rb_known "$rb_base" || return 1
  rb_d=$rb_base/$rb_key
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
    if [ "$rb_sent" -ge 20971520 ] || [ "$rb_now" -ge "$rb_until" ]; then
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

# The folder of the key, under our rank.
rb_enter() {
  rb_good= rb_tried=
  if rb_quick && mkdir "$rb_d" 2>/dev/null; then
    rb_rank
  else
    rb_more
    rb_search
  fi
}

rb_rank() {
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
  printf '%s\nrb_key=%s rb_gen=%s rb_life=%s rb_grace=%s rb_mask=%s rb_name=%s\n%s\n' "$rb_keeper_lib" \
    "$rb_key" "$rb_gen" "$rb_life" "$rb_grace" "$rb_mask" "$rb_name" 'umask 077; rb_d=${0%/*}; rb_keep "$@"' \
    >"$rb_d/keep.$rb_gen"
}

# A new folder and what is in it, while the keeper's shell begins. What fails is done again by the slower way, which
# tells why.
rb_lay() {
  cp -R "$rb_base/.new" "$rb_d" >/dev/null 2>&1 || exit 1
  # Somebody else has made it meanwhile.
  [ ! -e "$rb_d/.new" ] || exit 1
  rb_fence >/dev/null && rb_bring 2>/dev/null && rb_go
}

# What the keeper's shell waits for: where `setsid` is, and the launcher. While the script begins there is time to empty
# what earlier ones wrote.
rb_go() {
  rb_setsid=setsid IFS=:
  for rb_place in $PATH; do
    case $rb_place in /*) [ -x "$rb_place/setsid" ] && rb_setsid=$rb_place/setsid && break ;; esac
  done
  printf '%s\n%s' "$rb_setsid" "$rb_launch" 2>/dev/null
  unset IFS
  exec >/dev/null
  rb_empty
}

# A shell lets what it starts in the background ignore INT and QUIT: what sets them right again, where it is there.
rb_plain() {
  case $rb_how in
  env) rb_fresh='env --default-signal=INT,QUIT' ;;
  perl) rb_fresh='perl -e $SIG{INT}=$SIG{QUIT}="DEFAULT";exec(@ARGV)' ;;
  *) rb_fresh= ;;
  esac
}

# Starts the keeper, which begins when the command that is named has brought all that it needs, and waits until there is
# something to see: it has ended, or has told us to wait no longer. Fails if it has not begun.
rb_run() {
  rb_plain
  "$1" | $rb_fresh setsid /bin/sh -c 'IFS= read -r rb_setsid || exit 3; . "$0"' "$rb_d/keep.$rb_gen" $$ \
    >/dev/null 2>&1 &
  wait $! 2>/dev/null
  case $? in 3 | 126 | 127) return 1 ;; esac
  rb_tell_empty
}

rb_start() { # rb_keeper_lib, rb_script, rb_launch, rb_life, rb_grace, rb_done
  rb_good= rb_tried= rb_starting=1
  trap : USR1
  if rb_quick && rb_run rb_lay; then
    rb_follow
    return
  fi
  rb_more
  rb_search
  if [ -e "$rb_d/live" ]; then
    rb_starting=
    rb_empty >/dev/null
    rb_tell_empty
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
  mkfifo "$rb_d/out" "$rb_d/err" >/dev/null 2>&1
  rb_run rb_go
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

# ---- What earlier scripts have left

# Nothing of it runs, and nothing will: rb_d is the folder. Fails if something does.
rb_close() {
  rb_fence
  rb_look
  case $rb_st in running | starting | unkept) return 1 ;; esac
  rb_once live
  rb_ended || rb_write rc "- forgotten ."
}

# Empties what each script of rb_done wrote: earlier ones of the run, whose outcome is known by now. Mostly they lie
# beside rb_d, in a folder that was looked at for this order. What is empty goes later (`rb_list`): a program that
# removes it would take longer than all of this. But where something still writes, an empty file would grow again.
rb_empty() {
  rb_base=${rb_d%/*}
  for rb_each in $rb_done; do
    (
      rb_key=$rb_each rb_d=$rb_base/$rb_each
      if [ -d "$rb_d" ] && [ ! -h "$rb_d" ] && [ -O "$rb_d" ] && [ ! -e "$rb_d/held" ]; then
        rb_close || exit 0
        for rb_file in "$rb_d"/stdout "$rb_d"/stderr "$rb_d"/script* "$rb_d"/keep.*; do
          [ ! -s "$rb_file" ] || : >"$rb_file"
        done
      else
        rb_more
        rb_forget
      fi
    )
  done
}

# Says so, if it is done.
rb_tell_empty() {
  [ -n "$rb_done" ] || return 0
  for rb_each in $rb_done; do
    rb_each=${rb_d%/*}/$rb_each
    [ -s "$rb_each/rc" ] || return 0
    [ ! -s "$rb_each/stdout" ] && [ ! -s "$rb_each/stderr" ] && [ ! -s "$rb_each/script" ] || return 0
  done
  rb_say f
}
