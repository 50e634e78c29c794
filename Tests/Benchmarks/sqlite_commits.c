// The floor for durable steps: COUNT transactions of one insert each into FILE, write-ahead log, flushed at every
// commit (synchronous FULL), statements prepared once. FILE is made if it is missing. Prints microseconds per commit.
//
//   cc -O2 sqlite_commits.c -lsqlite3 -o sqlite_commits && ./sqlite_commits FILE [COUNT]
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: sqlite_commits FILE [COUNT]\n"), 2;
  int count = argc > 2 ? atoi(argv[2]) : 1000;
  sqlite3 *db;
  sqlite3_stmt *insert;
  if (sqlite3_open(argv[1], &db) != SQLITE_OK ||
      sqlite3_exec(db,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, body TEXT)",
                   NULL, NULL, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(db, "INSERT INTO entries (body) VALUES (?)", -1, &insert, NULL) != SQLITE_OK)
    return fprintf(stderr, "sqlite_commits: %s\n", sqlite3_errmsg(db)), 1;
  double start = seconds();
  for (int i = 0; i < count; i++) {
    sqlite3_bind_text(insert, 1, "{\"step\":\"noop\",\"status\":\"succeeded\"}", -1, SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) return fprintf(stderr, "sqlite_commits: %s\n", sqlite3_errmsg(db)), 1;
    sqlite3_reset(insert);
  }
  printf("%.2f us/commit\n", (seconds() - start) / count * 1e6);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return 0;
}
