// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/layer_memory.hpp"

#include "freshet/base/error.hpp"

namespace freshet::registries {
namespace {

model::KnownLayer to_record(const oci::KnownLayer& layer) {
  model::KnownLayer record;
  record.diff_id = layer.diff_id.to_string();
  record.digest = layer.blob.digest.to_string();
  record.media_type = layer.blob.media_type;
  record.size_bytes = layer.blob.size_bytes;
  record.domain = layer.domain;
  record.repository = layer.repository;
  return record;
}

/// A hint that cannot be had or kept costs a transfer, not the push.
template <class Work>
void try_quietly(Work work) {
  try {
    work();
  } catch (const Error&) {
    return;
  }
}

}  // namespace

std::vector<oci::KnownLayer> StoredLayerMemory::find(
    const oci::Digest& diff_id, std::string_view domain, std::string_view repository) {
  std::vector<model::KnownLayer> records;
  try_quietly([&] { records = store_.find(diff_id.to_string(), domain, repository); });
  std::vector<oci::KnownLayer> out;
  for (model::KnownLayer& record : records) {
    const auto digest = oci::Digest::parse(record.digest);
    if (digest) {
      oci::Descriptor blob{std::move(record.media_type), *digest, record.size_bytes};
      out.push_back(
          {diff_id, std::move(blob), std::move(record.domain), std::move(record.repository)});
    }
  }
  return out;
}

void StoredLayerMemory::remember(const oci::KnownLayer& layer) {
  try_quietly([&] { store_.remember(to_record(layer)); });
}

void StoredLayerMemory::forget(const oci::KnownLayer& layer) {
  try_quietly([&] { store_.forget(to_record(layer)); });
}

}  // namespace freshet::registries
