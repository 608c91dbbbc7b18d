// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/connections.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/store/testing/temp_data_directory.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace freshet::registries {
namespace {

using namespace std::chrono_literals;

/// What was asked of whom: every client made writes here.
struct World {
  struct Asked {
    net::ConnectionSettings settings;
    net::HttpRequest request;
  };
  std::vector<Asked> asked;
  std::deque<std::pair<std::string, net::HttpResponse>> answers;  // by start of the URL
};

class WorldHttp final : public net::HttpClient {
 public:
  WorldHttp(World& world, net::ConnectionSettings settings)
      : world_(world), settings_(std::move(settings)) {}

  Awaitable<net::HttpResponse> send(Ctx, net::HttpRequest request) override {
    world_.asked.push_back({settings_, request});
    for (auto answer = world_.answers.begin(); answer != world_.answers.end(); ++answer) {
      if (request.url.starts_with(answer->first)) {
        net::HttpResponse response = answer->second;
        world_.answers.erase(answer);
        co_return response;
      }
    }
    throw Error(ErrorCode::internal, "unexpected request: " + request.url);
  }
  Awaitable<std::unique_ptr<net::HttpStream>> open(Ctx, net::HttpRequest) override {
    throw Error(ErrorCode::internal, "nothing is streamed here");
  }

 private:
  World& world_;
  net::ConnectionSettings settings_;
};

net::HttpResponse answer(int status, std::string body = {}, net::HttpHeaders headers = {}) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

net::HttpResponse ecr_token(std::string password) {
  return answer(
      200,
      fmt::format(
          R"({{"authorizationData":[{{"authorizationToken":"{}","expiresAt":32503680000,)"
          R"("proxyEndpoint":"https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}]}})",
          to_base64("AWS:" + password)));
}

class ConnectionsTest : public ::testing::Test {
 protected:
  ConnectionParts parts() {
    ConnectionParts out;
    out.http_for = [this](const net::ConnectionSettings& settings) -> net::HttpClient& {
      return *clients_.emplace_back(std::make_unique<WorldHttp>(world_, settings));
    };
    out.environment = [](std::string_view) { return std::optional<std::string>(); };
    out.registry_options.retry.max_attempts = 1;
    return out;
  }
  model::RegistryIntegration add(
      std::string name, std::string domain, std::string provider = "other") {
    NewIntegration form;
    form.name = std::move(name);
    form.domain = std::move(domain);
    form.provider = std::move(provider);
    form.username = "ada";
    form.repository_prefix = form.provider == "ecr" ? "team" : "";
    form.creates_repositories = form.provider == "ecr";
    form.secrets = Secret("pw of " + form.name);
    return integrations_.add(form);
  }
  template <class T>
  T run(Awaitable<T> operation) {
    auto guard = asio::make_work_guard(io_);
    return net::testing::run_on(io_, std::move(operation));
  }
  void run(Awaitable<void> operation) {
    auto guard = asio::make_work_guard(io_);
    net::testing::run_on(io_, std::move(operation));
  }

  World world_;
  std::vector<std::unique_ptr<WorldHttp>> clients_;
  store::testing::TempDataDirectory directory_;
  Integrations integrations_{directory_->registries()};
  asio::io_context io_;  // outlives the pool, whose threads still let go of it after an answer
  asio::thread_pool pool_{1};
  Connections connections_{integrations_, pool_, parts()};
};

const std::string k_ecr_domain = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const std::string k_ecr_api = "https://api.ecr.eu-west-1.amazonaws.com/";

TEST_F(ConnectionsTest, give_the_stored_login_to_engines) {
  add("hub", "", "dockerhub");
  const RegistryLogin login =
      run(connections_.login(Ctx{}, integrations_.get("hub"), aws::StepOptions()));
  EXPECT_EQ(login.server, "https://index.docker.io/v1/");
  EXPECT_EQ(login.username, "ada");
  EXPECT_EQ(login.password, Secret("pw of hub"));
}

TEST_F(ConnectionsTest, fetch_the_login_of_ecr_once_and_for_each_region_and_role) {
  const auto aws = add("aws", k_ecr_domain, "ecr");
  world_.answers.emplace_back(k_ecr_api, ecr_token("one"));
  for (int i = 0; i < 2; ++i) {
    const RegistryLogin login = run(connections_.login(Ctx{}, aws, aws::StepOptions()));
    EXPECT_EQ(login.server, k_ecr_domain);
    EXPECT_EQ(login.username, "AWS");
    EXPECT_EQ(login.password, Secret("one"));
  }
  EXPECT_EQ(world_.asked.size(), 1u);
  world_.answers.emplace_back("https://api.ecr.us-east-1.amazonaws.com/", ecr_token("two"));
  aws::StepOptions elsewhere;
  elsewhere.region = "us-east-1";
  const RegistryLogin login = run(connections_.login(Ctx{}, aws, elsewhere));
  EXPECT_EQ(login.server, "123456789012.dkr.ecr.us-east-1.amazonaws.com");
  EXPECT_EQ(login.password, Secret("two"));
}

