// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/instruction_body.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/characters.hpp"
#include "freshet/dockerfile/expand.hpp"
#include "freshet/dockerfile/flags.hpp"
#include "freshet/dockerfile/healthcheck.hpp"
#include "freshet/dockerfile/mount.hpp"

#include <fmt/format.h>

#include <map>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;

/// Reads the body of one instruction.
class BodyReader {
 public:
  BodyReader(const Instruction& instruction, Budget& budget, Diagnostics& diagnostics)
      : instruction_(instruction),
        arguments_(instruction.arguments),
        budget_(budget),
        diagnostics_(diagnostics) {}

  Body read() {
    const std::string& keyword = instruction_.keyword;
    if (keyword == "FROM") {
      return from();
    }
    if (keyword == "RUN") {
      return run();
    }
    if (keyword == "COPY" || keyword == "ADD") {
      return copy(keyword == "ADD");
    }
    if (keyword == "HEALTHCHECK") {
      return read_healthcheck(instruction_, diagnostics_);
    }
    if (keyword != "ARG" && keyword != "STOPSIGNAL") {  // these two ignore flags
      no_flags();
    }
    if (keyword == "ARG" || keyword == "ENV" || keyword == "LABEL") {
      return variables();
    }
    if (keyword == "CMD" || keyword == "ENTRYPOINT" || keyword == "SHELL") {
      return programs();
    }
    if (keyword == "ONBUILD") {
      return onbuild();
    }
    return lists_and_texts();
  }

 private:
  std::monostate refuse(const SourcePosition& at, std::string message, std::string hint = {}) {
    diagnostics_.error(at, std::move(message), std::move(hint));
    return {};
  }
  std::monostate refuse(std::string message, std::string hint = {}) {
    return refuse(instruction_.at, std::move(message), std::move(hint));
  }

  Flags flags(const Flags::Rules& rules) { return {instruction_, rules, diagnostics_}; }
  void no_flags() { flags({}); }

  Command command() const {
    Command command{instruction_.is_json, {}};
    for (const Word& argument : arguments_) {
      command.words.push_back(argument.text);
    }
    return command;
  }

  Body from() {
    const Flags given = flags({{"platform", FlagKind::text}});
    const bool is_named = arguments_.size() == 3 && to_lower(arguments_[1].text) == "as";
    if (arguments_.size() != 1 && !is_named) {
      return refuse(
          arguments_.size() < 2 ? instruction_.at : arguments_[1].at,
          "FROM takes an image, and after it at most AS and a name",
          "such as: FROM alpine AS build");
    }
    From from{arguments_[0], given.text("platform"), {}};
    if (is_named) {
      from.name = to_lower(arguments_[2].text);
      const bool is_valid = from.name.front() >= 'a' && from.name.front() <= 'z' &&
                            from.name.find_first_not_of(
                                "abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
      if (!is_valid) {
        from.name.clear();
        refuse(
            arguments_[2].at,
            fmt::format("'{}' cannot name a stage", printable(arguments_[2].text, k_max_shown)),
            "it is a letter, and then letters, digits, '-', '_' and '.'");
      }
    }
    return from;
  }

  Body run() {
    const Flags given = flags(
        {{"mount", FlagKind::texts},
         {"network", FlagKind::text},
         {"security", FlagKind::text},
         {"device", FlagKind::texts}});
    Run run{
        command(), instruction_.heredocs, given.texts("mount"), {}, false, given.texts("device")};
    for (const Word& mount : run.mounts) {
      try {
        parse_mount_from(mount.text);
      } catch (const Error& error) {
        refuse(mount.at, error.message(), error.hint());
      }
    }
    if (const auto network = given.text("network")) {
      const std::string& name = network->text;
      run.network = name == "none" ? Network::none : name == "host" ? Network::host : Network{};
      if (run.network == Network::standard && name != "default") {
        refuse(
            network->at,
            fmt::format("there is no network '{}'", printable(name, k_max_shown)),
            "it is default, none or host");
      }
    }
    if (const auto security = given.text("security")) {
      run.is_insecure = security->text == "insecure";
      if (!run.is_insecure && security->text != "sandbox") {
        refuse(
            security->at,
            fmt::format("there is no security '{}'", printable(security->text, k_max_shown)),
            "it is sandbox or insecure");
      }
    }
    return run;
  }

  Body copy(bool is_add) {
    if (arguments_.size() < 2) {
      return refuse(
          fmt::format("{} needs a source and a destination", instruction_.keyword),
          fmt::format("such as: {} app /app", instruction_.keyword));
    }
    Flags::Rules rules{
        {"chown", FlagKind::text},
        {"chmod", FlagKind::text},
        {"link", FlagKind::boolean},
        {"exclude", FlagKind::texts}};
    if (is_add) {
      rules.insert(
          {{"keep-git-dir", FlagKind::boolean},
           {"checksum", FlagKind::text},
           {"unpack", FlagKind::boolean}});
    } else {
      rules.insert({{"from", FlagKind::text}, {"parents", FlagKind::boolean}});
    }
    const Flags given = flags(rules);
    Copy copy;
    copy.is_add = is_add;
    copy.from = given.text("from");
    copy.owner = given.text("chown").value_or(Word());
    copy.mode = given.text("chmod").value_or(Word());
    copy.checksum = given.text("checksum").value_or(Word());
    copy.excluded = given.texts("exclude");
    copy.is_link = given.boolean("link").value_or(false);
    copy.keeps_parents = given.boolean("parents").value_or(false);
    copy.keeps_git_dir = given.boolean("keep-git-dir");
    copy.unpacks = given.boolean("unpack");
    if (copy.from && copy.from->text.empty()) {
      copy.from.reset();  // BuildKit takes it for the context
    }
    check_from(copy);
    read_sources(copy);
    return copy;
  }

  void check_from(const Copy& copy) {
    const FindVariable none = [](std::string_view) { return nullptr; };
    try {
      if (copy.from && expand(copy.from->text, none, {}, budget_).text != copy.from->text) {
        refuse(
            copy.from->at,
            "'--from' takes no variables",
            "name a stage: FROM with the variable, AS name, and --from=name");
      }
    } catch (const Error& error) {
      refuse(copy.from->at, error.message(), error.hint());
    }
  }

  std::optional<Heredoc> heredoc_named_by(const Word& word) {
    try {
      return parse_heredoc(word.text, budget_);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::too_large) {
        throw;
      }
      return std::nullopt;  // a strange name of a file
    }
  }

