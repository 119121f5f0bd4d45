// SPDX-License-Identifier: Apache-2.0
// The configuration: one TOML file, environment variables over it, defaults below it. Every key is
// declared once, in keys_*.cc; reading, checking, showing and docs/configuration.md come
// from that table. Only app/ looks at it; every other module is given its own Options.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"
#include "config/unknown_keys.h"
#include "delivery/policy/site_rules.h"

namespace todoku::config {

// The effective values. What stands here has passed every check: an endpoint parses, a number is
// in range. Paths are absolute or relative to the process, never to the file.
struct Config {
  struct Engine {
    std::int64_t threads = 0;
    std::vector<std::string> roles;
    std::int64_t drain_seconds = 0;
  };
  struct Cluster {
    std::string name;
  };
  struct Data {
    std::string directory;
  };
  struct Store {
    std::string kind;
  };
  struct Postgres {
    std::string address;
    std::string password_file;
    std::string password_command;
    std::string password;
    std::int64_t connect_seconds = 0;
    std::int64_t start_seconds = 0;
  };
  struct Secrets {
    std::string master_key_file;
    std::string master_key;
  };
  struct Log {
    std::string level;
    std::string format;
  };
  struct Api {
    std::string listen;
    std::string public_url;
    std::string tls_certificate_file;
    std::string tls_private_key_file;
    std::int64_t connections_max = 0;
    std::int64_t connections_per_client_max = 0;
    std::vector<std::string> trusted_proxies;
    std::int64_t rate_limit_per_minute = 0;
    std::string provisioning_account;
    std::vector<std::string> provisioning_networks;
  };
  struct Console {
    std::string listen;
    std::string public_url;
    std::string tls_certificate_file;
    std::string tls_private_key_file;
    std::int64_t connections_max = 0;
    std::string mail_account;
    std::string mail_from;
  };
  struct Limits {
    std::int64_t drafts_max = 0;
    std::int64_t to_max = 0;
    std::int64_t cc_max = 0;
    std::int64_t bcc_max = 0;
    std::int64_t insert_codes_max = 0;
    std::int64_t insert_value_characters_max = 0;
    std::int64_t subject_characters_max = 0;
    std::int64_t text_part_characters_max = 0;
    std::int64_t html_part_characters_max = 0;
    std::int64_t attachments_max = 0;
    std::int64_t attachments_bytes_max = 0;
    std::int64_t message_bytes_max = 0;
    std::int64_t import_bytes_max = 0;
    std::int64_t stream_bytes_max = 0;
    std::int64_t reservation_days_max = 0;
  };
  struct Events {
    std::int64_t keep_days = 0;
  };
  struct Retention {
    std::int64_t content_days = 0;
    std::int64_t story_days = 0;
    std::int64_t audit_days = 0;
    std::int64_t report_days = 0;
  };
  struct Journal {
    std::string directory;
  };
  struct Shipping {
    std::string to;
    std::int64_t every_seconds = 0;
    std::int64_t snapshot_hours = 0;
    std::int64_t keep_days = 0;
  };
  struct Intake {
    std::string from_domains;
  };
  struct Admin {
    std::string socket;
  };
  struct Metrics {
    std::string listen;
    bool emf = false;
    std::string emf_namespace;
  };
  struct Dns {
    std::vector<std::string> servers;
    std::vector<std::string> check_names;
    std::vector<std::string> trust_anchor_files;
    std::int64_t timeout_seconds = 0;
    std::int64_t cache_bytes = 0;
  };
  struct Outbound {
    std::vector<std::string> allow;
    std::string ca_file;
  };
  struct SmtpOut {
    std::string hello_name;
    std::string return_path_domain;
    std::string message_id_domain;
    std::vector<std::string> own_names;
    bool allow_private_receivers = false;
    bool sandbox = false;
    std::string tls_ca_file;
    bool mta_sts = true;
    std::int64_t mta_sts_port = 0;
    std::int64_t connections_max = 0;
    std::int64_t connect_seconds = 0;
    std::int64_t greeting_seconds = 0;
    std::int64_t command_seconds = 0;
    std::int64_t data_block_seconds = 0;
    std::int64_t data_end_seconds = 0;
  };
  // The SMTP relay. Which listeners it has, smtp_in_listeners() tells.
  struct SmtpIn {
    bool enabled = false;
    std::string hostname;
    std::string socket;  // empty: none
    std::int64_t message_bytes_max = 0;
    std::int64_t recipients_max = 0;
    std::int64_t connections_max = 0;
    std::int64_t connections_per_network_max = 0;
    std::int64_t idle_seconds = 0;
    // 0: no limit
    std::int64_t account_connections_max = 0;
    std::int64_t account_messages_per_minute = 0;
    std::int64_t account_recipients_per_minute = 0;
    std::int64_t account_bytes_per_minute = 0;
    std::int64_t network_messages_per_minute = 0;
    std::int64_t network_recipients_per_minute = 0;
    std::int64_t network_bytes_per_minute = 0;
    std::int64_t device_message_bytes_max = 0;
    std::int64_t device_recipients_max = 0;
    std::int64_t device_messages_per_minute = 0;
    bool bounces = false;
    double delay_notice_hours = 0;
  };
  struct SmtpInCertificate {
    std::string certificate_file;
    std::string private_key_file;
  };
  struct SmtpInListener {
    std::string address;
    std::string tls = "starttls";   // "starttls", "implicit" or "none"
    std::string auth = "required";  // "required", or "networks": for devices
    bool auth_in_clear = false;
    bool old_tls = false;
    std::vector<std::string> networks;
    std::string account;
    std::string from_domain;
    bool proxy_protocol = false;
    std::vector<std::string> proxy_networks;
    // 0: no limit of its own
    std::int64_t connections_max = 0;
    std::int64_t messages_per_minute = 0;
    std::int64_t recipients_per_minute = 0;
    std::int64_t bytes_per_minute = 0;
  };
  // What of a credential is out of the ordinary (relay/anomaly.h); 0 turns each off.
  struct SmtpInAnomaly {
    std::int64_t volume_factor = 0;
    std::int64_t volume_floor = 0;
    std::int64_t young_days = 0;
    std::int64_t young_volume_floor = 0;
    std::int64_t new_network_recipients = 0;
    std::int64_t unknown_users_percent = 0;
    std::int64_t unknown_users_min = 0;
  };
  // Mail that comes back. For which domains, inbound_domains() tells.
  struct Inbound {
    bool enabled = false;
    std::vector<std::string> listen;
    std::vector<std::string> domains;
    std::vector<std::string> report_addresses;
    std::string forward_to;
    std::string forward_account;
    std::vector<std::string> milters;
    std::string milter_away;
    std::int64_t milter_seconds = 0;
    std::int64_t message_bytes_max = 0;
    std::int64_t connections_max = 0;
    std::int64_t connections_per_network_max = 0;
    std::int64_t network_messages_per_minute = 0;
    std::int64_t recipient_messages_per_minute = 0;
    std::int64_t idle_seconds = 0;
  };
  struct Egress {
    std::string name;
    std::string hello_name;
    std::string bind_ipv4;
    std::string bind_ipv6;
    std::string public_address;
    std::string ec2_public_ipv4;
    bool ipv4 = false;
    bool ipv6 = false;
    std::int64_t weight = 1;
    std::string traffic;
    std::string via;
    std::string via_user;
    std::string via_password_file;
    std::string via_password_variable;
    std::string via_tls;
    std::string proxy;
    std::string proxy_user;
    std::string proxy_password_file;
    std::string proxy_password_variable;
    // Empty: it is not warming up.
    std::string warm_up_from;
    std::vector<std::int64_t> warm_up_volumes;
    std::int64_t warm_up_site_percent = 50;
    std::string warm_up_steps = "reached";
    std::string warm_up_overflow = "pool";
  };
  struct Pool {
    std::string name;
    std::vector<std::string> sources;
  };
  struct PoolRule {
    std::string pool;
    std::string account;
    std::string traffic = "any";
    std::string purpose = "any";
    std::string from_domain;
  };
  struct Delivery {
    std::int64_t unrecorded_max = 0;
    std::string rsa_arithmetic;
    std::vector<std::int64_t> transactional_retry_seconds;
    std::vector<std::int64_t> bulk_retry_seconds;
    std::vector<std::int64_t> greylist_retry_seconds;
    std::vector<std::int64_t> rate_retry_seconds;
    std::vector<std::int64_t> refused_retry_seconds;
    double transactional_expiry_hours = 0;
    double bulk_expiry_hours = 0;
    double reservation_expiry_hours = 0;
    std::int64_t site_rest_first_seconds = 0;
    std::int64_t site_rest_longest_seconds = 0;
    std::int64_t outstanding_max = 0;
    std::int64_t site_outstanding_max = 0;
    std::int64_t content_cache_bytes = 0;
    std::int64_t date_offset_minutes = 0;
  };
  // What goes wrong, told to operators (alarms/).
  struct Alarms {
    std::vector<std::string> mail_to;
    std::string mail_from;
    std::string via;
    std::string via_user;
    std::string via_password_file;
    std::string via_password_variable;
    std::string via_tls;
    std::string webhook_url;
    std::int64_t gather_seconds = 0;
    std::int64_t minutes_between = 0;
    std::vector<std::string> warnings;
  };
  // Test mails to mailboxes of the operator's own (probe/).
  struct Probe {
    std::string account;
    std::vector<std::string> from;
    std::string subject;
    std::string text;
    std::int64_t every_minutes = 0;
    std::int64_t limit_seconds = 0;
    bool remove = false;
    std::int64_t keep_days = 0;
  };
  struct ProbeMailbox {
    std::string name;
    std::string provider;
    std::string address;
    std::string authserv_id;
    std::string host;
    std::int64_t port = 0;
    std::string tls;
    std::string ca_file;
    std::string user;
    std::string password_file;
    std::string password_variable;
    std::string login;
  };
  // Checks of the server itself (doctor/).
  struct Doctor {
    bool enabled = false;
    std::int64_t interval_seconds = 0;
    std::int64_t blocklist_interval_seconds = 0;
    std::vector<std::string> port_25_hosts;
    bool rest = false;
    bool last_may_rest = false;
    bool domain_checks = false;
    std::int64_t domain_check_hours = 0;
    std::int64_t domain_server_port = 0;
  };
  struct Protection {
    bool enabled = false;
    double complaint_warn_percent = 0;
    double complaint_pause_percent = 0;
    std::int64_t complaint_minimum = 0;
    double bounce_warn_percent = 0;
    double bounce_pause_percent = 0;
    std::int64_t bounce_minimum = 0;
    std::int64_t unknown_user_minimum = 0;
    std::int64_t window_hours = 0;
  };
  // DKIM keys that rotate by themselves (operate/key_slots.h).
  struct Dkim {
    std::string platform_zone;  // empty: none do
    std::string zone_file;
    std::vector<std::string> name_servers;
    std::vector<std::string> hook;
    std::int64_t hook_seconds = 0;
    std::int64_t rotate_days = 0;
    std::int64_t record_ttl_seconds = 0;
  };
  struct DoctorBlocklist {
    std::string zone;
    std::string page;
    std::string text;
    bool ipv6 = false;
  };
  struct Suppression {
    std::int64_t hard_errors = 0;
    double hard_errors_within_hours = 0;
    double hard_error_hours = 0;
  };
  struct Rules {
    std::string file;
    std::string replies_file;
    std::string automations_file;
    std::string advice_file;
  };
  struct Queue {
    std::string kind;
  };
  struct Sqs {
    std::string region;
    std::string prefix;
    bool create = false;
    std::int64_t visibility_seconds = 0;
    std::string endpoint;
  };
  // What AWS's tools read from the environment, too.
  struct Aws {
    std::string access_key_id;
    std::string secret_access_key;
    std::string session_token;
    std::string container_credentials_relative_uri;
    std::string container_credentials_full_uri;
    std::string container_authorization_token;
    std::string container_authorization_token_file;
    std::string ec2_metadata_service_endpoint;
  };

