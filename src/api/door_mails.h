// SPDX-License-Identifier: Apache-2.0
// What the doors for other services' clients (docs/doors.md) have in common: their mails pass
// intake as a batch does, and what is refused is told in the service's words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "api/api.h"
#include "api/doors/failures.h"
#include "api/doors/letter.h"
#include "api/form.h"
#include "api/mail_batch.h"

namespace todoku::api {

inline constexpr std::size_t kDoorOctetsMax = std::size_t{16} * 1024 * 1024;  // of several mails

struct DoorMail {
  doors::Letter letter;
  std::optional<doors::Failure> failure = std::nullopt;  // what the service says before all else
};

// The mails of one request, each made when it is wanted; `make` holds what it needs.
struct Letters {
  doors::Service service{};
  std::size_t count = 0;
  std::function<DoorMail(std::size_t)> make;
};

// How the mails of one request are taken: all or none, or each for itself.
enum class Taken : std::uint8_t { whole, each };

// The request's JSON, which `form` keeps; the response says what is wrong with it.
[[nodiscard]] Task<std::optional<http::Response>> read_door(const Api& api, const Call& call,
                                                            doors::Service service, Form& form);

// The key that Idempotency-Key gives the request, or the response that says what is wrong with it.
[[nodiscard]] std::expected<std::optional<store::IdempotencyKey>, http::Response> key_of_door(
    const Call& call, doors::Service service);

// The key of a request that is taken as a whole and whose client gives it none. What a failure has
// left half done is so ended by the request's repeat, the same octets within eight hours, and
// nothing goes twice; where it was carried out to its end, the same octets are another request. A
// single mail has none, nor what was sent more than sixteen times in that time.
[[nodiscard]] Task<std::expected<std::optional<store::IdempotencyKey>, http::Response>>
key_of_octets(Api& api, const Call& call, doors::Service service, std::size_t mails);

// What is known of each mail before any is accepted, in their places.
struct Looked {
  std::vector<std::optional<doors::Failure>> failures;
  std::vector<std::int64_t> copies;  // 0: it is refused, or was made by the same request before
  std::optional<std::size_t> first_fault;
};
// As a whole no further than to the first fault. What was made by the same request before is not
// looked at.
[[nodiscard]] Task<Looked> look_at(Api& api, const Call& call, const Letters& letters,
                                   const std::optional<store::IdempotencyKey>& key, Taken taken);

// Accepts those without a failure. As a whole they are admitted to the account's limits together,
// before the first is accepted. Warns in the header of what is not shown.
[[nodiscard]] Task<std::shared_ptr<MailBatch>> accept_letters(
    Api& api, Call& call, Letters letters, std::optional<store::IdempotencyKey> key,
    const Looked& looked, Taken taken);

// Why the mail at a place was refused; nullopt: it was not.
[[nodiscard]] std::optional<doors::Failure> failure_at(const MailBatch& batch, const Looked& looked,
                                                       std::size_t place, doors::Service service,
                                                       Language language);

// Of those that were to be accepted, the first that was not.
[[nodiscard]] std::optional<intake::Refusal> first_refusal(const MailBatch& batch,
                                                           const Looked& looked);

// A refusal in the service's words, with what it says of when to come again.
[[nodiscard]] http::Response door_refusal(doors::Service service, const intake::Refusal& refusal,
                                          Language language);

// How the services' clients, who want one of that form, are told of a delivery.
[[nodiscard]] std::string uuid_of(store::PublicId delivery);

}  // namespace todoku::api