  void read_sources(Copy& copy) {
    copy.destination = arguments_.back();
    if (heredoc_named_by(copy.destination)) {
      refuse(
          copy.destination.at,
          "a here-document cannot be a destination",
          "write the file's path behind it");
    }
    std::map<std::string_view, const Heredoc*> read;
    for (const Heredoc& heredoc : instruction_.heredocs) {
      read[heredoc.name] = &heredoc;  // of several with one name the last
    }
    for (std::size_t i = 0; i + 1 < arguments_.size(); ++i) {
      const auto named = heredoc_named_by(arguments_[i]);
      if (!named) {
        copy.sources.push_back(arguments_[i]);
        continue;
      }
      Heredoc file = *named;
      if (const auto found = read.find(file.name); found != read.end()) {
        file.content = found->second->content;
      }
      copy.inline_files.push_back({file.name, file.effective_content(), file.expands});
    }
  }

  Body variables() {
    if (arguments_.empty()) {
      return refuse(
          fmt::format("{} says nothing", instruction_.keyword),
          fmt::format("write {} name=value", instruction_.keyword));
    }
    if (instruction_.keyword == "ARG") {
      return arg();
    }
    std::vector<Setting> settings;
    for (std::size_t i = 0; i + 1 < arguments_.size(); i += 2) {
      if (arguments_[i].text.empty()) {
        refuse(arguments_[i].at, "a name stands before '='");
      }
      settings.push_back({arguments_[i], arguments_[i + 1]});
    }
    if (instruction_.keyword == "ENV") {
      return Env{std::move(settings)};
    }
    return Label{std::move(settings)};
  }

  Body arg() {
    Arg arg;
    for (const Word& argument : arguments_) {
      const std::size_t equals = argument.text.find('=');
      Arg::Declaration declaration{{argument.text.substr(0, equals), argument.at}, {}};
      if (equals != std::string::npos) {
        declaration.value = Word{argument.text.substr(equals + 1), argument.at};
      }
      if (declaration.name.text.empty()) {
        refuse(argument.at, "a name stands before '='");
      }
      arg.declarations.push_back(std::move(declaration));
    }
    return arg;
  }

  Body programs() {
    if (instruction_.keyword == "CMD") {
      return Cmd{command()};
    }
    if (instruction_.keyword == "ENTRYPOINT") {
      return Entrypoint{command()};
    }
    if (!instruction_.is_json || arguments_.empty()) {
      return refuse("SHELL takes a list in JSON", R"(such as: SHELL ["/bin/bash", "-c"])");
    }
    return Shell{command().words};
  }

  Body onbuild() {
    const std::string keyword = to_upper(cut_word(cut_word(instruction_.text).second).first);
    if (keyword.empty()) {
      return refuse("ONBUILD holds no instruction");
    }
    if (keyword == "ONBUILD" || keyword == "FROM" || keyword == "MAINTAINER") {
      return refuse(fmt::format("ONBUILD cannot hold {}", keyword));
    }
    Onbuild onbuild{std::string(cut_word(instruction_.text).second)};
    for (const Heredoc& heredoc : instruction_.heredocs) {
      onbuild.trigger += '\n';
      onbuild.trigger += heredoc.content;
      onbuild.trigger += heredoc.name;
    }
    return onbuild;
  }

  Body lists_and_texts() {
    const std::string& keyword = instruction_.keyword;
    if (keyword == "EXPOSE" || keyword == "VOLUME") {
      if (arguments_.empty()) {
        return refuse(fmt::format("{} says nothing", keyword));
      }
      return keyword == "EXPOSE" ? Body(Expose{arguments_}) : volume();
    }
    if (arguments_.size() != 1) {
      return refuse(fmt::format("{} says nothing", keyword));
    }
    const Word& argument = arguments_.front();
    if (keyword == "USER") {
      return User{argument};
    }
    if (keyword == "WORKDIR") {
      return Workdir{argument};
    }
    if (keyword == "STOPSIGNAL") {
      return StopSignal{argument};
    }
    return Maintainer{argument.text};
  }

  Body volume() {
    Volume volume;
    for (Word path : arguments_) {
      path.text = trim_spaces(path.text);
      if (path.text.empty()) {
        refuse(path.at, "a volume has an empty path");
      }
      volume.paths.push_back(std::move(path));
    }
    return volume;
  }

  const Instruction& instruction_;
  const std::vector<Word>& arguments_;
  Budget& budget_;
  Diagnostics& diagnostics_;
};

}  // namespace

Body read_body(const Instruction& instruction, Budget& budget, Diagnostics& diagnostics) {
  return BodyReader(instruction, budget, diagnostics).read();
}

}  // namespace freshet::dockerfile
