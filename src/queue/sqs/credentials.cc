// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/credentials.h"

#include <algorithm>

#include <boost/json/value.hpp>

#include "base/bytes.h"
#include "http/json.h"
#include "net/endpoint.h"
#include "queue/sqs/instants.h"

namespace todoku::queue::sqs {
namespace {

std::string member_text(const boost::json::object& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->value().is_string()) return {};
  const boost::json::string& text = found->value().get_string();
  return {text.data(), text.size()};
}

// What goes into header fields: without spaces and controls.
bool is_token(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
}

// The host of an http URL; empty if it is no such URL.
std::string_view plain_host(std::string_view url) {
  constexpr std::string_view kHttp = "http://";
  if (!url.starts_with(kHttp)) return {};
  url.remove_prefix(kHttp.size());
  url = url.substr(0, url.find_first_of("/?#"));
  if (url.contains('@')) return {};
  if (url.starts_with('[')) return url.substr(0, std::min(url.find(']'), url.size() - 1) + 1);
  return url.substr(0, url.find(':'));
}

}  // namespace

Result<Credentials> read_credentials(std::string_view answer) {
  http::JsonArena arena;
  const auto parsed = http::parse_json(answer, arena);
  if (!parsed || !parsed->is_object()) {
    return fail(ErrorKind::corrupt, "the answer with the credentials is no JSON object");
  }
  const boost::json::object& object = parsed->get_object();
  Credentials credentials{.access_key_id = member_text(object, "AccessKeyId"),
                          .secret_access_key = member_text(object, "SecretAccessKey"),
                          .session_token = member_text(object, "Token")};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() ||
      !is_token(credentials.access_key_id) || !is_token(credentials.secret_access_key) ||
      !is_token(credentials.session_token)) {
    return fail(ErrorKind::corrupt,
                "the answer with the credentials lacks a key, or has a bad one");
  }
  credentials.expires = read_timestamp(member_text(object, "Expiration"));
  if (!credentials.expires) {
    return fail(ErrorKind::corrupt, "the answer with the credentials has no sound Expiration");
  }
  return credentials;
}

bool may_ask(std::string_view url) {
  if (url.starts_with("https://")) return true;
  const std::string_view host = plain_host(url);
  if (host == "localhost" || host == "169.254.170.2" || host == "169.254.170.23" ||
      host == "[fd00:ec2::23]") {
    return true;
  }
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  const auto address = net::IpAddress::parse(in_brackets ? host.substr(1, host.size() - 2) : host);
  return address && address->is_loopback();
}

std::string_view read_role(std::string_view answer) {
  const std::string_view first = trim(answer.substr(0, answer.find('\n')));
  // "Names are made of alphanumerics and +=,.@-_" (IAM, "IAM identifiers").
  const bool sound = first.size() <= 128 && std::ranges::all_of(first, [](char c) {
                       return is_ascii_alphanumeric(c) || std::string_view("+=,.@-_").contains(c);
                     });
  return sound ? first : std::string_view();
}

}  // namespace todoku::queue::sqs
