// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/mount.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <vector>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;

Error bad(std::string message) {
  return Error(ErrorCode::invalid_input, std::move(message));
}

std::string shown(std::string_view text) {
  return printable(text, k_max_shown);
}

/// Takes the text of a quoted field, behind its first quote; a doubled quote is one.
std::string take_quoted(std::string_view& text, std::string_view all) {
  std::string field;
  while (true) {
    const std::size_t quote = text.find('"');
    if (quote == std::string_view::npos) {
      throw bad(fmt::format("a quote in '{}' is never closed", shown(all)));
    }
    field += text.substr(0, quote);
    text.remove_prefix(quote + 1);
    if (!text.starts_with('"')) {
      return field;
    }
    field += '"';
    text.remove_prefix(1);
  }
}

/// Fields between commas, by the rules of CSV.
std::vector<std::string> split_fields(std::string_view all) {
  if (all.empty()) {
    throw bad("the mount says nothing");
  }
  std::vector<std::string> fields;
  std::string_view text = all;
  while (true) {
    if (text.starts_with('"')) {
      text.remove_prefix(1);
      fields.push_back(take_quoted(text, all));
    } else {
      const std::size_t end = std::min(text.find(','), text.size());
      fields.emplace_back(text.substr(0, std::min(end, text.find('"'))));
      text.remove_prefix(fields.back().size());
    }
    if (!text.empty() && !text.starts_with(',')) {
      throw bad(fmt::format("'{}' has a quote in the middle of a field", shown(all)))
          .with_hint("quote a whole field: \"source=a,b\"");
    }
    if (text.empty()) {
      return fields;
    }
    text.remove_prefix(1);
  }
}

bool parse_bool(std::string_view key, std::string_view value) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (value == yes) {
      return true;
    }
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (value == no) {
      return false;
    }
  }
  throw bad(fmt::format("'{}' must be true or false, not '{}'", key, shown(value)));
}

std::uint32_t parse_number(std::string_view key, std::string_view value, int base) {
  std::uint32_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, code] = std::from_chars(value.data(), end, number, base);
  if (code != std::errc() || stop != end) {
    throw bad(fmt::format(
        "'{}' must be {} number, not '{}'", key, base == 8 ? "an octal" : "a", shown(value)));
  }
  return number;
}

/// `64m`, `1.5 GiB`: powers of 1024.
std::uint64_t parse_size(std::string_view value) {
  const Error error = bad(fmt::format("'size' must be a size such as 64m, not '{}'", shown(value)));
  const std::size_t digits = std::min(value.find_first_not_of("0123456789."), value.size());
  const std::string number(value.substr(0, digits));
  std::string unit = to_lower(value.substr(digits));
  if (unit.starts_with(' ') && digits > 0) {
    unit.erase(0, 1);
  }
  if (number.find_first_not_of('.') == std::string::npos || number.size() > 24 ||
      std::ranges::count(number, '.') > 1) {
    throw error;
  }
  constexpr std::string_view k_powers = "kmgtp";
  const std::size_t power =
      unit.empty() || unit == "b" ? 0 : k_powers.find(unit.front()) + 1;  // npos + 1 is 0
  const std::string_view rest = std::string_view(unit).substr(power == 0 ? 0 : 1);
  const bool is_unit =
      power == 0 ? rest.empty() || rest == "b" : rest.empty() || rest == "b" || rest == "ib";
  const long double size = std::stold(number) * std::pow(1024.0L, static_cast<long double>(power));
  if (!is_unit || size > 9.2e18L) {
    throw error;
  }
  return static_cast<std::uint64_t>(size);
}

template <class Value>
Value parse_choice(
    std::string_view what,
    std::string_view value,
    const std::map<std::string, Value, std::less<>>& choices) {
  const auto found = choices.find(to_lower(value));
  if (found != choices.end()) {
    return found->second;
  }
  std::vector<std::string> known;
  for (const auto& choice : choices) {
    known.push_back(choice.first);
  }
  throw bad(fmt::format("'{}' is no {} of a mount", shown(value), what))
      .with_hint(fmt::format("it is one of {}", join(known, ", ")));
}

/// Sets what `key` says in `mount`.
class FieldSetter {
 public:
  /// A field without a value.
  bool set_alone(const std::string& key) {
    if (key == "readonly" || key == "ro" || key == "readwrite" || key == "rw") {
      set_readonly(key.starts_with("ro") || key == "readonly");
    } else if (key == "required") {
      set_required(true);
    } else {
      return false;
    }
    return true;
  }