TEST_F(ConnectionsTest, learn_the_domain_of_ecr) {
  model::RegistryIntegration record;
  record.provider = model::Provider::ecr;
  record.name = "aws";
  record.username = "AKID";
  record.region = "eu-west-1";
  world_.answers.emplace_back(k_ecr_api, ecr_token("one"));
  EXPECT_EQ(run(connections_.find_domain(Ctx{}, record, Secret("key"))), k_ecr_domain);
}

TEST_F(ConnectionsTest, keep_a_client_until_something_of_its_integration_changes) {
  add("prod", "r.example");
  const auto client = [&] { return run(connections_.client(Ctx{}, integrations_.get("prod"))); };
  const auto first = client();
  EXPECT_EQ(client(), first);
  EXPECT_EQ(first->domain(), "r.example");
  IntegrationChange renewal;
  renewal.secrets.password = Secret("other");
  integrations_.change("prod", renewal);
  const auto second = client();
  EXPECT_NE(second, first);
  EXPECT_EQ(first->domain(), "r.example") << "whoever still has it may use it";
}

TEST_F(ConnectionsTest, keep_the_settings_of_an_integration_to_its_own_host) {
  NewIntegration form;
  form.name = "prod";
  form.domain = "r.example.com";
  form.username = "ada";
  form.secrets = Secret("pw");
  form.connection.is_verification_off = true;
  form.connection.proxy = "http://proxy.example:3128";
  const auto prod = integrations_.add(form);
  add("other", "q.example.com");
  world_.answers.emplace_back(
      "https://r.example.com/v2/",
      answer(401, "", {{"WWW-Authenticate", "Bearer realm=\"https://auth.example.com/token\""}}));
  world_.answers.emplace_back("https://auth.example.com/token", answer(200, R"({"token":"t"})"));
  world_.answers.emplace_back("https://r.example.com/v2/", answer(200, "{}"));
  run(run(connections_.client(Ctx{}, prod))->check_credentials(Ctx{}));
  ASSERT_EQ(world_.asked.size(), 3u);
  EXPECT_TRUE(world_.asked[0].settings.is_verification_off);
  EXPECT_FALSE(world_.asked[1].settings.is_verification_off) << "the token server's is verified";
  EXPECT_EQ(world_.asked[1].settings.proxy, "http://proxy.example:3128");
  EXPECT_TRUE(world_.asked[2].settings.is_verification_off);

  world_.answers.emplace_back("https://q.example.com/v2/", answer(200, "{}"));
  run(run(connections_.client(Ctx{}, integrations_.get("other")))->check_credentials(Ctx{}));
  EXPECT_EQ(world_.asked.back().settings, net::ConnectionSettings());
}

TEST_F(ConnectionsTest, bind_an_other_registry_to_the_token_server_of_its_first_good_test) {
  const auto prod = add("prod", "r.example.com");
  const auto challenge =
      answer(401, "", {{"WWW-Authenticate", "Bearer realm=\"https://auth.example.com/token\""}});
  for (int i = 0; i < 6; ++i) {
    world_.answers.emplace_back("https://auth.example.com/token", answer(200, R"({"token":"t"})"));
  }
  world_.answers.emplace_back("https://r.example.com/v2/", challenge);
  world_.answers.emplace_back("https://r.example.com/v2/", challenge);
  world_.answers.emplace_back("https://r.example.com/v2/", answer(200, "{}"));
  world_.answers.emplace_back("https://r.example.com/v2/freshet", answer(404));
  world_.answers.emplace_back("https://r.example.com/v2/freshet", answer(403));
  const ConnectionReport report = run(connections_.test(Ctx{}, prod));
  EXPECT_EQ(report.at(CheckName::credentials).result, CheckResult::passed);
  EXPECT_EQ(integrations_.get("prod").connection.token_server, "auth.example.com");

  world_.answers.clear();
  world_.answers.emplace_back(
      "https://r.example.com/v2/",
      answer(401, "", {{"WWW-Authenticate", "Bearer realm=\"https://new.example.com/token\""}}));
  const auto client = run(connections_.client(Ctx{}, integrations_.get("prod")));
  EXPECT_THROW(run(client->check_credentials(Ctx{})), Error);
  EXPECT_EQ(world_.asked.back().request.url, "https://r.example.com/v2/")
      << "nothing was sent there";
}

