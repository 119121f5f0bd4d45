// SPDX-License-Identifier: Apache-2.0
// What the doors for other services' clients (docs/doors.md) have in common: their mails pass
// intake as a batch does, and what is refused is told in the service's words.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/json/value.hpp>

#include "api/api.h"
#include "api/doors/failures.h"
#include "api/doors/letter.h"
#include "api/form.h"
#include "api/mail_batch.h"

namespace todoku::api {

inline constexpr std::size_t kDoorOctetsMax = std::size_t{16} * 1024 * 1024;  // of several mails

// The letters of one request, each made when it is wanted; `make` holds what it needs.
struct Letters {
  doors::Service service{};
  std::size_t count = 0;
  std::function<doors::Letter(std::size_t)> make;
};

// The request's JSON, which `form` keeps; the response says what is wrong with it.
[[nodiscard]] Task<std::optional<http::Response>> read_door(const Api& api, const Call& call,
                                                            doors::Service service, Form& form);

// Why a letter would be refused, whatever is free or in use now.
[[nodiscard]] std::optional<doors::Failure> fault_of(const Api& api, const Call& call,
                                                     doors::Service service,
                                                     const doors::Letter& letter);

// The key that Idempotency-Key gives the request, or the response that says what is wrong with it.
[[nodiscard]] std::expected<std::optional<store::IdempotencyKey>, http::Response> key_of_door(
    const Call& call, doors::Service service);

// Every letter before any is accepted. nullopt: nothing is wrong. Of a request that was carried out
// before nothing is looked at.
struct Fault {
  std::size_t place = 0;
  doors::Failure failure;
};
[[nodiscard]] Task<std::optional<Fault>> first_fault(
    Api& api, const Call& call, const Letters& letters,
    const std::optional<store::IdempotencyKey>& key);

// Accepts them. Warns in the header of what is not shown.
[[nodiscard]] Task<std::shared_ptr<MailBatch>> accept_letters(
    Api& api, Call& call, Letters letters, std::optional<store::IdempotencyKey> key);

// A refusal in the service's words, with what it says of when to come again.
[[nodiscard]] http::Response door_refusal(doors::Service service, const intake::Refusal& refusal,
                                          Language language);

// How the services' clients, who want one of that form, are told of a delivery.
[[nodiscard]] std::string uuid_of(store::PublicId delivery);

}  // namespace todoku::api
