// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/authorizer.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"
#include "freshet/oci/distribution/realm.hpp"
#include "freshet/oci/distribution/registry_error.hpp"
#include "freshet/oci/distribution/retries.hpp"
#include "freshet/oci/distribution/token_server.hpp"

#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::size_t k_max_shown_user = 100;
constexpr int k_max_rounds = 4;  // no proof, an old token, a new one, one by new credentials
constexpr std::size_t k_max_refusal = 64UL * 1024;
/// A request may have to wait for its turn after it got its token, longer than that lives.
constexpr auto k_max_on_the_way = std::chrono::seconds(1);

/// Bearer first: a registry that offers both prefers tokens. nullopt when there is neither.
std::optional<Challenge> choose(const std::vector<std::string>& headers) {
  std::optional<Challenge> basic;
  for (const std::string& header : headers) {
    for (Challenge& challenge : parse_challenges(header)) {
      if (challenge.scheme == "bearer" && !challenge.parameter("realm").empty()) {
        return challenge;
      }
      if (challenge.scheme == "basic" && !basic) {
        basic = std::move(challenge);
      }
    }
  }
  return basic;
}

/// A refusal that is too long to be one is nobody's words.
Awaitable<std::string> read_refusal(net::HttpStream& stream) {
  try {
    co_return co_await stream.read_all(k_max_refusal);
  } catch (const net::TransportError&) {
    throw;
  } catch (const Error&) {
    co_return std::string();
  }
}

}  // namespace

/// A token that is being asked for. Whoever needs it meanwhile waits for `landed` to be cancelled.
struct Authorizer::Flight {
  explicit Flight(const asio::any_io_executor& executor)
      : landed(executor, Ctx::Clock::time_point::max()) {}

  /// Others may have more time: a deadline that passed is no failure of theirs.
  template <class Failure>
  void fail(const Failure& failure) {
    if (failure.code() != ErrorCode::deadline_exceeded) {
      throw_failure = [failure] { throw Failure(failure); };
    }
  }

