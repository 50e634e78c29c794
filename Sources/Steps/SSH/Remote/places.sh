# Where scripts can be kept on the other machine, found out with care. Comes with `remote.sh`, for orders that find no
# place that is known to be good.

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

# Removes what is a week old, makes what each new folder begins as, finds out how a program gets its signals back
# (rb_how), and writes down that it is done.
rb_check() {
  rb_sweep "$1"
  [ -d "$1/.new" ] || mkdir "$1/.new" 2>/dev/null
  [ -p "$1/.new/out" ] && [ -p "$1/.new/err" ] || mkfifo "$1/.new/out" "$1/.new/err" 2>/dev/null
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

# The folder, found or made. Fails when no place will do; rb_reasons says why.
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

# The folder of the key, under our rank: one that is not new, or not known to be good.
rb_search() {
  rb_able
  if ! rb_place; then
    rb_say "n no folder will do to keep the script in. $rb_reasons"
    exit 0
  fi
  rb_rank
}
