// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/app.hpp"

int main(int argc, char** argv) {
  return freshet::cli::run(argc, argv);
}
