#pragma once
#include <sqlite3.h>

// What Swift cannot call: a function with variable arguments, and macros that are pointers.

static inline int runbook_sqlite_configure(sqlite3 *db, int option, int value) {
  return sqlite3_db_config(db, option, value, (int *)0);
}

static inline int runbook_sqlite_bind_text(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
  // A null pointer would bind NULL instead of an empty text; the same below.
  const char *text = count == 0 ? "" : (const char *)bytes;
  return sqlite3_bind_text64(statement, index, text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int runbook_sqlite_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
  return sqlite3_bind_blob64(statement, index, count == 0 ? "" : bytes, count, SQLITE_TRANSIENT);
}

static inline int runbook_sqlite_keep_frames(void *counter, sqlite3 *db, const char *database, int frames) {
  *(int *)counter = frames;
  return SQLITE_OK;
}

// After every commit `*counter` is the number of frames in the write-ahead log. Also turns automatic checkpoints off:
// they are a hook of the same kind.
static inline void runbook_sqlite_count_frames(sqlite3 *db, int *counter) {
  sqlite3_wal_hook(db, runbook_sqlite_keep_frames, counter);
}

// statfs and device numbers, which Swift's Glibc module lacks: a write-ahead log works on local file systems only.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static inline int runbook_sqlite_file_system(
    const char *path, unsigned *magic, unsigned *device_major, unsigned *device_minor) {
  struct statfs system;
  struct stat file;
  if (statfs(path, &system) != 0 || stat(path, &file) != 0) return -1;
  *magic = (unsigned)system.f_type;
  *device_major = major(file.st_dev);
  *device_minor = minor(file.st_dev);
  return 0;
}
