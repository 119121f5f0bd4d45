// SPDX-License-Identifier: Apache-2.0
#include "config/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "config/proxy_url.h"
#include "config/smarthost_url.h"
#include "mail/address.h"
#include "net/endpoint.h"
#include "net/network.h"
#include "net/outbound_rule.h"

namespace todoku::config {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", octet);
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <class Range, class T>
bool contains(const Range& range, const T& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

std::string number_text(double number) {
  return number == std::floor(number) && std::abs(number) < 1e15
             ? fmt::format("{}", static_cast<std::int64_t>(number))
             : fmt::format("{}", number);
}

template <class T>
std::string list_toml(const std::vector<T>& items) {
  std::string out = "[";
  for (const T& item : items) {
    if (out.size() > 1) out += ", ";
    out += to_toml(ConfigValue(item));
  }
  return out + "]";
}

std::string_view form_text(TextForm form) {
  switch (form) {
    case TextForm::plain:
      return "a text";
    case TextForm::path:
      return "a path";
    case TextForm::endpoint:
      return "an IP address and a port, such as 127.0.0.1:8025 or [::1]:8025";
    case TextForm::resolver:
      return "an IP address, with or without a port";
    case TextForm::ip_address:
      return "an IP address";
    case TextForm::network:
      return "a network such as 192.0.2.0/24 or 2001:db8::/32, or an IP address";
    case TextForm::permit:
      return "a network and a port, such as 10.1.0.0/16:443, [fd00:1::/64]:443 or *:8443";
    case TextForm::domain:
      return "a host name";
    case TextForm::host:
      return "a host name without underscores";
    case TextForm::zone:
      return "a domain name or .";
    case TextForm::url:
      return "a URL that begins with http:// or https://";
    case TextForm::proxy:
      return "socks5:// or haproxy:// and an IP address with a port, such as "
             "socks5://192.0.2.9:1080";
    case TextForm::smarthost:
      return "smtp:// and a host, with or without a port, such as smtp://smtp.example.com:587";
    case TextForm::label:
      return "a name of letters, digits, - and _";
    case TextForm::choice:
      return "one of";
  }
  return "";
}

std::string one_text(const ConfigKey& key) {
  if (key.form != TextForm::choice) return std::string(form_text(key.form));
  return fmt::format("one of {}", fmt::join(key.choices, ", "));
}

std::string range_text(const ConfigKey& key) {
  return fmt::format("from {} to {}", number_text(key.minimum), number_text(key.maximum));
}

bool is_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) {
      return text.size() > scheme.size() &&
             std::ranges::none_of(text, [](char c) { return c <= ' ' || c == 0x7F; });
    }
  }
  return false;
}

