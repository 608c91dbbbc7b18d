// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::engine {

using Query = std::vector<std::pair<std::string_view, std::string>>;

/// `path` with `query` behind it, the values percent-encoded; pairs with an empty value are left
/// out.
std::string with_query(std::string path, const Query& query);

/// `text` as one or more segments of a path: everything is percent-encoded but the unreserved
/// characters and `/`, `:` and `@`, which image references contain.
std::string encode_path(std::string_view text);

/// The head and the body of one HTTP/1.1 answer, fed from a growing buffer.
class AnswerParser final : private boost::beast::http::basic_parser<false> {
 public:
  enum class State {
    need_more,  // feed more bytes
    malformed,  // not HTTP; nothing more will come of it
    done,  // the answer is complete; bytes left in the buffer are not part of it
  };

  AnswerParser();

  /// Takes what it understands off the front of `buffer`.
  State feed(std::string& buffer);
  /// To be told when the peer has closed; `done` when the answer was delimited by that.
  State feed_end();
  bool has_started() const { return got_some(); }
  bool has_head() const { return is_header_done(); }
  bool is_done() const { return basic_parser::is_done(); }
  /// Whether the connection may serve another request afterwards.
  bool keeps_alive() const { return keep_alive(); }
  /// Whether the body is what comes until the connection closes, as after an upgrade.
  bool is_open_ended() const { return !is_done() && need_eof(); }

  unsigned status() const { return status_; }
  /// The value of a header, empty when absent; `name` in lower case.
  std::string_view header(std::string_view name) const;
  /// The part of the body that has arrived since the last call.
  std::string take_body() { return std::exchange(body_, {}); }
  std::size_t body_size() const { return body_.size(); }

 private:
  using Text = boost::beast::string_view;  // Boost's own type, whatever std has
  using ErrorRef = boost::beast::error_code&;

  void on_request_impl(boost::beast::http::verb, Text, Text, int, ErrorRef) override {}
  void on_response_impl(int status, Text, int, ErrorRef) override;
  void on_field_impl(boost::beast::http::field, Text name, Text value, ErrorRef) override;
  void on_header_impl(ErrorRef) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorRef) override {}
  std::size_t on_body_impl(Text body, ErrorRef) override;
  void on_chunk_header_impl(std::uint64_t, Text, ErrorRef) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, ErrorRef) override;
  void on_finish_impl(ErrorRef) override {}

  unsigned status_ = 0;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string body_;
};

}  // namespace freshet::engine
