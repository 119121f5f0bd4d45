// SPDX-License-Identifier: Apache-2.0
#include "app/module_options.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include "api/pixel.h"
#include "api/unsubscribe.h"
#include "app/open_files.h"
#include "app/smarthosts.h"
#include "app/version.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "mail/address.h"
#include "mime/message_template.h"
#include "mime/open_pixel.h"
#include "net/endpoint.h"
#include "net/network.h"

namespace todoku::app {
namespace {

std::string ascii(const std::string& domain) {
  return to_ascii_domain(domain).value_or(domain);
}

std::optional<net::IpAddress> address(const std::string& text) {
  const auto parsed = net::IpAddress::parse(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

Milliseconds hours(double count) {
  return std::chrono::round<Milliseconds>(std::chrono::duration<double, std::ratio<3600>>(count));
}

std::optional<net::IpAddress> interface_address(const sockaddr* socket_address) {
  if (socket_address == nullptr) return std::nullopt;
  if (socket_address->sa_family == AF_INET) {
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &reinterpret_cast<const sockaddr_in*>(socket_address)->sin_addr,
                octets.size());
    return net::IpAddress::v4(octets);
  }
  if (socket_address->sa_family == AF_INET6) {
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &reinterpret_cast<const sockaddr_in6*>(socket_address)->sin6_addr,
                octets.size());
    return net::IpAddress::v6(octets);
  }
  return std::nullopt;
}

// The public addresses of this machine: mail routed to one of them would come back to us.
std::set<net::IpAddress> public_addresses() {
  std::set<net::IpAddress> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const auto found = interface_address(entry->ifa_addr);
    if (found && found->is_global()) addresses.insert(*found);
  }
  return addresses;
}

delivery::policy::Waits waits(const std::vector<std::int64_t>& seconds) {
  return {seconds.begin(), seconds.end()};
}

delivery::policy::RetryOptions retry(const config::Config::Delivery& given,
                                     const std::vector<std::int64_t>& usual, double expiry_hours) {
  return {.waits = waits(usual),
          .greylist_waits = waits(given.greylist_retry_seconds),
          .rate_waits = waits(given.rate_retry_seconds),
          .refused_waits = waits(given.refused_retry_seconds),
          .life_time = hours(expiry_hours)};
}

// Receivers of a smarthost's mail see the smarthost's.
std::vector<std::string> addresses_seen(const config::Config::Egress& source) {
  std::vector<std::string> seen;
  if (!source.via.empty()) return seen;
  for (const std::string& text :
       {source.public_address, source.ec2_public_ipv4, source.bind_ipv4, source.bind_ipv6}) {
    if (const auto parsed = address(text)) seen.push_back(parsed->to_string());
  }
  return seen;
}

std::vector<delivery::EgressSource> sources(const config::Config& config, async::FilePool* files) {
  std::vector<config::Config::Egress> configured = config.egress;
  if (configured.empty()) configured.push_back({.name = "default", .ipv4 = true});
  std::vector<delivery::EgressSource> all;
  for (const config::Config::Egress& source : configured) {
    all.push_back(
        {.name = source.name,
         .bind_v4 = address(source.bind_ipv4),
         .bind_v6 = address(source.bind_ipv6),
         .use_v4 = source.ipv4,
         .use_v6 = source.ipv6,
         .ehlo = source.hello_name.empty() ? hello_name(config) : ascii(source.hello_name),
         .smarthost = smarthost_of(source, files),
         .seen_as = addresses_seen(source),
         .proxy = proxy_of(source, files)});
  }
  return all;
}

// As whom this installation stands in Received.
std::string relay_hostname(const config::Config& config) {
  return config.smtp_in.hostname.empty() ? hello_name(config) : ascii(config.smtp_in.hostname);
}

// By which it knows itself there, lower case.
std::vector<std::string> names_in_received(const config::Config& config) {
  std::vector<std::string> names{to_ascii_lower(relay_hostname(config))};
  for (const std::string& name : config.smtp_out.own_names) {
    names.push_back(to_ascii_lower(ascii(name)));
  }
  return names;
}

}  // namespace

namespace {

// "*.x" with x as domains are compared.
std::string pool_domain(std::string_view written) {
  const std::string_view star = written.starts_with("*.") ? written.substr(0, 2) : "";
  return std::string(star) + delivery::policy::sender_domain(written.substr(star.size()));
}

}  // namespace

