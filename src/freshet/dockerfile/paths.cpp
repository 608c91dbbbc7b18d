// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/paths.hpp"

#include "freshet/base/text.hpp"

#include <vector>

namespace freshet::dockerfile {

std::string clean_path(std::string_view path) {
  const bool is_absolute = path.starts_with('/');
  std::vector<std::string> parts;
  for (std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") {
      continue;
    }
    if (part != "..") {
      parts.push_back(std::move(part));
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!is_absolute) {
      parts.push_back(std::move(part));
    }
  }
  const std::string joined = join(parts, "/");
  return is_absolute ? "/" + joined : joined.empty() ? "." : joined;
}

std::string resolve_path(std::string_view directory, std::string_view path, bool keeps_end) {
  std::string out(path);
  if (!path.starts_with('/')) {
    out.insert(0, std::string("/").append(directory).append("/"));
  }
  out = clean_path(out);
  if (keeps_end && path.ends_with('/') && out != "/") {
    out += '/';
  } else if (keeps_end && path.ends_with("/.")) {
    out += out == "/" ? "." : "/.";
  }
  return out;
}

std::string base_name(std::string_view path) {
  if (path.empty()) {
    return ".";
  }
  path = path.substr(0, path.find_last_not_of('/') + 1);
  return path.empty() ? "/" : std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace freshet::dockerfile
