// SPDX-License-Identifier: Apache-2.0
// An authentication exchange against any lines, as far as they are expected. Oracles: it never dies
// and always ends; only who knows the password succeeds, and only a name that there is; every reply
// is one of those that RFC 4954 knows; a line of stored secrets reads back as it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "mail/saslprep.h"
#include "smtp/protocol/sasl_server.h"

namespace todoku::smtp {
namespace {

using Kind = SaslStep::Kind;

const SaslOptions& options() {
  static const SaslOptions shared{.mechanisms = std::string(kSaslMechanisms),
                                  .decoy_key = "a key of sixteen",
                                  .decoy_iterations = kScramIterationsMin};
  return shared;
}

const ScramSecrets& secrets() {
  static const ScramSecrets of_user =
      ScramSecrets::from_password("pencil", from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value(),
                                  kScramIterationsMin)
          .value();
  return of_user;
}

std::string_view take_line(std::string_view& lines) {
  const std::size_t end = std::min(lines.find('\n'), lines.size());
  const std::string_view line = lines.substr(0, end);
  lines.remove_prefix(std::min(end + 1, lines.size()));
  return line;
}

void check_reply(const SaslStep& step) {
  const int code = step.reply.code;
  switch (step.kind) {
    case Kind::challenge:
      check(code == 334 && from_base64(step.reply.text).has_value(), "a challenge is base64");
      return;
    case Kind::ask:
      return;
    case Kind::succeeded:
      check(code == 235, "success has its code");
      return;
    case Kind::failed:
      check(code == 500 || code == 501 || code == 504 || code == 535, "failure has its codes");
  }
}

void check_exchange(std::string_view lines) {
  SaslServer sasl(options(), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
  const std::string_view all = lines;
  bool exists = false;
  int steps = 0;
  SaslStep step = sasl.begin(take_line(lines));
  while (step.kind == Kind::challenge || step.kind == Kind::ask) {
    check(++steps < 8, "an exchange is short");
    check_reply(step);
    if (step.kind == Kind::ask) {
      check(!sasl.user().empty() && sasl.user().size() <= kSaslUserOctetsMax, "a name");
      check(sasl.authzid().empty() || sasl.authzid() == sasl.user(), "nobody acts for another");
      exists = sasl.user() == "user";
      step = sasl.give(exists ? std::vector{secrets()} : std::vector<ScramSecrets>());
      continue;
    }
    if (lines.empty() && steps > 5) return;
    step = sasl.respond(take_line(lines));
  }
  check_reply(step);
  if (step.kind != Kind::succeeded) return;
  check(exists, "a user");
  if (sasl.mechanism() == "SCRAM-SHA-256") return;
  // The password was said: by PLAIN in the message, by LOGIN in the last line.
  bool was_said = false;
  for (std::string_view rest = all; !rest.empty();) {
    std::string_view line = trim(take_line(rest));
    line.remove_prefix(line.rfind(' ') == std::string_view::npos ? 0 : line.rfind(' ') + 1);
    const std::string said = from_base64(line).value_or("");
    const auto password = saslprep(said.substr(said.rfind('\0') + 1), SaslprepOf::query);
    was_said = was_said || (password && *password == "pencil");
  }
  check(was_said, "nobody comes in without the password");
}

}  // namespace
}  // namespace todoku::smtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with("SCRAM-SHA-256$")) {
    const auto secrets = ScramSecrets::parse(input);
    if (secrets) check(secrets->to_string() == input, "a line has one form");
    return 0;
  }
  smtp::check_exchange(input);
  return 0;
}
