// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/files.hpp"
#include "freshet/base/text.hpp"
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/registries/aws/ambient.hpp"
#include "freshet/registries/aws/ecr.hpp"
#include "freshet/registries/aws/sts.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

extern char** environ;

namespace freshet::registries::aws {
namespace {

using namespace std::chrono_literals;

/// The program `moto_server`, an imitation of AWS, on a port that the system chose.
class MotoServer {
 public:
  static std::string program() { return process_environment("FRESHET_MOTO_SERVER").value_or(""); }

  MotoServer() {
    int ends[2];
    FRESHET_ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
    output_ = UniqueFd(ends[0]);
    const UniqueFd writing(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, writing.get(), STDERR_FILENO);
    std::string path = program();
    std::string port_option = "-p";
    std::string any_port = "0";
    char* arguments[] = {path.data(), port_option.data(), any_port.data(), nullptr};
    ::posix_spawn(&process_, path.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    origin_ = read_origin();
    reader_ = std::thread([fd = output_.get()] {
      char buffer[4096];
      while (::read(fd, buffer, sizeof buffer) > 0) {
      }
    });
  }
  ~MotoServer() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    reader_.join();
  }
  MotoServer(const MotoServer&) = delete;
  MotoServer& operator=(const MotoServer&) = delete;

  const std::string& origin() const { return origin_; }

 private:
  /// Out of `Running on http://127.0.0.1:5000`.
  std::string read_origin() const {
    std::string text;
    char c = 0;
    while (::read(output_.get(), &c, 1) == 1) {
      text += c;
      const std::size_t start = text.find("http://127.0.0.1:");
      const std::size_t end = text.find_first_of(" \n\x1b", start);
      if (start != std::string::npos && end != std::string::npos) {
        return text.substr(start, end - start);
      }
    }
    return {};
  }

  UniqueFd output_;
  pid_t process_ = -1;
  std::string origin_;
  std::thread reader_;
};

class MotoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (MotoServer::program().empty()) {
      GTEST_SKIP() << "name moto's server in FRESHET_MOTO_SERVER: pip install 'moto[server]'";
    }
    server_ = std::make_unique<MotoServer>();
    ASSERT_FALSE(server_->origin().empty());
    access_.http = &http_;
    access_.endpoints.ecr = server_->origin();
    access_.endpoints.sts = server_->origin();
    access_.endpoints.instance_metadata = server_->origin();
    Keys keys;
    keys.access_key_id = "AKIDEXAMPLE";
    keys.secret_access_key = Secret("secret");
    keys_ = std::make_shared<FixedKeys>(keys);
  }
  template <class T>
  T run(Awaitable<T> operation) {
    return net::testing::run_on(io_, std::move(operation));
  }
  bool create(const std::string& name) {
    const model::RepositoryTemplate wanted{.scans_on_push = true, .has_immutable_tags = true};
    return run(create_repository(ctx_, access_, keys_, place(name), wanted));
  }
  static RepositoryPlace place(const std::string& name) {
    return {"eu-west-1", "123456789012", name};
  }

  asio::io_context io_;
  net::CurlHttpClient http_{io_.get_executor()};
  std::unique_ptr<MotoServer> server_;
  Access access_;
  std::shared_ptr<KeySource> keys_;
  Ctx ctx_ = Ctx{}.within(30s);
};

TEST_F(MotoTest, gives_out_a_login_of_ecr) {
  const RegistryToken token = run(get_authorization_token(ctx_, access_, "eu-west-1", keys_));
  EXPECT_EQ(token.login.username, "AWS");
  EXPECT_FALSE(token.login.password.is_empty());
  EXPECT_EQ(token.domain, "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
  EXPECT_TRUE(token.expires_at.has_value());
}

TEST_F(MotoTest, creates_a_repository_and_finds_it_there) {
  EXPECT_TRUE(create("team/app"));
  EXPECT_FALSE(create("team/app"));
  const std::string policy =
      R"({"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":)"
      R"("imageCountMoreThan","countNumber":9},"action":{"type":"expire"}}]})";
  net::testing::run_on(io_, put_lifecycle_policy(ctx_, access_, keys_, place("team/app"), policy));
  EXPECT_THROW(create("Team App"), Error);
}

TEST_F(MotoTest, lets_roles_be_taken_with_keys_and_with_a_web_identity) {
  Role role;
  role.arn = "arn:aws:iam::123456789012:role/push";
  const Keys taken = run(assume_role(ctx_, access_, "eu-west-1", keys_, role));
  EXPECT_TRUE(taken.access_key_id.starts_with("ASIA"));
  EXPECT_FALSE(taken.session_token.is_empty());
  EXPECT_GT(taken.expires_at, now() + 50min);
  const Keys pod =
      run(assume_role_with_web_identity(ctx_, access_, "eu-west-1", Secret("jwt"), role));
  EXPECT_FALSE(pod.secret_access_key.is_empty());
  auto source = std::make_shared<AssumedRole>(access_, "eu-west-1", keys_, role);
  EXPECT_EQ(run(get_authorization_token(ctx_, access_, "eu-west-1", source)).login.username, "AWS");
}

TEST_F(MotoTest, has_the_metadata_of_an_instance) {
  Environment nothing = [](std::string_view) { return std::optional<std::string>(); };
  AmbientKeys ambient(access_, http_, "eu-west-1", nothing);
  EXPECT_FALSE(run(ambient.get(ctx_)).access_key_id.empty());
}

}  // namespace
}  // namespace freshet::registries::aws
