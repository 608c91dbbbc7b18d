// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/single_flight.hpp"

#include "freshet/oci/copy/turns.hpp"

#include <optional>

namespace freshet::pipeline {

struct SingleFlight::Flight {
  oci::Turns turns{1};
  std::optional<std::string> value;
  std::optional<Error> failure;
};

Awaitable<std::string> SingleFlight::join(std::string key, Work work) {
  std::shared_ptr<Flight> flight = flights_[key].lock();
  if (!flight) {
    flight = std::make_shared<Flight>();
    flights_[key] = flight;
  }
  const oci::Turns::Turn turn = co_await flight->turns.take(key);
  if (!flight->value && !flight->failure) {
    try {
      flight->value = co_await work();
    } catch (const Error& error) {
      flight->failure = error;
    }
    const auto own = flights_.find(key);
    if (own != flights_.end() && own->second.lock() == flight) {
      flights_.erase(own);
    }
  }
  if (flight->failure) {
    throw *flight->failure;
  }
  co_return *flight->value;
}

bool SingleFlight::is_under_way(const std::string& key) const {
  const auto found = flights_.find(key);
  return found != flights_.end() && !found->second.expired();
}

}  // namespace freshet::pipeline
