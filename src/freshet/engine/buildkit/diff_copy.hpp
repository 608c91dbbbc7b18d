// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/engine/buildkit/proto/fsutil.pb.h"
#include "freshet/engine/filesync/file_tree.hpp"
#include "freshet/engine/filesync/path_table.hpp"

#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace freshet::engine {

/// What was sent of a tree; shared by all transfers of a session.
struct TransferCount {
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> files = 0;
};

/// Our side of one FileSync/DiffCopy call: lists a tree and sends the files that are asked for.
///
/// One thread lists, one sends, the caller's reads; at most one chunk of a file is in memory. A
/// file or directory that cannot be read fails the call with an ERR packet that names it.
/// Source: session protocol of BuildKit ("fsutil"), packets STAT, REQ, DATA, FIN, ERR.
class DiffCopy {
 public:
  using Packet = fsutil::types::Packet;
  using Stream = grpc::ServerReaderWriterInterface<Packet, Packet>;

  DiffCopy(Stream& stream, const FileTree& tree, FileFilter filter, TransferCount& sent)
      : stream_(stream), tree_(tree), filter_(std::move(filter)), sent_(sent) {}

  /// Blocks until both sides are through or the stream broke.
  grpc::Status serve();
  /// What failed on our side, once `serve` has returned.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  enum class End { finished, refused, broken };

  End read_requests();
  void list();
  bool send_entry(const FileEntry& entry);
  void send_requested();
  void send_file(std::uint32_t id);
  void send_content(const std::string& path);
  bool write(const Packet& packet, bool more_follows);
  void fail(Error error);

  Stream& stream_;
  const FileTree& tree_;
  FileFilter filter_;
  TransferCount& sent_;

  std::atomic<bool> is_stopped_ = false;

  std::mutex write_mutex_;  // a stream takes one write at a time; also guards `failure_`
  std::optional<Error> failure_;

  std::mutex queue_mutex_;  // guards what follows
  std::condition_variable queue_changed_;
  std::deque<std::uint32_t> requests_;
  bool is_queue_closed_ = false;
  PathTable paths_;

  Packet entry_packet_;  // of the listing thread, kept for its memory
  Packet data_packet_;  // of the sending thread
};

}  // namespace freshet::engine