  Engine engine;
  Cluster cluster;
  Data data;
  Store store;
  Postgres postgres;
  Secrets secrets;
  Log log;
  Api api;
  Console console;
  Limits limits;
  Events events;
  Retention retention;
  Journal journal;
  Shipping shipping;
  Intake intake;
  Admin admin;
  Metrics metrics;
  Dns dns;
  Outbound outbound;
  SmtpOut smtp_out;
  SmtpIn smtp_in;
  SmtpInAnomaly smtp_in_anomaly;
  std::vector<SmtpInCertificate> smtp_in_certificates;
  std::vector<SmtpInListener> smtp_in_configured;
  Inbound inbound;
  std::vector<Egress> egress;
  std::vector<Pool> pools;
  std::vector<PoolRule> pool_rules;
  Dkim dkim;
  Doctor doctor;
  std::vector<DoctorBlocklist> doctor_blocklists;
  Protection protection;
  Alarms alarms;
  Probe probe;
  std::vector<ProbeMailbox> probe_mailboxes;
  Delivery delivery;
  Suppression suppression;
  Rules rules;
  Queue queue;
  Sqs sqs;
  Aws aws;
};

// Something that keeps the configuration from being used.
struct ConfigProblem {
  std::string where;    // "todoku.toml:12", "TODOKU_API__LISTEN", or empty
  std::string message;  // names key, value and limit

