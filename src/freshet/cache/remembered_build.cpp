// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/remembered_build.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cache/bounded_directory.hpp"
#include "freshet/cache/canonical.hpp"
#include "freshet/oci/digest.hpp"

#include <boost/json.hpp>

#include <exception>

namespace freshet::cache {
namespace {

namespace json = boost::json;
using Values = std::map<std::string, std::string>;

constexpr int k_format = 1;
constexpr std::size_t k_max_bytes = 64 << 20;
constexpr std::size_t k_max_text = 1000;  // bytes; more is shown to nobody
constexpr std::size_t k_hash_digits = 16;

std::string short_hash(std::string_view value) {
  return std::string(oci::Digest::of(value).hex().substr(0, k_hash_digits));
}

json::object to_json(const Values& values) {
  json::object out;
  for (const auto& [name, value] : values) {
    out[name] = value;
  }
  return out;
}

Values to_values(const json::value& value) {
  Values out;
  for (const auto& member : value.as_object()) {
    out[std::string(member.key())] = json::value_to<std::string>(member.value());
  }
  return out;
}

json::object to_json(const RememberedInstruction& instruction) {
  return {
      {"stage", instruction.stage},
      {"text", instruction.text},
      {"key", instruction.key},
      {"says", to_json(instruction.says)},
      {"variables", to_json(instruction.variables)},
      {"variable_count", instruction.variable_count},
      {"all_variables", instruction.all_variables},
      {"images", to_json(instruction.images)},
      {"files", to_json(instruction.files)},
      {"file_count", instruction.file_count},
      {"all_files", instruction.all_files}};
}

RememberedInstruction to_instruction(const json::object& object) {
  RememberedInstruction out;
  out.stage = json::value_to<std::string>(object.at("stage"));
  out.text = json::value_to<std::string>(object.at("text"));
  out.key = json::value_to<std::string>(object.at("key"));
  out.says = to_values(object.at("says"));
  out.variables = to_values(object.at("variables"));
  out.variable_count = object.at("variable_count").to_number<std::size_t>();
  out.all_variables = json::value_to<std::string>(object.at("all_variables"));
  out.images = to_values(object.at("images"));
  out.files = to_values(object.at("files"));
  out.file_count = object.at("file_count").to_number<std::size_t>();
  out.all_files = json::value_to<std::string>(object.at("all_files"));
  return out;
}

RememberedInstruction describe_instruction(const KeyedBuild& build, std::size_t node) {
  const InstructionInputs& inputs = build.inputs.at(node);
  const KeyNode& place = build.graph.nodes.at(node);
  RememberedInstruction out;
  out.stage = build.graph.stages.at(place.stage);
  out.text = inputs.text;
  out.key = to_hex({reinterpret_cast<const char*>(place.key.data()), place.key.size()});
  for (const auto& [name, value] : inputs.says) {
    std::string& known = out.says[name];
    known = short_hash(known + short_hash(value));  // there may be several, such as sources
  }
  for (const Origin& origin : inputs.origins) {
    if (origin.kind == Origin::Kind::image) {
      out.images[origin.name] = origin.value;
    }
  }
  return out;
}

/// How many bytes of names may still be kept.
class NameLimit {
 public:
  /// Whether there is room for them all; then it is taken.
  bool take(std::size_t bytes) {
    const bool fits = bytes <= left_;
    left_ -= fits ? bytes : 0;
    return fits;
  }

 private:
  std::size_t left_ = RememberedBuild::k_max_name_bytes;
};

void add_variables(
    RememberedInstruction& instruction, const InstructionInputs& inputs, NameLimit& limit) {
  if (!inputs.scope) {
    return;
  }
  const auto& variables = inputs.scope->environment;
  std::size_t bytes = 0;
  for (const auto& [name, value] : variables) {
    bytes += name.size();
  }
  if (limit.take(bytes)) {
    for (const auto& [name, value] : variables) {
      instruction.variables[name] = short_hash(value);
    }
  }
  instruction.variable_count = variables.size();
  instruction.all_variables = short_hash(inputs.variables);
}

void add_files(
    RememberedInstruction& instruction,
    const std::vector<std::size_t>& files,
    const std::vector<ContextEntry>& context,
    NameLimit& limit) {
  std::size_t bytes = 0;
  for (const std::size_t file : files) {
    bytes += context.at(file).path.size();
  }
  const bool lists_them = limit.take(bytes);
  oci::DigestHasher all;
  for (const std::size_t file : files) {
    const ContextEntry& entry = context[file];
    CanonicalList one;
    one.add(entry.path);
    one.add(entry.state);
    all.update(one.bytes());
    if (lists_them) {
      instruction.files[entry.path] = short_hash(entry.state);
    }
  }
  instruction.file_count = files.size();
  instruction.all_files = all.finish().hex().substr(0, k_hash_digits);
}

}  // namespace

RememberedBuild remember(
    const KeyedBuild& build, const std::function<std::string(const std::string&)>& mask) {
  RememberedBuild out;
  NameLimit limit;
  for (std::size_t node = 0; node < build.graph.nodes.size(); ++node) {
    RememberedInstruction instruction = describe_instruction(build, node);
    instruction.text = printable(mask(instruction.text), k_max_text);
    add_variables(instruction, build.inputs[node], limit);
    add_files(instruction, build.inputs[node].files, build.context, limit);
    out.instructions.push_back(std::move(instruction));
  }
  return out;
}

std::optional<RememberedBuild> RememberedBuild::load(const fs::path& file) {
  try {
    const json::value document = json::parse(load_file(file, k_max_bytes));
    if (document.at("format").to_number<int>() != k_format) {
      return std::nullopt;
    }
    RememberedBuild build;
    for (const json::value& instruction : document.at("instructions").as_array()) {
      build.instructions.push_back(to_instruction(instruction.as_object()));
    }
    return build;
  } catch (const std::exception&) {  // there is none, or it is no file of ours
    return std::nullopt;
  }
}

void RememberedBuild::save(const fs::path& file) const {
  json::array list;
  for (const RememberedInstruction& instruction : instructions) {
    list.push_back(to_json(instruction));
  }
  const json::object document{{"format", k_format}, {"instructions", std::move(list)}};
  make_private_directory(file.parent_path());
  replace_private_file(file, json::serialize(document));
  remove_oldest(file.parent_path(), ".json", k_max_builds);
}

}  // namespace freshet::cache
