// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/server_command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace todoku::smtp {
namespace {

struct NamedVerb {
  std::string_view name;
  Verb verb;
};

// Ordered by how often a busy receiver sees them.
constexpr std::array kVerbs = {
    NamedVerb{"RCPT", Verb::rcpt},    NamedVerb{"MAIL", Verb::mail},
    NamedVerb{"DATA", Verb::data},    NamedVerb{"BDAT", Verb::bdat},
    NamedVerb{"EHLO", Verb::ehlo},    NamedVerb{"QUIT", Verb::quit},
    NamedVerb{"HELO", Verb::helo},    NamedVerb{"STARTTLS", Verb::starttls},
    NamedVerb{"RSET", Verb::rset},    NamedVerb{"NOOP", Verb::noop},
    NamedVerb{"AUTH", Verb::auth},    NamedVerb{"VRFY", Verb::vrfy},
    NamedVerb{"EXPN", Verb::expn},    NamedVerb{"HELP", Verb::help},
    NamedVerb{"GET", Verb::http},     NamedVerb{"POST", Verb::http},
    NamedVerb{"CONNECT", Verb::http},
};

std::unexpected<Reply> refuse(int code, std::string text) {
  return std::unexpected(Reply{code, std::move(text)});
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find_first_of(" \t"));
}