  static Awaitable<void> wait(std::shared_ptr<Flight> flight) {
    boost::system::error_code ignored;
    co_await flight->landed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  asio::steady_timer landed;
  std::optional<Token> token;
  /// Throws a copy to each who waits, for each adds to it what it was doing. Neither this nor a
  /// token: it was given up, others may try.
  std::function<void()> throw_failure;
};

Authorizer::Authorizer(
    net::HttpClient& http,
    std::string domain,
    std::shared_ptr<CredentialSource> credentials,
    Now now)
    : http_(http),
      domain_(std::move(domain)),
      source_(std::move(credentials)),
      now_(std::move(now)) {}

std::string Credentials::shown_user() const {
  if (username == password.reveal()) {
    return "the token";
  }
  return fmt::format("user '{}'", printable(username, k_max_shown_user));
}

std::string Authorizer::who() const {
  if (!credentials_) {
    return "anybody";
  }
  return credentials_->username == k_refresh_token_user ? std::string("the identity token")
                                                        : credentials_->shown_user();
}

Awaitable<void> Authorizer::identify(Ctx ctx) {
  std::optional<Credentials> got;
  if (source_ != nullptr) {
    got = co_await source_->get(ctx);
  }
  const bool are_same = got && credentials_ && got->username == credentials_->username &&
                        got->password == credentials_->password;
  if (got && !are_same) {
    masker_.add(got->password);
    masker_.add(Secret(fmt::format("{}:{}", got->username, got->password.reveal())));
  }
  credentials_ = std::move(got);
}

Awaitable<net::HttpResponse> Authorizer::send(
    Ctx ctx, net::HttpRequest request, std::string scope) {
  StreamedAnswer answer = co_await run(ctx, std::move(request), std::move(scope), false);
  co_return std::move(answer.head);
}

Awaitable<StreamedAnswer> Authorizer::open(Ctx ctx, net::HttpRequest request, std::string scope) {
  co_return co_await run(ctx, std::move(request), std::move(scope), true);
}

Awaitable<StreamedAnswer> Authorizer::exchange(
    Ctx ctx, net::HttpRequest request, bool is_streamed) {
  StreamedAnswer answer;
  if (is_streamed) {
    answer.body = co_await http_.open(ctx, std::move(request));
    answer.head = answer.body->head();
  } else {
    answer.head = co_await http_.send(ctx, std::move(request));
  }
  if (answer.head.status >= 300) {
    if (answer.body != nullptr) {
      answer.head.body = co_await read_refusal(*answer.body);
      answer.body.reset();
    }
    answer.head.body = masker_.mask(answer.head.body);
  }
  co_return answer;
}

Awaitable<StreamedAnswer> Authorizer::run(
    Ctx ctx, net::HttpRequest request, std::string scope, bool is_streamed) {
  StreamedAnswer answer;
  for (int round = 1;; ++round) {
    const Proof proof = co_await authenticate(ctx, request, scope);
    if (round > 1 && proof.scheme.empty()) {
      co_return answer;  // there is nothing to answer the challenge with
    }
    answer = co_await exchange(ctx, request, is_streamed);
    const auto peer = net::address_of_host(answer.head.peer_address);
    is_registry_internal_ = peer && net::is_internal_address(*peer);
    const bool is_refused =
        may_have_expired(answer.head, proof) || (answer.head.status == 401 && learn(answer.head));
    if (!is_refused) {
      co_return answer;
    }
    const bool is_hopeless = !has_better(proof, scope) || round == k_max_rounds;
    if (is_hopeless || request.body_stream != nullptr) {
      co_return answer;
    }
  }
}

/// ECR answers 403 when a login has expired, to HEAD without a word that would tell it from a right
/// that is missing. Sources whose logins do not expire have no others, and so nothing is repeated.
bool Authorizer::may_have_expired(const net::HttpResponse& response, const Proof& proof) const {
  return response.status == 403 && proof.scheme == "basic" && challenge_->scheme == "basic";
}

bool Authorizer::learn(const net::HttpResponse& response) {
  auto challenge = choose(response.headers.find_all("WWW-Authenticate"));
  if (!challenge) {
    return false;
  }
  challenge_ = std::move(challenge);
  return true;
}

bool Authorizer::has_better(const Proof& proof, const std::string& scope) {
  if (proof.scheme == "bearer") {
    const auto kept = tokens_.find(scope);
    if (kept != tokens_.end() && kept->second.value == proof.token) {
      tokens_.erase(kept);
    }
  }
  if (proof.scheme != challenge_->scheme) {
    return challenge_->scheme == "bearer" || source_ != nullptr;
  }
  if (proof.scheme == "bearer") {
    // A token that was refused as soon as it was given out: there is no right to what was asked.
    return !proof.fresh_since || now_() - *proof.fresh_since > k_max_on_the_way;
  }
  return discard_credentials(proof.generation);
}

/// Many requests may learn at once that the credentials are refused: only the first discards them.
bool Authorizer::discard_credentials(int generation) {
  if (generation != generation_) {
    return true;
  }
  if (source_ == nullptr || !source_->discard()) {
    return false;
  }
  ++generation_;
  return true;
}

const Authorizer::Token* Authorizer::find_token(const std::string& scope) const {
  const auto found = tokens_.find(scope);
  return found != tokens_.end() && now_() < found->second.expires_at ? &found->second : nullptr;
}

/// Puts the Authorization header on `request` as far as the registry's demands are known.
Awaitable<Authorizer::Proof> Authorizer::authenticate(
    Ctx ctx, net::HttpRequest& request, const std::string& scope) {
  Proof proof;
  proof.generation = generation_;
  if (!challenge_) {
    co_return proof;
  }
  if (challenge_->scheme == "basic") {
    co_await identify(ctx);
    if (credentials_) {
      proof.scheme = "basic";
      request.headers.set("Authorization", basic_authorization(*credentials_));
    }
    co_return proof;
  }
  const auto registry = net::parse_url(request.url);
  FRESHET_ASSERT(registry.has_value());
  bool is_fresh = false;
  const Token token = co_await join_token(ctx, *registry, scope, &is_fresh);
  if (is_fresh) {
    proof.fresh_since = now_();
  }
  proof.scheme = "bearer";
  proof.token = token.value;
  request.headers.set("Authorization", "Bearer " + std::string(token.value.reveal()));
  co_return proof;
}

Awaitable<Authorizer::Token> Authorizer::join_token(
    Ctx ctx, net::Url registry, std::string scope, bool* is_fresh) {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    if (const Token* kept = find_token(scope)) {
      co_return *kept;
    }
    *is_fresh = true;
    const auto flying = flights_.find(scope);
    if (flying == flights_.end()) {
      break;
    }
    const std::shared_ptr<Flight> flight = flying->second;
    co_await with_deadline(ctx, "waiting for a token of '" + domain_ + "'", Flight::wait(flight));
    if (flight->throw_failure) {
      flight->throw_failure();
    }
    if (flight->token) {
      co_return *flight->token;
    }
  }
  const auto flight = std::make_shared<Flight>(executor);
  flights_[scope] = flight;
  const std::shared_ptr<void> landing(nullptr, [this, flight, scope](void*) {
    flights_.erase(scope);
    flight->landed.cancel();
  });
  try {
    flight->token = co_await fetch_token(ctx, std::move(registry), scope);
  } catch (const net::TransportError& error) {
    flight->fail(error);
    throw;
  } catch (const ServerTrouble& error) {
    flight->fail(error);
    throw;
  } catch (const Error& error) {
    flight->fail(error);
    throw;
  }
  tokens_.insert_or_assign(scope, *flight->token);
  co_return *flight->token;
}

