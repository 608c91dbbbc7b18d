// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/endpoint.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/ids.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace freshet::engine {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

EndpointSources sources(std::optional<std::string> option, Variables variables) {
  EndpointSources sources;
  sources.option = std::move(option);
  sources.environment = [variables = std::move(variables)](std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return sources;
}

std::string failure(const EndpointSources& from) {
  try {
    find_endpoint(from);
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.message() +
           (error.hint().empty() ? "" : " | " + error.hint());
  }
  return "no failure";
}

/// A docker settings directory with the contexts `build` (TLS) and `lab` (plain TCP).
class Settings {
 public:
  Settings() : directory(fs::temp_directory_path() / ("docker-settings-" + make_id())) {
    write("config.json", R"({"currentContext":"build"})");
    add("build", R"({"Name":"build","Endpoints":{"docker":{"Host":"tcp://builder.example"}}})");
    add("lab", R"({"Name":"lab","Endpoints":{"docker":{"Host":"tcp://10.0.0.7:2375"}}})");
    for (const std::string_view file : {"ca.pem", "cert.pem", "key.pem"}) {
      write(fs::path("contexts/tls") / id_of("build") / "docker" / file, "PEM");
    }
  }
  ~Settings() { remove_tree(directory); }

  /// As `printf %s NAME | sha256sum` tells.
  static std::string id_of(std::string_view name) {
    return name == "build" ? "44575cf5b28512d75644bf54a517dcef304ff809fd511747621b4d64f19aac66"
                           : "a51146d38077ff992eba84cf1d5e9b249073503eb74868699016153b031a38f7";
  }

  void add(std::string_view name, const std::string& meta) {
    write(fs::path("contexts/meta") / id_of(name) / "meta.json", meta);
  }

  void write(const fs::path& file, const std::string& text) {
    fs::create_directories((directory / file).parent_path());
    std::ofstream(directory / file) << text;
  }

  Variables variables(Variables more = {}) const {
    more["DOCKER_CONFIG"] = directory.string();
    return more;
  }

  fs::path directory;
};

TEST(Endpoint, the_first_source_that_says_something_wins) {
  const Settings settings;
  const Variables all =
      settings.variables({{"DOCKER_HOST", "tcp://host:1"}, {"DOCKER_CONTEXT", "lab"}});
  Variables no_host = all;
  no_host["DOCKER_HOST"] = "";  // empty is unset
  Variables no_context = no_host;
  no_context.erase("DOCKER_CONTEXT");
  Variables home_only{{"HOME", "/nowhere"}};

  EXPECT_EQ(find_endpoint(sources("unix:///a.sock", all)).to_string(), "unix:///a.sock");
  EXPECT_EQ(find_endpoint(sources(std::nullopt, all)).to_string(), "tcp://host:1");
  EXPECT_EQ(find_endpoint(sources(std::nullopt, no_host)).to_string(), "tcp://10.0.0.7:2375");
  EXPECT_EQ(
      find_endpoint(sources(std::nullopt, no_context)).to_string(), "tcp://builder.example:2376");
  EXPECT_EQ(
      find_endpoint(sources(std::nullopt, home_only)).to_string(), "unix:///var/run/docker.sock");
  EXPECT_EQ(find_endpoint(sources(std::nullopt, {})).to_string(), "unix:///var/run/docker.sock");
}

TEST(Endpoint, understands_every_form_of_an_address) {
  struct Case {
    std::string address;
    std::string expected;
    Endpoint::Kind kind;
  };
  const std::vector<Case> cases{
      {"unix:///run/docker.sock", "unix:///run/docker.sock", Endpoint::Kind::unix_socket},
      {"/run/docker.sock", "unix:///run/docker.sock", Endpoint::Kind::unix_socket},
      {"tcp://engine", "tcp://engine:2375", Endpoint::Kind::tcp},
      {"tcp://engine:99/", "tcp://engine:99", Endpoint::Kind::tcp},
      {"engine:99", "tcp://engine:99", Endpoint::Kind::tcp},
      {"http://engine:99", "tcp://engine:99", Endpoint::Kind::tcp},
      {"https://engine", "tcp://engine:2376", Endpoint::Kind::tls},
      {"TCP://[::1]:99", "tcp://[::1]:99", Endpoint::Kind::tcp},
      {"tcp://[::1]", "tcp://[::1]:2375", Endpoint::Kind::tcp},
  };
  for (const Case& c : cases) {
    const Endpoint endpoint = find_endpoint(sources(c.address, {}));
    EXPECT_EQ(endpoint.to_string(), c.expected) << c.address;
    EXPECT_EQ(endpoint.kind, c.kind) << c.address;
  }
}

TEST(Endpoint, says_what_is_wrong_with_an_address) {
  const std::string use = " | use unix:///path/of/docker.sock or tcp://host:port";
  const std::string is_none = "invalid_input: --engine is not the address of a Docker engine: ";
  EXPECT_EQ(failure(sources("prod", {})), is_none + "'prod'" + use);
  EXPECT_EQ(failure(sources("tcp://", {})), is_none + "'tcp://'" + use);
  EXPECT_EQ(failure(sources("tcp://a:0", {})), is_none + "'tcp://a:0'" + use);
  EXPECT_EQ(failure(sources("tcp://a:70000", {})), is_none + "'tcp://a:70000'" + use);
  EXPECT_EQ(failure(sources("tcp://user@a:1", {})), is_none + "'tcp://user@a:1'" + use);
  EXPECT_EQ(failure(sources("tcp://[::1", {})), is_none + "'tcp://[::1'" + use);
  EXPECT_EQ(failure(sources("ftp://a", {})), is_none + "'ftp://a'" + use);
  EXPECT_EQ(failure(sources("unix://", {})), is_none + "'unix://'" + use);
  EXPECT_EQ(
      failure(sources(std::nullopt, {{"DOCKER_HOST", "npipe:////./pipe/docker_engine"}})),
      "unsupported: DOCKER_HOST names an engine by 'npipe://', which is not supported" + use);
  EXPECT_EQ(
      failure(sources("ssh://me@host", {})),
      "unsupported: --engine names an engine by 'ssh://', which is not supported | forward the "
      "socket: "
      "'ssh -L /tmp/docker.sock:/var/run/docker.sock HOST', then use unix:///tmp/docker.sock");
  const std::string long_path = "/" + std::string(120, 'x');
  EXPECT_EQ(
      failure(sources(long_path, {})),
      "invalid_input: the path of the Docker socket is 121 characters, the limit is 107: '" +
          long_path +
          "' | put the socket, or a symbolic link to it, into a directory with a shorter path");
}

TEST(Endpoint, verifies_tls_with_the_files_of_the_certificate_directory) {
  const Settings settings;
  const fs::path tls = settings.directory / "contexts/tls" / Settings::id_of("build") / "docker";
  const Variables variables{
      {"DOCKER_HOST", "tcp://engine"},
      {"DOCKER_TLS_VERIFY", "1"},
      {"DOCKER_CERT_PATH", tls.string()}};

  const Endpoint endpoint = find_endpoint(sources(std::nullopt, variables));

  EXPECT_EQ(endpoint.kind, Endpoint::Kind::tls);
  EXPECT_EQ(endpoint.port, "2376");
  EXPECT_EQ(endpoint.ca_file, tls / "ca.pem");
  EXPECT_EQ(endpoint.certificate_file, tls / "cert.pem");
  EXPECT_EQ(endpoint.key_file, tls / "key.pem");
  EXPECT_FALSE(endpoint.skip_verify);
}

TEST(Endpoint, takes_tls_files_and_skipped_verification_from_a_context) {
  Settings settings;
  const Endpoint build = find_endpoint(sources("context:build", settings.variables()));
  EXPECT_EQ(build.kind, Endpoint::Kind::tls);
  EXPECT_EQ(
      build.ca_file,
      settings.directory / "contexts/tls" / Settings::id_of("build") / "docker/ca.pem");

  settings.add(
      "lab",
      R"({"Name":"lab","Endpoints":{"docker":{"Host":"tcp://10.0.0.7","SkipTLSVerify":true}}})");
  const Endpoint lab = find_endpoint(sources("context:lab", settings.variables()));
  EXPECT_EQ(lab.kind, Endpoint::Kind::tls);
  EXPECT_TRUE(lab.skip_verify);
  EXPECT_EQ(lab.ca_file, fs::path());
}

TEST(Endpoint, the_default_context_is_the_environment_or_the_default_socket) {
  const Settings settings;
  EXPECT_EQ(
      find_endpoint(sources("context:default", settings.variables())).to_string(),
      "unix:///var/run/docker.sock");
  EXPECT_EQ(
      find_endpoint(sources("context:default", settings.variables({{"DOCKER_HOST", "tcp://h:1"}})))
          .to_string(),
      "tcp://h:1");
}

TEST(Endpoint, an_unknown_context_is_told_with_the_nearest_known_one) {
  const Settings settings;
  EXPECT_EQ(
      failure(sources("context:biuld", settings.variables())),
      "invalid_input: the docker command has no context 'biuld' | did you mean 'build'? "
      "'docker context ls' lists them all");
  EXPECT_EQ(
      failure(sources("context:build", {})),
      "invalid_input: the docker context 'build' cannot be looked up: HOME is not set");
}

TEST(Endpoint, broken_settings_are_told_with_their_file) {
  Settings settings;
  settings.write("config.json", "{");
  EXPECT_EQ(
      failure(sources(std::nullopt, settings.variables())),
      "invalid_input: '" + (settings.directory / "config.json").string() +
          "' is not a JSON object: incomplete JSON");
  settings.add("lab", R"({"Name":"lab","Endpoints":{}})");
  EXPECT_EQ(
      failure(sources("context:lab", settings.variables())),
      "invalid_input: the docker context 'lab' names no Docker engine");
}

TEST(Endpoint, files_are_shared_with_an_engine_on_this_machine_only) {
  const auto shares = [](const std::string& address) {
    return find_endpoint(sources(address, {})).shares_files();
  };
  EXPECT_TRUE(shares("/run/docker.sock"));
  EXPECT_TRUE(shares("tcp://127.0.0.2:1"));
  EXPECT_TRUE(shares("tcp://[::1]:1"));
  EXPECT_TRUE(shares("tcp://LocalHost:1"));
  EXPECT_FALSE(shares("tcp://10.0.0.1:1"));
  EXPECT_FALSE(shares("tcp://127.evil.example:1"));
}

}  // namespace
}  // namespace freshet::engine
