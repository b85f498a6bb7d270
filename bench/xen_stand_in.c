/* Stands in for the Xen hypervisor, so that Debian's xenstored and oxenstored 4.17, the peers of bench/peers xenstore and
 * tools/record-xenstore, serve their socket on a machine that has none. To be preloaded; needs libxen-dev to compile:
 *
 *   clang-19 -shared -fPIC -O2 -o xen_stand_in.so bench/xen_stand_in.c
 *
 * What it has in place of Xen is told in the environment:
 *   STAND_IN_SOCKET   where a server puts its socket instead of …/xenstored/socket (oxenstored has no option for that)
 *   STAND_IN_DOMAINS  domains 1 … N live, so that they can be introduced (default: none but 0)
 *   STAND_IN_RINGS    a folder: the page that domain N shares with the server is its file ring.N, of 4096 bytes, and a
 *                     native 32-bit N written to the FIFO "events" there is N's event. A process that does both speaks
 *                     as that domain, without its privileges being domain 0's. Without it, domains stay silent.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

enum { page_size = 4096, first_domain_port = 1000, exception_port = 1, first_other_port = 2 };

static long handle_memory; /* all handles point here; nobody looks inside */
static int events_fd = -1;
static evtchn_port_t next_port = first_other_port;

static void *the_handle(void) { return &handle_memory; }

static uint32_t living_domains(void) {
  const char *count = getenv("STAND_IN_DOMAINS");
  return count ? (uint32_t)strtoul(count, NULL, 10) : 0;
}

/* Domains. */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *builder, unsigned flags) {
  return the_handle();
}
int xc_interface_close(xc_interface *xch) { return 0; }

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned most, xc_dominfo_t *info) {
  if (first > living_domains() || most == 0) return 0;
  *info = (xc_dominfo_t){.domid = first, .running = 1};
  return 1;
}
int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned most, xc_domaininfo_t *info) {
  if (first > living_domains() || most == 0) return 0;
  memset(info, 0, sizeof *info);
  info->domain = (domid_t)first;
  return 1;
}

/* A domain's page: its file where there is a folder, memory that nobody else sees otherwise. */
static void *page_of(uint32_t domain) {
  const char *folder = getenv("STAND_IN_RINGS");
  int fd = -1;
  if (folder) {
    char path[512];
    snprintf(path, sizeof path, "%s/ring.%u", folder, domain);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, page_size) != 0) abort();
  }
  void *page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
  if (fd >= 0) close(fd);
  return page;
}
void *xc_map_foreign_range(xc_interface *xch, uint32_t domain, int size, int protection, unsigned long frame) {
  return page_of(domain);
}
xengnttab_handle *xengnttab_open(xentoollog_logger *logger, unsigned flags) { return the_handle(); }
int xengnttab_close(xengnttab_handle *xgt) { return 0; }
int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t count) { return 0; }
void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domain, uint32_t ref, int protection) {
  return page_of(domain);
}
int xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count) {
  return munmap(start, (size_t)page_size * count);
}

/* Event channels. */

xenevtchn_handle *xenevtchn_open(xentoollog_logger *logger, unsigned flags) {
  const char *folder = getenv("STAND_IN_RINGS");
  if (folder) {
    char path[512];
    snprintf(path, sizeof path, "%s/events", folder);
    mkfifo(path, 0600);
    /* Open for both, so that it has no end when a domain's process leaves. */
    events_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  } else {
    events_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  }
  if (events_fd < 0) abort();
  return the_handle();
}
xenevtchn_handle *xenevtchn_fdopen(xentoollog_logger *logger, int fd, unsigned flags) {
  events_fd = fd;
  return the_handle();
}
int xenevtchn_close(xenevtchn_handle *xce) { return 0; }
int xenevtchn_fd(xenevtchn_handle *xce) { return events_fd; }
int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port) { return 0; } /* domains look by themselves */
xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domain, evtchn_port_t remote) {
  return domain == 0 ? (int)next_port++ : (int)(first_domain_port + domain);
}
xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned virq) { return exception_port; }
int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port) { return 0; }
int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port) { return 0; }
xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce) {
  uint32_t domain;
  if (getenv("STAND_IN_RINGS") && read(events_fd, &domain, sizeof domain) == sizeof domain)
    return (int)(first_domain_port + domain);
  errno = EAGAIN;
  return -1;
}

/* The files of Linux under Xen: domain 0's own event channel and page. */
static int made_up_file(const char *path) {
  int fd = -1;
  if (strcmp(path, "/proc/xen/xsd_port") == 0) {
    fd = memfd_create("xsd_port", MFD_CLOEXEC);
    if (fd < 0 || write(fd, "1", 1) != 1 || lseek(fd, 0, SEEK_SET) != 0) abort();
  } else if (strcmp(path, "/proc/xen/xsd_kva") == 0) {
    fd = memfd_create("xsd_kva", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, page_size) != 0) abort();
  }
  return fd;
}

#define THE_REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static mode_t mode_of(int flags, va_list more) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; }

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = mode_of(flags, more);
  va_end(more);
  const int fd = made_up_file(path);
  return fd >= 0 ? fd : THE_REAL(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = mode_of(flags, more);
  va_end(more);
  const int fd = made_up_file(path);
  return fd >= 0 ? fd : THE_REAL(open64)(path, flags, mode);
}

/* The socket, and a limit that only the host's root may raise. */

static const char *moved(const char *path) {
  static const char usual[] = "/xenstored/socket";
  const char *instead = getenv("STAND_IN_SOCKET");
  const size_t length = strlen(path), end = sizeof usual - 1;
  return instead && length >= end && strcmp(path + length - end, usual) == 0 ? instead : path;
}
int bind(int fd, const struct sockaddr *address, socklen_t length) {
  if (address->sa_family == AF_UNIX) {
    struct sockaddr_un there = {.sun_family = AF_UNIX};
    const char *path = ((const struct sockaddr_un *)address)->sun_path;
    if (moved(path) != path) {
      snprintf(there.sun_path, sizeof there.sun_path, "%s", moved(path));
      return THE_REAL(bind)(fd, (struct sockaddr *)&there, sizeof there);
    }
  }
  return THE_REAL(bind)(fd, address, length);
}
int unlink(const char *path) { return THE_REAL(unlink)(moved(path)); }
int chmod(const char *path, mode_t mode) { return THE_REAL(chmod)(moved(path), mode); }
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) { return 0; }