delivery::policy::Pools source_pools(const config::Config& config) {
  std::vector<delivery::policy::PoolMember> members;
  for (const config::Config::Egress& source : config.egress) {
    delivery::policy::PoolMember member{.name = source.name,
                                        .weight = static_cast<std::uint32_t>(source.weight)};
    if (source.traffic == "bulk") member.only = TrafficClass::bulk;
    if (source.traffic == "transactional") member.only = TrafficClass::transactional;
    members.push_back(std::move(member));
  }
  std::vector<delivery::policy::NamedPool> named;
  for (const config::Config::Pool& pool : config.pools) named.push_back({pool.name, pool.sources});
  std::vector<delivery::policy::PoolRule> rules;
  for (const config::Config::PoolRule& given : config.pool_rules) {
    delivery::policy::PoolRule rule{.pool = given.pool,
                                    .account = given.account,
                                    .purpose = parse_purpose(given.purpose),
                                    .from_domain = pool_domain(given.from_domain)};
    if (given.traffic == "bulk") rule.traffic = TrafficClass::bulk;
    if (given.traffic == "transactional") rule.traffic = TrafficClass::transactional;
    rules.push_back(std::move(rule));
  }
  return {std::move(members), std::move(named), std::move(rules)};
}

std::map<std::string, delivery::policy::WarmUpPlan, std::less<>> warm_ups(
    const config::Config& config) {
  std::map<std::string, delivery::policy::WarmUpPlan, std::less<>> plans;
  for (const config::Config::Egress& source : config.egress) {
    const auto first = delivery::policy::parse_day(source.warm_up_from);
    if (!first) continue;
    plans[source.name] = {.first_day = *first,
                          .volumes = source.warm_up_volumes,
                          .site_percent = source.warm_up_site_percent,
                          .waits_for_volume = source.warm_up_steps == "reached",
                          .overflows = source.warm_up_overflow == "pool"};
  }
  return plans;
}

operate::ConfiguredSources configured_sources(const config::Config& config) {
  const auto plans = warm_ups(config);
  operate::ConfiguredSources sources{
      .all = {}, .date_offset = std::chrono::minutes(config.delivery.date_offset_minutes)};
  if (config.egress.empty()) {
    sources.all.push_back({.name = "default", .traffic = "any", .via = {}, .plan = std::nullopt});
  }
  for (const config::Config::Egress& source : config.egress) {
    operate::ConfiguredSource each{
        .name = source.name, .traffic = source.traffic, .via = source.via, .plan = std::nullopt};
    if (const auto found = plans.find(source.name); found != plans.end()) each.plan = found->second;
    sources.all.push_back(std::move(each));
  }
  return sources;
}

namespace {

delivery::SmtpTimeouts timeouts(const config::Config::SmtpOut& smtp) {
  using std::chrono::seconds;
  delivery::SmtpTimeouts all;
  all.connect = seconds(smtp.connect_seconds);
  all.greeting = seconds(smtp.greeting_seconds);
  all.hello = seconds(smtp.command_seconds);
  all.mail = seconds(smtp.command_seconds);
  all.rcpt = seconds(smtp.command_seconds);
  all.data_initiation = seconds(std::min<std::int64_t>(smtp.command_seconds, 120));
  all.data_block = seconds(smtp.data_block_seconds);
  all.data_termination = seconds(smtp.data_end_seconds);
  return all;
}

}  // namespace

std::size_t thread_count(const config::Config& config) {
  if (config.engine.threads > 0) return static_cast<std::size_t>(config.engine.threads);
  return std::max(1U, std::thread::hardware_concurrency());
}

std::filesystem::path database_path(const config::Config& config) {
  return std::filesystem::path(config.data.directory) / "todoku.db";
}

std::string admin_socket_path(const config::Config& config) {
  if (!config.admin.socket.empty()) return config.admin.socket;
  return (std::filesystem::path(config.data.directory) / "admin.sock").string();
}

bool has_role(const config::Config& config, std::string_view role) {
  return std::ranges::find(config.engine.roles, role) != config.engine.roles.end();
}

bool has_console(const config::Config& config) {
  return has_role(config, "api") && !config.console.listen.empty();
}

