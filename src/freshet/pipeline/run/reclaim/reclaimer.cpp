// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/reclaim/reclaimer.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/run/reclaim/image.hpp"
#include "freshet/pipeline/run/reclaim/ownership.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace freshet::pipeline {
namespace {

constexpr std::string_view k_mount = "/tree";
constexpr auto k_creation_limit = std::chrono::seconds(60);
constexpr auto k_removal_limit = std::chrono::seconds(30);

bool are_root() {
  return ::geteuid() == 0;
}

/// Whether the tree is ours already, or there is none.
bool is_ours(const ReclaimPlace& place) {
  const UniqueFd root(::open(place.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.is_open()) {
    return errno != EACCES;
  }
  const UniqueFd directory(open_directory_below(root.get(), place.below.c_str()));
  if (!directory.is_open()) {
    return errno != EACCES;
  }
  return is_all_owned_by(directory.get(), ::geteuid());
}

/// Whether we can add and remove entries of the directory, or there is none.
bool is_open_to_us(const fs::path& directory) {
  struct stat info {};
  if (::lstat(directory.c_str(), &info) != 0) {
    return errno != EACCES;
  }
  if (!S_ISDIR(info.st_mode)) {
    return true;
  }
  const bool keeps_entries_of_others = info.st_uid != ::geteuid() && (info.st_mode & S_ISVTX) != 0;
  return !keeps_entries_of_others &&
         ::faccessat(AT_FDCWD, directory.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0;
}

struct ProgramEnd {
  int exit_code = 0;
  std::string output;
};

Awaitable<ProgramEnd> run_container(Ctx ctx, engine::DockerClient& engine, std::string container) {
  ProgramEnd end;
  const std::unique_ptr<engine::ContainerOutput> output = co_await engine.attach(ctx, container);
  std::function<void(engine::OutputStream, std::string_view)> on_bytes =
      [&end](engine::OutputStream, std::string_view bytes) { end.output += bytes; };
  co_await engine.start_container(ctx, container);
  co_await output->read_all(ctx, std::move(on_bytes));
  end.exit_code = co_await engine.wait_for_exit(ctx, container);
  co_return end;
}

}  // namespace

Awaitable<bool> Reclaimer::own_tree(Ctx ctx, ReclaimPlace place) {
  if (are_root()) {
    co_return false;
  }
  const auto look = [place] { return is_ours(place); };
  const bool is_ours_already = co_await offload(services_.pool, look);
  if (is_ours_already) {
    co_return false;
  }
  co_await run_program(ctx, "tree", place);
  co_return true;
}

Awaitable<void> Reclaimer::open_directory(Ctx ctx, ReclaimPlace place) {
  if (!are_root() && !is_open_to_us(place.path())) {
    co_await run_program(ctx, "directory", place);
  }
}

Awaitable<void> Reclaimer::run_program(Ctx ctx, std::string mode, ReclaimPlace place) {
  engine::DockerClient& engine = services_.engine;
  // In the containers of a rootless engine we are root: there is nobody else to give files to.
  const bool is_rootless = (co_await engine.info(ctx)).is_rootless;
  engine::ContainerSpec spec;
  spec.image = co_await provide_reclaim_image(ctx, engine);
  spec.entry_point = {std::string(k_reclaim_program)};
  spec.command = {
      mode,
      std::to_string(is_rootless ? 0 : ::geteuid()),
      std::to_string(is_rootless ? 0 : ::getegid()),
      std::string(k_mount),
      place.below.empty() ? "." : place.below.string()};
  spec.user = "0:0";
  spec.network = "none";
  spec.capabilities = {"CHOWN", "DAC_OVERRIDE", "FOWNER"};
  spec.has_users_of_host = true;
  spec.mounts = {{engine::Mount::Kind::bind, place.root.string(), std::string(k_mount), false}};
  spec.labels = {
      {std::string(k_owner_label), services_.data.owner_id()},
      {std::string(k_build_label), build_id_},
  };
  // The engine would go on creating it without us, unseen by the clean-up.
  const std::string container = co_await uninterrupted(
      engine.create_container(ctx.within(k_creation_limit), std::move(spec)));
  const auto settled = co_await detail::settle(run_container(ctx, engine, container));
  // A stopped run does not wait here: its end removes the container by its label.
  const Ctx removal = Ctx{}.within(k_removal_limit);
  const auto removed = co_await detail::settle(engine.remove_container(removal, container));
  for (const std::exception_ptr& failure : {settled.failure, removed.failure}) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
  if (settled.value->exit_code != 0) {
    throw Error(
        ErrorCode::forbidden,
        fmt::format("not even root can give us what is in '{}'", place.path().string()))
        .with_hint("a step of an earlier build made it as another user; remove it by hand")
        .with_remote_text(trim(settled.value->output));
  }
}

}  // namespace freshet::pipeline
