// The floor for `http.get` steps: COUNT GETs of URL, one after the other, over one kept connection of libcurl's easy
// interface. Prints microseconds per request.
//
//   cc -O2 http_gets.c -lcurl -o http_gets && ./http_gets URL [COUNT]
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static size_t swallow(char *bytes, size_t size, size_t count, void *total) {
  (void)bytes;
  *(size_t *)total += size * count;
  return size * count;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: http_gets URL [COUNT]\n"), 2;
  int count = argc > 2 ? atoi(argv[2]) : 1000;
  size_t total = 0;
  curl_global_init(CURL_GLOBAL_ALL);
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &total);
  double start = seconds();
  for (int i = 0; i < count; i++)
    if (curl_easy_perform(easy) != CURLE_OK) return fprintf(stderr, "request %d failed\n", i), 1;
  printf("%.2f us/request, %zu bytes\n", (seconds() - start) / count * 1e6, total);
  curl_easy_cleanup(easy);
  return 0;
}
