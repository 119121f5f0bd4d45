// SPDX-License-Identifier: Apache-2.0
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include "sink/options_toml.h"

#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/toml.h"

namespace todoku::sink {
namespace {

constexpr double kSecondsMax = 86'400;

// Takes keys out of one table, remembers the first mistake, and at the end names keys that nobody
// took.
class Keys {
 public:
  Keys(const toml::table& table, std::string path, std::string& mistake)
      : table_(table), path_(std::move(path)), mistake_(mistake) {}

  const toml::node* take(const std::string& key) {
    taken_.insert(key);
    return table_.get(key);
  }

  void read(const std::string& key, std::string& into) {
    if (const auto* node = take(key)) set(key, node->value_exact<std::string>(), into, "a string");
  }
  void read(const std::string& key, bool& into) {
    if (const auto* node = take(key)) set(key, node->value_exact<bool>(), into, "true or false");
  }
  template <std::unsigned_integral Number>
    requires(!std::same_as<Number, bool>)
  void read(const std::string& key, Number& into) {
    const auto* node = take(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < 0 || !std::in_range<Number>(*value)) {
      return complain(key, "a whole number from 0");
    }
    into = static_cast<Number>(*value);
  }
  // A number between 0 and `most`.
  void read_number(const std::string& key, double& into, double most) {
    const auto* node = take(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!value || !(*value >= 0 && *value <= most)) {
      return complain(key, fmt::format("a number from 0 to {}", most));
    }
    into = *value;
  }
  void read_seconds(const std::string& key, Microseconds& into) {
    double seconds = -1;
    read_number(key, seconds, kSecondsMax);
    if (seconds >= 0) into = Microseconds(std::llround(seconds * 1e6));
  }
  template <class Enum>
  void read_word(const std::string& key, Enum& into, std::optional<Enum> (*from)(std::string_view),
                 std::string_view what) {
    const auto* node = take(key);
    if (node == nullptr) return;
    const auto text = node->value_exact<std::string>();
    const auto value = text ? from(*text) : std::nullopt;
    if (!value) return complain(key, what);
    into = *value;
  }
  void read_list(const std::string& key, std::vector<std::string>& into) {
    const auto* node = take(key);
    if (node == nullptr) return;
    if (const auto one = node->value_exact<std::string>()) {
      into = {*one};
      return;
    }
    const auto* array = node->as_array();
    if (array == nullptr) return complain(key, "a list of strings");
    into.clear();
    for (const toml::node& element : *array) {
      const auto text = element.value_exact<std::string>();
      if (!text) return complain(key, "a list of strings");
      into.push_back(*text);
    }
  }
  const toml::table* read_table(const std::string& key) {
    const auto* node = take(key);
    if (node != nullptr && !node->is_table()) complain(key, "a table");
    return node == nullptr ? nullptr : node->as_table();
  }
  std::vector<const toml::table*> read_tables(const std::string& key) {
    std::vector<const toml::table*> tables;
    const auto* node = take(key);
    if (node == nullptr) return tables;
    const auto* array = node->as_array();
    if (array == nullptr) {
      complain(key, fmt::format("written as [[{}{}]]", path_, key));
      return tables;
    }
    for (const toml::node& element : *array) {
      if (element.is_table()) tables.push_back(element.as_table());
    }
    return tables;
  }

  void complain(const std::string& key, std::string_view should_be) {
    const toml::node* node = table_.get(key);
    fail_at(node == nullptr ? table_.source() : node->source(),
            fmt::format("{}{} should be {}", path_, key, should_be));
  }
  void refuse(const Error& error) { fail_at(table_.source(), path_ + error.detail); }
  void finish() {
    for (const auto& [key, node] : table_) {
      if (taken_.contains(std::string(key.str()))) continue;
      fail_at(key.source(), fmt::format("{}{} is not a key", path_, key.str()));
    }
  }