bool is_cluster(const config::Config& config) {
  return config.store.kind == "postgres" && config.queue.kind != "embedded";
}

store::SqliteStore::Options store_options(const config::Config& config, const Clock& clock) {
  store::SqliteStore::Options options;
  options.path = database_path(config);
  options.clock = &clock;
  return options;
}

namespace {

// What URLs in mail begin with, below the public URL; empty: no mail has such. A reader's program
// loads images over https only, or says that it cannot be sure of the mail, and RFC 8058
// section 3.1 demands https.
std::string url_in_mail(const config::Config& config, std::string_view path,
                        std::size_t octets_max) {
  std::string url = config.api.public_url;
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("https://")) return {};
  url += path;
  return url.size() <= octets_max && is_ascii(url) ? url : std::string();
}

std::string pixel_url(const config::Config& config) {
  return url_in_mail(config, api::kPixelPath, mime::kPixelUrlOctetsMax);
}

std::string unsubscribe_url(const config::Config& config) {
  return url_in_mail(config, api::kUnsubscribePath, mime::kUnsubscribeUrlOctetsMax);
}

// Empty: nobody would take such mail, or its domain is too long to say.
std::string unsubscribe_mailto(const config::Config& config) {
  if (!config::inbound_listens(config)) return {};
  const std::string uri = fmt::format("mailto:{}@{}?subject=", inbound::kUnsubscribeLocalPart,
                                      ascii(config::inbound_domains(config).front()));
  return uri.size() <= mime::kUnsubscribeUrlOctetsMax ? uri : std::string();
}

}  // namespace

intake::Limits intake_limits(const config::Config& config) {
  const config::Config::Limits& given = config.limits;
  const auto size = [](std::int64_t number) { return static_cast<std::size_t>(number); };
  intake::Limits limits;
  limits.subject_characters_max = size(given.subject_characters_max);
  limits.text_part_characters_max = size(given.text_part_characters_max);
  limits.html_part_characters_max = size(given.html_part_characters_max);
  limits.cc_max = size(given.cc_max);
  limits.bcc_max = size(given.bcc_max);
  limits.insert_codes_max = size(given.insert_codes_max);
  limits.insert_value_characters_max = size(given.insert_value_characters_max);
  limits.update_recipients_max = size(given.to_max);
  limits.attachments_max = size(given.attachments_max);
  limits.attachments_octets_max = size(given.attachments_bytes_max);
  limits.message_octets_max = size(given.message_bytes_max);
  limits.drafts_max = given.drafts_max;
  limits.import_octets_max = size(given.import_bytes_max);
  limits.stream_octets_max = size(given.stream_bytes_max);
  limits.reservation_horizon = std::chrono::days(given.reservation_days_max);
  limits.open_tracking = !pixel_url(config).empty();
  limits.unsubscribe_link = !unsubscribe_url(config).empty();
  return limits;
}

namespace {

std::vector<net::Network> networks_of(const std::vector<std::string>& written) {
  std::vector<net::Network> networks;
  for (const std::string& network : written) {
    if (const auto parsed = net::Network::parse(network)) networks.push_back(*parsed);
  }
  return networks;
}

std::vector<net::Network> trusted_proxies(const config::Config& config) {
  return networks_of(config.api.trusted_proxies);
}

}  // namespace

api::Options api_options(const config::Config& config) {
  api::Options options;
  options.rate_limit_per_minute = static_cast<std::uint32_t>(config.api.rate_limit_per_minute);
  options.public_url = config.api.public_url;
  while (options.public_url.ends_with('/')) options.public_url.pop_back();
  options.bulk_life = hours(config.delivery.bulk_expiry_hours);
  options.hostname = relay_hostname(config);
  options.own_names = names_in_received(config);
  options.trusted_proxies = trusted_proxies(config);
  options.provisioning_account = config.api.provisioning_account;
  options.provisioning_networks = networks_of(config.api.provisioning_networks);
  options.closed_account = config.console.mail_account;
  return options;
}

http::ServerOptions server_options(const config::Config& config) {
  http::ServerOptions options;
  options.connections_max = static_cast<std::size_t>(config.api.connections_max);
  options.connections_per_client_max =
      static_cast<std::size_t>(config.api.connections_per_client_max);
  options.trusted = trusted_proxies(config);
  return options;
}

