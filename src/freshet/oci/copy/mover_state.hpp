// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/known_blobs.hpp"
#include "freshet/oci/copy/layer_memory.hpp"
#include "freshet/oci/copy/mount_refusals.hpp"
#include "freshet/oci/copy/turns.hpp"
#include "freshet/oci/copy/upload_locks.hpp"
#include "freshet/oci/layers/block_pool.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace freshet::oci {

/// What the calls of one mover share.
struct MoverState {
  // Small requests overlap, streams share the line; more of them only cost memory.
  static constexpr int k_transfers_at_once = 6;
  // Enough to have work for all processors while the registry is waited for.
  static constexpr std::size_t k_layers_at_once = 3;  // of one image

  MoverState(asio::thread_pool& its_pool, LayerMemory& its_memory, fs::path lock_directory)
      : pool(its_pool), memory(its_memory), locks(std::move(lock_directory)) {}

  asio::thread_pool& pool;
  LayerMemory& memory;
  KnownBlobs known;
  /// By `domain/repository@digest`: a blob goes to a repository once at a time.
  Turns blobs{1};
  /// The same among programs, for whoever has its turn here and found that something is to be sent.
  UploadLocks locks;
  Turns transfers{k_transfers_at_once};
  Turns compressions{k_layers_at_once};
  std::shared_ptr<BlockPool> blocks = std::make_shared<BlockPool>();  // of all compressions
  MountRefusals refused_mounts;
};

}  // namespace freshet::oci
