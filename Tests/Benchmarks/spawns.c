// The floor for script steps: COUNT times posix_spawn and wait of /bin/true.
//
//   cc -O2 spawns.c -o spawns && ./spawns [COUNT]
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv) {
  char *command[] = {"/bin/true", NULL};
  for (int left = argc > 1 ? atoi(argv[1]) : 200; left > 0; left--) {
    pid_t child;
    int status;
    if (posix_spawn(&child, command[0], NULL, NULL, command, environ)) return perror("spawns"), 1;
    waitpid(child, &status, 0);
    if (status) return 1;
  }
  return 0;
}
