// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace freshet::dockerfile {

/// The lines of a text one after the other, with their line breaks, without a byte order mark.
class SourceLines {
 public:
  explicit SourceLines(std::string_view text);

  std::optional<std::string_view> next();
  /// Of the line that `next` gave last, from 1.
  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

std::string_view without_line_break(std::string_view line);

/// Reads `# name=value` in the lines that it is given one by one, up to the first that is no
/// directive. Only known names make one, unless any name is to do.
class DirectiveReader {
 public:
  explicit DirectiveReader(std::string_view comment_sign = "#", bool takes_any_name = false)
      : sign_(comment_sign), takes_any_name_(takes_any_name) {}

  struct Found {
    std::string_view name;  // as written
    std::string_view value;
  };
  /// `line` has no blanks in front and no line break.
  std::optional<Found> read(std::string_view line);

 private:
  std::string_view sign_;
  bool takes_any_name_;
  bool is_over_ = false;
};

}  // namespace freshet::dockerfile