bool is_label(std::string_view text) {
  return text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           const char lower = ascii_lower(c);
           return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

bool has_form(const ConfigKey& key, std::string_view text) {
  switch (key.form) {
    case TextForm::plain:
      return true;
    case TextForm::path:
      return text.find('\0') == std::string_view::npos;
    case TextForm::endpoint:
      return net::Endpoint::parse(text).has_value();
    case TextForm::resolver:
      return net::Endpoint::parse(text, 53).has_value();
    case TextForm::ip_address:
      return net::IpAddress::parse(text).has_value();
    case TextForm::network:
      return net::Network::parse(text).has_value();
    case TextForm::permit:
      return net::OutboundRule::Permit::parse(text).has_value();
    case TextForm::domain:
      return to_ascii_domain(text).has_value();
    case TextForm::host:
      return !text.contains('_') && to_ascii_domain(text).has_value();
    case TextForm::zone:
      return text == "." ||
             to_ascii_domain(text.ends_with('.') ? text.substr(0, text.size() - 1) : text)
                 .has_value();
    case TextForm::url:
      return is_url(text);
    case TextForm::proxy:
      return parse_proxy_url(text).has_value();
    case TextForm::smarthost:
      return parse_smarthost_url(text).has_value();
    case TextForm::label:
      return is_label(text);
    case TextForm::choice:
      return contains(key.choices, text);
  }
  return false;
}

struct ProblemFinder {
  const ConfigKey& key;

  std::string operator()(bool) const { return {}; }
  std::string operator()(std::int64_t number) const {
    return fits(number) ? "" : must_be(shown(number), one_limit());
  }
  std::string operator()(double number) const {
    return in_range(number) ? "" : must_be(fmt::format("{}", number), one_limit());
  }
  std::string operator()(const std::string& text) const {
    if (text.empty()) return key.required ? must_be("empty", one_text(key)) : "";
    return fits(text) ? "" : must_be(shown(text), one_text(key));
  }
  template <class T>
  std::string operator()(const std::vector<T>& items) const {
    if (items.empty()) return key.required ? must_be("empty", expectation(key)) : "";
    constexpr std::size_t kToldMax = 5;
    std::string wrong;
    std::size_t count = 0;
    for (const T& item : items) {
      if (fits(item) || ++count > kToldMax) continue;
      wrong += fmt::format("{}{}", count == 1 ? "" : " and ", shown(item));
    }
    if (count == 0) return {};
    if (count > kToldMax) wrong += fmt::format(" and {} more", count - kToldMax);
    return must_be(wrong, std::is_same_v<T, std::string> ? one_text(key) : one_limit());
  }

 private:
  [[nodiscard]] bool fits(std::int64_t number) const {
    return in_range(static_cast<double>(number));
  }
  [[nodiscard]] bool fits(const std::string& text) const {
    return !text.empty() && has_form(key, text);
  }
  [[nodiscard]] static std::string shown(std::int64_t number) { return fmt::format("{}", number); }
  [[nodiscard]] std::string shown(const std::string& text) const {
    return key.secret ? "wrong" : in_quotes(text);
  }
  // NaN is in no range.
  [[nodiscard]] bool in_range(double number) const {
    return number >= key.minimum && number <= key.maximum;
  }
  [[nodiscard]] std::string one_limit() const {
    return range_text(key) + (key.unit.empty() ? "" : fmt::format(" ({})", key.unit));
  }
  [[nodiscard]] std::string must_be(std::string_view is, std::string_view limit) const {
    return fmt::format("{} is {}, but must be {}", key.full_name(), is, limit);
  }
};

struct TomlWriter {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return number_text(value); }
  std::string operator()(const std::string& value) const { return in_quotes(value); }
  template <class T>
  std::string operator()(const std::vector<T>& value) const {
    return list_toml(value);
  }
};

// Who copies the data must not get the key with it.
void check_master_key(const Config& config, std::vector<ConfigProblem>& problems) {
  const auto key = std::filesystem::absolute(config.secrets.master_key_file).lexically_normal();
  const auto data = std::filesystem::absolute(config.data.directory).lexically_normal();
  const auto [end, ignored] = std::ranges::mismatch(data, key);
  if (end != data.end() && !end->empty()) return;
  problems.push_back(
      {"", fmt::format("secrets.master_key_file is {}, but must be outside data.directory, {}",
                       key.string(), data.string())});
}

void check_certificate(const Config& config, std::vector<ConfigProblem>& problems) {
  if (config.api.tls_certificate_file.empty() == config.api.tls_private_key_file.empty()) return;
  problems.push_back(
      {"", "api.tls_certificate_file and api.tls_private_key_file need one another"});
}

void check_rests(const Config& config, std::vector<ConfigProblem>& problems) {
  const Config::Delivery& delivery = config.delivery;
  if (delivery.site_rest_first_seconds <= delivery.site_rest_longest_seconds) return;
  problems.push_back(
      {"", fmt::format("delivery.site_rest_first_seconds is {}, but must not exceed "
                       "delivery.site_rest_longest_seconds, which is {}",
                       delivery.site_rest_first_seconds, delivery.site_rest_longest_seconds)});
}

void check_credit(const Config& config, std::vector<ConfigProblem>& problems) {
  const Config::Delivery& delivery = config.delivery;
  if (delivery.site_outstanding_max <= delivery.outstanding_max) return;
  problems.push_back({"", fmt::format("delivery.site_outstanding_max is {}, but must not exceed "
                                      "delivery.outstanding_max, which is {}",
                                      delivery.site_outstanding_max, delivery.outstanding_max)});
}

void check_database_address(const Config& config, std::vector<ConfigProblem>& problems) {
  if (config.store.kind != "postgres" || !config.postgres.address.empty()) return;
  problems.push_back({"",
                      "store.postgres.address is empty: store.kind is \"postgres\", so name the "
                      "database, such as postgresql://todoku@db.example.jp/todoku"});
}

void check_database_password(const Config& config, std::vector<ConfigProblem>& problems) {
  const Config::Postgres& postgres = config.postgres;
  const int sources = (postgres.password_file.empty() ? 0 : 1) +
                      (postgres.password_command.empty() ? 0 : 1) +
                      (postgres.password.empty() ? 0 : 1);
  if (sources <= 1) return;
  problems.push_back({"",
                      "store.postgres.password_file, store.postgres.password_command and "
                      "TODOKU_STORE__POSTGRES__PASSWORD each give the password: keep one of them"});
}

