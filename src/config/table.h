// SPDX-License-Identifier: Apache-2.0
// The table behind the configuration: what a key is, and the builder with which keys_*.cc
// declare them. Only config/ includes this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bilingual.h"
#include "base/check.h"
#include "config/config.h"

namespace todoku::config {

using ConfigValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                 std::vector<std::string>>;

// The table of the file whose content this reader leaves to delivery/policy/site_rules.h.
inline constexpr std::string_view kSitesTable = "sites";

// What a text has to be beyond being a text. Empty texts pass unless the key is `required`.
enum class TextForm : std::uint8_t {
  plain,
  path,        // made absolute against the folder of the file
  endpoint,    // "127.0.0.1:8025", "[::1]:0"
  resolver,    // an address with or without port, 53 if without
  ip_address,  // without port
  network,     // "192.0.2.0/24", or an address
  permit,      // "10.1.0.0/16:443", "*:8443": net/outbound_rule.h
  domain,      // a host name
  host,        // the same as RFC 1123 section 2.1 has it: no underscores (RFC 5321 section 4.1.2)
  zone,        // the same, or "."; with or without a dot at its end
  url,         // http:// or https://
  proxy,       // socks5:// or haproxy:// and an endpoint: config/proxy_url.h
  smarthost,   // smtp://name or smtp://name:port: config/smarthost_url.h
  label,       // letters, digits, - and _: a name of the operator's choice
  choice,      // one of `choices`
};

// One key. `set` and `get` reach the value in a Config; `element` is the position in a repeated
// section, 0 in others.
struct ConfigKey {
  std::string_view section;
  std::string_view name;
  ConfigValue fallback;
  Sentence explanation;
  std::string_view unit;                  // "seconds", "bytes"; may be empty
  double minimum = 0;                     // of numbers, and of the numbers of a list
  double maximum = 0;                     // likewise
  TextForm form = TextForm::plain;        // of texts, and of the texts of a list
  std::vector<std::string_view> choices;  // for TextForm::choice
  bool required = false;                  // no empty text, no empty list
  bool secret = false;                    // never shown; only from the environment
  std::string environment;                // the variable that overrides it; empty: none
  std::function<void(Config&, std::size_t element, ConfigValue)> set;
  std::function<ConfigValue(const Config&, std::size_t element)> get;

  [[nodiscard]] std::string full_name() const {
    return std::string(section) + "." + std::string(name);
  }
};

struct ConfigSection {
  std::string_view name;
  bool repeated = false;  // written as [[name]], any number of times
  Sentence explanation;
  std::vector<ConfigKey> keys;
  std::function<std::size_t(const Config&)> size;  // elements; 1 if not repeated
  std::function<void(Config&)> append;             // adds an element; nothing if not repeated
  std::function<void(Config&)> clear;              // of all elements; nothing if not repeated
  std::string environment;  // repeated: the variable that replaces all its elements
};

// Every section in the order of the documentation.
[[nodiscard]] const std::vector<ConfigSection>& config_sections();

// The defaults, paths as written in the table.
[[nodiscard]] Config default_config();

// "one of a, b or c", "a whole number from 1 to 65535 (seconds)": what the key takes, for messages
// and for the documentation.
[[nodiscard]] std::string expectation(const ConfigKey& key);

// The problem with `value`, which has the key's type; empty if there is none.
[[nodiscard]] std::string problem_with(const ConfigKey& key, const ConfigValue& value);

// Checks that concern several keys at once, as far as their keys are known. Appends what it finds.
void check_together(const Config& config, const UnknownKeys& unknown,
                    std::vector<ConfigProblem>& problems);

// What is wrong with the sources. Appends.
void check_egress(const Config& config, std::vector<ConfigProblem>& problems);
// What is wrong with the pools of sources, and which rules are never asked. Both append.
void check_pools(const Config& config, std::vector<ConfigProblem>& problems);
void warn_of_pools(const Config& config, std::vector<ConfigProblem>& warnings);
// What is wrong with the listeners of the relay, and what is dangerous about them though it may be
// meant: anybody's mail let through, passwords in clear. Both append.
void check_smtp_in(const Config& config, std::vector<ConfigProblem>& problems);
void warn_of_smtp_in(const Config& config, std::vector<ConfigProblem>& warnings);

// The same of mail that comes back: a forwarding that leads here again, nobody who reads.
void check_inbound(const Config& config, std::vector<ConfigProblem>& problems);
void warn_of_inbound(const Config& config, std::vector<ConfigProblem>& warnings);

// What is wrong with the way by which alarms are told, and what of it leads nowhere. Both append.
void check_alarms(const Config& config, std::vector<ConfigProblem>& problems);
void warn_of_alarms(const Config& config, std::vector<ConfigProblem>& warnings);
// What is wrong with the mailboxes that probes go to. Appends.
void check_probe(const Config& config, std::vector<ConfigProblem>& problems);
// What is wrong with the console's address and its mail. Appends.
void check_console(const Config& config, std::vector<ConfigProblem>& problems);
// What would leave though smtp_out.sandbox is true. Appends.
void check_sandbox(const Config& config, std::vector<ConfigProblem>& problems);

// As TOML: 8025, "text", [1, 2].
[[nodiscard]] std::string to_toml(const ConfigValue& value);

// Declares the keys of one section whose values live in an object of type S.
template <class S>
class SectionBuilder {
 public:
  SectionBuilder(std::string_view name, S Config::* place, Sentence explanation)
      : section_{.name = name, .explanation = explanation},
        at_([place](Config& c, std::size_t) { return &(c.*place); }) {
    section_.size = [](const Config&) { return std::size_t{1}; };
    section_.append = [](Config&) {};
    section_.clear = [](Config&) {};
  }
  SectionBuilder(std::string_view name, std::vector<S> Config::* place, Sentence explanation)
      : section_{.name = name, .repeated = true, .explanation = explanation},
        at_([place](Config& c, std::size_t element) { return &(c.*place)[element]; }) {
    section_.size = [place](const Config& c) { return (c.*place).size(); };
    section_.append = [place](Config& c) { (c.*place).emplace_back(); };
    section_.clear = [place](Config& c) { (c.*place).clear(); };
    section_.environment = variable_name(name);
  }

