// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_handover.hpp"

#include "freshet/base/ids.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/docker/image_inbox.hpp"
#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/docker/image_name.hpp"
#include "freshet/engine/docker/image_reading.hpp"
#include "freshet/oci/layers/decompression.hpp"
#include "freshet/oci/layers/wake_up.hpp"

#include <fmt/format.h>

#include <array>

namespace freshet::engine {
namespace {

constexpr auto k_config_limit = std::chrono::seconds(10);
// How much longer than estimated a hand-over may take before the export is begun after all.
constexpr int k_patience = 4;
constexpr auto k_least_patience = std::chrono::seconds(20);
constexpr std::uint64_t k_max_wanted_bytes = 256UL << 20;  // it lies in a temporary file
// An archive is larger than what the history counts: headers, padding, directories.
constexpr std::uint64_t k_likely_slack_bytes = 64UL << 10;
constexpr std::uint64_t k_max_slack_bytes = 16UL << 20;

constexpr const char* k_tag = "image";

using Blob = std::shared_ptr<const SpooledBlob>;

/// Layers as they come in.
struct Received {
  std::map<oci::Digest, std::size_t> wanted;  // that have not come
  std::map<std::size_t, Blob> layers;
  oci::WakeUp is_complete;
};

class HandoverSource final : public oci::ImageSource {
 public:
  HandoverSource(
      DockerClient& client,
      asio::thread_pool& pool,
      ImageDetails image,
      ReadingOptions options,
      std::unique_ptr<oci::ImageSource> exported)
      : client_(client),
        pool_(pool),
        image_(std::move(image)),
        options_(std::move(options)),
        exported_(std::move(exported)) {}

  const std::vector<oci::Digest>& diff_ids() const override { return exported_->diff_ids(); }
  std::string_view name() const override { return exported_->name(); }

  Awaitable<std::string> config(Ctx ctx) override {
    if (config_.empty() && !is_exported_) {
      co_await try_to_read_config(ctx);
    }
    if (config_.empty()) {
      config_ = co_await exported_->config(ctx);
    }
    co_return config_;
  }

  Awaitable<void> visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override {
    if (wanted.empty()) {
      co_return;
    }
    std::map<std::size_t, Blob> layers = co_await receive(ctx, wanted);
    for (auto& [index, blob] : layers) {
      std::unique_ptr<net::ByteStream> tar =
          oci::decompress(SpooledBlob::open(std::move(blob)), pool_);
      co_await visit(index, std::move(tar));
      std::erase_if(
          wanted, [&](std::size_t other) { return diff_ids()[other] == diff_ids()[index]; });
    }
    if (!wanted.empty()) {
      co_await exported_->visit_layers(ctx, std::move(wanted), std::move(visit));
      is_exported_ = true;
    }
  }

 private:
  void say(const std::string& line) const {
    if (options_.say) {
      options_.say(line);
    }
  }

  // --- the configuration ---------------------------------------------------------------------

  Awaitable<void> try_to_read_config(Ctx ctx) {
    const Ctx limited = ctx.within(k_config_limit);
    try {
      if (!image_.repo_tags.empty()) {
        co_await read_config(limited, image_.repo_tags.front());
      }
      if (config_.empty()) {
        co_await read_config_by_new_name(limited);
      }
    } catch (const Error&) {
      // The export has it, too.
    }
  }

  Awaitable<void> read_config_by_new_name(Ctx ctx) {
    const std::string repository = "freshet-name/" + make_id();
    const auto work = [this, ctx, name = repository + ":" + k_tag] {
      return read_config(ctx, name);
    };
    co_await with_image_name(ctx, client_, image_.id, repository, k_tag, work);
  }

  /// Keeps it if it is that of the image: the name may have been moved.
  Awaitable<void> read_config(Ctx ctx, std::string name) {
    std::string config = co_await options_.read_config(ctx, std::move(name));
    if (oci::Digest::of(config).to_string() == image_.id && is_config_of(config, diff_ids())) {
      config_ = std::move(config);
    }
  }

  // --- layers --------------------------------------------------------------------------------

  /// Those that the engine handed over: all, some or, when an export is cheaper, none.
  Awaitable<std::map<std::size_t, Blob>> receive(Ctx ctx, std::set<std::size_t> wanted) {
    const std::optional<ReadingCost> cost = co_await cost_of(ctx, wanted);
    if (!cost || cost->by_handover >= cost->by_export || cost->wanted_bytes > k_max_wanted_bytes) {
      tell_export(cost);
      co_return std::map<std::size_t, Blob>();
    }
    say(fmt::format(
        "At most {} of the image's {} are missing: the engine hands over just those layers, for "
        "its export would write all of them first",
        human_size(cost->wanted_bytes),
        human_size(cost->whole_bytes)));
    Received received;
    received.wanted = first_of_equal(diff_ids(), wanted);
    std::string problem;
    try {
      co_await hand_over(ctx, *cost, received);
    } catch (const Error& error) {
      problem = error.message();
    }
    if (!problem.empty()) {
      say(fmt::format("warning: the engine hands nothing over: {}; it exports the image", problem));
    }
    co_return std::move(received.layers);
  }

