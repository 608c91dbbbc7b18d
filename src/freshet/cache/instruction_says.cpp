// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/instruction_says.hpp"

#include "freshet/cache/canonical.hpp"

namespace freshet::cache {
namespace {

std::string list(const std::vector<std::string>& texts) {
  CanonicalList out;
  for (const std::string& text : texts) {
    out.add(text);
  }
  return out.bytes();
}

std::string_view kind_of(const dockerfile::Source& source) {
  return std::holds_alternative<dockerfile::BuildContext>(source) ? "context"
         : std::holds_alternative<dockerfile::StageIndex>(source) ? "stage"
                                                                  : "image";
}

std::string optional_number(const std::optional<std::uint32_t>& number) {
  return number ? std::to_string(*number) : "none";
}

std::string describe(const dockerfile::RunMount& whole) {
  const dockerfile::Mount& mount = whole.mount;
  CanonicalList out;
  out.add(std::to_string(static_cast<int>(mount.type)));
  out.add(kind_of(whole.from));
  out.add(mount.source);
  out.add(mount.target);
  out.add(mount.id);
  out.add(mount.is_readonly ? "readonly" : "");
  out.add(mount.is_required ? "required" : "");
  out.add(std::to_string(mount.size_bytes));
  out.add(mount.sharing ? std::to_string(static_cast<int>(*mount.sharing)) : "none");
  out.add(mount.variable ? "variable" : "");
  out.add(mount.variable.value_or(""));
  out.add(optional_number(mount.mode));
  out.add(optional_number(mount.uid));
  out.add(optional_number(mount.gid));
  return out.bytes();
}

void add_inline_file(Sayings& says, const dockerfile::InlineFile& file) {
  says.emplace_back("here-document", list({file.name, file.content}));
}

}  // namespace

Sayings say(const dockerfile::RunStep& run) {
  Sayings says{
      {"instruction", "RUN"},
      {"command", list(run.command)},
      {"user", run.scope->user},
      {"directory", run.scope->directory},
      {"network", std::to_string(static_cast<int>(run.network))},
      {"security", run.is_insecure ? "insecure" : ""},
      {"devices", list(run.devices)}};
  if (run.script) {
    add_inline_file(says, *run.script);
  }
  for (const dockerfile::RunMount& mount : run.mounts) {
    says.emplace_back("mount", describe(mount));
  }
  return says;
}

Sayings say(const dockerfile::CopyStep& copy) {
  Sayings says{
      {"instruction", copy.is_add ? "ADD" : "COPY"},
      {"from", std::string(kind_of(copy.from))},
      {"destination", copy.destination},
      {"owner", copy.owner},
      {"mode", copy.mode},
      {"checksum", copy.checksum},
      {"exclude", list(copy.excluded)}};
  const auto add_flag = [&](std::string_view name, bool is_set) {
    if (is_set) {
      says.emplace_back("flag", name);
    }
  };
  add_flag("link", copy.is_link);
  add_flag("parents", copy.keeps_parents);
  add_flag("keep-git-dir", copy.keeps_git_dir);
  add_flag("unpack", copy.unpacks);
  for (const dockerfile::CopySource& source : copy.sources) {
    says.emplace_back("source", list({std::to_string(static_cast<int>(source.kind)), source.text}));
  }
  for (const dockerfile::InlineFile& file : copy.inline_files) {
    add_inline_file(says, file);
  }
  return says;
}

Sayings say(const dockerfile::WorkdirStep& workdir) {
  return {{"instruction", "WORKDIR"}, {"directory", workdir.directory}, {"user", workdir.user}};
}

}  // namespace freshet::cache
