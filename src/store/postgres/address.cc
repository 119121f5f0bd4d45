// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/address.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libpq-fe.h>

namespace todoku::store::postgres {
namespace {

constexpr std::int64_t kHostsMost = 8;
constexpr std::array<std::string_view, 2> kPasswords{"password", "sslpassword"};
constexpr std::array<std::string_view, 2> kWriting{"read-write", "primary"};

struct FreeParsed {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Parsed = std::unique_ptr<PQconninfoOption, FreeParsed>;

struct Reading {
  Parsed options;
  std::string wrong;  // what libpq says of it, if it cannot be read
};

Reading read_address(const std::string& address) {
  char* wrong = nullptr;
  Reading reading{Parsed(PQconninfoParse(address.c_str(), &wrong)), {}};
  if (reading.options == nullptr) reading.wrong = wrong == nullptr ? "out of memory" : wrong;
  PQfreemem(wrong);
  while (reading.wrong.ends_with('\n')) reading.wrong.pop_back();
  return reading;
}

// Empty if it is not given.
std::string_view value_of(const Parsed& options, std::string_view name) {
  for (const PQconninfoOption* each = options.get(); each->keyword != nullptr; ++each) {
    if (each->keyword == name && each->val != nullptr) return each->val;
  }
  return {};
}

std::unexpected<Error> wrong_address(std::string detail) {
  return fail(ErrorKind::invalid_input, std::move(detail));
}

}  // namespace

Result<void> check_address(const std::string& address) {
  if (address.find('\0') != std::string::npos) return wrong_address("it holds an octet of zero");
  const Reading reading = read_address(address);
  if (reading.options == nullptr) {
    // libpq quotes what it does not understand, which may be a part of a password.
    const bool quotable =
        address.find("pass") == std::string::npos && address.find('@') == std::string::npos;
    return wrong_address(quotable ? reading.wrong
                                  : "it is neither a URI nor name=value pairs that libpq knows");
  }
  for (const std::string_view name : kPasswords) {
    if (value_of(reading.options, name).empty()) continue;
    return fail(ErrorKind::unsupported, "it holds a password, which does not belong there");
  }
  const std::string_view attributes = value_of(reading.options, "target_session_attrs");
  if (!attributes.empty() && std::ranges::find(kWriting, attributes) == kWriting.end()) {
    return wrong_address(fmt::format("target_session_attrs is {}, but must be {}", attributes,
                                     fmt::join(kWriting, " or ")));
  }
  const auto hosts = 1 + std::ranges::count(value_of(reading.options, "host"), ',');
  if (hosts > kHostsMost) {
    return wrong_address(
        fmt::format("it names {} hosts, but may name {} at most", hosts, kHostsMost));
  }
  const std::string_view encoding = value_of(reading.options, "client_encoding");
  if (!encoding.empty() && encoding != "UTF8") {
    return wrong_address(fmt::format("client_encoding is {}, but must be UTF8", encoding));
  }
  return {};
}

std::string address_name(const std::string& address) {
  const Reading reading = read_address(address);
  if (reading.options == nullptr) return address;
  const auto or_else = [](std::string_view text, std::string_view otherwise) {
    return text.empty() ? otherwise : text;
  };
  const std::string_view user = value_of(reading.options, "user");
  return fmt::format(
      "{}:{}/{}",
      or_else(or_else(value_of(reading.options, "host"), value_of(reading.options, "hostaddr")),
              "localhost"),
      or_else(value_of(reading.options, "port"), "5432"),
      or_else(or_else(value_of(reading.options, "dbname"), user), "-"));
}

std::string describe_address(const std::string& address) {
  const Reading reading = read_address(address);
  if (reading.options == nullptr) return "PostgreSQL";
  const auto or_else = [](std::string_view text, std::string_view otherwise) {
    return text.empty() ? otherwise : text;
  };
  const std::string_view user = value_of(reading.options, "user");
  const std::string_view host =
      or_else(value_of(reading.options, "host"), value_of(reading.options, "hostaddr"));
  return fmt::format("the PostgreSQL database {} at {}",
                     or_else(value_of(reading.options, "dbname"), or_else(user, "of this user")),
                     or_else(host, "this machine"));
}

}  // namespace todoku::store::postgres
