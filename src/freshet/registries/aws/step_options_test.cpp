// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/step_options.hpp"

#include "freshet/base/error.hpp"
#include "freshet/registries/aws/names.hpp"

#include <gtest/gtest.h>

namespace freshet::registries::aws {
namespace {

model::RegistryIntegration ecr() {
  model::RegistryIntegration out;
  out.name = "aws";
  out.provider = model::Provider::ecr;
  out.domain = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
  out.region = "eu-west-1";
  return out;
}

std::string problems_of(const WrittenStepOptions& written) {
  std::string out;
  for (const StepOptionProblem& problem : check_step_options(written, ecr())) {
    out += problem.message + "\n";
  }
  return out;
}

TEST(StepOptions, are_taken_as_they_are_when_right) {
  WrittenStepOptions written;
  EXPECT_EQ(to_step_options(written, ecr()), StepOptions());
  EXPECT_EQ(StepOptions().session_name, "default-session-name");
  EXPECT_EQ(StepOptions().duration, std::chrono::seconds(3600));
  written.region = "eu-south-1";
  written.role_arn = "arn:aws:iam::123456789012:role/deep/push";
  written.session_name = "build-7";
  written.duration_seconds = 900;
  const StepOptions options = to_step_options(written, ecr());
  EXPECT_EQ(options.region, "eu-south-1");
  EXPECT_EQ(options.role_arn, "arn:aws:iam::123456789012:role/deep/push");
  EXPECT_EQ(options.session_name, "build-7");
  EXPECT_EQ(options.duration, std::chrono::seconds(900));
  EXPECT_EQ(domain_for(ecr(), options), "123456789012.dkr.ecr.eu-south-1.amazonaws.com");
  EXPECT_EQ(domain_for(ecr(), StepOptions()), ecr().domain);
}

TEST(StepOptions, are_told_with_everything_that_is_wrong) {
  WrittenStepOptions written;
  written.region = "mars-1";
  written.session_name = "a b";
  written.duration_seconds = 4000;
  EXPECT_EQ(
      problems_of(written),
      "'mars-1' is not a region of AWS\n"
      "'a b' is not a session name of AWS\n"
      "'aws_duration_seconds' says how long a role is taken, and there is no 'role_arn'\n"
      "'aws_duration_seconds' is 4000, it has to be 900 to 3600\n");
  EXPECT_THROW(to_step_options(written, ecr()), Error);
}

TEST(StepOptions, may_hold_variables) {
  WrittenStepOptions written;
  written.region = "${{REGION}}";
  written.role_arn = "${{ROLE}}";
  written.session_name = "${{NAME}}";
  EXPECT_EQ(problems_of(written), "");
}

TEST(StepOptions, take_only_the_arn_of_a_role) {
  for (const char* arn :
       {"arn:aws:iam::12345678901:role/x",
        "arn:aws:iam::1234567890123:role/x",
        "arn:aws:iam::12345678901x:role/x",
        "arn:aws:iam::123456789012:user/x",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:sts::123456789012:role/x",
        "arn:aws:iam:123456789012",
        "role/x",
        ""}) {
    WrittenStepOptions written;
    written.role_arn = arn;
    EXPECT_EQ(problems_of(written), fmt::format("'{}' is not the ARN of a role\n", arn));
  }
}

TEST(StepOptions, of_a_region_are_for_ecr_only) {
  model::RegistryIntegration other;
  other.name = "quay";
  WrittenStepOptions written;
  written.region = "${{REGION}}";
  const auto problems = check_step_options(written, other);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].message, "'region' is for registries of Amazon ECR, 'quay' is none");
}

TEST(EcrDomain, is_read_and_made) {
  const auto domain = parse_ecr_domain("123456789012.dkr.ecr.us-gov-west-1.amazonaws.com");
  ASSERT_TRUE(domain);
  EXPECT_EQ(domain->account, "123456789012");
  EXPECT_EQ(domain->region, "us-gov-west-1");
  EXPECT_TRUE(parse_ecr_domain("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"));
  EXPECT_TRUE(parse_ecr_domain("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"));
  for (const char* text :
       {"123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.cn",
        "12345678901.dkr.ecr.us-east-1.amazonaws.com",
        "public.ecr.aws",
        ""}) {
    EXPECT_FALSE(parse_ecr_domain(text)) << text;
  }
  EXPECT_EQ(make_ecr_domain("1", "cn-north-1"), "1.dkr.ecr.cn-north-1.amazonaws.com.cn");
}

}  // namespace
}  // namespace freshet::registries::aws
