#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <malloc.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* GNU extensions, declared here: with _GNU_SOURCE the system's types would differ from those of Swift's own Glibc
   module. */
extern int pipe2(int ends[2], int flags);
extern int memfd_create(const char *name, unsigned flags);
extern const char *strerrordesc_np(int code);
extern char **environ;
extern void *memmem(const void *text, size_t length, const void *part, size_t part_length);
extern void *memrchr(const void *text, int byte, size_t length);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int lowest);
#ifndef POSIX_SPAWN_SETSID
#define POSIX_SPAWN_SETSID 0x80
#endif
extern int close_range(unsigned first, unsigned last, int flags);
/* Locks that belong to an open file, not to a process. */
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 1U
#endif

/* Variadic functions, macros and unions that Swift does not import, as plain functions. */

static inline int posix_open_file(const char *path, int flags, unsigned mode) { return open(path, flags, mode); }

static inline int posix_set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static inline int posix_duplicate_above(int fd, int lowest) { return fcntl(fd, F_DUPFD_CLOEXEC, lowest); }

static inline int posix_is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

static inline int posix_terminal_size(int fd, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -1;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}

static inline int posix_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

/* How the child ended, or -1. `pid` 0 means any child. The child stays a zombie until it is reaped.
   Returns its pid, 0 if none has ended yet. `status` is an exit code, or a signal if `by_signal`. */
static inline int posix_peek_ended(int pid, int *by_signal, int *status) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  int result;
  do result = waitid(pid == 0 ? P_ALL : P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
  while (result < 0 && errno == EINTR);
  if (result < 0) return -1;
  *by_signal = info.si_code != CLD_EXITED;
  *status = info.si_status;
  return info.si_pid;
}

static inline int posix_mode_is_regular(unsigned mode) { return S_ISREG(mode); }
static inline int posix_mode_is_directory(unsigned mode) { return S_ISDIR(mode); }

/* The kernel's own answer, past the C library. */
static inline int posix_boot_time(struct timespec *time) {
  return (int)syscall(SYS_clock_gettime, CLOCK_BOOTTIME, time);
}

/* Gives the file its name unless something has that name already (EEXIST). */
static inline int posix_rename_new(const char *from, const char *to) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1 /* RENAME_NOREPLACE */);
}

static inline int posix_errno(void) { return errno; }
static inline const char *posix_error_text(int code) { return strerrordesc_np(code); }

/* Ignored signals stay ignored through exec: put these back for every child. */
static inline void posix_all_signals(sigset_t *set) { sigfillset(set); }

/* Runs `work(context)` on a thread of its own with a small stack, detached. Returns an errno. */
static inline int posix_start_thread(void *(*work)(void *), void *context) {
  pthread_attr_t attributes;
  pthread_t thread;
  int code = pthread_attr_init(&attributes);
  if (code != 0) return code;
  pthread_attr_setstacksize(&attributes, 512 * 1024);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  code = pthread_create(&thread, &attributes, work, context);
  pthread_attr_destroy(&attributes);
  return code;
}

static inline char **posix_environment(void) { return environ; }

static inline int posix_is_ignored(int signal) {
  struct sigaction action;
  return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* From now on these signals write their number to `fd`, whichever thread they reach; calls they interrupt go on. Only
   this function names the handler and its descriptor, so that there is one of each. */
static int posix_signal_pipe = -1;
static void posix_signal_handler(int signal_number) {
  int saved = errno;
  unsigned char byte = (unsigned char)signal_number;
  ssize_t ignored = write(posix_signal_pipe, &byte, 1);
  (void)ignored;
  errno = saved;
}
static inline int posix_catch_signals(int fd, const int *signals, int count) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = posix_signal_handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  posix_signal_pipe = fd;
  for (int index = 0; index < count; index++)
    if (sigaction(signals[index], &action, NULL) < 0) return -1;
  return 0;
}

static inline void posix_ignore(int signal_number) { signal(signal_number, SIG_IGN); }

static inline int posix_connect(int fd, const struct sockaddr *address, socklen_t size) {
  return connect(fd, address, size);
}

static inline int posix_socket_error(int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 ? errno : code;
}

/* Locks of an open file (not of a process: closing another descriptor of the same file does not drop them) on one byte.
   0, or -1 with errno. The numbers are Linux's own: the C library names them only with _GNU_SOURCE. */
static inline int posix_byte_lock(int fd, int command, short kind, int64_t place, short *found) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  lock.l_start = place;
  lock.l_len = 1;
  int result = fcntl(fd, command, &lock);
  *found = lock.l_type;
  return result;
}
static inline int posix_lock_byte(int fd, int64_t place) {
  short found;
  return posix_byte_lock(fd, 37 /* F_OFD_SETLK */, F_WRLCK, place, &found);
}
static inline int posix_unlock_byte(int fd, int64_t place) {
  short found;
  return posix_byte_lock(fd, 37 /* F_OFD_SETLK */, F_UNLCK, place, &found);
}
/* 1 if another open file holds a lock on the byte, 0 if none does, -1 with errno. */
static inline int posix_is_byte_locked(int fd, int64_t place) {
  short found;
  if (posix_byte_lock(fd, 36 /* F_OFD_GETLK */, F_WRLCK, place, &found) < 0) return -1;
  return found != F_UNLCK;
}

/* A timer of the boot-time clock that sends SIGKILL to this process. Its number, or -1 with errno. System calls and not
   the C library's functions, which wrap the number and may be faked by a preloaded library. */
