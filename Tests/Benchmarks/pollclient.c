// The floor for many waiting runs: COUNT pollers in one thread, each asking `statusd` for its own resource over its own
// kept connection every second, from a moment of its own within the first second, until it says "ready".
// Prints CPU seconds, peak memory and requests; the delays are at statusd's /stats.
//
//   cc -O2 pollclient.c -o pollclient && ./pollclient PORT [COUNT]
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 20000 };
static struct { int fd; double due; } pollers[MOST];

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: pollclient PORT [COUNT]\n"), 2;
  int count = argc > 2 ? atoi(argv[2]) : 1000, left = count, one = 1;
  if (count < 1 || count > MOST) return fprintf(stderr, "COUNT is 1 to %d\n", MOST), 2;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int epoll = epoll_create1(0);
  long requests = 0;
  double start = seconds();
  for (int i = 0; i < count; i++) {
    int fd = pollers[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) return perror("pollclient"), 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    pollers[i].due = start + (double)i / count;
  }
  while (left > 0) {
    double now = seconds(), next = now + 1;
    for (int i = 0; i < count; i++) {
      if (pollers[i].fd < 0 || pollers[i].due == 0) continue;
      if (pollers[i].due <= now) {
        char request[128];
        int length = snprintf(request, sizeof request, "GET /resource/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", i);
        if (write(pollers[i].fd, request, (size_t)length) != length) return perror("pollclient"), 1;
        pollers[i].due = 0;
        requests++;
      } else if (pollers[i].due < next) {
        next = pollers[i].due;
      }
    }
    struct epoll_event events[256];
    int pause = (int)((next - now) * 1000) + 1, ready = epoll_wait(epoll, events, 256, pause);
    now = seconds();
    for (int i = 0; i < ready; i++) {
      char reply[1024];
      int poller = (int)events[i].data.u32;
      ssize_t length = read(pollers[poller].fd, reply, sizeof reply - 1);
      if (length <= 0) return fprintf(stderr, "poller %d was cut off\n", poller), 1;
      reply[length] = 0;
      pollers[poller].due = now + 1;
      if (strstr(reply, "\"ready\"")) {
        close(pollers[poller].fd);
        pollers[poller].fd = -1;
        left--;
      }
    }
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  double peak = (double)usage.ru_maxrss / 1024;
  printf("%.3f CPU s, %.1f MiB, %ld requests, %.2f s\n", cpu, peak, requests, seconds() - start);
  return 0;
}
