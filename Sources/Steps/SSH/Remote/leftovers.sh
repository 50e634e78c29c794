# What is left of scripts whose outcome is known, and how it goes. Comes with `remote.sh`, behind it.

# What it wrote goes; its empty folder stays for a week, so that an order that was on its way all the time starts
# nothing. rb_d: the folder. Ends the shell that does it.
rb_forget_it() {
  rb_close || return 0
  cd "$rb_d" && exec rm -rf stdout stderr over script script.[0-9]* keep.[0-9]* process process.[0-9]* keeper \
    keeper.[0-9]* stop stop.[0-9]* out err held $rb_lower
}

rb_forget() { (if rb_find; then rb_forget_it; fi); }

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
    rb_gone= rb_goes=0
    for rb_file in "$rb_base"/r*-*/keep.*; do
      rb_d=${rb_file%/*}
      [ "$rb_d" != "$rb_last" ] || continue
      rb_last=$rb_d rb_key=${rb_d##*/} rb_patience=
      # Somebody else's folder, whose name is no key.
      case $rb_key in *[!a-z0-9_-]*) continue ;; esac
      if rb_emptied; then
        rb_clear
        continue
      fi
      rb_owned "$rb_d" || continue
      rb_look
      [ "$rb_st" = ended ] || rb_code=- rb_cause=-
      rb_length stdout
      rb_end=$rb_size
      rb_length stderr
      rb_say "k $rb_key $rb_st $rb_code $rb_cause $(rb_age "$rb_d/live") $rb_end $rb_size $rb_d"
      rb_count=$((rb_count + 1))
      [ "$rb_count" -lt 1000 ] || break
    done
    rb_cleared
    [ "$rb_count" -lt 1000 ] || break
  done
  rb_say d
}

# One that just begins has no end yet.
rb_emptied() {
  [ -s "$rb_d/rc" ] && [ -O "$rb_d" ] && [ ! -h "$rb_d" ] || return 1
  [ ! -s "$rb_file" ] && [ ! -s "$rb_d/script" ] && [ ! -s "$rb_d/stdout" ] && [ ! -s "$rb_d/stderr" ]
}

# Of folders that were emptied all but `rc`, `live` and the highest rank goes, with one program for many.
rb_clear() {
  rb_highest
  for rb_file in "$rb_d"/*; do
    case ${rb_file##*/} in
    live | rc | "gen.$rb_max") ;;
    *) rb_gone="$rb_gone $rb_key/${rb_file##*/}" ;;
    esac
  done
  rb_goes=$((rb_goes + 1))
  [ "$rb_goes" -lt 50 ] || rb_cleared
}

rb_cleared() {
  [ -z "$rb_gone" ] || (cd "$rb_base" && exec rm -f $rb_gone) 2>/dev/null
  rb_gone= rb_goes=0
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
