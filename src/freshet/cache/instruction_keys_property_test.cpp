// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/instruction_keys.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace freshet::cache {
namespace {

using Atoms = std::set<std::string>;

/// A made-up build. Everything in it that can change is an atom with a version; each instruction
/// knows, by rules of its own, which atoms its result depends on.
class MadeUpBuild {
 public:
  explicit MadeUpBuild(std::uint64_t seed) : seed_(seed) {}

  std::map<std::string, int> versions;  // those that are not here are at 0

  /// Builds it, and makes `atoms` what there is to change and `depends` what each node depends on.
  KeyedBuild make() {
    chance_.seed(seed_);
    text_.clear();
    stages_.clear();
    numbers_ = 0;
    depends.clear();
    atoms.clear();
    inputs_ = {};
    make_context();
    const std::size_t stages = 1 + below(4);
    for (std::size_t stage = 0; stage <= stages; ++stage) {
      add_stage(stage, stage == stages);
    }
    const dockerfile::File file = dockerfile::parse(text_);
    const auto no_config = [](const std::string&, const oci::Platform&) { return std::nullopt; };
    const dockerfile::Evaluation evaluation = dockerfile::evaluate(file, inputs_, no_config);
    EXPECT_EQ(render(file.diagnostics, text_) + render(evaluation.diagnostics, text_), "");
    return make_instruction_keys(evaluation, facts_);
  }

  const std::string& text() const { return text_; }

  std::vector<Atoms> depends;  // by node, what its parents depend on included
  Atoms atoms;

 private:
  struct Stage {
    Atoms result;  // what its last instruction depends on, or its base
    Atoms scope;  // what commands see of variables and user
    std::string user;  // the atom
  };

  std::size_t below(std::size_t limit) { return chance_() % limit; }
  bool is_one_of(std::size_t many) { return below(many) == 0; }

  int version(const std::string& atom) {
    atoms.insert(atom);
    const auto found = versions.find(atom);
    return found == versions.end() ? 0 : found->second;
  }

  static const std::vector<std::string>& paths() {
    static const std::vector<std::string> all{
        "a.c", "b.c", "dir", "dir/a.c", "dir/b.h", "dir/deep", "dir/deep/c.c", "notes", "unused"};
    return all;
  }

  void make_context() {
    facts_ = {};
    facts_.build = fmt::format("build {}", version("build"));
    for (const std::string& path : paths()) {
      facts_.context.push_back({path, fmt::format("state {}", version("file " + path)), false, ""});
    }
  }

  void line(const std::string& text) { text_ += text + "\n"; }

  void add_noise(std::size_t number) {
    const std::string atom = fmt::format("noise {}", number);
    const int now = version(atom);
    switch (number % 4) {
      case 0:
        return line(fmt::format("LABEL l{}=v{}", number, now));
      case 1:
        return line(fmt::format("# comment {}", now));
      case 2:
        return line(fmt::format("EXPOSE {}", 80 + now));
      default:
        return line(fmt::format("CMD run {}", now));
    }
  }

  std::string name_of(std::size_t stage) {
    return fmt::format("s{}x{}", stage, version(fmt::format("name of stage {}", stage)));
  }

  void add_stage(std::size_t index, bool is_last) {
    Stage stage;
    const std::string name = name_of(index);
    if (index > 0 && is_one_of(3)) {
      const std::size_t base = below(index);
      line(fmt::format("FROM {} AS {}", name_of(base), name));
      stage = stages_[base];
    } else {
      const std::string image = fmt::format("image{}", below(2));
      line(fmt::format("FROM {} AS {}", image, name));
      facts_.images[image] = fmt::format("sha256:{}{}", image, version(image));
      stage.result = {image};
    }
    for (std::size_t left = below(6); left > 0; --left) {
      add_instruction(stage, index);
    }
    if (is_last) {  // so that all stages are needed
      for (std::size_t from = 0; from < index; ++from) {
        add_copy_from(stage, from);
      }
    }
    stages_.push_back(std::move(stage));
  }

  void add_instruction(Stage& stage, std::size_t index) {
    const std::size_t number = ++numbers_;
    if (is_one_of(2)) {
      add_noise(number);
    }
    switch (below(index > 0 ? 8 : 7)) {
      case 0:
        return add_variable(stage, number);
      case 1:
        return add_user(stage, number);
      case 2:
        return add_workdir(stage, number);
      case 3:
        return add_copy(stage, number);
      case 4:
        return add_fetch(stage, number);
      case 7:
        return add_copy_from(stage, below(index));
      default:
        return add_run(stage, number);
    }
  }

  void add_node(Stage& stage, const Atoms& own) {
    stage.result.insert(own.begin(), own.end());
    depends.push_back(stage.result);
  }

  void add_variable(Stage& stage, std::size_t number) {
    const std::string atom = fmt::format("variable {}", number);
    const int now = version(atom);
    if (is_one_of(2)) {
      line(fmt::format("ENV E{}=v{}", number, now));
    } else {
      line(fmt::format("ARG A{}=default", number));
      inputs_.arguments[fmt::format("A{}", number)] = fmt::format("v{}", now);
    }
    stage.scope.insert(atom);
  }

  void add_user(Stage& stage, std::size_t number) {
    stage.user = fmt::format("user {}", number);
    line(fmt::format("USER u{}n{}", number, version(stage.user)));
  }

