// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/pipeline/run/git.hpp"
#include "freshet/pipeline/run/reclaim/reclaimer.hpp"
#include "freshet/pipeline/steps/steps.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

struct Checkout {
  RepositoryAddress address;
  fs::path directory;  // on this machine
  fs::path git_directory;  // out of the containers' sight
  std::optional<std::string> revision;
  std::optional<int> depth;
};

void remove_or_throw(const fs::path& path) {
  if (const std::string problem = remove_tree(path); !problem.empty()) {
    throw Error(ErrorCode::unavailable, problem)
        .with_hint(
            "a step of an earlier build may have made it as another user; remove it by hand");
  }
}

/// Opens each folder on the way to `path`, which is relative to `volume`; nothing when it leads
/// out.
Awaitable<void> open_way_to(Ctx ctx, Reclaimer& reclaimer, fs::path volume, fs::path path) {
  fs::path way;
  if (!path.empty() && *path.begin() == "..") {
    co_return;
  }
  for (const fs::path& part : path.parent_path()) {
    way /= part;
    ReclaimPlace place{volume, way};
    if (fs::symlink_status(place.path()).type() != fs::file_type::directory) {
      co_return;  // not made yet, or a link, whose target has a way of its own
    }
    co_await reclaimer.open_directory(ctx, std::move(place));
  }
}

/// The folder of the checkout at `container_path`, with all in it ours: steps of an earlier build
/// may have made files there as another user, which git could neither replace nor remove.
Awaitable<fs::path> take_checkout(Ctx ctx, StepScope scope, std::string container_path) {
  const Workspace& workspace = scope.run.workspace();
  const fs::path root = workspace.root();
  Reclaimer reclaimer(scope.services, scope.run.build().id);
  co_await open_way_to(
      ctx, reclaimer, root, fs::path(container_path).lexically_relative(k_volume_path));
  const fs::path directory = workspace.host_path(container_path);
  const fs::path below = directory.lexically_relative(root);
  co_await open_way_to(ctx, reclaimer, root, below);
  ReclaimPlace place{root, below};
  const bool was_foreign = co_await reclaimer.own_tree(ctx, std::move(place));
  if (was_foreign) {
    scope.log.line(fmt::format("Took over what other users made in {}", container_path));
  }
  co_return directory;
}

/// Makes the checkout's repository and its work tree, reusing what an earlier build left when it
/// came from the same address.
Awaitable<void> prepare_repository(Ctx ctx, Git& git, const Checkout& checkout) {
  fs::create_directories(checkout.directory);
  if (fs::exists(checkout.git_directory / "config")) {
    std::vector<std::string> ask{"config", "--get", "remote.origin.url"};
    const auto address = co_await git.ask(ctx, std::move(ask));
    if (address == checkout.address.url) {
      co_return;
    }
    remove_or_throw(checkout.git_directory);
    remove_or_throw(checkout.directory);
    fs::create_directories(checkout.directory);
  }
  fs::create_directories(checkout.git_directory.parent_path());
  std::vector<std::string> init{"init", "--quiet"};
  co_await git.run(ctx, std::move(init));
  std::vector<std::string> refs{
      "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"};
  co_await git.run(ctx, std::move(refs));
  // `init` noted the work tree, which is another folder in the next build.
  std::vector<std::string> tree{"config", "--unset-all", "core.worktree"};
  co_await git.ask(ctx, std::move(tree));
  // Last: with an address a repository counts as ready.
  std::vector<std::string> url{"config", "remote.origin.url", checkout.address.url};
  co_await git.run(ctx, std::move(url));
}

Awaitable<void> fetch(Ctx ctx, Git& git, const Checkout& checkout) {
  std::vector<std::string> arguments{"fetch", "--force", "--prune", "--tags", "--quiet"};
  if (checkout.depth) {
    arguments.push_back(fmt::format("--depth={}", *checkout.depth));
  } else if (fs::exists(checkout.git_directory / "shallow")) {
    arguments.emplace_back("--unshallow");  // an earlier build wanted less of it
  }
  arguments.insert(arguments.end(), {"--", "origin"});
  co_await git.run(ctx, std::move(arguments));
}

/// Whether a file of ours is already at `target`, so that it may keep its times: a build context
/// with `.git` in it is then not sent again.
bool is_same_file(const fs::path& source, const fs::path& target) {
  constexpr std::uintmax_t k_max_compared_bytes = 1 << 20;  // larger ones are packs: times decide
  const fs::file_status status = fs::symlink_status(target);
  if (status.type() != fs::file_type::regular ||
      (status.permissions() & fs::perms::owner_read) == fs::perms::none ||
      fs::file_size(source) != fs::file_size(target)) {
    return false;
  }
  return fs::file_size(source) <= k_max_compared_bytes
             ? load_file(source, k_max_compared_bytes) == load_file(target, k_max_compared_bytes)
             : fs::last_write_time(source) == fs::last_write_time(target);
}

void mirror_file(const fs::path& source, const fs::path& target) {
  if (!is_same_file(source, target)) {
    remove_or_throw(target);
    fs::copy_file(source, target);
    fs::last_write_time(target, fs::last_write_time(source));
  }
}

/// Makes `target` equal to `source`. A step may have put anything at `target`: what is there is
/// never followed, only kept when it is the plain file or folder that belongs there.
void mirror_directory(const fs::path& source, const fs::path& target) {
  if (fs::symlink_status(target).type() != fs::file_type::directory) {
    remove_or_throw(target);
    fs::create_directory(target);
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(target)) {
    if (!fs::exists(fs::symlink_status(source / entry.path().filename()))) {
      remove_or_throw(entry.path());
    }
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(source)) {
    const fs::path copy = target / entry.path().filename();
    if (entry.is_directory()) {
      mirror_directory(entry.path(), copy);
    } else {
      mirror_file(entry.path(), copy);
    }
  }
}