http::ServerOptions console_server_options(const config::Config& config) {
  http::ServerOptions options;
  options.connections_max = static_cast<std::size_t>(config.console.connections_max);
  options.refusals_max = kConsoleRefusals - http::Server::kNewcomersMax;
  options.trusted = trusted_proxies(config);
  return options;
}

dns::UnboundResolver::Options resolver_options(const config::Config& config) {
  dns::UnboundResolver::Options options;
  for (const std::string& server : config.dns.servers) {
    if (const auto endpoint = net::Endpoint::parse(server, 53)) {
      options.servers.push_back(*endpoint);
    }
  }
  options.trust_anchor_files = config.dns.trust_anchor_files;
  options.timeout = std::chrono::seconds(config.dns.timeout_seconds);
  options.cache_octets = static_cast<std::size_t>(config.dns.cache_bytes);
  return options;
}

dns::ResolverCheckOptions resolver_check_options(const config::Config& config,
                                                 std::string any_name) {
  dns::ResolverCheckOptions options{
      .servers = resolver_options(config).servers, .zones = {}, .any_name = std::move(any_name)};
  for (const std::string& zone : config.dns.check_names) {
    const std::string_view name =
        zone.ends_with('.') ? std::string_view(zone).substr(0, zone.size() - 1) : zone;
    options.zones.push_back((name.empty() ? "" : ascii(std::string(name))) + ".");
  }
  return options;
}

operate::Settings agreed_settings(const config::Config& config,
                                  const delivery::policy::SiteRules& rules) {
  constexpr std::size_t kShown = 12;  // characters of a digest
  const delivery::Options options = delivery_options(config, {});
  operate::Settings settings;
  settings["the return path's domain"] = options.return_path_domain;
  settings["the Message-ID's domain"] = options.message_id_domain;
  settings["when hard errors stop an address"] =
      fmt::format("{} within {} h, for {} h", config.suppression.hard_errors,
                  config.suppression.hard_errors_within_hours, config.suppression.hard_error_hours);
  settings["the rules of sites"] =
      "digest " + sha256_hex(config::show_sites(rules)).substr(0, kShown);
  for (const delivery::EgressSource& source : options.sources) {
    std::vector<std::string> parts;
    const auto add = [&](std::string_view family, bool used,
                         const std::optional<net::IpAddress>& from) {
      if (used) parts.push_back(from ? from->to_string() : fmt::format("any {}", family));
    };
    add("IPv4 address", source.use_v4, source.bind_v4);
    add("IPv6 address", source.use_v6, source.bind_v6);
    parts.push_back("EHLO " + source.ehlo);
    if (source.smarthost) {
      parts.push_back(fmt::format("via {}:{}", source.smarthost->host, source.smarthost->port));
    }
    if (source.proxy != nullptr) parts.push_back("proxy " + source.proxy->at.to_string());
    settings["egress " + source.name] = fmt::format("{}", fmt::join(parts, ", "));
  }
  for (const config::Config::Egress& source : config.egress) {
    if (source.weight != 1 || source.traffic != "any") {
      settings["the pool of egress " + source.name] =
          fmt::format("weight {}, traffic {}", source.weight, source.traffic);
    }
    if (!source.warm_up_from.empty()) {
      settings["the warm-up of egress " + source.name] =
          fmt::format("from {}, {}, {} % a site, {}, {}", source.warm_up_from,
                      fmt::join(source.warm_up_volumes, " "), source.warm_up_site_percent,
                      source.warm_up_steps, source.warm_up_overflow);
    }
    if (source.ec2_public_ipv4.empty()) continue;
    settings["the EC2 address of egress " + source.name] = source.ec2_public_ipv4;
  }
  for (const config::Config::Pool& pool : config.pools) {
    settings["pool " + pool.name] = fmt::format("{}", fmt::join(pool.sources, ", "));
  }
  for (std::size_t i = 0; i < config.pool_rules.size(); ++i) {
    const config::Config::PoolRule& rule = config.pool_rules[i];
    settings[fmt::format("rule {} of the pools", i + 1)] = fmt::format(
        "{} {} {} {}: {}", rule.account, rule.traffic, rule.purpose, rule.from_domain, rule.pool);
  }
  return settings;
}