Awaitable<Authorizer::Token> Authorizer::fetch_token(
    Ctx ctx, net::Url registry, std::string scope) {
  const Challenge challenge = *challenge_;
  const net::Url realm = require_trusted_realm(registry, challenge.parameter("realm"), bound_to_);
  for (bool is_second = false;; is_second = true) {
    const auto asked_at = now_();
    const int generation = generation_;
    co_await identify(ctx);
    net::HttpRequest request = token_request(realm, challenge, scope, credentials_);
    // A public registry has no business with our inner network; one that is inside may have.
    const bool is_wanted_inside = !bound_to_.empty() && net::is_internal_host(realm.host);
    request.refuse_internal_peer =
        realm.host != registry.host && !is_registry_internal_ && !is_wanted_inside;
    const bool is_refresh = request.method == "POST";
    StreamedAnswer answer = co_await exchange(ctx, std::move(request), false);
    const net::HttpResponse& response = answer.head;
    if (response.status == 200) {
      const auto issued = read_token(response.body);
      if (!issued) {
        throw Error(
            ErrorCode::corrupt_data,
            fmt::format("the token server of '{}' gave an answer without a token", domain_));
      }
      token_server_ = realm.authority();
      co_return Token{issued->value, asked_at + issued->usable_for};
    }
    const bool is_refused = response.status == 401 || (is_refresh && response.status == 400);
    if (is_refused && !is_second && credentials_ && discard_credentials(generation)) {
      continue;
    }
    if ((is_refused || response.status == 403) && !is_rate_limit(response)) {
      throw_refused(response, scope);
    }
    const Request about{"giving out a token", "its token server"};
    throw ServerTrouble(registry_error(realm.authority(), about, response), response);
  }
}

void Authorizer::throw_refused(const net::HttpResponse& response, const std::string& scope) const {
  std::string message = fmt::format("'{}' refused the credentials of {}", domain_, who());
  std::string hint =
      "check user name and password; many registries want an access token as password";
  if (!credentials_) {
    message = fmt::format("'{}' gives no access without credentials", domain_);
    hint = {};
  } else if (response.status == 403 && !scope.empty()) {
    message = fmt::format("'{}' does not give {} the right to '{}'", domain_, who(), scope);
    hint = {};
  }
  throw Error(ErrorCode::upstream_denied, std::move(message))
      .with_hint(std::move(hint))
      .with_remote_text(registry_words(response), response.status);
}

}  // namespace freshet::oci
