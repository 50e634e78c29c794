// Times commands side by side: bench [-n RUNS] -- COMMAND... -- COMMAND...
// The commands take turns, so that a disturbance of the machine meets them all. One round to warm up is not counted.
// Prints a line a command: median, least and most wall milliseconds, median CPU milliseconds, median peak memory in
// MiB.
// A command that does not end with 0 ends the bench.
//
//   cc -O2 bench.c -o bench && ./bench -n 31 -- just --summary -- make -n
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;
enum { COMMANDS = 16, RUNS = 1001 };
static struct { double wall, cpu, peak; } samples[COMMANDS][RUNS];

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double of(struct timeval time) { return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3; }

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int main(int argc, char **argv) {
  int runs = 21, at = 1, count = 0;
  char **commands[COMMANDS];
  if (argc > 2 && !strcmp(argv[1], "-n")) runs = atoi(argv[2]), at = 3;
  for (; at < argc && count < COMMANDS; at++) {
    if (strcmp(argv[at], "--")) continue;
    commands[count++] = argv + at + 1;
    argv[at] = NULL;
  }
  if (!count || runs < 1 || runs >= RUNS)
    return fprintf(stderr, "usage: bench [-n RUNS] -- COMMAND... -- COMMAND...\n"), 2;
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  for (int run = -1; run < runs; run++) {
    for (int i = 0; i < count; i++) {
      pid_t child;
      int status;
      struct rusage usage;
      double start = milliseconds();
      if (posix_spawnp(&child, commands[i][0], &quiet, NULL, commands[i], environ)) return perror(commands[i][0]), 1;
      wait4(child, &status, 0, &usage);
      double wall = milliseconds() - start;
      if (status) return fprintf(stderr, "bench: %s ended with status %d\n", commands[i][0], status), 1;
      if (run < 0) continue;
      samples[i][run].wall = wall;
      samples[i][run].cpu = of(usage.ru_utime) + of(usage.ru_stime);
      samples[i][run].peak = (double)usage.ru_maxrss / 1024;
    }
  }
  for (int i = 0; i < count; i++) {
    double wall[RUNS], cpu[RUNS], peak[RUNS];
    for (int run = 0; run < runs; run++)
      wall[run] = samples[i][run].wall, cpu[run] = samples[i][run].cpu, peak[run] = samples[i][run].peak;
    qsort(wall, (size_t)runs, sizeof *wall, ascending);
    qsort(cpu, (size_t)runs, sizeof *cpu, ascending);
    qsort(peak, (size_t)runs, sizeof *peak, ascending);
    printf("%.3f %.3f %.3f %.3f %.1f\n", wall[runs / 2], wall[0], wall[runs - 1], cpu[runs / 2], peak[runs / 2]);
  }
  return 0;
}