namespace {

relay::ListenerOptions listener_options(const config::Config::SmtpInListener& given) {
  relay::ListenerOptions listener;
  listener.name = given.address;
  listener.at = *net::Endpoint::parse(given.address);
  if (given.tls == "implicit") listener.tls = relay::ListenerTls::implicit;
  if (given.tls == "none") listener.tls = relay::ListenerTls::none;
  listener.auth_in_clear = given.auth_in_clear;
  listener.proxy_protocol = given.proxy_protocol;
  listener.proxy_networks = networks_of(given.proxy_networks);
  listener.connections_max = given.connections_max;
  listener.per_minute = {.messages = given.messages_per_minute,
                         .recipients = given.recipients_per_minute,
                         .octets = given.bytes_per_minute};
  if (given.auth != "networks") return listener;
  listener.device_networks = networks_of(given.networks);
  listener.device_account = given.account;
  listener.device_domain = ascii(given.from_domain);
  listener.old_tls = given.old_tls;
  return listener;
}

}  // namespace

relay::AnomalyLimits anomaly_limits(const config::Config& config) {
  const config::Config::SmtpInAnomaly& given = config.smtp_in_anomaly;
  return {.volume_factor = given.volume_factor,
          .volume_floor = given.volume_floor,
          .young_for = std::chrono::days(given.young_days),
          .young_volume_floor = given.young_volume_floor,
          .new_network_recipients = given.new_network_recipients,
          .unknown_users_percent = given.unknown_users_percent,
          .unknown_users_min = given.unknown_users_min};
}

inbound::InboundOptions inbound_options(const config::Config& config) {
  const config::Config::Inbound& given = config.inbound;
  inbound::InboundOptions options;
  options.hostname = relay_options(config, 0).hostname;
  for (const std::string& at : given.listen) options.listen.push_back(*net::Endpoint::parse(at));
  for (const std::string& domain : config::inbound_domains(config)) {
    options.domains.push_back(ascii(domain));
  }
  for (const std::string& each : given.report_addresses) {
    options.report_addresses.push_back(to_ascii_lower(parse_address(each)->to_string()));
  }
  options.forward_to = given.forward_to;
  options.forward_account = given.forward_account;
  for (const std::string& each : given.milters) {
    const bool is_path = each.starts_with('/');
    options.filters.push_back({.path = is_path ? each : std::string(),
                               .at = is_path ? net::Endpoint() : *net::Endpoint::parse(each)});
  }
  options.passes_over_filters = given.milter_away == "accept";
  options.filter_lasts_max = std::chrono::seconds(given.milter_seconds);
  options.message_octets_max = static_cast<std::uint64_t>(given.message_bytes_max);
  options.connections_max = static_cast<std::size_t>(given.connections_max);
  options.connections_per_network_max = static_cast<std::size_t>(given.connections_per_network_max);
  options.network_messages_per_minute = given.network_messages_per_minute;
  options.recipient_messages_per_minute = given.recipient_messages_per_minute;
  options.idle = std::chrono::seconds(given.idle_seconds);
  options.error_stop = delivery_options(config, {}).error_stop;
  return options;
}

relay::RelayOptions relay_options(const config::Config& config, std::uint64_t connections_max) {
  const config::Config::SmtpIn& given = config.smtp_in;
  relay::RelayOptions options;
  options.hostname = relay_hostname(config);
  options.own_names = names_in_received(config);
  options.message_id_domain = config.smtp_out.message_id_domain.empty()
                                  ? options.hostname
                                  : ascii(config.smtp_out.message_id_domain);
  options.closed_account = config.console.mail_account;
  options.message_octets_max = static_cast<std::uint64_t>(given.message_bytes_max);
  options.recipients_max = static_cast<std::size_t>(given.recipients_max);
  options.device_message_octets_max = static_cast<std::uint64_t>(given.device_message_bytes_max);
  options.device_recipients_max = static_cast<std::size_t>(given.device_recipients_max);
  options.device_messages_per_minute = given.device_messages_per_minute;
  options.connections_max = static_cast<std::size_t>(connections_max);
  // Where the process may have few files open, one network leaves others half of the places.
  options.connections_per_network_max =
      std::min(static_cast<std::size_t>(given.connections_per_network_max),
               std::max<std::size_t>(1, options.connections_max / 2));
  options.connections_per_account_max = given.account_connections_max;
  options.of_account = {.messages = given.account_messages_per_minute,
                        .recipients = given.account_recipients_per_minute,
                        .octets = given.account_bytes_per_minute};
  options.of_network = {.messages = given.network_messages_per_minute,
                        .recipients = given.network_recipients_per_minute,
                        .octets = given.network_bytes_per_minute};
  options.idle = std::chrono::seconds(given.idle_seconds);
  for (const auto& listener : config::smtp_in_listeners(config)) {
    options.listeners.push_back(listener_options(listener));
  }
  if (!given.socket.empty()) {
    options.listeners.push_back(
        {.name = given.socket, .tls = relay::ListenerTls::none, .socket = given.socket});
  }
  return options;
}

