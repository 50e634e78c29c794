// Becomes the OpenSSH client with a configuration file, and with the words that it was given.
#include <unistd.h>

int main(int count, char **words) {
  char *all[count + 3];
  all[0] = PROGRAM;
  all[1] = "-F";
  all[2] = CONFIG;
  for (int i = 1; i <= count; i++) all[i + 2] = words[i];
  execv(PROGRAM, all);
  return 127;
}
