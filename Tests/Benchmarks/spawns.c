// The floor for script steps: COUNT times posix_spawn and wait of /bin/true.
//
//   cc -O2 spawns.c -o spawns && ./spawns [COUNT [FOLDER]]
//
// With a folder each is preceded by what makes a step durable: two pages of a log, written over and flushed, and a new
// folder whose name is flushed.
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char page[8192];

static int flush(const char *folder, int log, int directory, int number) {
  char name[4096];
  snprintf(name, sizeof name, "%s/%d-%d", folder, (int)getpid(), number);
  if (pwrite(log, page, sizeof page, (number % 100) * sizeof page) < 0 || fdatasync(log)) return -1;
  if (mkdir(name, 0700) || fsync(directory)) return -1;
  return rmdir(name);
}

int main(int argc, char **argv) {
  char *command[] = {"/bin/true", NULL};
  int log = -1, directory = -1;
  if (argc > 2) {
    char name[4096];
    snprintf(name, sizeof name, "%s/log", argv[2]);
    log = open(name, O_RDWR | O_CREAT, 0600);
    directory = open(argv[2], O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 100; i++) pwrite(log, page, sizeof page, i * sizeof page);
    if (fsync(log)) return perror(argv[2]), 1;
  }
  for (int left = argc > 1 ? atoi(argv[1]) : 200; left > 0; left--) {
    pid_t child;
    int status;
    if (log >= 0 && flush(argv[2], log, directory, left)) return perror(argv[2]), 1;
    if (posix_spawn(&child, command[0], NULL, NULL, command, environ)) return perror("spawns"), 1;
    waitpid(child, &status, 0);
    if (status) return 1;
  }
  return 0;
}
