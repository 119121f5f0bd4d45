// SPDX-License-Identifier: Apache-2.0
// The way in for who has no API key: people who are signed in, on an origin of their own
// (console/). Who that is, and what of a request speaks for it, is the usher's affair; what he may
// do is judged as for keys, by scopes.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "async/task.h"
#include "base/bilingual.h"
#include "http/message.h"
#include "net/endpoint.h"
#include "store/accounts.h"

namespace todoku::api {

// Who is let in.
struct Visitor {
  store::Account account;
  store::Scopes scopes = 0;
  std::string actor;  // for the audit: "api key 7", "person 3 (sato@example.jp)"
  // Whose doing it is: who is signed in, or who made the key; 0: nobody knows.
  store::PersonKey person{};
  bool in_charge = false;  // signed in, and owns the account or operates the installation
};

class Usher {
 public:
  virtual ~Usher() = default;

  // Why somebody is not let in.
  struct Denial {
    int status = 401;
    BilingualText text;
  };

  // What stands for who sends this in Call::authorization, by the head alone: a text that no header
  // Authorization is ever taken for.
  [[nodiscard]] virtual std::expected<std::string, Denial> judge(const http::Request& request) = 0;
  // Who that is: when a request comes, and again while it is answered, as a stream is for hours.
  enum class Moment : std::uint8_t { arriving, going_on };
  [[nodiscard]] virtual Task<std::expected<Visitor, Denial>> admit(std::string authorization,
                                                                   net::IpAddress from,
                                                                   Moment moment) = 0;
  // What answers of its origin have besides.
  virtual void finish(const http::Request& request, http::Response& response) = 0;
};

}  // namespace todoku::api
