// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/choice.hpp"

#include "freshet/base/error.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

namespace freshet::cache {
namespace {

using store::ImageNumber;

/// Each list of holders is read in pieces. Mostly the first one of the deepest keys is enough.
constexpr std::size_t k_piece = 16;
/// Holders that one choice reads at most; it reads more than a few dozen only where stages have
/// different popular past images and hardly any that they share.
constexpr std::size_t k_max_read = 256;
/// So many of the branch's own images take part in any case, for the sake of ties.
constexpr std::size_t k_own_branch = 8;

/// The keys of the nodes that are needed, each once.
struct KeyTable {
  std::vector<model::InstructionKey> keys;
  std::vector<std::vector<std::size_t>> nodes;  // by index of the key
  std::vector<std::size_t> key_of;  // by node; of others than needed ones without meaning
};

KeyTable tabulate(const KeyGraph& graph, const NodeSet& needed) {
  KeyTable table;
  table.key_of.resize(graph.nodes.size());
  std::map<model::InstructionKey, std::size_t> places;
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    if (!needed[node]) {
      continue;
    }
    const auto [place, is_new] = places.try_emplace(graph.nodes[node].key, table.keys.size());
    if (is_new) {
      table.keys.push_back(graph.nodes[node].key);
      table.nodes.emplace_back();
    }
    table.nodes[place->second].push_back(node);
    table.key_of[node] = place->second;
  }
  return table;
}

using KnownKeys = std::vector<std::optional<store::CacheView::KnownKey>>;

std::vector<std::chrono::milliseconds> costs_of(
    const KeyGraph& graph, const NodeSet& needed, const KeyTable& table, const KnownKeys& known) {
  std::vector<std::chrono::milliseconds> costs(graph.nodes.size());
  for (std::size_t node = 0; node < costs.size(); ++node) {
    std::optional<std::chrono::milliseconds> cost = graph.nodes[node].cost;
    if (!cost && needed[node] && known[table.key_of[node]]) {
      cost = known[table.key_of[node]]->cost;
    }
    costs[node] = std::max(cost.value_or(std::chrono::milliseconds(0)), {});
  }
  return costs;
}

CostedGraph without_costs(const KeyGraph& graph) {
  return {graph, std::vector<std::chrono::milliseconds>(graph.nodes.size())};
}

/// How far the list of a key's holders was read.
struct HolderList {
  ImageNumber before = std::numeric_limits<ImageNumber>::max();
  std::size_t read = 0;
  bool is_exhausted = false;
};

/// A past image, by what it holds of the graph.
struct Candidate {
  NodeSet held;
  bool is_of_branch = false;
  UnixTime created_at{};
};

/// Looks for the image that adds the most to what is held already. Every image that was seen in
/// any list is a candidate, whatever it holds. One that was in none can hold only keys whose lists
/// were not read to their ends, which bounds what it can be worth: when that is no more than the
/// best candidate, reading ends.
class Search {
 public:
  Search(const KeyGraph& graph, store::CacheView& view)
      : graph_(graph),
        view_(view),
        table_(tabulate(graph, without_costs(graph).needed())),
        known_(view.find_keys(table_.keys)),
        costed_(graph, costs_of(graph, without_costs(graph).needed(), table_, known_)),
        lists_(table_.keys.size()) {
    for (std::size_t key = 0; key < lists_.size(); ++key) {
      lists_[key].is_exhausted = !known_[key];
    }
    add_candidates(view_.list_of_branch(k_own_branch));
  }

  const CostedGraph& costed() const { return costed_; }
  bool is_cut_short() const { return is_cut_short_; }
  const NodeSet& held_by(ImageNumber number) const { return candidates_.at(number).held; }
  void exclude(ImageNumber number) { candidates_[number].held.assign(graph_.nodes.size(), false); }

  /// The best to have beside `held`; nullopt when none adds anything.
  std::optional<ImageNumber> find_best(const NodeSet& held) {
    std::optional<Rank> best;
    for (const auto& [number, candidate] : candidates_) {
      best = std::max(best, std::optional(rank(number, held)));
    }
    std::optional<std::size_t> key = find_key_to_read(held, best);
    while (key && rows_read_ < k_max_read) {
      for (const ImageNumber number : read_piece(*key)) {
        best = std::max(best, std::optional(rank(number, held)));
      }
      key = find_key_to_read(held, best);
    }
    is_cut_short_ = is_cut_short_ || key.has_value();
    const bool adds = best && best->savings > costed_.cover(held).savings;
    return adds ? std::optional(best->number) : std::nullopt;
  }

  bool is_offered(std::size_t node) {
    const std::size_t key = table_.key_of[node];
    const bool is_known = known_[key].has_value();
    return is_known && !view_.list_holders(key, std::numeric_limits<ImageNumber>::max(), 1).empty();
  }

 private:
  struct Rank {
    Savings savings;
    bool is_of_branch = false;
    UnixTime created_at{};
    ImageNumber number = 0;

    auto operator<=>(const Rank&) const = default;
  };

  Rank rank(ImageNumber number, const NodeSet& held) const {
    const Candidate& candidate = candidates_.at(number);
    return {
        costed_.cover(unite(candidate.held, held)).savings,
        candidate.is_of_branch,
        candidate.created_at,
        number};
  }

