// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/testing/run.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/testing/tar_maker.hpp"
#include "freshet/engine/testing/temp_tree.hpp"
#include "freshet/oci/copy/image_source.hpp"
#include "freshet/oci/layers/compression.hpp"
#include "freshet/oci/layers/testing/memory_stream.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace freshet::engine::testing {

/// An image that is only numbers and letters: its layers need not be archives.
struct TestImage {
  explicit TestImage(std::vector<std::string> contents) : layers(std::move(contents)) {
    std::string list;
    for (const std::string& layer : layers) {
      diff_ids.push_back(oci::Digest::of(layer));
      list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", diff_ids.back().to_string());
    }
    config = fmt::format(R"({{"os":"linux","rootfs":{{"type":"layers","diff_ids":[{}]}}}})", list);
    id = oci::Digest::of(config).to_string();
    inspection = fmt::format(R"({{"Id":"{}","RootFS":{{"Layers":[{}]}}}})", id, list);
  }

  std::vector<std::string> layers;
  std::vector<oci::Digest> diff_ids;
  std::string config;
  std::string id;  // `sha256:…`
  std::string inspection;  // what the engine says about it
};

inline std::string compressed(const std::string& content, oci::Compression compression) {
  asio::thread_pool pool(1);
  const auto stream = oci::compress(oci::testing::stream_of(content), compression, pool);
  return freshet::testing::run(oci::testing::read_all(*stream));
}

/// Lines of a layer's record, as the engine writes them.
class RecordMaker {
 public:
  RecordMaker& segment(std::string_view bytes) {
    return line(fmt::format(R"({{"type":2,"payload":"{}",)", to_base64(bytes)));
  }
  RecordMaker& file(std::string_view name, std::uint64_t size) {
    return line(fmt::format(R"({{"type":1,"name":"{}","size":{},"payload":"AA==",)", name, size));
  }
  /// `text` is cut before its `"position"`.
  RecordMaker& line(std::string_view text) {
    text_ += fmt::format("{}\"position\":{}}}\n", text, position_++);
    return *this;
  }
  const std::string& text() const { return text_; }
  std::string finish() const { return compressed(text_, oci::Compression::gzip); }

 private:
  std::string text_;
  int position_ = 0;
};

/// Puts an image into `tree` as an engine with the driver `overlay2` does; layer i is one segment,
/// or the file `content` where its record says so.
inline void store(TempTree& tree, const TestImage& image) {
  const std::string base = "image/overlay2/";
  tree.file(base + "imagedb/content/sha256/" + image.id.substr(7), image.config);
  const std::vector<oci::Digest> chain = chain_ids(image.diff_ids);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const std::string record = base + "layerdb/sha256/" + std::string(chain[i].hex()) + "/";
    const std::string folder = fmt::format("layer{}", i);
    tree.file(record + "diff", image.diff_ids[i].to_string());
    tree.file(record + "cache-id", folder);
    const std::string half = image.layers[i].substr(0, image.layers[i].size() / 2);
    const std::string rest = image.layers[i].substr(half.size());
    tree.file(
        record + "tar-split.json.gz",
        RecordMaker().segment(half).file("dir/content", rest.size()).finish());
    tree.file("overlay2/" + folder + "/diff/dir/content", rest);
  }
}

/// The wanted layers that a source gives, by their index.
inline Awaitable<std::map<std::size_t, std::string>> collect(
    oci::ImageSource& source, std::set<std::size_t> wanted) {
  std::map<std::size_t, std::string> layers;
  struct Visit {
    static Awaitable<void> one(
        std::size_t index,
        std::unique_ptr<net::ByteStream> tar,
        std::map<std::size_t, std::string>& layers) {
      std::string content = co_await oci::testing::read_all(*tar);
      layers[index] = std::move(content);
    }
  };
  const oci::ImageSource::Visitor visit = [&](std::size_t index, auto tar) {
    return Visit::one(index, std::move(tar), layers);
  };
  co_await source.visit_layers(Ctx(), std::move(wanted), visit);
  co_return layers;
}

}  // namespace freshet::engine::testing
