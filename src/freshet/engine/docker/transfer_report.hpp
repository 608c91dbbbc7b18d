// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/json_stream.hpp"
#include "freshet/engine/docker/types.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <string_view>

namespace freshet::engine {

/// What the engine reports while it pulls or pushes: lines worth reading, how it ended.
class TransferReport {
 public:
  explicit TransferReport(ProgressLine on_progress);
  TransferReport(const TransferReport&) = delete;
  TransferReport& operator=(const TransferReport&) = delete;

  /// Throws corrupt_data when it is not JSON.
  void feed(std::string_view bytes);
  void finish();

  /// The engine's text about what went wrong; empty when nothing did.
  const std::string& failure() const { return failure_; }
  /// Its digest is empty unless a push has succeeded.
  const PushedImage& pushed() const { return pushed_; }

 private:
  void take(const boost::json::object& object);
  void take_digest(std::string_view status);
  void tell(const std::string& id, const std::string& status);

  ProgressLine on_progress_;
  JsonStream objects_;
  std::map<std::string, std::string> last_;  // last line told about a layer
  std::string failure_;
  PushedImage pushed_;
};

}  // namespace freshet::engine
