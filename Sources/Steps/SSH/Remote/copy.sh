# What `ssh.copy` and `ssh.put_back` do with files, on either machine, in the sh that every Linux has. An order sets
# rb_target (an absolute path) and rb_key (the step's key), and calls rb_facts, rb_send, rb_put or rb_back. The answer
# is lines on standard output, see `FileFacts` and `CopyOrder`. `docs/ssh.md` says what lies beside the target.

umask 077
LC_ALL=C
export LC_ALL

rb_say() { printf '%s\n' "$*"; }
rb_no() {
  rb_say "n $*"
  exit 0
}

rb_tools() {
  if sha256sum </dev/null >/dev/null 2>&1; then
    rb_sum=sha256sum
  elif shasum -a 256 </dev/null >/dev/null 2>&1; then
    rb_sum='shasum -a 256'
  elif busybox sha256sum </dev/null >/dev/null 2>&1; then
    rb_sum='busybox sha256sum'
  else
    rb_no 'there is no program sha256sum, shasum or busybox on PATH'
  fi
}

# Of standard input.
rb_sha() { $rb_sum | cut -c 1-64; }

# One hash for a folder: the names of all that is in it, the content of files, which of them are programs, where links
# lead.
rb_tree() { (
  cd "$1" || exit 1
  rb_odd=$(find . \( -name '*\\*' -o -name '*
*' \) -print; find . ! -type d ! -type f ! -type l -print)
  [ -z "$rb_odd" ] || exit 3
  rb_dirs=$(find . -type d -print) || exit 1
  rb_sums=$(find . -type f -exec $rb_sum {} +) || exit 1
  rb_runs=$(find . -type f -perm -100 -print) || exit 1
  rb_links=$(find . -type l -print | while IFS= read -r rb_l; do printf '%s > %s\n' "$rb_l" "$(readlink "$rb_l")"; done)
  { printf '%s\n' "$rb_dirs" | sed 's/^/d /' && printf '%s\n' "$rb_sums" | sed 's/^/f /' &&
    printf '%s\n' "$rb_runs" | sed 's/^/x /' && printf '%s\n' "$rb_links" | sed 's/^/l /'; } | sort | rb_sha
); }

# `rwxr-sr-t` as octal digits, in rb_octal.
rb_digits() {
  rb_word=$1 rb_octal= rb_extra=0 rb_weight=4
  while [ -n "$rb_word" ] && [ "$rb_weight" -gt 0 ]; do
    rb_digit=0
    case $rb_word in r*) rb_digit=4 ;; esac
    case $rb_word in ?w*) rb_digit=$((rb_digit + 2)) ;; esac
    case $rb_word in ??[xst]*) rb_digit=$((rb_digit + 1)) ;; esac
    case $rb_word in ??[sStT]*) rb_extra=$((rb_extra + rb_weight)) ;; esac
    rb_octal=$rb_octal$rb_digit rb_word=${rb_word#???} rb_weight=$((rb_weight / 2))
  done
  rb_octal=$rb_extra$rb_octal
}

# As much of a file as it had when it was looked at: a log grows meanwhile. What tells no size is read whole.
rb_read() { if [ "$rb_size" = 0 ]; then cat "$1"; else head -c "$rb_size" "$1"; fi; }

# Sets rb_kind (absent, file, folder), rb_was (its hash), rb_octal, rb_ids, rb_names. A link is followed at the source
# only.
rb_look() {
  rb_kind=absent rb_was= rb_octal= rb_ids= rb_names= rb_size=0
  [ -e "$1" ] || [ -h "$1" ] || return 0
  [ ! -h "$1" ] || [ -n "${rb_follows:-}" ] || rb_no "$1 is a symbolic link: name the place that it leads to"
  if [ -d "$1" ]; then
    rb_kind=folder
    rb_was=$(rb_tree "$1")
    [ $? != 3 ] ||
      rb_no "$1 holds a name with a line break or a backslash, or something that is no file, folder or link"
  elif [ -f "$1" ]; then
    rb_kind=file
    rb_list=$(ls -ldnL "$1")
    rb_where=$1
    set -- $rb_list
    rb_size=$5
    set -- "$rb_where"
    rb_was=$({ rb_read "$1" | rb_sha; } 2>/dev/null)
    [ -r "$1" ] || rb_was=
  else
    rb_no "$1 is neither a file nor a folder"
  fi
  [ "${#rb_was}" = 64 ] || rb_no "$1 cannot be read"
  rb_list=$(ls -ldn "$1/." 2>/dev/null) && [ "$rb_kind" = folder ] || rb_list=$(ls -ldnL "$1")
  rb_called=$(ls -ldL "$1")
  set -- $rb_list
  rb_digits "${1#?}"
  rb_ids=$3:$4
  set -- $rb_called
  rb_names=$3:$4
}

rb_facts() {
  rb_tools
  rb_look "$rb_target"
  rb_say "i $rb_kind ${rb_was:--} ${rb_octal:--} $rb_size ${rb_ids:--} ${rb_names:--}"
}

# ---- The sending side

# rb_size: see rb_read.
rb_send() {
  printf '\n%s\n' "$rb_data"
  if [ -d "$rb_target" ]; then tar -C "$rb_target" -cf - .; else rb_read "$rb_target"; fi
}