  [[nodiscard]] std::string to_string() const {
    return where.empty() ? message : where + ": " + message;
  }
  friend bool operator==(const ConfigProblem&, const ConfigProblem&) = default;
};

// Variables of the process whose names begin with TODOKU_ or AWS_, with their values.
inline constexpr std::string_view kAwsVariables = "AWS_";
using Environment = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] Environment process_environment();
// Those by which systemd says whether and how often it is to be told that the process lives
// (sd_watchdog_enabled(3)).
[[nodiscard]] Environment watchdog_environment();

// What the commands of senders read (docs/cli.md); nothing of the configuration.
inline constexpr std::array<std::string_view, 7> kSenderVariables = {
    "TODOKU_URL",          "TODOKU_ACCOUNT",           "TODOKU_API_KEY",           "TODOKU_PROFILE",
    "TODOKU_PROFILE_FILE", "TODOKU_SUBMISSION_SOCKET", "TODOKU_SUBMISSION_SECONDS"};

// Holds the language of the command line, "en" or "ja".
inline constexpr std::string_view kLanguageVariable = "TODOKU_LANG";
// That one, else Japanese where the process's locale for messages is, else English.
[[nodiscard]] Language environment_language(const Environment& environment);

// Where a user's profiles are (docs/cli.md): TODOKU_PROFILE_FILE, else todoku/profile.toml in
// XDG_CONFIG_HOME, else in ~/.config (XDG Base Directory Specification). Empty: there is no home.
[[nodiscard]] std::string profile_file(const Environment& environment);

