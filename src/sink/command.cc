// SPDX-License-Identifier: Apache-2.0
#include "sink/command.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "sink/options_toml.h"

namespace todoku::sink {
namespace {

// What was typed. Values that a file may also give are optional, so that the command line wins.
struct Arguments {
  std::string config_file;

  std::vector<std::string> listen;
  std::string name = "sink";
  std::string hostname;
  std::vector<std::string> domains;
  std::string provider = "postfix";
  std::string tls = "none";
  std::string certificate_file;
  std::string private_key_file;
  std::vector<std::string> without;
  std::vector<std::string> delays;
  std::string close_at;
  double fail_4xx = 0;
  double fail_5xx = 0;
  std::uint32_t greylist_tries = 0;
  std::uint32_t greylist_seconds = 0;
  std::uint64_t size_max = 0;
  std::uint32_t messages_per_connection_max = 0;
  std::uint32_t connections_max = 0;
  std::uint32_t messages_per_second_max = 0;
  double tarpit = 0;
  bool no_address_rules = false;

  std::optional<std::size_t> threads;
  std::optional<std::uint64_t> seed;
  bool allow_public = false;
  std::optional<double> dkim_sample;
  std::optional<std::string> dkim_keys_file;
  std::optional<std::string> dkim_dns_server;
  std::optional<std::string> latency_header;
  std::optional<std::string> store_directory;
  std::optional<std::uint64_t> store_max;
  std::optional<std::string> arrival_log_file;
  std::optional<std::string> report_file;
  std::optional<std::string> certificates_file;
};

void add_receiver_options(CLI::App& command, Arguments& arguments) {
  const std::string group = "One receiver (instead of --config)";
  std::vector<CLI::Option*> options = {
      command.add_option("--listen", arguments.listen, "ip:port, any number of them"),
      command.add_option("--name", arguments.name, "Name in the report"),
      command.add_option("--hostname", arguments.hostname, "Name in greeting and certificate"),
      command.add_option("--domain", arguments.domains, "Recipient domains served; default: all"),
      command.add_option("--provider", arguments.provider, "Whose words to refuse in"),
      command.add_option("--tls", arguments.tls,
                         "none, good, self_signed, expired, wrong_name, broken, stalled"),
      command.add_option("--certificate", arguments.certificate_file, "PEM chain"),
      command.add_option("--private-key", arguments.private_key_file, "PEM key"),
      command.add_option("--without", arguments.without, "Extensions not offered"),
      command.add_option("--delay", arguments.delays, "moment=seconds, e.g. rcpt=0.5"),
      command.add_option("--close-at", arguments.close_at, "Close without reply at this moment"),
      command.add_option("--fail-4xx", arguments.fail_4xx, "Share of RCPTs deferred, 0 to 1"),
      command.add_option("--fail-5xx", arguments.fail_5xx, "Share of recipients refused, 0 to 1"),
      command.add_option("--greylist-tries", arguments.greylist_tries, "Accept this attempt"),
      command.add_option("--greylist-seconds", arguments.greylist_seconds, "Accept after these"),
      command.add_option("--size-max", arguments.size_max, "Octets a message; 0: no limit"),
      command.add_option("--messages-per-connection-max", arguments.messages_per_connection_max,
                         "421 after so many"),
      command.add_option("--connections-max", arguments.connections_max, "421 beyond so many"),
      command.add_option("--messages-per-second-max", arguments.messages_per_second_max,
                         "Deferred beyond so many"),
      command.add_option("--tarpit", arguments.tarpit, "Seconds between octets of replies"),
      command.add_flag("--no-address-rules", arguments.no_address_rules,
                       "Local parts such as bounce-550 mean nothing")};
  for (CLI::Option* option : options) option->group(group);
}

void add_common_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--config", arguments.config_file, "TOML file (docs/sink.md)");
  command.add_option("--threads", arguments.threads, "Default: one for two processors");
  command.add_option("--seed", arguments.seed, "Of everything drawn by odds");
  command.add_flag("--allow-public", arguments.allow_public, "Bind other than loopback addresses");
  command.add_option("--dkim-sample", arguments.dkim_sample, "Share of messages verified, 0 to 1");
  command.add_option("--dkim-keys", arguments.dkim_keys_file, "File of key records");
  command.add_option("--dkim-dns", arguments.dkim_dns_server, "ip:port of a name server");
  command.add_option("--latency-header", arguments.latency_header,
                     "Field with the sending time in Unix milliseconds");
  command.add_option("--store", arguments.store_directory, "Keep messages in this folder");
  command.add_option("--store-max", arguments.store_max, "At most so many");
  command.add_option("--arrival-log", arguments.arrival_log_file, "JSON line for each recipient");
  command.add_option("--report-file", arguments.report_file, "Rewritten every second");
  command.add_option("--certificates-file", arguments.certificates_file,
                     "Write the certificates to trust here");
}

Result<void> apply_word_options(const Arguments& arguments, Receiver& receiver) {
  const auto wrong = [](std::string_view option, std::string_view value) {
    return fail(ErrorKind::invalid_input, fmt::format("--{}: cannot be \"{}\"", option, value));
  };
  const auto provider = provider_from(arguments.provider);
  if (!provider) return wrong("provider", arguments.provider);
  receiver.provider = *provider;
  const auto tls = tls_mode_from(arguments.tls);
  if (!tls) return wrong("tls", arguments.tls);
  receiver.tls = *tls;
  for (const std::string& keyword : arguments.without) {
    if (!set_extension(receiver.protocol, keyword, false)) return wrong("without", keyword);
  }
  for (const std::string& delay : arguments.delays) {
    const std::size_t equals = delay.find('=');
    const auto at = moment_from(std::string_view(delay).substr(0, equals));
    char* end = nullptr;
    const double seconds =
        !at || equals == std::string::npos ? -1 : std::strtod(delay.c_str() + equals + 1, &end);
    if (!(seconds >= 0 && seconds <= 86'400) || *end != '\0') return wrong("delay", delay);
    receiver.rules.push_back(delay_rule(*at, seconds));
  }
  if (!arguments.close_at.empty()) {
    const auto at = moment_from(arguments.close_at);
    if (!at) return wrong("close-at", arguments.close_at);
    receiver.rules.push_back(close_rule(*at));
  }
  return {};
}

Result<Receiver> to_receiver(const Arguments& arguments) {
  Receiver receiver{.name = arguments.name, .domains = arguments.domains};
  receiver.protocol.hostname =
      arguments.hostname.empty() ? arguments.name + ".invalid" : arguments.hostname;
  for (const std::string& address : arguments.listen) {
    const auto at = net::Endpoint::parse(address);
    if (!at) return fail("--listen " + address, at.error());
    receiver.listen.push_back(*at);
  }
  if (const auto applied = apply_word_options(arguments, receiver); !applied) {
    return fail(applied.error());
  }
  if (arguments.fail_5xx > 0) {
    receiver.rules.push_back(fail_rule(Excuse::any_permanent, arguments.fail_5xx));
  }
  if (arguments.fail_4xx > 0) {
    receiver.rules.push_back(fail_rule(Excuse::any_temporary, arguments.fail_4xx));
  }
  if (arguments.greylist_tries != 0 || arguments.greylist_seconds != 0) {
    receiver.greylist = {arguments.greylist_tries, arguments.greylist_seconds};
  }
  receiver.certificate_file = arguments.certificate_file;
  receiver.private_key_file = arguments.private_key_file;
  receiver.protocol.size_max = arguments.size_max;
  receiver.messages_per_connection_max = arguments.messages_per_connection_max;
  receiver.connections_max = arguments.connections_max;
  receiver.messages_per_second_max = arguments.messages_per_second_max;
  receiver.tarpit = delay_rule(Moment::connect, arguments.tarpit).delay;
  receiver.address_rules = !arguments.no_address_rules;
  if (const auto valid = check_receiver(receiver); !valid) return fail(valid.error());
  return receiver;
}

Result<Options> to_options(const Arguments& arguments) {
  Options options;
  if (!arguments.config_file.empty()) {
    auto read = read_options(arguments.config_file);
    if (!read) return read;
    options = std::move(*read);
  } else {
    auto receiver = to_receiver(arguments);
    if (!receiver) return fail(receiver.error());
    options.receivers.push_back(std::move(*receiver));
  }
  const auto take = [](const auto& given, auto& into) {
    if (given) into = *given;
  };
  take(arguments.threads, options.threads);
  take(arguments.seed, options.seed);
  take(arguments.dkim_sample, options.dkim.sample);
  take(arguments.dkim_keys_file, options.dkim.keys_file);
  take(arguments.dkim_dns_server, options.dkim.dns_server);
  take(arguments.latency_header, options.latency_header);
  take(arguments.store_directory, options.store_directory);
  take(arguments.store_max, options.store_max);
  take(arguments.arrival_log_file, options.arrival_log_file);
  take(arguments.report_file, options.report_file);
  take(arguments.certificates_file, options.certificates_file);
  options.allow_public = options.allow_public || arguments.allow_public;
  const bool names_keys = arguments.dkim_keys_file || arguments.dkim_dns_server;
  if (names_keys && !arguments.dkim_sample && options.dkim.sample == 0) options.dkim.sample = 1;
  return options;
}

int run(const Arguments& arguments) {
  auto options = to_options(arguments);
  if (!options) {
    log::error("sink cannot start", {{"reason", options.error().detail}});
    return 1;
  }
  return run_sink(std::move(*options));
}

}  // namespace

void add_sink_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("sink", "Receive mail as scripted, for tests, demonstrations and load");
  auto arguments = std::make_shared<Arguments>();
  add_common_options(*command, *arguments);
  add_receiver_options(*command, *arguments);
  command->get_option("--config")->excludes(command->get_option("--listen"));
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace todoku::sink