static inline int posix_make_kill_timer(void) {
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  int number = -1;
  return syscall(SYS_timer_create, CLOCK_BOOTTIME, &event, &number) < 0 ? -1 : number;
}
/* To an instant of this process's own boot-time clock; zero disarms it. */
static inline int posix_set_kill_timer(int timer, int64_t seconds, int64_t nanoseconds) {
  struct itimerspec time;
  memset(&time, 0, sizeof time);
  time.it_value.tv_sec = seconds;
  time.it_value.tv_nsec = nanoseconds;
  return (int)syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &time, NULL);
}

/* Locks the whole open file for itself, without waiting. 0, or -1 (EAGAIN or EACCES: somebody else has it). */
static inline int posix_lock_file(int fd) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return fcntl(fd, F_OFD_SETLK, &lock);
}

/* 1 if another open file holds the lock, 0 if nobody does, -1 if it cannot be told. */
static inline int posix_is_file_locked(int fd) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(fd, F_OFD_GETLK, &lock) < 0) return -1;
  return lock.l_type != F_UNLCK;
}

/* The number of descriptors this process may have. Raises the soft limit as far as it may, to `wanted` at most. */
static inline long posix_raise_descriptor_limit(long wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return wanted;
  if (limit.rlim_cur < (rlim_t)wanted) {
    limit.rlim_cur = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return wanted;
  }
  return limit.rlim_cur > (rlim_t)wanted ? wanted : (long)limit.rlim_cur;
}

/* Whether `gate` can be read before `not_after`, in nanoseconds of this process's boot-time clock (0: whenever). */
static inline int posix_opens_in_time(int gate, int64_t not_after) {
  while (not_after > 0) {
    struct timespec now = {0, 0};
    posix_boot_time(&now);
    int64_t left = not_after - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    if (left <= 0) return 0;
    /* In short pieces: poll does not count while the machine sleeps. */
    int64_t pause = left / 1000000 + 1;
    struct pollfd wait = {gate, POLLIN, 0};
    int ready = poll(&wait, 1, pause < 1000 ? (int)pause : 1000);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return 1;
  }
  return 1;
}

/* Starts a child that waits before it becomes `program`: it reads one byte of `gate`. If that ends without a byte (who
   started it is gone), or nothing comes in time (who started it is stopped), or `program` cannot be started, it removes
   the file `mark` and ends. An error is written to `report`, as two ints (1 if it was the folder, and an errno); a
   program that was started closes it.

   It forks, so only a process with a single thread may call it. `gate`, `report` and `descriptors` must be `count` or
   more; `descriptors` become 0, 1, 2 ... of the child. Returns its pid, or -1.

   `not_after`, in nanoseconds of this process's boot-time clock (0: whenever): then it fails with ETIME. A timer ends a
   child that is stopped after that look; becoming the program takes the timer away. */
static inline int posix_start_gated(
    const char *program, char *const *arguments, char *const *environment, const char *folder,
    const int *descriptors, int count, int gate, int report, const char *mark, int64_t not_after, int64_t slack) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  int failure[2] = {0, 0};
  setsid();
  for (int number = 1; number < 65; number++) signal(number, SIG_DFL);
  for (int target = 0; target < count; target++)
    if (dup2(descriptors[target], target) < 0) failure[1] = errno;
  if (failure[1] == 0 && folder != NULL && chdir(folder) < 0) {
    failure[0] = 1;
    failure[1] = errno;
  }
  /* Everything else of ours is closed at once, and not only by exec: locks are held by open files. */
  int lower = gate < report ? gate : report, upper = gate < report ? report : gate;
  if (lower > count) close_range((unsigned)count, (unsigned)lower - 1, 0);
  if (upper > lower + 1) close_range((unsigned)lower + 1, (unsigned)upper - 1, 0);
  close_range((unsigned)upper + 1, ~0U, 0);
  char go = 0;
  ssize_t got = 0;
  if (posix_opens_in_time(gate, not_after)) {
    do got = read(gate, &go, 1);
    while (got < 0 && errno == EINTR);
  } else {
    failure[1] = ETIME;
  }
  if (got == 1 && failure[1] == 0 && not_after > 0) {
    struct timespec now = {0, 0};
    posix_boot_time(&now);
    if ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= not_after) failure[1] = ETIME;
    int64_t end = not_after + slack;
    int timer = failure[1] == 0 ? posix_make_kill_timer() : -1;
    if (timer >= 0) posix_set_kill_timer(timer, end / 1000000000, end % 1000000000);
  }
  if (got == 1 && failure[1] == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(program, arguments, environment);
    failure[1] = errno;
  }
  unlink(mark);
  ssize_t ignored = write(report, failure, sizeof failure);
  (void)ignored;
  _exit(127);
}

/* A compiled pattern, or NULL with the reason in `words`. */
static inline void *posix_compile_pattern(const char *pattern, char *words, size_t size) {
  regex_t *compiled = malloc(sizeof *compiled);
  if (!compiled) {
    snprintf(words, size, "out of memory");
    return NULL;
  }
  int code = regcomp(compiled, pattern, REG_EXTENDED);
  if (code == 0) return compiled;
  regerror(code, compiled, words, size);
  free(compiled);
  return NULL;
}

static inline void posix_free_pattern(void *compiled) {
  regfree((regex_t *)compiled);
  free(compiled);
}

/* Whether the pattern is found in `length` bytes, which need no NUL behind them (1 << 2 is REG_STARTEND). */
static inline int posix_finds_pattern(const void *compiled, const char *text, size_t length) {
  regmatch_t range = {0, (regoff_t)length};
  return regexec((const regex_t *)compiled, text, 1, &range, 1 << 2) == 0;
}