struct LoadedConfig {
  Config config;
  std::string file;  // where it was read from; empty: from no file
  std::string text;  // what stood there: its tables [sites.*] are rules of receiving sites
  std::vector<ConfigProblem> warnings;  // do not keep it from being used
  // Where a key that has not its default came from, by full name: "todoku.toml:12" or a variable.
  std::map<std::string, std::string, std::less<>> origins;
};

// A configuration that cannot be used: why, and what of it can be judged all the same.
struct ConfigMistakes {
  std::vector<ConfigProblem> problems;
  Config rest;          // defaults where nothing is known
  UnknownKeys unknown;  // none if the mistake is in what several keys say together
  bool unread = false;  // there was nothing to read: no key of it is wrong
};

using ConfigResult = std::expected<LoadedConfig, ConfigMistakes>;

// Reads TOML text. `file_name` is for messages; relative paths in the values are taken from
// `directory`. Gives every problem there is, not only the first.
[[nodiscard]] ConfigResult read_config(std::string_view toml, std::string_view file_name,
                                       std::string_view directory, const Environment& environment);

// Reads the file given, else the one that TODOKU_CONFIG names, else todoku.toml in the working
// directory, else /etc/todoku/todoku.toml, else only defaults and environment, with paths from the
// working directory. A file that was named and is not there is a problem.
[[nodiscard]] ConfigResult load_config(const std::optional<std::string>& file,
                                       const Environment& environment);

// The ports of mail submission (RFC 8314 sections 3.3 and 7.3), and the one for where a network
// does not let 587 through.
inline constexpr std::uint16_t kSubmissionPort = 587;
inline constexpr std::uint16_t kSubmissionsPort = 465;
inline constexpr std::uint16_t kAlternativeSubmissionPort = 2525;
// Where `todoku sendmail` looks for smtp_in.socket, unless it is told.
inline constexpr std::string_view kUsualSubmissionSocket = "/run/todoku/submission.sock";
// The relay is wanted: at ports, at its socket, or both.
[[nodiscard]] bool smtp_in_listens(const Config& config);
// Whether mail that comes back is taken where a process has that role, and for which domains, as
// written: smtp_out.return_path_domain unless others are named.
[[nodiscard]] bool inbound_listens(const Config& config);
[[nodiscard]] std::vector<std::string> inbound_domains(const Config& config);

// At which addresses the relay listens: nowhere if smtp_in.enabled is false; else where the file
// says; else at the three ports, of IPv4 and IPv6, of all addresses.
[[nodiscard]] std::vector<Config::SmtpInListener> smtp_in_listeners(const Config& config);

// Appends what is wrong with engine.roles, which the command line can override after the reading.
void check_roles(const Config& config, std::vector<ConfigProblem>& problems);

// The effective values as TOML, each with a comment that tells where it came from; secrets masked.
[[nodiscard]] std::string show_config(const LoadedConfig& loaded);
// The rules of receiving sites that are in force, as TOML.
[[nodiscard]] std::string show_sites(const delivery::policy::SiteRules& rules);
// A complete file of defaults in which every key is explained.
[[nodiscard]] std::string show_defaults(Language language);
// docs/configuration.md.
[[nodiscard]] std::string configuration_reference();

}  // namespace todoku::config
