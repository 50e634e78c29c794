#pragma once
// libcurl, loaded when the first request is made: linking it costs every start of the command 4.5 ms, whether it
// speaks to anybody or not. The header gives the types, `struct curl_functions` the addresses.
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#define CURL_FUNCTIONS(EACH)                                                                                   \
  EACH(global_init) EACH(version) EACH(slist_append) EACH(slist_free_all)                                      \
  EACH(easy_init) EACH(easy_cleanup) EACH(easy_reset) EACH(easy_setopt) EACH(easy_getinfo) EACH(easy_strerror) \
  EACH(easy_perform)                                                                                           \
  EACH(multi_init) EACH(multi_cleanup) EACH(multi_setopt) EACH(multi_add_handle) EACH(multi_remove_handle)     \
  EACH(multi_socket_action) EACH(multi_info_read) EACH(multi_assign)                                           \
  EACH(url) EACH(url_set) EACH(url_get) EACH(url_cleanup) EACH(free)

struct curl_functions {
#define EACH(name) __typeof__(curl_##name) *_Nonnull name;
  CURL_FUNCTIONS(EACH)
#undef EACH
};

/// Fills the table. NULL on success, else what the dynamic linker says, in storage of its own.
static inline const char *_Nullable curl_functions_load(struct curl_functions *_Nonnull table) {
  void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return dlerror();
#define EACH(name)                                                             \
  {                                                                            \
    void *address = dlsym(library, "curl_" #name);                             \
    if (!address) return dlerror();                                            \
    table->name = (__typeof__(curl_##name) *)address;                          \
  }
  CURL_FUNCTIONS(EACH)
#undef EACH
  return NULL;
}

// What Swift cannot call: functions with a variable argument list, one per kind of argument.

typedef const struct curl_functions *_Nonnull curl_table;

static inline CURLcode curl_set_long(curl_table curl, CURL *_Nonnull easy, CURLoption option, long value) {
  return curl->easy_setopt(easy, option, value);
}
static inline CURLcode curl_set_size(curl_table curl, CURL *_Nonnull easy, CURLoption option, int64_t value) {
  return curl->easy_setopt(easy, option, (curl_off_t)value);
}
static inline CURLcode curl_set_text(
    curl_table curl, CURL *_Nonnull easy, CURLoption option, const char *_Nullable text) {
  return curl->easy_setopt(easy, option, text);
}
static inline CURLcode curl_set_data(curl_table curl, CURL *_Nonnull easy, CURLoption option, void *_Nullable data) {
  return curl->easy_setopt(easy, option, data);
}
/// All callbacks of a transfer, each called with `owner`.
static inline void curl_set_callbacks(
    curl_table curl, CURL *_Nonnull easy, void *_Nonnull owner, curl_write_callback _Nonnull header,
    curl_write_callback _Nonnull body, curl_read_callback _Nonnull upload, curl_opensocket_callback _Nonnull open,
    curl_prereq_callback _Nonnull ready) {
  curl->easy_setopt(easy, CURLOPT_PRIVATE, owner);
  curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, header);
  curl->easy_setopt(easy, CURLOPT_HEADERDATA, owner);
  curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, body);
  curl->easy_setopt(easy, CURLOPT_WRITEDATA, owner);
  curl->easy_setopt(easy, CURLOPT_READFUNCTION, upload);
  curl->easy_setopt(easy, CURLOPT_READDATA, owner);
  curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open);
  curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, owner);
  curl->easy_setopt(easy, CURLOPT_PREREQFUNCTION, ready);
  curl->easy_setopt(easy, CURLOPT_PREREQDATA, owner);
}
/// The same for a mail. `talk` is told what is said to the server and by it, secrets included.
static inline void curl_set_mail_callbacks(
    curl_table curl, CURL *_Nonnull easy, void *_Nonnull owner, curl_write_callback _Nonnull reply,
    curl_read_callback _Nonnull upload, curl_opensocket_callback _Nonnull open,
    curl_xferinfo_callback _Nonnull progress, curl_debug_callback _Nonnull talk) {
  curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, reply);
  curl->easy_setopt(easy, CURLOPT_HEADERDATA, owner);
  curl->easy_setopt(easy, CURLOPT_READFUNCTION, upload);
  curl->easy_setopt(easy, CURLOPT_READDATA, owner);
  curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open);
  curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, owner);
  curl->easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress);
  curl->easy_setopt(easy, CURLOPT_XFERINFODATA, owner);
  curl->easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl->easy_setopt(easy, CURLOPT_DEBUGFUNCTION, talk);
  curl->easy_setopt(easy, CURLOPT_DEBUGDATA, owner);
  curl->easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}
/// 0 when libcurl does not know.
static inline long curl_info_long(curl_table curl, CURL *_Nonnull easy, CURLINFO info) {
  long value = 0;
  return curl->easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}
static inline int64_t curl_info_size(curl_table curl, CURL *_Nonnull easy, CURLINFO info) {
  curl_off_t value = 0;
  return curl->easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}
static inline void *_Nullable curl_info_owner(curl_table curl, CURL *_Nonnull easy) {
  void *owner = NULL;
  return curl->easy_getinfo(easy, CURLINFO_PRIVATE, &owner) == CURLE_OK ? owner : NULL;
}
static inline void curl_multi_set_long(curl_table curl, CURLM *_Nonnull multi, CURLMoption option, long value) {
  curl->multi_setopt(multi, option, value);
}
static inline void curl_multi_set_callbacks(
    curl_table curl, CURLM *_Nonnull multi, void *_Nonnull owner, curl_socket_callback _Nonnull socket,
    curl_multi_timer_callback _Nonnull timer) {
  curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
  curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, owner);
  curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
  curl->multi_setopt(multi, CURLMOPT_TIMERDATA, owner);
}
/// The next transfer that has ended; NULL when there is none. Its result is written to `result`.
static inline CURL *_Nullable curl_multi_next_done(curl_table curl, CURLM *_Nonnull multi, CURLcode *_Nonnull result) {
  int left = 0;
  for (CURLMsg *message; (message = curl->multi_info_read(multi, &left));)
    if (message->msg == CURLMSG_DONE) {
      *result = message->data.result;
      return message->easy_handle;
    }
  return NULL;
}