dns::RouteOptions route_options(const config::Config& config) {
  dns::RouteOptions options;
  options.allow_private_receivers = config.smtp_out.allow_private_receivers;
  for (const std::string& name : config.smtp_out.own_names) options.own_names.insert(ascii(name));
  options.own_addresses = public_addresses();
  for (const delivery::EgressSource& source : sources(config, nullptr)) {
    options.own_names.insert(source.ehlo);
    if (source.bind_v4) options.own_addresses.insert(*source.bind_v4);
    if (source.bind_v6) options.own_addresses.insert(*source.bind_v6);
  }
  for (const config::Config::Egress& source : config.egress) {
    for (const std::string* text : {&source.ec2_public_ipv4, &source.public_address}) {
      const auto seen = net::IpAddress::parse(*text);
      if (seen) options.own_addresses.insert(*seen);
    }
  }
  return options;
}

http::GuardedOptions guarded_options(const config::Config& config) {
  std::vector<net::OutboundRule::Permit> permits;
  for (const std::string& text : config.outbound.allow) {
    permits.push_back(net::OutboundRule::Permit::parse(text).value());
  }
  return {.rule = net::OutboundRule(std::move(permits), route_options(config).own_addresses,
                                    config.smtp_out.sandbox ? net::OutboundRule::Internet::closed
                                                            : net::OutboundRule::Internet::open),
          .ca_file = config.outbound.ca_file,
          .user_agent = fmt::format("todoku/{}", version())};
}

events::protection::ProtectionOptions protection_options(const config::Config& config) {
  const config::Config::Protection& given = config.protection;
  const auto per_million = [](double percent) {
    return std::llround(percent * delivery::policy::kPerMillionOfPercent);
  };
  return {.enabled = given.enabled,
          .limits = {.complaints = {.warn = per_million(given.complaint_warn_percent),
                                    .pause = per_million(given.complaint_pause_percent),
                                    .minimum = given.complaint_minimum},
                     .hard_bounces = {.warn = per_million(given.bounce_warn_percent),
                                      .pause = per_million(given.bounce_pause_percent),
                                      .minimum = given.bounce_minimum},
                     .unknown_users = {.minimum = given.unknown_user_minimum}},
          .window_hours = given.window_hours};
}

events::protection::Receivers receivers_by(const delivery::policy::SiteRules& rules) {
  return
      [&rules](std::string_view domain, std::string_view mx_host) -> events::protection::Receiver {
        std::vector<std::string_view> hosts;
        if (!mx_host.empty()) hosts.push_back(mx_host);
        const delivery::policy::Site* const site = rules.find(domain, hosts);
        if (site == nullptr) return {};
        return {.site = site->name,
                .reports_complaints = site->limits.complaints,
                .unknown_users_limit = std::llround(site->limits.unknown_users_percent *
                                                    delivery::policy::kPerMillionOfPercent)};
      };
}

events::reports::ReporterOptions report_options(const config::Config& config) {
  const config::Config::SmtpIn& given = config.smtp_in;
  events::reports::ReporterOptions options;
  options.enabled = given.bounces;
  options.host = to_ascii_lower(hello_name(config));
  options.message_id_domain = config.smtp_out.message_id_domain.empty()
                                  ? options.host
                                  : ascii(config.smtp_out.message_id_domain);
  options.date_offset_minutes = static_cast<int>(config.delivery.date_offset_minutes);
  options.notify.delay_by_default = given.delay_notice_hours > 0;
  if (options.notify.delay_by_default) {
    options.notify.delay_after = hours(given.delay_notice_hours);
  }
  return options;
}

