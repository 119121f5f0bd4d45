// SPDX-License-Identifier: Apache-2.0
// What a server says in an exchange of AUTH, line by line, to a client that logs in. Oracles:
// nothing dies; the exchange is short; by SCRAM nobody who does not know the password gets as far
// as finish(); the password is in no line of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "smtp/protocol/sasl_client.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  using namespace todoku::smtp;
  static const ClientLogin login{.user = "user", .password = SecretText("a pencil of mine")};
  for (const std::string& mechanism : {"SCRAM-SHA-256", "PLAIN", "LOGIN"}) {
    std::string_view lines(reinterpret_cast<const char*>(data), size);
    SaslClient client(login, "rOprNGfwEbeRWgbNEkqO");
    check(client.begin(std::vector<std::string>{mechanism}).has_value(), "it is offered");
    int answers = 0;
    while (!lines.empty()) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      std::string line(lines.substr(0, end));
      lines.remove_prefix(std::min(end + 1, lines.size()));
      // What is no base64 is said in it, so that messages are reached.
      if (!line.starts_with('=')) line = to_base64(line);
      const auto answer = client.respond(line);
      if (!answer) break;
      check(++answers <= 2, "an exchange is short");
      const bool told = from_base64(*answer).value_or("").contains(login.password.view());
      check(!told || mechanism != "SCRAM-SHA-256", "SCRAM does not tell the password");
    }
    check(mechanism != "SCRAM-SHA-256" || !client.finish(), "nobody here knows the password");
  }
  return 0;
}