TEST_F(ConnectionsTest, create_repositories_below_the_prefix_once) {
  const auto aws = add("aws", k_ecr_domain, "ecr");
  world_.answers.emplace_back(k_ecr_api, answer(200, "{}"));
  run(connections_.make_repository(Ctx{}, aws, "team/app"));
  run(connections_.make_repository(Ctx{}, aws, "team/app"));
  EXPECT_EQ(world_.asked.size(), 1u);
  EXPECT_EQ(
      world_.asked[0].request.body, R"({"repositoryName":"team/app","registryId":"123456789012"})");
  for (const char* name :
       {"other/app", "team", "teams/app", "team/../other", "team/App", "team/"}) {
    EXPECT_NO_THROW(run(connections_.make_repository(Ctx{}, aws, name))) << name;
  }
  EXPECT_EQ(world_.asked.size(), 1u);
  IntegrationChange off;
  off.creates_repositories = false;
  run(connections_.make_repository(Ctx{}, integrations_.change("aws", off), "other/app"));
  EXPECT_EQ(world_.asked.size(), 1u);
}

TEST_F(ConnectionsTest, give_new_repositories_what_the_template_says_and_old_ones_nothing) {
  add("aws", k_ecr_domain, "ecr");
  IntegrationChange wish;
  wish.scans_on_push = true;
  wish.lifecycle_policy = R"({"rules":[]})";
  const auto aws = integrations_.change("aws", wish);
  for (int i = 0; i < 3; ++i) {
    world_.answers.emplace_back(k_ecr_api, answer(200, "{}"));
  }
  const std::string exists = R"({"__type":"RepositoryAlreadyExistsException","message":"there"})";
  const std::string denied = R"({"__type":"AccessDeniedException","message":"not you"})";

  MadeRepository made = run(connections_.make_repository(Ctx{}, aws, "team/new"));
  EXPECT_TRUE(made.is_new);
  EXPECT_EQ(made.policy_problem, "");
  ASSERT_EQ(world_.asked.size(), 2u);
  EXPECT_EQ(
      world_.asked[1].request.body,
      R"({"repositoryName":"team/new","registryId":"123456789012",)"
      R"("lifecyclePolicyText":"{\"rules\":[]}"})");

  world_.answers.clear();
  world_.answers.emplace_back(k_ecr_api, answer(400, exists));
  made = run(connections_.make_repository(Ctx{}, aws, "team/old"));
  EXPECT_FALSE(made.is_new);
  EXPECT_EQ(world_.asked.size(), 3u);

  world_.answers.clear();
  world_.answers.emplace_back(k_ecr_api, answer(200, "{}"));
  world_.answers.emplace_back(k_ecr_api, answer(400, denied));
  made = run(connections_.make_repository(Ctx{}, aws, "team/newer"));
  EXPECT_TRUE(made.is_new);
  EXPECT_EQ(made.policy_problem, "AccessDeniedException: not you");
}

TEST_F(ConnectionsTest, pull_from_mirrors_without_anybody_s_login) {
  NewIntegration form;
  form.name = "hub";
  form.provider = "dockerhub";
  form.username = "ada";
  form.secrets = Secret("pw");
  form.connection.mirror = "mirror.example";
  integrations_.add(form);
  const auto plan = resolve_pull(integrations_.list(), oci::Reference::parse("alpine:3"));
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_FALSE(run(connections_.login(Ctx{}, plan[0], aws::StepOptions())).has_value());
  EXPECT_TRUE(run(connections_.login(Ctx{}, plan[1], aws::StepOptions())).has_value());
  EXPECT_EQ(run(connections_.client(Ctx{}, plan[0]))->domain(), "mirror.example");
}

TEST_F(ConnectionsTest, serve_logins_that_a_step_carries) {
  InlineLogin docker;
  docker.registry = "dtr.host.com";
  docker.username = "ada";
  docker.password = Secret("pw");
  EXPECT_EQ(run(connections_.client(Ctx{}, docker))->domain(), "dtr.host.com");
  InlineLogin ecr;
  ecr.provider = "ecr";
  ecr.access_key_id = "AKID";
  ecr.secret_access_key = Secret("key");
  ecr.region = "eu-west-1";
  world_.answers.emplace_back(k_ecr_api, ecr_token("pw"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run(connections_.client(Ctx{}, ecr))->domain(), k_ecr_domain);
    const RegistryLogin login = run(connections_.login(Ctx{}, ecr));
    EXPECT_EQ(login.server, k_ecr_domain);
    EXPECT_EQ(login.password, Secret("pw"));
  }
  EXPECT_EQ(world_.asked.size(), 1u) << "one token serves them all";
  ecr.secret_access_key = Secret("another");
  world_.answers.emplace_back(
      k_ecr_api, answer(400, R"({"__type":"InvalidSignatureException","message":"wrong key"})"));
  try {
    run(connections_.login(Ctx{}, ecr));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.remote_text(), "InvalidSignatureException: wrong key");
    EXPECT_EQ(error.frames().back(), "getting the credentials of the step");
  }
}

}  // namespace
}  // namespace freshet::registries