delivery::Options delivery_options(const config::Config& config, const InstanceSecret& secret,
                                   async::FilePool* files) {
  const config::Config::Delivery& given = config.delivery;
  delivery::Options options;
  options.sources = sources(config, files);
  options.pools = source_pools(config);
  options.warm_ups = warm_ups(config);
  options.instance_secret = secret;
  options.error_stop = {.errors = static_cast<std::uint32_t>(config.suppression.hard_errors),
                        .within = hours(config.suppression.hard_errors_within_hours),
                        .lasts = hours(config.suppression.hard_error_hours)};
  options.return_path_domain = config.smtp_out.return_path_domain.empty()
                                   ? hello_name(config)
                                   : ascii(config.smtp_out.return_path_domain);
  options.sandbox = config.smtp_out.sandbox;
  options.return_path_receives = !config.smtp_out.return_path_domain.empty();
  options.message_id_domain = config.smtp_out.message_id_domain.empty()
                                  ? options.return_path_domain
                                  : ascii(config.smtp_out.message_id_domain);
  options.date_offset_minutes = static_cast<int>(given.date_offset_minutes);
  options.retry_transactional =
      retry(given, given.transactional_retry_seconds, given.transactional_expiry_hours);
  options.retry_bulk = retry(given, given.bulk_retry_seconds, given.bulk_expiry_hours);
  options.site_backoff.first = std::chrono::seconds(given.site_rest_first_seconds);
  options.site_backoff.longest = std::chrono::seconds(given.site_rest_longest_seconds);
  options.credit.maximum = given.site_outstanding_max;
  options.credit.minimum = std::min(options.credit.minimum, given.site_outstanding_max);
  options.credit.total = given.outstanding_max;
  options.reservation_expiry = hours(given.reservation_expiry_hours);
  options.connections_max = static_cast<std::size_t>(config.smtp_out.connections_max);
  options.unrecorded_max = static_cast<std::uint32_t>(given.unrecorded_max);
  options.rsa_arithmetic = given.rsa_arithmetic == "fastest"
                               ? mailauth::dkim::RsaArithmetic::fastest
                               : mailauth::dkim::RsaArithmetic::openssl;
  options.content_cache_bytes = static_cast<std::size_t>(given.content_cache_bytes);
  options.message_octets_max = static_cast<std::uint64_t>(config.limits.message_bytes_max);
  options.pixel_url = pixel_url(config);
  options.open_tokens = std::make_shared<const OpenTokens>(secret);
  options.unsubscribe_url = unsubscribe_url(config);
  options.unsubscribe_mailto = unsubscribe_mailto(config);
  options.unsubscribe_tokens = std::make_shared<const UnsubscribeTokens>(secret);
  options.timeouts = timeouts(config.smtp_out);
  return options;
}

queue::StoreQueues::Options store_queue_options() {
  queue::StoreQueues::Options options;
  std::memcpy(&options.seed, random_octets(sizeof options.seed).data(), sizeof options.seed);
  return options;
}

queue::sqs::SqsOptions sqs_options(const config::Config& config) {
  const config::Config::Aws& aws = config.aws;
  queue::sqs::SqsOptions options;
  options.region = config.sqs.region;
  options.endpoint = config.sqs.endpoint;
  options.prefix = config.sqs.prefix;
  options.channels = 2 * sources(config, nullptr).size();
  std::memcpy(&options.seed, random_octets(sizeof options.seed).data(), sizeof options.seed);
  options.queue.create = config.sqs.create;
  options.queue.visibility = std::chrono::seconds(config.sqs.visibility_seconds);
  options.credentials.fixed = {.access_key_id = aws.access_key_id,
                               .secret_access_key = aws.secret_access_key,
                               .session_token = aws.session_token};
  options.credentials.container_relative_uri = aws.container_credentials_relative_uri;
  options.credentials.container_full_uri = aws.container_credentials_full_uri;
  options.credentials.container_token = aws.container_authorization_token;
  options.credentials.container_token_file = aws.container_authorization_token_file;
  options.credentials.metadata_url = aws.ec2_metadata_service_endpoint;
  return options;
}

std::string host_name() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "localhost";
  return to_ascii_domain(buffer.data()).value_or("localhost");
}

std::string hello_name(const config::Config& config) {
  return config.smtp_out.hello_name.empty() ? host_name() : ascii(config.smtp_out.hello_name);
}

}  // namespace todoku::app