  bool set(const std::string& key, const std::string& value) {
    if (key == "type") {
      mount_.type = parse_choice<MountType>(
          "type",
          value,
          {{"bind", MountType::bind},
           {"cache", MountType::cache},
           {"tmpfs", MountType::tmpfs},
           {"secret", MountType::secret},
           {"ssh", MountType::ssh}});
    } else if (key == "sharing") {
      mount_.sharing = parse_choice<Sharing>(
          "sharing",
          value,
          {{"shared", Sharing::shared},
           {"private", Sharing::exclusive},
           {"locked", Sharing::locked}});
    } else if (key == "readonly" || key == "ro") {
      set_readonly(parse_bool(key, value));
    } else if (key == "readwrite" || key == "rw") {
      set_readonly(!parse_bool(key, value));
    } else if (key == "required") {
      set_required(parse_bool(key, value));
    } else {
      return set_text(key, value) || set_number(key, value);
    }
    return true;
  }

  Mount finish() {
    using enum MountType;
    const bool is_writable = mount_.type == cache || mount_.type == tmpfs;
    mount_.is_readonly = is_readonly_.value_or(!is_writable);
    const bool has_owner = mount_.mode || mount_.uid || mount_.gid;
    if (has_owner && (mount_.type == bind || mount_.type == tmpfs)) {
      throw bad("only secret, ssh and cache mounts have mode, uid and gid");
    }
    if (mount_.sharing && mount_.type != cache) {
      throw bad("only cache mounts have 'sharing'");
    }
    if (mount_.type == secret) {
      check_secret();
    }
    return std::move(mount_);
  }

 private:
  void set_readonly(bool is_readonly) { is_readonly_ = is_readonly; }

  void set_required(bool is_required) {
    if (mount_.type != MountType::secret && mount_.type != MountType::ssh) {
      throw bad("only secret and ssh mounts can be 'required'")
          .with_hint("'type' must stand in front of it");
    }
    mount_.is_required = is_required;
  }

  bool set_text(const std::string& key, const std::string& value) {
    if (key == "from") {
      mount_.from = value;
    } else if (key == "source" || key == "src") {
      mount_.source = value;
    } else if (key == "target" || key == "dst" || key == "destination") {
      mount_.target = value;
    } else if (key == "id") {
      mount_.id = value;
    } else if (key == "env") {
      mount_.variable = value;
    } else {
      return false;
    }
    return true;
  }

  bool set_number(const std::string& key, const std::string& value) {
    if (key == "mode") {
      mount_.mode = parse_number(key, value, 8);
    } else if (key == "uid") {
      mount_.uid = parse_number(key, value, 10);
    } else if (key == "gid") {
      mount_.gid = parse_number(key, value, 10);
    } else if (key == "size") {
      if (mount_.type != MountType::tmpfs) {
        throw bad("only tmpfs mounts have a 'size'").with_hint("'type' must stand in front of it");
      }
      mount_.size_bytes = parse_size(value);
    } else {
      return false;
    }
    return true;
  }

  void check_secret() const {
    if (!mount_.from.empty()) {
      throw bad("a secret mount has no 'from'");
    }
    if (mount_.source.empty() && mount_.target.empty() && mount_.id.empty()) {
      throw bad("a secret mount needs an id").with_hint("add id=name");
    }
    if (!mount_.source.empty() && !mount_.id.empty()) {
      throw bad("a secret mount has either 'source' or 'id'");
    }
  }

  Mount mount_;
  std::optional<bool> is_readonly_;
};

}  // namespace

std::string parse_mount_from(std::string_view text) {
  std::string from;
  for (const std::string& field : split_fields(text)) {
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos || to_lower(field.substr(0, equals)) != "from") {
      continue;
    }
    from = field.substr(equals + 1);
    const std::size_t dollar = from.find('$');
    if (dollar != std::string::npos && dollar + 1 != from.size()) {
      throw bad("'from' of a mount takes no variables")
          .with_hint("name a stage: FROM with the variable, AS name, and from=name");
    }
  }
  return from;
}

Mount parse_mount(
    std::string_view text, const std::function<std::string(std::string_view value)>& expand) {
  FieldSetter setter;
  for (const std::string& field : split_fields(text)) {
    const std::size_t equals = field.find('=');
    const std::string key = to_lower(field.substr(0, equals));
    const bool is_known = equals == std::string::npos
                              ? setter.set_alone(key)
                              : setter.set(key, expand(field.substr(equals + 1)));
    if (!is_known) {
      throw bad(fmt::format("a mount has no field '{}'", shown(field)))
          .with_hint(
              "it has type, from, source, target, id, readonly, readwrite, required, size, "
              "sharing, mode, uid, gid and env");
    }
  }
  return setter.finish();
}

}  // namespace freshet::dockerfile
