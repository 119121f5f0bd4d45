// SPDX-License-Identifier: Apache-2.0
#include "app/alarming.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "alarms/letter.h"
#include "alarms/smarthost.h"
#include "app/module_options.h"
#include "app/password_file.h"
#include "async/run_blocking.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "config/smarthost_url.h"
#include "http/client.h"

namespace todoku::app {
namespace {

using config::Config;

constexpr std::size_t kMessageIdOctets = 12;

Result<std::string> password_of(const Config::Alarms& given) {
  if (given.via_user.empty()) return std::string();
  if (!given.via_password_file.empty()) {
    return read_password_file(given.via_password_file, "alarms.via_password_file");
  }
  const config::Environment environment = config::process_environment();
  const auto found = environment.find(given.via_password_variable);
  if (found != environment.end()) {
    return as_password(found->second, "the variable " + given.via_password_variable);
  }
  return fail(ErrorKind::unavailable,
              fmt::format("there is no variable {}, which alarms.via_password_variable names",
                          given.via_password_variable));
}

alarms::SmarthostTls tls_of(const std::string& word) {
  if (word == "none") return alarms::SmarthostTls::none;
  return word == "verified" ? alarms::SmarthostTls::verified : alarms::SmarthostTls::unverified;
}

alarms::Way by_mail(const Config& config, const Clock& clock, std::string host) {
  const auto tell = [given = config.alarms, ca_file = config.smtp_out.tls_ca_file, &clock,
                     host = std::move(host)](
                        const alarms::Report& report,
                        const std::atomic<bool>& stopped) -> Result<std::vector<std::string>> {
    auto password = password_of(given);
    if (!password) return fail(std::move(password.error()));
    const auto url = config::parse_smarthost_url(given.via);
    if (!url) return fail(url.error());
    const std::string id = fmt::format("{}@{}", to_hex(random_octets(kMessageIdOctets)), host);
    const auto refused = alarms::hand_to_smarthost(
        {.host = url->host,
         .port = url->port,
         .tls = tls_of(given.via_tls),
         .ca_file = ca_file,
         .hello_name = host,
         .user = given.via_user,
         .password = std::move(*password)},
        {.from = given.mail_from,
         .to = given.mail_to,
         .message = alarms::alarm_mail(
             report, {.host = host, .from = given.mail_from, .to = given.mail_to, .message_id = id},
             clock.now())},
        stopped);
    if (!refused) return fail(refused.error());
    std::vector<std::string> missed;
    for (const alarms::RefusedRecipient& each : *refused) missed.push_back(to_string(each));
    return missed;
  };
  return {.name = "mail", .tell = tell};
}

// One call at a time, on a thread that may wait for it.
alarms::Way by_call(const Config& config, async::Runtime& runtime, std::string host) {
  const auto client = std::make_shared<http::Client>();
  const auto tell = [client, url = config.alarms.webhook_url, host = std::move(host), &runtime](
                        const alarms::Report& report,
                        const std::atomic<bool>& stopped) -> Result<std::vector<std::string>> {
    http::ClientRequest request;
    request.method = "POST";
    request.url = url;
    request.headers.add("Content-Type", "application/json");
    request.body = alarms::alarm_json(report, host);
    request.goes_on = [&stopped] { return !stopped.load(); };
    auto answer = async::run_blocking(runtime.executor(0), client->fetch(std::move(request)));
    // Its URL may be a secret, and its detail names it.
    if (!answer) {
      return fail(answer.error().kind, fmt::format("the call of alarms.webhook_url failed: {}",
                                                   to_string(answer.error().kind)));
    }
    if (answer->status >= 200 && answer->status < 300) return std::vector<std::string>();
    return fail(ErrorKind::io, fmt::format("alarms.webhook_url answers {}", answer->status));
  };
  return {.name = "webhook", .tell = tell};
}

}  // namespace

std::vector<alarms::Way> alarm_ways(const Config& config, const Clock& clock,
                                    async::Runtime& runtime) {
  std::vector<alarms::Way> ways;
  const std::string host = hello_name(config);
  if (!config.alarms.mail_to.empty()) ways.push_back(by_mail(config, clock, host));
  if (!config.alarms.webhook_url.empty()) ways.push_back(by_call(config, runtime, host));
  return ways;
}

std::unique_ptr<alarms::Alarmer> make_alarmer(const Config& config, const Clock& clock,
                                              Metrics& metrics, async::Runtime& runtime) {
  alarms::Alarmer::World world{.clock = clock, .metrics = metrics, .ways = {}};
  world.ways = alarm_ways(config, clock, runtime);
  if (world.ways.empty()) return nullptr;
  return std::make_unique<alarms::Alarmer>(
      std::move(world),
      alarms::AlarmerOptions{
          .digest = {.gather = std::chrono::seconds(config.alarms.gather_seconds),
                     .every = std::chrono::minutes(config.alarms.minutes_between)},
          .warnings = config.alarms.warnings},
      runtime.executor(0));
}

}  // namespace todoku::app