bool take_prefix_ignoring_case(std::string_view& text, std::string_view prefix) {
  if (!equals_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Where the '>' is that ends a path beginning with '<', past any quoted local part.
std::size_t find_path_end(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '>' && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

// Takes "<path>" from the front of `text` and gives what stands between the brackets, without a
// source route: RFC 5321 section 4.1.1.3 and appendix C want routes accepted and ignored. Blanks
// between the colon and the bracket are a mistake of many clients and harmless.
std::optional<std::string_view> take_path(std::string_view& text) {
  skip_blanks(text);
  if (!text.starts_with('<')) return std::nullopt;
  const std::size_t end = find_path_end(text);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view path = text.substr(1, end - 1);
  text.remove_prefix(end + 1);
  if (!text.empty() && !is_blank(text.front())) return std::nullopt;
  if (path.starts_with('@')) {
    const std::size_t colon = path.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    path.remove_prefix(colon + 1);
  }
  return path;
}

// One esmtp-param (RFC 5321 section 4.1.2) from the front of `text`.
struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;
};

std::optional<Parameter> take_parameter(std::string_view& text) {
  skip_blanks(text);
  if (text.empty()) return std::nullopt;
  const std::string_view word = first_word(text);
  text.remove_prefix(word.size());
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return Parameter{word, std::nullopt};
  return Parameter{word.substr(0, equals), word.substr(equals + 1)};
}

std::optional<std::uint64_t> parse_octets(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

enum class ParameterVerdict : std::uint8_t { taken, bad_value, unknown };

ParameterVerdict apply(const Parameter& parameter, const MailParameters& allowed,
                       MailCommand& command) {
  using enum ParameterVerdict;
  if (allowed.size && equals_ignoring_case(parameter.name, "SIZE")) {
    const auto octets = parse_octets(parameter.value.value_or(""));
    command.size = octets.value_or(0);
    return octets ? taken : bad_value;
  }
  if (allowed.eight_bit_mime && equals_ignoring_case(parameter.name, "BODY")) {
    const std::string_view value = parameter.value.value_or("");
    const bool eight_bit = equals_ignoring_case(value, "8BITMIME");
    command.body = eight_bit ? BodyType::eight_bit_mime : BodyType::seven_bit;
    return eight_bit || equals_ignoring_case(value, "7BIT") ? taken : bad_value;
  }
  if (allowed.smtputf8 && equals_ignoring_case(parameter.name, "SMTPUTF8")) {
    command.smtputf8 = true;
    return parameter.value ? bad_value : taken;
  }
  if (allowed.dsn && equals_ignoring_case(parameter.name, "RET")) {
    const auto ret = parse_dsn_return(parameter.value.value_or(""));
    // RFC 3461 section 4.3: at most once.
    if (!ret || command.ret != DsnReturn::unspecified) return bad_value;
    command.ret = *ret;
    return taken;
  }
  if (allowed.dsn && equals_ignoring_case(parameter.name, "ENVID")) {
    auto envid = parse_envid(parameter.value.value_or(""));
    if (!envid || !command.envid.empty()) return bad_value;
    command.envid = std::move(*envid);
    return taken;
  }
  // RFC 4954 section 5: who submitted the mail elsewhere. Syntax only; we trust nobody's word.
  if (allowed.auth && equals_ignoring_case(parameter.name, "AUTH")) {
    return parameter.value.value_or("").empty() ? bad_value : taken;
  }
  return unknown;
}

ParameterVerdict apply(const Parameter& parameter, const RcptParameters& allowed,
                       RecipientOptions& options) {
  using enum ParameterVerdict;
  if (allowed.dsn && equals_ignoring_case(parameter.name, kNotifyParameter)) {
    const auto notify = DsnNotify::parse(parameter.value.value_or(""));
    if (!notify || options.notify.is_specified()) return bad_value;
    options.notify = *notify;
    return taken;
  }
  if (allowed.dsn && equals_ignoring_case(parameter.name, kOrcptParameter)) {
    auto original = parse_orcpt(parameter.value.value_or(""), allowed.smtputf8);
    if (!original || options.original) return bad_value;
    options.original = std::move(original);
    return taken;
  }
  return unknown;
}

// Takes all parameters of a command. The error refuses the first that cannot be.
template <class Allowed, class Target>
std::expected<void, Reply> take_parameters(std::string_view text, const Allowed& allowed,
                                           Target& target) {
  std::vector<std::string_view> seen;  // of those that there are, so a few
  while (const auto parameter = take_parameter(text)) {
    switch (apply(*parameter, allowed, target)) {
      case ParameterVerdict::taken:
        break;
      case ParameterVerdict::bad_value:
        return refuse(501, "5.5.4 Bad value of parameter " + std::string(parameter->name));
      case ParameterVerdict::unknown:
        // RFC 5321 section 4.1.1.11.
        return refuse(555, "5.5.4 Unknown parameter " + std::string(parameter->name));
    }
    // RFC 5321 section 4.1.1.11 says nothing of which of two would count.
    const auto is_it = [&](std::string_view name) {
      return equals_ignoring_case(name, parameter->name);
    };
    if (std::ranges::any_of(seen, is_it)) {
      return refuse(501, "5.5.4 Twice the parameter " + std::string(parameter->name));
    }
    seen.push_back(parameter->name);
  }
  return {};
}

struct PathRules {
  bool smtputf8 = false;
  bool unqualified = false;
  std::string_view bad_address_code;
};

// The local part of a path that means somebody of the client's own house; else the whole path.
std::string_view local_part(std::string_view path) {
  const std::size_t at = path.rfind('@');
  if (at == std::string_view::npos) return path;
  const std::string_view host = path.substr(at + 1);
  return host.find_first_of(".[\"") == std::string_view::npos ? path.substr(0, at) : path;
}

std::expected<Address, Reply> parse_mailbox(std::string_view path, const PathRules& rules) {
  // RFC 6531 section 3.4: without the SMTPUTF8 parameter an address is ASCII.
  if (!rules.smtputf8 && !is_ascii(path)) {
    return refuse(553, "5.6.7 The address needs SMTPUTF8");
  }
  auto address = parse_address(path);
  if (!address && rules.unqualified) {
    // A domain lent to it makes it an address like others.
    auto lent = parse_address(std::string(local_part(path)) + "@unqualified.invalid");
    if (lent) {
      lent->domain.clear();
      return std::move(*lent);
    }
  }
  if (!address) {
    return refuse(501,
                  std::string(rules.bad_address_code) + " The address " + address.error().detail);
  }
  return std::move(*address);
}

}  // namespace

CommandLine parse_command_line(std::string_view line) {
  line = trim(line);
  const std::string_view word = first_word(line);
  const auto found = std::ranges::find_if(
      kVerbs, [&](const NamedVerb& known) { return equals_ignoring_case(known.name, word); });
  return {found == kVerbs.end() ? Verb::unknown : found->verb, trim(line.substr(word.size()))};
}

std::expected<MailCommand, Reply> parse_mail(std::string_view argument,
                                             const MailParameters& allowed) {
  if (!take_prefix_ignoring_case(argument, "FROM:")) {
    return refuse(501, "5.5.4 Syntax: MAIL FROM:<address>");
  }
  const auto path = take_path(argument);
  if (!path) return refuse(501, "5.5.4 Syntax: MAIL FROM:<address>");
  MailCommand command;
  auto taken = take_parameters(argument, allowed, command);
  if (!taken) return std::unexpected(std::move(taken.error()));
  if (path->empty()) return command;
  auto sender = parse_mailbox(*path, {.smtputf8 = command.smtputf8,
                                      .unqualified = allowed.unqualified,
                                      .bad_address_code = "5.1.7"});
  if (!sender) return std::unexpected(std::move(sender.error()));
  command.sender = std::move(*sender);
  return command;
}

std::expected<RcptCommand, Reply> parse_rcpt(std::string_view argument,
                                             const RcptParameters& allowed,
                                             std::string_view hostname) {
  if (!take_prefix_ignoring_case(argument, "TO:")) {
    return refuse(501, "5.5.4 Syntax: RCPT TO:<address>");
  }
  const auto path = take_path(argument);
  if (!path) return refuse(501, "5.5.4 Syntax: RCPT TO:<address>");
  RcptCommand command;
  auto taken = take_parameters(argument, allowed, command.options);
  if (!taken) return std::unexpected(std::move(taken.error()));
  if (!allowed.unqualified && equals_ignoring_case(*path, "postmaster")) {
    command.recipient = Address{std::string(*path), std::string(hostname)};
    return command;
  }
  auto recipient = parse_mailbox(*path, {.smtputf8 = allowed.smtputf8,
                                         .unqualified = allowed.unqualified,
                                         .bad_address_code = "5.1.3"});
  if (!recipient) return std::unexpected(std::move(recipient.error()));
  command.recipient = std::move(*recipient);
  return command;
}

std::optional<BdatCommand> parse_bdat(std::string_view argument) {
  const std::string_view digits = first_word(argument);
  const auto octets = parse_octets(digits);
  if (!octets) return std::nullopt;
  const std::string_view rest = trim(argument.substr(digits.size()));
  if (!rest.empty() && !equals_ignoring_case(rest, "LAST")) return std::nullopt;
  return BdatCommand{*octets, !rest.empty()};
}

}  // namespace todoku::smtp
