// A server of things that take a while: `GET /resource/I` says "pending", and "ready" from READY_MS after the first
// request for I, plus a part of a second of its own, so that a poll every second notices half a second late on average.
// `GET /stats` reports how long after being ready each resource was first seen ready, and the requests served;
// `GET /reset` forgets everything; anything else answers "ok". Keep-alive, one thread, epoll, loopback only.
//
//   cc -O2 statusd.c -o statusd && ./statusd PORT [READY_MS]      (port 0 takes a free one; the port is printed)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RESOURCES = 100000, DESCRIPTORS = 65536, HEAD = 4096 };

static struct { double first, noticed; } resources[RESOURCES];
static struct { char *bytes; int length; } inputs[DESCRIPTORS];
static long requests;
static double ready_after;

/// Seconds from the first request for a resource to its being ready.
static double wait_for(int id) { return ready_after + (double)(id * 7919L % 1000) / 1000; }

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static int stats(char *body, size_t size) {
  static double delays[RESOURCES];
  int seen = 0, asked = 0;
  double sum = 0;
  for (int i = 0; i < RESOURCES; i++) {
    asked += resources[i].first > 0;
    if (resources[i].noticed <= 0) continue;
    delays[seen] = resources[i].noticed - resources[i].first - wait_for(i);
    sum += delays[seen++];
  }
  qsort(delays, (size_t)seen, sizeof *delays, by_size);
  return snprintf(
      body, size,
      "{\"asked\":%d,\"noticed\":%d,\"requests\":%ld,\"mean\":%.4f,\"median\":%.4f,\"p99\":%.4f,\"max\":%.4f}\n",
      asked, seen, requests, seen ? sum / seen : 0, seen ? delays[seen / 2] : 0, seen ? delays[seen * 99 / 100] : 0,
      seen ? delays[seen - 1] : 0);
}

static int answer(const char *path, char *body, size_t size) {
  int id;
  if (!strncmp(path, "/stats ", 7)) return stats(body, size);
  requests++;
  if (!strncmp(path, "/reset ", 7)) {
    memset(resources, 0, sizeof resources);
    requests = 0;
  } else if (sscanf(path, "/resource/%d", &id) == 1 && id >= 0 && id < RESOURCES) {
    double now = seconds();
    if (resources[id].first == 0) resources[id].first = now;
    int ready = now - resources[id].first >= wait_for(id);
    if (ready && resources[id].noticed == 0) resources[id].noticed = now;
    return snprintf(body, size, "{\"id\":%d,\"state\":\"%s\"}\n", id, ready ? "ready" : "pending");
  }
  return snprintf(body, size, "{\"state\":\"ok\"}\n");
}

static void hang_up(int fd) {
  free(inputs[fd].bytes);
  inputs[fd].bytes = NULL;
  inputs[fd].length = 0;
  close(fd);
}

static void serve(int fd) {
  if (!inputs[fd].bytes) inputs[fd].bytes = malloc(HEAD + 1);
  ssize_t count = read(fd, inputs[fd].bytes + inputs[fd].length, (size_t)(HEAD - inputs[fd].length));
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return hang_up(fd);
  inputs[fd].length += (int)count;
  inputs[fd].bytes[inputs[fd].length] = 0;
  for (char *end; (end = strstr(inputs[fd].bytes, "\r\n\r\n"));) {
    char body[512], reply[1024], *path = strchr(inputs[fd].bytes, ' ');
    int length = answer(path ? path + 1 : "", body, sizeof body);
    int total = snprintf(
        reply, sizeof reply, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
        length, body);
    if (write(fd, reply, (size_t)total) != total) return hang_up(fd);
    int used = (int)(end + 4 - inputs[fd].bytes);
    inputs[fd].length -= used;
    memmove(inputs[fd].bytes, end + 4, (size_t)inputs[fd].length + 1);
  }
  if (inputs[fd].length == HEAD) hang_up(fd);
}

int main(int argc, char **argv) {
  struct rlimit files = {DESCRIPTORS, DESCRIPTORS};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max < DESCRIPTORS ? files.rlim_max : DESCRIPTORS;
  setrlimit(RLIMIT_NOFILE, &files);
  ready_after = (argc > 2 ? atof(argv[2]) : 5000) / 1000;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0)),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
    return perror("statusd"), 1;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd != listener) {
        serve(events[i].data.fd);
        continue;
      }
      for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (fd >= DESCRIPTORS) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
      }
    }
  }
}
