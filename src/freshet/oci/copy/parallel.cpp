// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/parallel.hpp"

namespace freshet::oci {
namespace {

struct Crew {
  std::function<Awaitable<void>(std::size_t)> work;
  std::size_t count = 0;
  std::size_t next = 0;
  std::exception_ptr failure;  // the first
};

Awaitable<void> work_on(Crew& crew) {
  while (crew.next < crew.count && !crew.failure) {
    const std::size_t index = crew.next++;
    try {
      co_await crew.work(index);
    } catch (...) {
      if (!crew.failure) {
        crew.failure = std::current_exception();
      }
      throw;
    }
  }
}

Awaitable<void> work_as(Crew& crew, std::size_t members) {
  using namespace asio::experimental::awaitable_operators;
  if (members > 1) {
    co_await (work_on(crew) && work_as(crew, members - 1));
  } else {
    co_await work_on(crew);
  }
}

}  // namespace

Awaitable<void> for_each_at_once(
    std::size_t count, std::size_t at_once, std::function<Awaitable<void>(std::size_t)> work) {
  if (count == 0) {
    co_return;
  }
  Crew crew;
  crew.work = std::move(work);
  crew.count = count;
  try {
    co_await work_as(crew, std::min(count, at_once));
  } catch (...) {
    if (!crew.failure) {
      throw;
    }
  }
  if (crew.failure) {
    std::rethrow_exception(crew.failure);
  }
}

}  // namespace freshet::oci
