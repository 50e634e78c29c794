#pragma once
// libmicrohttpd, loaded when the first server is made: only `simulate` and `--simulate` need one.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>

#define MHD_FUNCTIONS(EACH)                                                                             \
  EACH(start_daemon) EACH(stop_daemon) EACH(get_daemon_info) EACH(suspend_connection)                   \
  EACH(resume_connection) EACH(get_connection_values) EACH(create_response_from_buffer)                 \
  EACH(add_response_header) EACH(queue_response) EACH(destroy_response)

struct mhd_functions {
#define EACH(name) __typeof__(MHD_##name) *_Nonnull name;
  MHD_FUNCTIONS(EACH)
#undef EACH
};

typedef const struct mhd_functions *_Nonnull mhd_table;

/// Fills the table. NULL on success, else what the dynamic linker says, in storage of its own.
static inline const char *_Nullable mhd_functions_load(struct mhd_functions *_Nonnull table) {
  void *library = dlopen("libmicrohttpd.so.12", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return dlerror();
#define EACH(name)                                                             \
  {                                                                            \
    void *address = dlsym(library, "MHD_" #name);                              \
    if (!address) return dlerror();                                            \
    table->name = (__typeof__(MHD_##name) *)address;                           \
  }
  MHD_FUNCTIONS(EACH)
#undef EACH
  return NULL;
}

/// A server on 127.0.0.1 with one thread of its own. Port 0 takes a free one. NULL: see errno.
static inline struct MHD_Daemon *_Nullable mhd_start(
    mhd_table mhd, uint16_t port, MHD_AccessHandlerCallback _Nonnull handler, void *_Nonnull owner,
    MHD_RequestCompletedCallback _Nonnull completed, unsigned idle_seconds) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return mhd->start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL, handler, owner,
      MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED, completed, owner,
      MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_END);
}

/// 0 when it is not known.
static inline uint16_t mhd_port(mhd_table mhd, struct MHD_Daemon *_Nonnull daemon) {
  const union MHD_DaemonInfo *info = mhd->get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info ? info->port : 0;
}
