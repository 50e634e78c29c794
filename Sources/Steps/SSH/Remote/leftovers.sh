# What is left of scripts whose outcome is known, and how it goes. Comes with `remote.sh`, behind it.

# What it wrote goes; its empty folder stays for a week, so that an order that was on its way all the time starts
# nothing. rb_d: the folder.
rb_forget_it() {
  rb_fence
  rb_look
  case $rb_st in running | starting | unkept) return 0 ;; esac
  rb_once live
  rb_ended || rb_write rc "- forgotten ."
  (
    cd "$rb_d" && exec rm -rf stdout stderr over script script.[0-9]* keep.[0-9]* process process.[0-9]* keeper \
      keeper.[0-9]* stop stop.[0-9]* out err $rb_lower
  )
}

rb_forget() { if rb_find; then rb_forget_it; fi; }

# The same for each key in rb_done: earlier scripts of the run, whose outcome is known by now. Mostly they lie beside
# rb_d, in a folder that was looked at for this order.
rb_drop() {
  [ -n "$rb_done" ] || return 0
  for rb_each in $rb_done; do
    (
      rb_key=$rb_each rb_d=${rb_d%/*}/$rb_each
      if [ -d "$rb_d" ] && [ ! -h "$rb_d" ] && [ -O "$rb_d" ]; then rb_forget_it; else rb_forget; fi
    ) >/dev/null
  done
  rb_say f
}

# Tells of each script that is kept here: key, state, exit code, cause, seconds since its start, bytes of both streams,
# and the folder. Of a script that was forgotten there is nothing to tell.
rb_list() {
  rb_able
  rb_candidates
  rb_today=$(date +%s)
  rb_count=0
  for rb_base in "$rb_1" "$rb_2" "$rb_3" "$rb_4"; do
    [ -n "$rb_base" ] && rb_owned "$rb_base" || continue
    rb_last=
    for rb_file in "$rb_base"/r*-*/keep.*; do
      rb_d=${rb_file%/*}
      [ "$rb_d" != "$rb_last" ] && rb_owned "$rb_d" || continue
      rb_last=$rb_d rb_key=${rb_d##*/} rb_patience=
      # Somebody else's folder, whose name is no key.
      case $rb_key in *[!a-z0-9_-]*) continue ;; esac
      rb_look
      [ "$rb_st" = ended ] || rb_code=- rb_cause=-
      rb_length stdout
      rb_end=$rb_size
      rb_length stderr
      rb_say "k $rb_key $rb_st $rb_code $rb_cause $(rb_age "$rb_d/live") $rb_end $rb_size $rb_d"
      rb_count=$((rb_count + 1))
      [ "$rb_count" -lt 1000 ] || break 2
    done
  done
  rb_say d
}

rb_age() {
  rb_when=$(stat -c %Y "$1" 2>/dev/null) || { printf -- - && return; }
  printf '%s' $((rb_today - rb_when))
}

# Folders that nobody came back to for a week, and in which nothing runs.
rb_sweep() {
  rb_own=$rb_d
  for rb_d in $(find "$1" -type d -name 'r*-*' -mtime +6 -prune 2>/dev/null); do
    [ "$rb_d" != "$rb_own" ] && rb_owned "$rb_d" || continue
    rb_key=${rb_d##*/}
    rb_look
    case $rb_st in ended | absent | rebooted | lost) rm -rf "$rb_d" ;; esac
  done
  rb_d=$rb_own rb_key=${rb_own##*/} rb_patience=
}
