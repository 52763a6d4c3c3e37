// A disk that hangs without an error: while the file named by INSIDER_HUNG exists, nothing is synced.
// Preloaded into one store; whoever waits for the disk waits until the file is gone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_the_disk(void) {
  const char* hung = getenv("INSIDER_HUNG");
  while (hung && access(hung, F_OK) == 0) usleep(20000);
}

int fsync(int fd) {
  wait_for_the_disk();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
  wait_for_the_disk();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