  // The key just declared, to say more about it.
  struct Declared {
    ConfigKey& key;
    Declared& unit(std::string_view unit) { return key.unit = unit, *this; }
    Declared& range(double minimum, double maximum) {
      return key.minimum = minimum, key.maximum = maximum, *this;
    }
    Declared& form(TextForm form) { return key.form = form, *this; }
    Declared& choices(std::vector<std::string_view> choices) {
      key.choices = std::move(choices);
      return form(TextForm::choice);
    }
    Declared& required() { return key.required = true, *this; }
    Declared& variable(std::string name) { return key.environment = std::move(name), *this; }
    Declared& secret(std::string variable) {
      key.environment = std::move(variable);
      return key.secret = true, *this;
    }
  };

  // `T` is the member's type; a literal default is converted to it. The reference is valid until
  // the next key is declared.
  template <class T>
  Declared add(std::string_view name, T S::* member, std::type_identity_t<T> fallback,
               Sentence explanation) {
    ConfigKey key{.section = section_.name,
                  .name = name,
                  .fallback = std::move(fallback),
                  .explanation = explanation};
    key.maximum = static_cast<double>(std::numeric_limits<std::int32_t>::max());
    if (!section_.repeated) {
      key.environment = variable_name(std::string(section_.name) + "." + std::string(name));
    }
    key.set = [at = at_, member](Config& config, std::size_t element, ConfigValue value) {
      at(config, element)->*member = std::get<T>(std::move(value));
    };
    key.get = [at = at_, member](const Config& config, std::size_t element) {
      // `at` only reaches into the object; nothing is changed through it here.
      return ConfigValue(at(const_cast<Config&>(config), element)->*member);
    };
    section_.keys.push_back(std::move(key));
    return Declared{section_.keys.back()};
  }

  [[nodiscard]] ConfigSection build() && { return std::move(section_); }

 private:
  // Of queue.sqs.prefix: TODOKU_QUEUE__SQS__PREFIX.
  static std::string variable_name(std::string_view full_name) {
    std::string name = "TODOKU_";
    for (const char c : full_name) {
      if (c == '.') {
        name += "__";
      } else {
        name += c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
      }
    }
    return name;
  }

  ConfigSection section_;
  std::function<S*(Config&, std::size_t)> at_;
};

// Of a listener for HTTP, which speaks TLS where both are given.
template <class S>
void add_tls_keys(SectionBuilder<S>& section) {
  section
      .add("tls_certificate_file", &S::tls_certificate_file, "",
           {"Certificate chain (PEM, leaf first). With the key: the listener speaks TLS only.",
            "証明書チェーン（PEM、サーバー証明書が先頭）。鍵とともに指定すると TLS "
            "だけを受け付ける。"})
      .form(TextForm::path);
  section
      .add("tls_private_key_file", &S::tls_private_key_file, "",
           {"Private key of the certificate (PEM).", "証明書の秘密鍵（PEM）。"})
      .form(TextForm::path);
}

// The declarations, one function per group of sections.
[[nodiscard]] std::vector<ConfigSection> process_sections();
[[nodiscard]] std::vector<ConfigSection> store_sections();
[[nodiscard]] std::vector<ConfigSection> api_sections();
[[nodiscard]] std::vector<ConfigSection> console_sections();
[[nodiscard]] std::vector<ConfigSection> delivery_sections();
[[nodiscard]] ConfigSection egress_section();
[[nodiscard]] std::vector<ConfigSection> pool_sections();
[[nodiscard]] std::vector<ConfigSection> dkim_sections();
[[nodiscard]] std::vector<ConfigSection> doctor_sections();
[[nodiscard]] std::vector<ConfigSection> protection_sections();
[[nodiscard]] std::vector<ConfigSection> alarm_sections();
[[nodiscard]] std::vector<ConfigSection> probe_sections();
[[nodiscard]] std::vector<ConfigSection> queue_sections();
[[nodiscard]] std::vector<ConfigSection> outbound_sections();
[[nodiscard]] std::vector<ConfigSection> relay_sections();
[[nodiscard]] std::vector<ConfigSection> inbound_sections();

}  // namespace todoku::config
