// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/choice.hpp"
#include "freshet/cache/testing/histories.hpp"
#include "freshet/store/testing/memory_cache_index.hpp"
#include "freshet/store/testing/temp_data_directory.hpp"

#include <gtest/gtest.h>

namespace freshet::cache {
namespace {

using testing::History;

std::string describe(const Choice& choice) {
  std::string out = fmt::format(
      "{} of {}, {} layers",
      choice.saved.time.count(),
      choice.needed.time.count(),
      choice.saved.layers);
  for (const Source& source : choice.sources) {
    out += fmt::format("; {} gives {}", source.image.id, fmt::join(source.nodes, ","));
  }
  for (const FirstMiss& miss : choice.misses) {
    out += fmt::format("; runs {} {}", miss.node, miss.is_offered_elsewhere);
  }
  return out;
}

TEST(ChoiceFromTheDatabase, is_the_one_by_looking_at_all_images) {
  for (std::uint64_t seed = 100; seed < 108; ++seed) {
    History history(seed);
    store::testing::TempDataDirectory directory;
    store::testing::MemoryCacheIndex all;
    for (int number = 0; number < 40; ++number) {
      history.commit();
      KeyGraph graph = history.graph();
      for (KeyNode& node : graph.nodes) {
        node.cost.reset();  // the index has them
      }
      const store::CacheReader reader{"linux/amd64", "", "team/app", history.branch()};
      EXPECT_EQ(
          describe(choose_sources(graph, reader, directory->cache_index())),
          describe(choose_sources(graph, reader, all)));
      const auto image = history.image(fmt::format("{}", number), history.below(2) == 0);
      directory->cache_index().record(image);
      all.record(image);
      if (history.below(5) == 0) {
        const std::string gone = fmt::format("{}", history.below(40));
        directory->cache_index().forget(gone);
        all.forget(gone);
      }
    }
  }
}

}  // namespace
}  // namespace freshet::cache
