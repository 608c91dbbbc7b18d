// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/distribution/blobs.hpp"
#include "freshet/oci/distribution/connection.hpp"
#include "freshet/oci/distribution/upload_feed.hpp"
#include "freshet/oci/distribution/upload_journal.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace freshet::oci {

bool is_success_status(int status);

/// Whether the session does not exist (any more), or is in a state that nothing can be made of.
bool is_upload_lost(const net::HttpResponse& response);

/// One upload of one blob, through as many requests as it takes.
///
/// It begins a session, streams the blob into it, and commits it under its digest. A broken session
/// is asked how far it got and continued; one that is gone is begun anew, from then on in pieces,
/// so that less is lost the next time and no proxy's limit of time ends it. A commit that was
/// refused or not answered counts when the registry has the digest.
/// Source: OCI Distribution Spec 1.1, "Pushing Blobs".
class BlobUpload {
 public:
  BlobUpload(
      std::shared_ptr<RegistryConnection> connection, std::string repository, BlobSource& source);

  Awaitable<Descriptor> run(Ctx ctx);
  /// Deletes the unfinished session after `failure`, unless it is remembered and may yet be
  /// continued by the next run, or the registry cannot be reached anyway. Never throws.
  Awaitable<void> abandon(Ctx ctx, std::exception_ptr failure);

 private:
  static constexpr std::uint64_t k_small_size = 1024UL * 1024;  // goes along with the commit
  static constexpr int k_max_denials = 2;

  /// How the content is sent.
  enum class Way { streamed, in_pieces, whole };

  Awaitable<std::optional<Trouble>> advance(Ctx ctx);
  Awaitable<std::optional<Trouble>> begin(Ctx ctx);
  Awaitable<std::optional<Trouble>> ask_offset(Ctx ctx);
  Awaitable<std::optional<Trouble>> send_rest(Ctx ctx);
  Awaitable<std::optional<Trouble>> send_piece(Ctx ctx, UploadFeed& feed, bool* is_last);
  Awaitable<std::optional<Trouble>> send_whole(Ctx ctx);
  Awaitable<std::optional<Trouble>> commit(Ctx ctx, net::HttpRequest request);
  Awaitable<std::optional<Trouble>> settle(Ctx ctx, Trouble trouble, int status);
  std::optional<Trouble> judge_piece(const net::HttpResponse& response, std::uint64_t sent_to);

  Awaitable<Attempted<net::HttpResponse>> exchange(Ctx ctx, net::HttpRequest request);
  Awaitable<bool> is_there(Ctx ctx);
  Awaitable<void> take_location(Ctx ctx, net::HttpResponse response, std::string asked);
  Trouble refused(const net::HttpResponse& response, bool is_worth_retrying) const;
  net::HttpRequest session_request(std::string method) const;
  net::HttpRequest commit_request() const;
  std::uint64_t piece_size() const;
  void confirm(std::uint64_t offset);
  void drop_session();
  std::string name() const;
  std::optional<UploadKey> journal_key() const;

  std::shared_ptr<RegistryConnection> connection_;
  std::string repository_;
  BlobSource& source_;
  std::optional<Descriptor> known_;  // before the end is read only if the source knows
  Attempts attempts_;
  ContentWatch content_;

  Way way_ = Way::streamed;
  std::optional<std::string> session_;  // path and query on the registry
  std::map<std::string, std::string> cookies_;  // of the session; some registries need them
  std::uint64_t min_piece_ = 0;  // as the registry says
  std::uint64_t offset_ = 0;  // confirmed
  std::uint64_t best_offset_ = 0;  // ever confirmed
  bool is_offset_uncertain_ = false;
  bool is_commit_unsettled_ = false;
  bool is_reachable_ = true;  // the last request was answered
  int digest_refusals_ = 0;
  int denials_ = 0;  // 401 in a row
};

}  // namespace freshet::oci
