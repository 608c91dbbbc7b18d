// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/diff_copy.hpp"

#include "freshet/base/error_text.hpp"
#include "freshet/engine/buildkit/owned_thread.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::engine {
namespace {

/// Larger chunks are slower (measured); daemons refuse 4 MiB.
constexpr std::size_t k_chunk_bytes = 128 * 1024;

void fill_stat(const FileEntry& entry, fsutil::types::Stat& stat) {
  stat.Clear();
  stat.set_path(entry.path);
  stat.set_mode(entry.mode);
  stat.set_size(entry.size);
  stat.set_mod_time(entry.modified_ns);
  stat.set_linkname(entry.link_name);
  stat.set_devmajor(entry.device_major);
  stat.set_devminor(entry.device_minor);
  for (const auto& [name, value] : entry.attributes) {
    (*stat.mutable_xattrs())[name] = value;
  }
}

}  // namespace

grpc::Status DiffCopy::serve() {
  End end = End::broken;
  // A first packet that may wait would hold the metadata back, and both would wait for each other.
  stream_.SendInitialMetadata();
  {
    OwnedThread lister([this] { list(); });
    OwnedThread sender([this] { send_requested(); });
    end = read_requests();
    if (end != End::finished) {
      is_stopped_ = true;
    }
    const std::lock_guard lock(queue_mutex_);
    is_queue_closed_ = true;
    queue_changed_.notify_all();
  }
  if (failure_) {
    return grpc::Status(grpc::StatusCode::UNKNOWN, failure_->message());
  }
  if (end != End::finished) {
    return grpc::Status(grpc::StatusCode::CANCELLED, "the transfer was given up");
  }
  Packet finished;
  finished.set_type(Packet::FIN);
  write(finished, false);
  return grpc::Status::OK;
}

/// Reads until the other side is through: it must never wait for us to take a packet.
DiffCopy::End DiffCopy::read_requests() {
  Packet packet;
  while (stream_.Read(&packet)) {
    switch (packet.type()) {
      case Packet::REQ: {
        const std::lock_guard lock(queue_mutex_);
        requests_.push_back(packet.id());
        queue_changed_.notify_one();
        break;
      }
      case Packet::FIN:
        return End::finished;
      case Packet::ERR:
        return End::refused;
      default:
        break;
    }
  }
  return End::broken;
}

void DiffCopy::list() {
  try {
    tree_.list(filter_, [this](const FileEntry& entry) { return send_entry(entry); });
    Packet end;
    end.set_type(Packet::STAT);
    write(end, false);
  } catch (...) {
    fail(to_error(std::current_exception()));
  }
}

bool DiffCopy::send_entry(const FileEntry& entry) {
  {
    // Before the packet is out: the request may come back at once.
    const std::lock_guard lock(queue_mutex_);
    paths_.add(entry);
  }
  fill_stat(entry, *entry_packet_.mutable_stat());
  return write(entry_packet_, true);
}

void DiffCopy::send_requested() {
  for (;;) {
    std::uint32_t id = 0;
    {
      std::unique_lock lock(queue_mutex_);
      queue_changed_.wait(lock, [this] { return !requests_.empty() || is_queue_closed_; });
      if (requests_.empty() || is_stopped_) {
        return;
      }
      id = requests_.front();
      requests_.pop_front();
    }
    try {
      send_file(id);
    } catch (...) {
      fail(to_error(std::current_exception()));
    }
  }
}

void DiffCopy::send_file(std::uint32_t id) {
  std::optional<PathTable::Place> place;
  bool is_last = false;
  {
    const std::lock_guard lock(queue_mutex_);
    place = paths_.find(id);
    is_last = requests_.empty();
  }
  if (!place) {
    throw Error(
        ErrorCode::internal, fmt::format("the builder asked for entry {}, which is no file", id));
  }
  data_packet_.set_type(Packet::DATA);
  data_packet_.set_id(id);
  if (place->content == FileEntry::Content::file) {
    send_content(place->path);
  }
  data_packet_.mutable_data()->clear();
  if (write(data_packet_, !is_last)) {
    ++sent_.files;
  }
}

void DiffCopy::send_content(const std::string& path) {
  const std::unique_ptr<FileContent> content = tree_.open(path);
  std::string& data = *data_packet_.mutable_data();
  std::size_t expected = content->size_bytes();
  for (bool is_end = false; !is_end;) {
    // One byte more than expected, so that the end of an unchanged file shows in the same read.
    data.resize(std::min(expected + 1, k_chunk_bytes));
    const std::size_t length = content->read(data.data(), data.size());
    is_end = length < data.size();
    data.resize(length);
    expected -= std::min(expected, length);
    // The empty packet that always follows sends this one on its way.
    if (length > 0 && !write(data_packet_, true)) {
      return;
    }
    sent_.bytes += length;
  }
}

/// With `more_follows` the packet may wait in gRPC's buffer for others to go out together.
bool DiffCopy::write(const Packet& packet, bool more_follows) {
  if (is_stopped_) {
    return false;
  }
  grpc::WriteOptions options;
  if (more_follows) {
    options.set_buffer_hint();
  }
  const std::lock_guard lock(write_mutex_);
  if (failure_ || stream_.Write(packet, options)) {
    return !failure_;
  }
  is_stopped_ = true;
  return false;
}

void DiffCopy::fail(Error error) {
  Packet packet;
  packet.set_type(Packet::ERR);
  packet.set_data(error.message());
  const std::lock_guard lock(write_mutex_);
  if (failure_) {
    return;
  }
  failure_ = std::move(error);
  is_stopped_ = true;
  stream_.Write(packet, grpc::WriteOptions());
}

}  // namespace freshet::engine