void check_region(const Config& config, std::vector<ConfigProblem>& problems) {
  if (config.queue.kind != "sqs" || !config.sqs.region.empty()) return;
  problems.push_back({"",
                      "queue.sqs.region is empty: queue.kind is \"sqs\", so name the region of "
                      "the queues, such as ap-northeast-1"});
}

void check_credentials(const Config& config, std::vector<ConfigProblem>& problems) {
  if (config.queue.kind != "sqs") return;
  if (config.aws.access_key_id.empty() == config.aws.secret_access_key.empty()) return;
  problems.push_back({"", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY need one another"});
}

// Names of queues have 80 characters at most ("Amazon SQS message quotas").
void check_queue_names(const Config& config, std::vector<ConfigProblem>& problems) {
  if (config.queue.kind != "sqs") return;
  constexpr std::size_t kLongest = 80;
  constexpr std::size_t kAround = std::string_view("--transactional").size();
  for (const Config::Egress& source : config.egress) {
    if (config.sqs.prefix.size() + source.name.size() + kAround <= kLongest) continue;
    problems.push_back(
        {"", fmt::format("queue.sqs.prefix {} and egress {} make a queue's name of "
                         "more than {} characters",
                         in_quotes(config.sqs.prefix), in_quotes(source.name), kLongest)});
  }
}

// "example.jp", "192.0.2.1", each with or without ":25".
void check_port_25_hosts(const Config& config, std::vector<ConfigProblem>& problems) {
  constexpr std::size_t kMost = 8;
  const auto& hosts = config.doctor.port_25_hosts;
  if (hosts.size() > kMost) {
    problems.push_back({"", fmt::format("doctor.port_25_hosts has {} hosts, but at most {} are "
                                        "tried",
                                        hosts.size(), kMost)});
  }
  for (const std::string& host : hosts) {
    if (net::Endpoint::parse(host, 25) || to_ascii_domain(host)) continue;
    problems.push_back(
        {"", fmt::format("doctor.port_25_hosts: {} is neither the name of a host nor "
                         "an address with or without a port",
                         in_quotes(host))});
  }
}

void check_blocklists(const Config& config, std::vector<ConfigProblem>& problems) {
  constexpr std::size_t kMost = 20;
  if (config.doctor_blocklists.size() > kMost) {
    problems.push_back({"", fmt::format("there are {} sections of doctor.blocklist, but at most {} "
                                        "lists are asked",
                                        config.doctor_blocklists.size(), kMost)});
  }
  std::vector<std::string_view> zones;
  for (const Config::DoctorBlocklist& list : config.doctor_blocklists) {
    if (contains(zones, list.zone)) {
      problems.push_back(
          {"", fmt::format("doctor.blocklist: {} is there twice", in_quotes(list.zone))});
    }
    zones.push_back(list.zone);
  }
}

void check_platform_zone(const Config& config, std::vector<ConfigProblem>& problems) {
  const Config::Dkim& dkim = config.dkim;
  if (dkim.platform_zone.empty()) {
    if (dkim.zone_file.empty() && dkim.hook.empty()) return;
    problems.push_back({"", "dkim.zone_file and dkim.hook write dkim.platform_zone: name it"});
    return;
  }
  if (dkim.zone_file.empty() && dkim.hook.empty()) {
    problems.push_back({"", fmt::format("nothing writes dkim.platform_zone {}: set dkim.zone_file "
                                        "or dkim.hook",
                                        in_quotes(dkim.platform_zone))});
  }
  if (!dkim.zone_file.empty() && dkim.name_servers.empty()) {
    problems.push_back({"", "a zone has name servers: dkim.zone_file needs dkim.name_servers"});
  }
  if (!dkim.hook.empty() && !dkim.hook.front().starts_with('/')) {
    problems.push_back({"", fmt::format("dkim.hook: {} is no absolute path of a program",
                                        in_quotes(dkim.hook.front()))});
  }
}

// A check and all the keys that it reads.
struct CheckTogether {
  std::vector<std::string_view> keys;
  void (*check)(const Config&, std::vector<ConfigProblem>&);
};

}  // namespace

const std::vector<ConfigSection>& config_sections() {
  static const std::vector<ConfigSection> sections = [] {
    std::vector<ConfigSection> all;
    for (auto group : {process_sections(), store_sections(), api_sections(), console_sections(),
                       delivery_sections(), dkim_sections(), doctor_sections(),
                       protection_sections(), alarm_sections(), probe_sections(), queue_sections(),
                       outbound_sections(), relay_sections(), inbound_sections()}) {
      std::ranges::move(group, std::back_inserter(all));
    }
    return all;
  }();
  return sections;
}

Config default_config() {
  Config config;
  for (const ConfigSection& section : config_sections()) {
    if (section.repeated) continue;
    for (const ConfigKey& key : section.keys) key.set(config, 0, key.fallback);
  }
  return config;
}

std::string expectation(const ConfigKey& key) {
  const std::string unit = key.unit.empty() ? "" : fmt::format(" ({})", key.unit);
  struct {
    const ConfigKey& key;
    const std::string& unit;
    std::string operator()(bool) const { return "true or false"; }
    std::string operator()(std::int64_t) const {
      return "a whole number " + range_text(key) + unit;
    }
    std::string operator()(double) const { return "a number " + range_text(key) + unit; }
    std::string operator()(const std::string&) const { return one_text(key); }
    std::string operator()(const std::vector<std::int64_t>&) const {
      return "a list of whole numbers " + range_text(key) + unit;
    }
    std::string operator()(const std::vector<std::string>&) const {
      return "a list, each item " + one_text(key);
    }
  } writer{key, unit};
  return std::visit(writer, key.fallback);
}

std::string problem_with(const ConfigKey& key, const ConfigValue& value) {
  return std::visit(ProblemFinder{key}, value);
}

void check_roles(const Config& config, std::vector<ConfigProblem>& problems) {
  constexpr std::array<std::string_view, 6> kRoles = {"api",     "smtp-in", "scheduler",
                                                      "courier", "inbound", "events"};
  const auto& roles = config.engine.roles;
  for (const std::string& role : roles) {
    if (contains(kRoles, role)) continue;
    problems.push_back({"", fmt::format("engine.roles: there is no role {}; they are {}",
                                        in_quotes(role), fmt::join(kRoles, ", "))});
  }
  // Apart they tell each other through a queue that both reach, and a store that both work on.
  const bool is_apart = config.store.kind == "postgres" && config.queue.kind != "embedded";
  if (is_apart) return;
  if (contains(roles, std::string("scheduler")) != contains(roles, std::string("courier"))) {
    problems.push_back(
        {"",
         fmt::format("engine.roles: scheduler and courier need one another in one process where "
                     "store.kind is {} and queue.kind is {}; several processes need "
                     "store.kind postgres and queue.kind store or sqs",
                     in_quotes(config.store.kind), in_quotes(config.queue.kind))});
  }
}

void check_together(const Config& config, const UnknownKeys& unknown,
                    std::vector<ConfigProblem>& problems) {
  static const std::array kChecks = std::to_array<CheckTogether>({
      {{"api.tls_certificate_file", "api.tls_private_key_file"}, check_certificate},
      {{"console"}, check_console},
      {{"delivery.site_rest_first_seconds", "delivery.site_rest_longest_seconds"}, check_rests},
      {{"delivery.site_outstanding_max", "delivery.outstanding_max"}, check_credit},
      {{"engine.roles", "store.kind", "queue.kind"}, check_roles},
      {{"secrets.master_key_file", "data.directory"}, check_master_key},
      {{"egress"}, check_egress},
      {{"egress", "pool", "pool_rule"}, check_pools},
      {{"dkim.platform_zone", "dkim.zone_file", "dkim.name_servers", "dkim.hook"},
       check_platform_zone},
      {{"doctor.port_25_hosts"}, check_port_25_hosts},
      {{"doctor.blocklist"}, check_blocklists},
      {{"store.kind", "store.postgres.address"}, check_database_address},
      {{"store.postgres"}, check_database_password},
      {{"queue.kind", "queue.sqs.region"}, check_region},
      {{"queue.kind", "aws"}, check_credentials},
      {{"queue.kind", "queue.sqs.prefix", "egress"}, check_queue_names},
      {{"alarms"}, check_alarms},
      {{"probe"}, check_probe},
      {{"smtp_out.sandbox", "alarms", "probe", "shipping.to"}, check_sandbox},
      {{"smtp_in"}, check_smtp_in},
      {{"inbound", "smtp_out.return_path_domain"}, check_inbound},
  });
  for (const CheckTogether& each : kChecks) {
    if (unknown.spare(each.keys)) each.check(config, problems);
  }
}

std::string to_toml(const ConfigValue& value) {
  return std::visit(TomlWriter{}, value);
}

}  // namespace todoku::config