  void tell_export(const std::optional<ReadingCost>& cost) const {
    say(cost ? fmt::format(
                   "Up to {} of the image's {} are missing: the engine exports the image",
                   human_size(cost->wanted_bytes),
                   human_size(cost->whole_bytes))
             : std::string("The engine exports the image"));
  }

  /// nullopt: it is not known how large the layers are, or the engine would push others first.
  Awaitable<std::optional<ReadingCost>> cost_of(Ctx ctx, std::set<std::size_t> wanted) {
    const std::size_t count = diff_ids().size();
    if (!are_begun_at_once(count, wanted)) {
      co_return std::nullopt;
    }
    const std::vector<ImageHistoryEntry> history = co_await client_.image_history(ctx, image_.id);
    const auto limits = layer_size_limits(history, count);
    if (!limits) {
      co_return std::nullopt;
    }
    co_return estimate_reading(*limits, image_.size_bytes, wanted);
  }

  Awaitable<void> hand_over(Ctx ctx, ReadingCost cost, Received& received) {
    const auto patience = std::chrono::duration_cast<Ctx::Clock::duration>(
        std::max<std::chrono::nanoseconds>(cost.by_handover * k_patience, k_least_patience));
    const Ctx limited = ctx.within(patience);
    ImageInbox inbox(
        co_await asio::this_coro::executor,
        "freshet/" + make_id(),
        cost.wanted_bytes + k_likely_slack_bytes,
        cost.wanted_bytes + k_max_slack_bytes);
    const auto work = [&] { return take_all(limited, inbox, received); };
    co_await with_image_name(limited, client_, image_.id, inbox.name(), k_tag, work);
  }

  /// The layers, and the configuration while there is a name to ask for it by.
  Awaitable<void> take_all(Ctx ctx, ImageInbox& inbox, Received& received) {
    using namespace asio::experimental::awaitable_operators;
    auto layers = with_deadline(ctx, "the hand-over of layers", take_layers(ctx, inbox, received));
    const std::string name = inbox.name() + ":" + k_tag;
    const auto [taken, config] =
        co_await (detail::settle(std::move(layers)) && detail::settle(read_config(ctx, name)));
    if (taken.failure) {
      std::rethrow_exception(taken.failure);
    }
    // Without a configuration it is asked for once more, in other ways.
  }

  /// Until all are there; then the engine's push is broken off.
  Awaitable<void> take_layers(Ctx ctx, ImageInbox& inbox, Received& received) {
    using namespace asio::experimental::awaitable_operators;
    const ImageInbox::OnLayer on_layer = [&](Blob blob) { return sort(std::move(blob), received); };
    const auto outcome = co_await (
        detail::settle(received.is_complete.wait()) || detail::settle(push(ctx, inbox.name())) ||
        detail::settle(inbox.serve(on_layer)));
    const std::exception_ptr failure = outcome.index() == 1   ? std::get<1>(outcome).failure
                                       : outcome.index() == 2 ? std::get<2>(outcome).failure
                                                              : std::get<0>(outcome).failure;
    if (failure) {
      std::rethrow_exception(failure);
    }
    if (!received.wanted.empty()) {
      throw Error(ErrorCode::corrupt_data, "its push did not have all layers");
    }
  }

  Awaitable<void> push(Ctx ctx, std::string repository) {
    co_await client_.push_image(ctx, std::move(repository), k_tag, std::nullopt, nullptr);
  }

  /// Finds out which layer it is.
  Awaitable<void> sort(Blob blob, Received& received) {
    const auto tar = oci::decompress(SpooledBlob::open(blob), pool_);
    oci::DigestHasher hash;
    std::vector<char> piece(k_piece_bytes);
    for (;;) {
      const std::size_t count = co_await tar->read(asio::buffer(piece));
      if (count == 0) {
        break;
      }
      hash.update(std::string_view(piece.data(), count));
    }
    const auto wanted = received.wanted.find(hash.finish());
    if (wanted == received.wanted.end()) {
      co_return;
    }
    received.layers.emplace(wanted->second, std::move(blob));
    received.wanted.erase(wanted);
    if (received.wanted.empty()) {
      received.is_complete.notify();
    }
  }

  static constexpr std::size_t k_piece_bytes = 256 * 1024;

  DockerClient& client_;
  asio::thread_pool& pool_;
  const ImageDetails image_;
  const ReadingOptions options_;
  const std::unique_ptr<oci::ImageSource> exported_;
  std::string config_;  // empty: not read yet
  bool is_exported_ = false;
};

}  // namespace

std::unique_ptr<oci::ImageSource> make_handover_source(
    DockerClient& client,
    asio::thread_pool& pool,
    ImageDetails image,
    ReadingOptions options,
    std::unique_ptr<oci::ImageSource> exported) {
  return std::make_unique<HandoverSource>(
      client, pool, std::move(image), std::move(options), std::move(exported));
}

}  // namespace freshet::engine