/// Gives the steps a `.git` of their own.
Awaitable<void> copy_repository(StepScope scope, const Checkout& checkout) {
  const auto copy = [source = checkout.git_directory, target = checkout.directory / ".git"] {
    mirror_directory(source, target);
  };
  co_await offload(scope.services.pool, copy);
}

/// A commit to check out, and the branch that it was asked for by.
struct Target {
  std::string commit;
  std::string branch;  // empty: a tag or a commit
};

Awaitable<std::optional<std::string>> find_commit(Ctx ctx, Git& git, std::string name) {
  std::vector<std::string> ask{
      "rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"};
  co_return co_await git.ask(ctx, std::move(ask));
}

Awaitable<Target> find_target(Ctx ctx, Git& git, std::optional<std::string> revision) {
  std::string wanted;
  if (revision) {
    wanted = *revision;
  } else {
    // `remote set-head` asks the remote again: its default branch may have changed.
    std::vector<std::string> refresh{"remote", "set-head", "origin", "--auto"};
    co_await git.ask(ctx, std::move(refresh));
    std::vector<std::string> ask{"symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"};
    const std::string head = (co_await git.ask(ctx, std::move(ask))).value_or("");
    wanted = head.starts_with("origin/") ? head.substr(7) : "HEAD";
  }
  if (auto commit = co_await find_commit(ctx, git, "refs/remotes/origin/" + wanted)) {
    co_return Target{*commit, wanted};
  }
  if (auto commit = co_await find_commit(ctx, git, "refs/tags/" + wanted)) {
    co_return Target{*commit, ""};
  }
  if (auto commit = co_await find_commit(ctx, git, wanted)) {
    co_return Target{*commit, ""};
  }
  // A commit that no branch or tag leads to can be asked for by its hash.
  std::vector<std::string> ask{"fetch", "--quiet", "--", "origin", wanted};
  const bool fetched = (co_await git.ask(ctx, std::move(ask))).has_value();
  if (fetched) {
    if (auto commit = co_await find_commit(ctx, git, "FETCH_HEAD")) {
      co_return Target{*commit, ""};
    }
  }
  throw Error(
      ErrorCode::not_found,
      fmt::format("the repository has no branch, tag or commit '{}'", wanted));
}

Awaitable<void> check_out(Ctx ctx, Git& git, Target target) {
  std::vector<std::string> arguments{"checkout", "--force", "--quiet"};
  if (target.branch.empty()) {
    arguments.push_back("--detach");
  } else {
    arguments.insert(arguments.end(), {"-B", target.branch});
  }
  arguments.insert(arguments.end(), {target.commit, "--"});
  co_await git.run(ctx, std::move(arguments));
  // Twice forced: nested repositories of an earlier revision go too; ignored files stay as a cache.
  std::vector<std::string> clean{"clean", "-ffd", "--quiet"};
  co_await git.run(ctx, std::move(clean));
}

}  // namespace

Awaitable<StepOutput> run_git_clone(Ctx ctx, StepScope scope, GitCloneStep step) {
  RunState& run = scope.run;
  Checkout checkout;
  const std::string repo = run.expand(step.repo);
  run.require_resolved(step.repo, repo, "repo");
  checkout.address = parse_repository_address(repo);
  if (step.revision) {
    checkout.revision = std::string(trim(run.expand(*step.revision)));
    run.require_resolved(*step.revision, *checkout.revision, "revision");
    if (checkout.revision->empty() || checkout.revision->starts_with('-')) {
      throw Error(
          ErrorCode::invalid_input, fmt::format("'{}' is not a revision", *checkout.revision))
          .at(step.revision->at);
    }
  }
  checkout.depth = step.depth;
  const std::string base = step.working_directory ? run.resolve_directory(step.working_directory)
                                                  : std::string(k_volume_path);
  StepOutput output;
  output.working_directory = join_container_path(base, checkout.address.name);
  checkout.directory = co_await take_checkout(ctx, scope, output.working_directory);
  checkout.git_directory = run.workspace().git_directory(output.working_directory);

  LineSink on_line = [&scope](std::string_view line) { scope.log.line(line); };
  scope.log.line(fmt::format("Cloning {} into {}", checkout.address.url, output.working_directory));
  Git git(checkout.directory, on_line, checkout.git_directory);
  co_await prepare_repository(ctx, git, checkout);
  co_await fetch(ctx, git, checkout);
  const Target target = co_await find_target(ctx, git, checkout.revision);
  co_await check_out(ctx, git, target);
  co_await copy_repository(scope, checkout);

  std::optional<model::GitFacts> facts = co_await find_git_facts(ctx, git);
  if (facts) {
    scope.log.line(fmt::format(
        "HEAD is now at {} {}",
        facts->revision.substr(0, 7),
        split(facts->commit_message, '\n').front()));
    output.members["revision"] = facts->revision;
    // A checkout by tag or hash is on no branch: the build's own branch still holds for that
    // commit.
    if (facts->branch.empty() && facts->revision == run.git().revision) {
      facts->branch = run.git().branch;
    }
    if (facts->branch.empty() && checkout.revision) {
      facts->branch = *checkout.revision == facts->revision ? "" : *checkout.revision;
    }
    if (scope.step.name == "main_clone" || run.git().revision.empty()) {
      run.set_git_facts(*facts);
    }
  }
  output.members["repo"] = checkout.address.owner.empty()
                               ? checkout.address.name
                               : checkout.address.owner + "/" + checkout.address.name;
  co_return output;
}

}  // namespace freshet::pipeline