  /// A key whose holders have to be known for the best to be sure: of those where the walk from the
  /// targets would stop if one image held all that unseen ones may hold, the one read least.
  std::optional<std::size_t> find_key_to_read(
      const NodeSet& held, const std::optional<Rank>& best) const {
    const NodeSet unseen = nodes_of_open_lists();
    const Coverage most = costed_.cover(unite(unseen, held));
    std::optional<std::size_t> out;
    for (std::size_t node = 0; node < unseen.size(); ++node) {
      const std::size_t key = table_.key_of[node];
      const bool matters = most.used[node] && unseen[node] && !held[node];
      if (matters && (!out || lists_[key].read < lists_[*out].read)) {
        out = key;
      }
    }
    const bool is_sure = best && most.savings <= best->savings;
    return out && is_sure && lists_[*out].read > 0 ? std::nullopt : out;
  }

  NodeSet nodes_of_open_lists() const {
    NodeSet out(graph_.nodes.size());
    for (std::size_t key = 0; key < lists_.size(); ++key) {
      for (const std::size_t node : table_.nodes[key]) {
        out[node] = !lists_[key].is_exhausted;
      }
    }
    return out;
  }

  std::vector<ImageNumber> read_piece(std::size_t key) {
    HolderList& list = lists_[key];
    auto numbers = view_.list_holders(key, list.before, k_piece);
    rows_read_ += numbers.size();
    list.read += numbers.size();
    list.is_exhausted = numbers.size() < k_piece;
    if (!numbers.empty()) {
      list.before = numbers.back();
    }
    add_candidates(numbers);
    return numbers;
  }

  void add_candidates(const std::vector<ImageNumber>& numbers) {
    for (const ImageNumber number : numbers) {
      const auto [place, is_new] = candidates_.try_emplace(number);
      if (!is_new) {
        continue;
      }
      const store::ImageOffer offer = view_.load_offer(number);
      place->second = {NodeSet(graph_.nodes.size()), offer.is_of_branch, offer.created_at};
      for (const std::size_t key : offer.keys) {
        for (const std::size_t node : table_.nodes[key]) {
          place->second.held[node] = true;
        }
      }
    }
  }

  const KeyGraph& graph_;
  store::CacheView& view_;
  KeyTable table_;
  KnownKeys known_;
  CostedGraph costed_;
  std::vector<HolderList> lists_;  // by index of the key
  std::map<ImageNumber, Candidate> candidates_;
  std::size_t rows_read_ = 0;
  bool is_cut_short_ = false;
};

/// The view shows no others; but what a trusted build takes from an untrusted one would be the
/// worst of errors, so this does not rest on the index alone.
bool may_use(const model::PastImage& image, const store::CacheReader& reader) {
  const bool is_trusted = image.trust_scope.empty() || image.trust_scope == reader.trust_scope;
  const bool is_confirmed = std::ranges::any_of(
      image.copies, [](const model::ImageCopy& copy) { return copy.confirmed_at.has_value(); });
  return is_trusted && is_confirmed && image.platform == reader.platform;
}

std::vector<std::size_t> list_nodes(const NodeSet& set) {
  std::vector<std::size_t> out;
  for (std::size_t node = 0; node < set.size(); ++node) {
    if (set[node]) {
      out.push_back(node);
    }
  }
  return out;
}

std::vector<FirstMiss> list_misses(const KeyGraph& graph, const NodeSet& runs, Search& search) {
  std::vector<std::optional<std::size_t>> first(graph.stages.size());
  for (const std::size_t node : list_nodes(runs)) {
    auto& known = first[graph.nodes[node].stage];
    if (!known || graph.nodes[node].line < graph.nodes[*known].line) {
      known = node;
    }
  }
  std::vector<FirstMiss> out;
  for (const auto& node : first) {
    if (node) {
      out.push_back({*node, search.is_offered(*node)});
    }
  }
  return out;
}

}  // namespace

Choice choose_sources(
    const KeyGraph& graph,
    const store::CacheReader& reader,
    store::CacheView& view,
    const ChoiceRules& rules) {
  Search search(graph, view);
  const CostedGraph& costed = search.costed();
  NodeSet held(graph.nodes.size());
  Coverage coverage = costed.cover(held);
  Choice out;
  out.needed = costed.sum(costed.needed());
  while (out.sources.size() < rules.max_sources) {
    const auto number = search.find_best(held);
    if (!number) {
      break;
    }
    const NodeSet more = unite(held, search.held_by(*number));
    Coverage next = costed.cover(more);
    const auto gain = next.savings.time - coverage.savings.time;
    if (!out.sources.empty() && gain < rules.min_gain) {
      break;
    }
    model::PastImage image = view.load_image(*number);
    if (!may_use(image, reader)) {
      search.exclude(*number);
      continue;
    }
    const NodeSet spared = subtract(coverage.runs, next.runs);
    out.sources.push_back({std::move(image), list_nodes(spared), costed.sum(spared)});
    held = more;
    coverage = std::move(next);
  }
  out.saved = coverage.savings;
  out.misses = list_misses(graph, coverage.runs, search);
  out.is_cut_short = search.is_cut_short();
  return out;
}

Choice choose_sources(
    const KeyGraph& graph,
    const store::CacheReader& reader,
    store::CacheIndex& index,
    const ChoiceRules& rules) {
  Choice out;
  index.read(
      reader, [&](store::CacheView& view) { out = choose_sources(graph, reader, view, rules); });
  return out;
}

}  // namespace freshet::cache