 private:
  template <class T>
  void set(const std::string& key, const std::optional<T>& value, T& into,
           std::string_view should_be) {
    if (!value) return complain(key, should_be);
    into = *value;
  }
  void fail_at(const toml::source_region& where, const std::string& what) {
    if (mistake_.empty()) mistake_ = fmt::format("line {}: {}", where.begin.line, what);
  }

  const toml::table& table_;
  std::string path_;
  std::string& mistake_;
  std::set<std::string> taken_;
};

Rule read_rule(const toml::table& table, std::string& mistake) {
  Keys keys(table, "receiver.rule.", mistake);
  Rule rule;
  keys.read_word("at", rule.at, &moment_from,
                 "connect, hello, starttls, mail, rcpt, data, bdat, body or quit");
  keys.read("local", rule.local);
  keys.read("domain", rule.domain);
  keys.read_number("odds", rule.odds, 1);
  keys.read("close", rule.close);
  keys.read_seconds("delay", rule.delay);
  std::string reply;
  keys.read("reply", reply);
  if (!reply.empty()) {
    auto parsed = parse_reply(reply);
    if (!parsed) keys.complain("reply", parsed.error().detail);
    if (parsed) rule.reply = std::move(*parsed);
  }
  Excuse excuse{};
  if (table.contains("say")) {
    keys.read_word("say", excuse, &excuse_from, "an excuse, such as unknown_user (docs/sink.md)");
    rule.excuse = excuse;
  }
  keys.finish();
  return rule;
}

void read_protocol(Keys& keys, smtp::ServerOptions& protocol) {
  keys.read("hostname", protocol.hostname);
  keys.read("banner", protocol.banner);
  keys.read("ehlo", protocol.ehlo);
  keys.read("size_max", protocol.size_max);
  std::size_t recipients_max = protocol.recipients_max;
  keys.read("recipients_max", recipients_max);
  if (recipients_max > 0) protocol.recipients_max = recipients_max;
  keys.read_word("pipelined", protocol.pipelined, &pipelined_from,
                 "answered, lost, refused or closed");
  std::vector<std::string> off;
  keys.read_list("without", off);
  for (const std::string& keyword : off) {
    if (set_extension(protocol, keyword, false)) continue;
    keys.complain("without",
                  "a list of PIPELINING, CHUNKING, 8BITMIME, SMTPUTF8, SIZE and "
                  "ENHANCEDSTATUSCODES");
  }
}

void read_listen(Keys& keys, std::vector<net::Endpoint>& listen) {
  std::vector<std::string> addresses;
  keys.read_list("listen", addresses);
  for (const std::string& address : addresses) {
    const auto at = net::Endpoint::parse(address);
    if (!at) return keys.complain("listen", "a list of ip:port: " + at.error().detail);
    listen.push_back(*at);
  }
}

// The shorthands for rules, put around those that were written out.
void read_shorthands(Keys& keys, Receiver& receiver, std::string& mistake) {
  std::vector<Rule> before;
  if (const auto* delays = keys.read_table("delay")) {
    Keys inner(*delays, "receiver.delay.", mistake);
    for (std::size_t i = 0; i < kMoments; ++i) {
      const auto at = static_cast<Moment>(i);
      double seconds = 0;
      inner.read_number(std::string(to_string(at)), seconds, kSecondsMax);
      if (seconds > 0) before.push_back(delay_rule(at, seconds));
    }
    inner.finish();
  }
  receiver.rules.insert(receiver.rules.begin(), before.begin(), before.end());
  Moment close_at = Moment::connect;
  keys.read_word("close_at", close_at, &moment_from,
                 "connect, hello, starttls, mail, rcpt, data, bdat, body or quit");
  if (keys.take("close_at") != nullptr) receiver.rules.push_back(close_rule(close_at));
  double refuse = 0;
  double defer = 0;
  keys.read_number("fail_5xx", refuse, 1);
  keys.read_number("fail_4xx", defer, 1);
  if (refuse > 0) receiver.rules.push_back(fail_rule(Excuse::any_permanent, refuse));
  if (defer > 0) receiver.rules.push_back(fail_rule(Excuse::any_temporary, defer));
  if (const auto* greylist = keys.read_table("greylist")) {
    Keys inner(*greylist, "receiver.greylist.", mistake);
    receiver.greylist.emplace();
    inner.read("seconds", receiver.greylist->seconds);
    // Who names a time wants time to count.
    if (receiver.greylist->seconds != 0) receiver.greylist->tries = 0;
    inner.read("tries", receiver.greylist->tries);
    inner.finish();
  }
}

Receiver read_receiver(const toml::table& table, std::size_t number, std::string& mistake) {
  Keys keys(table, "receiver.", mistake);
  Receiver receiver{.name = fmt::format("receiver-{}", number)};
  keys.read("name", receiver.name);
  receiver.protocol.hostname = receiver.name + ".invalid";
  read_protocol(keys, receiver.protocol);
  read_listen(keys, receiver.listen);
  keys.read_list("domains", receiver.domains);
  keys.read_word("provider", receiver.provider, &provider_from,
                 "a provider, such as gmail (docs/sink.md)");
  keys.read_word("tls", receiver.tls, &tls_mode_from,
                 "none, good, self_signed, expired, wrong_name, broken or stalled");
  keys.read("certificate_file", receiver.certificate_file);
  keys.read("private_key_file", receiver.private_key_file);
  keys.read("auth_user", receiver.auth_user);
  keys.read("auth_password", receiver.auth_password);
  keys.read("address_rules", receiver.address_rules);
  keys.read("messages_per_connection_max", receiver.messages_per_connection_max);
  keys.read("connections_max", receiver.connections_max);
  keys.read("messages_per_second_max", receiver.messages_per_second_max);
  keys.read_seconds("tarpit", receiver.tarpit);
  for (const toml::table* rule : keys.read_tables("rule")) {
    receiver.rules.push_back(read_rule(*rule, mistake));
  }
  read_shorthands(keys, receiver, mistake);
  if (const auto valid = check_receiver(receiver); !valid) keys.refuse(valid.error());
  keys.finish();
  return receiver;
}

Options read_top(const toml::table& table, std::string& mistake) {
  Keys keys(table, "", mistake);
  Options options;
  keys.read("threads", options.threads);
  keys.read("seed", options.seed);
  keys.read("allow_public", options.allow_public);
  keys.read("idle_seconds", options.idle_seconds);
  keys.read("connections_max", options.connections_max);
  keys.read("duplicates_max", options.duplicates_max);
  keys.read("latency_header", options.latency_header);
  keys.read("store_directory", options.store_directory);
  keys.read("store_max", options.store_max);
  keys.read("arrival_log_file", options.arrival_log_file);
  keys.read("report_file", options.report_file);
  keys.read("certificates_file", options.certificates_file);
  if (const auto* dkim = keys.read_table("dkim")) {
    Keys inner(*dkim, "dkim.", mistake);
    options.dkim.sample = 1;
    inner.read_number("sample", options.dkim.sample, 1);
    inner.read("keys_file", options.dkim.keys_file);
    inner.read("dns_server", options.dkim.dns_server);
    inner.finish();
  }
  std::set<std::string> names;
  for (const toml::table* receiver : keys.read_tables("receiver")) {
    options.receivers.push_back(read_receiver(*receiver, names.size() + 1, mistake));
    const std::string& name = options.receivers.back().name;
    if (!names.insert(name).second) keys.complain("receiver", "named once: " + name);
  }
  keys.finish();
  return options;
}

}  // namespace

Result<Options> parse_options(std::string_view toml, const std::string& name) {
  const toml::parse_result parsed = toml::parse(toml, name);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(
        ErrorKind::invalid_input,
        fmt::format("{}: line {}: {}", name, error.source().begin.line, error.description()));
  }
  std::string mistake;
  Options options = read_top(parsed.table(), mistake);
  if (!mistake.empty()) return fail(ErrorKind::invalid_input, name + ": " + mistake);
  return options;
}

Result<Options> read_options(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::not_found, "cannot read " + path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_options(text, path);
}

}  // namespace todoku::sink