  Atoms with_user(const Stage& stage, Atoms own) const {
    if (!stage.user.empty()) {
      own.insert(stage.user);
    }
    return own;
  }

  void add_workdir(Stage& stage, std::size_t number) {
    const std::string atom = fmt::format("directory {}", number);
    line(fmt::format("WORKDIR /w{}v{}", number, version(atom)));
    add_node(stage, with_user(stage, {atom}));
  }

  void add_copy(Stage& stage, std::size_t number) {
    struct Choice {
      std::string source;
      std::vector<std::string> files;
    };
    const std::vector<Choice> choices{
        {"a.c", {"a.c"}},
        {"*.c", {"a.c", "b.c"}},
        {"dir", {"dir", "dir/a.c", "dir/b.h", "dir/deep", "dir/deep/c.c"}},
        {"dir/*.h", {"dir/b.h"}},
        {"--exclude=**/*.c dir", {"dir", "dir/b.h", "dir/deep"}},
        {"notes dir/deep", {"notes", "dir/deep", "dir/deep/c.c"}}};
    const Choice& choice = choices[below(choices.size())];
    const std::string atom = fmt::format("copy {}", number);
    line(fmt::format("COPY {} /to{}v{}/", choice.source, number, version(atom)));
    Atoms own{atom};
    for (const std::string& file : choice.files) {
      own.insert("file " + file);
    }
    add_node(stage, own);
  }

  void add_fetch(Stage& stage, std::size_t number) {
    line(fmt::format("ADD https://example.com/{} /fetched", number));
    add_node(stage, {"build"});
  }

  void add_copy_from(Stage& stage, std::size_t from) {
    line(fmt::format("COPY --from={} /made /made", name_of(from)));
    add_node(stage, stages_[from].result);
  }

  void add_run(Stage& stage, std::size_t number) {
    const std::string atom = fmt::format("run {}", number);
    const bool is_broken = version(fmt::format("layout {}", number)) % 2 == 1;
    Atoms own = with_user(stage, stage.scope);
    own.insert(atom);
    std::string mount;
    if (is_one_of(4)) {
      mount = "--mount=type=bind,source=dir/deep,target=/m ";
      own.insert({"file dir/deep", "file dir/deep/c.c"});
    } else if (!stages_.empty() && is_one_of(3)) {
      const std::size_t from = below(stages_.size());
      mount = fmt::format("--mount=from={},target=/m ", name_of(from));
      own.insert(stages_[from].result.begin(), stages_[from].result.end());
    } else if (is_one_of(3)) {
      mount = "--mount=type=cache,target=/c ";
    }
    line(fmt::format("RUN {}make {} {}{}", mount, number, is_broken ? "\\\n" : "", version(atom)));
    add_node(stage, own);
  }

  std::uint64_t seed_;
  std::mt19937_64 chance_;
  std::size_t numbers_ = 0;
  std::string text_;
  std::vector<Stage> stages_;
  dockerfile::BuildInputs inputs_;
  BuildFacts facts_;
};

constexpr int k_seeds = 60;

TEST(InstructionKeysProperty, change_with_any_input_of_theirs_and_with_nothing_else) {
  std::size_t changes = 0;
  std::size_t changed_nodes = 0;
  for (int seed = 0; seed < k_seeds; ++seed) {
    MadeUpBuild build(static_cast<std::uint64_t>(seed));
    const KeyedBuild before = build.make();
    ASSERT_EQ(before.graph.nodes.size(), build.depends.size()) << build.text();
    for (const std::string& atom : Atoms(build.atoms)) {
      MadeUpBuild other = build;
      other.versions[atom] = 1;
      const KeyedBuild after = other.make();
      ASSERT_EQ(after.graph.nodes.size(), before.graph.nodes.size());
      ++changes;
      for (std::size_t node = 0; node < before.graph.nodes.size(); ++node) {
        const bool is_changed = before.graph.nodes[node].key != after.graph.nodes[node].key;
        changed_nodes += is_changed ? 1 : 0;
        ASSERT_EQ(is_changed, build.depends[node].contains(atom))
            << "seed " << seed << ", " << atom << ": " << before.inputs[node].text << "\n"
            << build.text();
      }
    }
  }
  EXPECT_GT(changes, 1000U);
  EXPECT_GT(changed_nodes, 1000U);
}

TEST(InstructionKeysProperty, depend_on_all_changes_together) {
  for (int seed = 0; seed < k_seeds; ++seed) {
    MadeUpBuild build(static_cast<std::uint64_t>(seed));
    build.make();
    std::map<std::string, std::string> seen;  // versions of what a node depends on, by its key
    std::mt19937 chance(static_cast<unsigned>(seed));
    for (int round = 0; round < 20; ++round) {
      MadeUpBuild other = build;
      for (const std::string& atom : build.atoms) {
        other.versions[atom] = chance() % 8 == 0 ? 1 : 0;
      }
      const KeyedBuild made = other.make();
      for (std::size_t node = 0; node < made.graph.nodes.size(); ++node) {
        std::string state;
        for (const std::string& atom : build.depends[node]) {
          state += fmt::format("{}={};", atom, other.versions[atom]);
        }
        const auto& key = made.graph.nodes[node].key;
        const std::string name(key.begin(), key.end());
        const auto [place, is_new] = seen.try_emplace(name, state);
        ASSERT_EQ(place->second, state) << other.text();
      }
    }
  }
}

}  // namespace
}  // namespace freshet::cache
