// SPDX-License-Identifier: Apache-2.0
#include "feedback/parse/reporter_words.h"

#include <array>
#include <string>
#include <utility>

#include "feedback/classify/words.h"

namespace todoku::feedback::parse {
namespace {

constexpr std::string_view kExpired =
    "message expired|queue.expired|delivery time expired|envelope expired|retry timeout exceeded|"
    "retry time not reached for any host after a long failure period|"
    "giving up after multiple retries|after multiple retries|message timed out|"
    "could not be delivered for the last|could not deliver for the last|delivery expired|"
    "message still undelivered|has been in the queue too long|in queue too long|"
    "undelivered after|all hosts have been failing for a long time|"
    "delivery failed 20 attempts|could not be delivered for|retries have been exhausted|delivery "
    "has been delayed";

constexpr auto kRules = std::to_array<std::pair<Cause, std::string_view>>({
    {Cause::null_mx,
     "null mx|does not accept mail (nullmx)|domain does not accept mail|"
     "indicated no smtp service"},
    {Cause::no_such_domain,
     "host unknown|unknown host|host not found|domain not found|domain does not exist|"
     "no such domain|domain is not reachable|name or service not known|"
     "couldn't find any host named|couldn't find a mail exchanger|unrouteable mail domain|"
     "unroutable mail domain|no mx record found|no mx found|host or domain name not found|"
     "can't connect to unknown host|nxdomain|invalid domain|unrouteable address|"
     "no valid hosts for|mx records point to non-existent hosts|find a valid mx|"

     "domain name could not be found|domain could not be found"},
    {Cause::dns_failed,
     "name service error|dns failure|dns lookup failed|name server*|dns error|"
     "lookup did not complete|mx lookup|malformed or unexpected name server reply"},
    {Cause::loop, "too many hops|mail loop*|loops back to|routing loop|hop count"},
    {Cause::tls_failed,
     "does not support tls|tls handshake|tls negotiation|starttls*|"
     "certificate verification failed|server certificate not trusted"},
    {Cause::unreachable,
     "connection refused|no route to host|network is unreachable|host is down|unable to connect|"
     "could not connect|couldn't connect|did not accept our requests to connect|"
     "host not reachable|not reachable|unable to contact|establish an smtp connection|"
     "being unable to connect|network error on destination|connect to|operation timed "
     "out|connection timed out|timed out"},
    {Cause::connection_lost,
     "connection reset|lost connection|connection closed|"
     "connection was closed|connection dropped|broken pipe"},
});

std::optional<Cause> cause_of_status(std::string_view status) {
  if (status.size() < 5) return std::nullopt;
  constexpr auto kStatuses = std::to_array<std::pair<std::string_view, Cause>>({
      {"1.2", Cause::no_such_domain},
      {"1.10", Cause::null_mx},
      {"4.1", Cause::unreachable},
      {"4.2", Cause::connection_lost},
      {"4.3", Cause::dns_failed},
      {"4.4", Cause::dns_failed},
      {"4.6", Cause::loop},
      {"4.7", Cause::out_of_time},
  });
  for (const auto& [detail, cause] : kStatuses) {
    if (status.substr(2) == detail) return cause;
  }
  return std::nullopt;
}

}  // namespace

bool says_for_now(std::string_view text) {
  return classify::has_phrase(classify::readable(text),
                              "try again|try later|temporar*|retry|一時的*");
}

bool says_expired(std::string_view text) {
  return classify::has_phrase(classify::readable(text), kExpired);
}

std::optional<Cause> cause_of_reporter(std::string_view text, std::string_view status) {
  const std::string words = classify::readable(text);
  for (const auto& [cause, phrases] : kRules) {
    if (classify::has_phrase(words, phrases)) return cause;
  }
  if (classify::has_phrase(words, kExpired)) return Cause::out_of_time;
  return cause_of_status(status);
}

}  // namespace todoku::feedback::parse
