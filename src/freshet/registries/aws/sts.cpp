// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/sts.hpp"

#include "freshet/base/error.hpp"
#include "freshet/net/url.hpp"
#include "freshet/registries/aws/xml_text.hpp"

#include <fmt/format.h>

#include <charconv>

namespace freshet::registries::aws {
namespace {

constexpr auto k_margin = std::chrono::minutes(5);

std::string form_of(std::string_view action, const Role& role) {
  return fmt::format(
      "Action={}&Version=2011-06-15&RoleArn={}&RoleSessionName={}&DurationSeconds={}",
      action,
      net::url_encode(role.arn),
      net::url_encode(role.session_name),
      role.duration.count());
}

Keys read_keys(const std::string& xml) {
  const auto id = find_xml_text(xml, {"Credentials", "AccessKeyId"});
  const auto key = find_xml_text(xml, {"Credentials", "SecretAccessKey"});
  const auto token = find_xml_text(xml, {"Credentials", "SessionToken"});
  const auto expiration = find_xml_text(xml, {"Credentials", "Expiration"});
  const auto expires_at = expiration ? parse_utc(*expiration) : std::nullopt;
  if (!id || !key || !token || !expires_at) {
    throw Error(
        ErrorCode::corrupt_data, "the answer of the AWS service 'sts' holds no credentials");
  }
  return {*id, Secret(*key), Secret(*token), expires_at};
}

/// Reads exactly `digits` digits off the front; -1 when they are not there.
int take_number(std::string_view& text, std::size_t digits) {
  int value = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + std::min(digits, text.size()), value);
  const bool is_whole =
      failure == std::errc() && end == text.data() + digits && text.front() != '-';
  if (text.size() < digits || !is_whole) {
    return -1;
  }
  text.remove_prefix(digits);
  return value;
}

bool take_char(std::string_view& text, char wanted) {
  const bool is_there = text.starts_with(wanted);
  text.remove_prefix(is_there ? 1 : 0);
  return is_there;
}

}  // namespace

std::optional<UnixTime> parse_utc(std::string_view text) {
  const int year = take_number(text, 4);
  const bool dash1 = take_char(text, '-');
  const int month = take_number(text, 2);
  const bool dash2 = take_char(text, '-');
  const int day = take_number(text, 2);
  const bool t = take_char(text, 'T');
  const int hour = take_number(text, 2);
  const bool colon1 = take_char(text, ':');
  const int minute = take_number(text, 2);
  const bool colon2 = take_char(text, ':');
  const int second = take_number(text, 2);
  if (take_char(text, '.')) {
    text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  }
  const std::chrono::year_month_day date{
      std::chrono::year(year),
      std::chrono::month(static_cast<unsigned>(std::max(month, 0))),
      std::chrono::day(static_cast<unsigned>(std::max(day, 0)))};
  const bool is_time =
      hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60;
  if (!dash1 || !dash2 || !t || !colon1 || !colon2 || text != "Z" || year < 0 || !date.ok() ||
      !is_time) {
    return std::nullopt;
  }
  return UnixTime(
      std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
      std::chrono::seconds(second));
}

Awaitable<Keys> assume_role(
    Ctx ctx, Access access, std::string region, std::shared_ptr<KeySource> keys, Role role) {
  const Service service = sts_service(access.endpoints, region);
  const std::string xml = co_await in_context(
      fmt::format("taking the role '{}'", role.arn),
      call_query(ctx, std::move(access), service, std::move(keys), form_of("AssumeRole", role)));
  co_return read_keys(xml);
}

Awaitable<Keys> assume_role_with_web_identity(
    Ctx ctx, Access access, std::string region, Secret token, Role role) {
  const Service service = sts_service(access.endpoints, region);
  std::string form = form_of("AssumeRoleWithWebIdentity", role);
  form += "&WebIdentityToken=" + net::url_encode(token.reveal());
  const std::string xml = co_await in_context(
      fmt::format("taking the role '{}' with the web identity token", role.arn),
      call_query(ctx, std::move(access), service, nullptr, std::move(form)));
  co_return read_keys(xml);
}

AssumedRole::AssumedRole(
    Access access, std::string region, std::shared_ptr<KeySource> keys, Role role)
    : access_(std::move(access)),
      region_(std::move(region)),
      keys_(std::move(keys)),
      role_(std::move(role)),
      renewed_(access_.clock, k_margin) {}

Awaitable<Renewed<Keys>::Dated> AssumedRole::fetch(Ctx ctx) {
  Keys keys = co_await assume_role(ctx, access_, region_, keys_, role_);
  Renewed<Keys>::Dated dated;
  dated.expires_at = keys.expires_at;
  dated.value = std::move(keys);
  co_return dated;
}

Awaitable<Keys> AssumedRole::get(Ctx ctx) {
  Renewed<Keys>::Fetch fetch = [this](Ctx limited) { return this->fetch(limited); };
  co_return co_await renewed_.get(ctx, std::move(fetch));
}

bool AssumedRole::discard() {
  const bool has_others = keys_->discard();
  return renewed_.discard() || has_others;
}

}  // namespace freshet::registries::aws