# ---- The receiving side. It reads the content from its standard input.

rb_names_beside() {
  rb_dir=${rb_target%/*}
  rb_dir=${rb_dir:-/}
  # A session that was given up may still write: each has a name of its own.
  rb_new=$rb_dir/.runbook-$rb_key.$$.new~ rb_kept=$rb_dir/.runbook-$rb_key~
}

# What other sessions of this step have brought: they have nothing to put in its place any more.
rb_clear() { rm -rf "$rb_dir/.runbook-$rb_key".*.new~; }

rb_give_up() {
  rm -rf "$rb_new"
  rb_no "$*"
}

# rb_wants (file or folder), rb_hash; rb_given_mode, rb_given_owner: empty if nobody said; rb_source_mode: of a new one.
rb_put() {
  rb_tools
  rb_names_beside
  [ -d "$rb_dir" ] || rb_no "the folder $rb_dir does not exist"
  rb_look "$rb_target"
  [ "$rb_kind" = absent ] || [ "$rb_kind" = "$rb_wants" ] || rb_no "$rb_target is a $rb_kind, and a $rb_wants is sent"
  rb_clear
  if [ "$rb_wants" = file ]; then
    { cat >"$rb_new"; } 2>/dev/null || rb_give_up "$rb_dir cannot be written, or its disk is full"
    rb_came=$(rb_sha <"$rb_new")
  else
    mkdir "$rb_new" 2>/dev/null || rb_no "$rb_dir cannot be written, or its disk is full"
    tar -C "$rb_new" -xpof - 2>/dev/null
    rb_came=$(rb_tree "$rb_new")
  fi
  if [ "$rb_came" != "$rb_hash" ]; then
    rm -rf "$rb_new"
    rb_say t
    exit 0
  fi
  rb_dress
  sync "$rb_new" 2>/dev/null
  rb_keep
  mv -f "$rb_new" "$rb_target" </dev/null || {
    [ "$rb_kind" != folder ] || mv "$rb_kept" "$rb_target"
    rb_give_up "$rb_target cannot be replaced"
  }
  sync "$rb_dir" 2>/dev/null
  rb_sweep
  rb_say c
}

# Owner and mode: as said, else those of the one before, else those of the source.
rb_dress() {
  rb_whose=${rb_given_owner:-$rb_ids}
  if [ -n "$rb_whose" ] && [ "$rb_whose" != "$(id -u):$(id -g)" ]; then
    chown -R -h "$rb_whose" "$rb_new" 2>/dev/null ||
      rb_give_up "$rb_target cannot belong to $rb_whose: log in as root, or say another owner"
  fi
  chmod "${rb_given_mode:-${rb_octal:-$rb_source_mode}}" "$rb_new" 2>/dev/null || rb_give_up "the mode cannot be set"
}

# The one before stays beside it; a link that leads nowhere says that there was none. What was kept by an earlier order
# of the same key is the one before.
rb_keep() {
  [ ! -e "$rb_kept" ] && [ ! -h "$rb_kept" ] || return 0
  case $rb_kind in
  absent) ln -s nothing "$rb_kept" ;;
  folder) mv "$rb_target" "$rb_kept" ;;
  file)
    ln "$rb_target" "$rb_kept" 2>/dev/null ||
      { cp -p "$rb_target" "$rb_kept.part" && rb_twins "$rb_target" "$rb_kept.part" && mv "$rb_kept.part" "$rb_kept"; }
    ;;
  esac || {
    rm -f "$rb_kept.part"
    rb_give_up "the one before cannot be kept beside $rb_target"
  }
}

# Whether two files have one mode and owner.
rb_twins() {
  rb_list=$(ls -ldn "$1") rb_other=$(ls -ldn "$2")
  set -- $rb_list
  rb_list=$1:$3:$4
  set -- $rb_other
  [ "$rb_list" = "$1:$3:$4" ]
}

# What steps kept more than a week ago.
rb_sweep() {
  find "$rb_dir/." ! -name . -prune -name '.runbook-r*~' -ctime +6 -exec rm -rf {} + 2>/dev/null
  return 0
}

# rb_had: `file`, `folder`, or `absent`; rb_hash: that of the one before, or empty.
rb_back() {
  rb_tools
  rb_names_beside
  rb_clear
  if [ -h "$rb_kept" ]; then
    rm -rf "$rb_target" && rm -f "$rb_kept" || rb_no "$rb_target cannot be removed"
    rb_say c
  elif [ -d "$rb_kept" ]; then
    if [ -e "$rb_target" ]; then mv "$rb_target" "$rb_new" || rb_no "$rb_target cannot be replaced"; fi
    mv "$rb_kept" "$rb_target" || rb_no "$rb_target cannot be put back"
    rm -rf "$rb_new"
    rb_say c
  elif [ -e "$rb_kept" ]; then
    # Two names of one file are not renamed.
    mv -f "$rb_kept" "$rb_target" </dev/null && rm -f "$rb_kept" || rb_no "$rb_target cannot be put back"
    rb_say c
  else
    rb_look "$rb_target"
    if [ "$rb_kind" = "$rb_had" ] && { [ -z "$rb_hash" ] || [ "$rb_was" = "$rb_hash" ]; }; then
      rb_say u
    else
      rb_say m
    fi
  fi
}
