// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/app.hpp"

#include <sys/prctl.h>

int main(int argc, char** argv) {
  // No debugger reads the passwords in our memory, and no crash writes them to a disk.
  ::prctl(PR_SET_DUMPABLE, 0);
  return freshet::cli::run(argc, argv);
}
