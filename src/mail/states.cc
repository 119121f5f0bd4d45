// SPDX-License-Identifier: Apache-2.0
#include "mail/states.h"

#include <array>
#include <utility>

namespace todoku {
namespace {

constexpr std::array<std::pair<DeliveryStatus, std::string_view>, 7> kStatusWords{{
    {DeliveryStatus::edit, "EDIT"},
    {DeliveryStatus::importing, "IMPORTING"},
    {DeliveryStatus::reserve, "RESERVE"},
    {DeliveryStatus::wait, "WAIT"},
    {DeliveryStatus::sending, "SENDING"},
    {DeliveryStatus::sent, "SENT"},
    {DeliveryStatus::failed, "FAILED"},
}};

constexpr std::array<std::pair<DeliveryType, std::string_view>, 3> kTypeWords{{
    {DeliveryType::transaction, "TRANSACTION"},
    {DeliveryType::bulk, "BULK"},
    {DeliveryType::smtp, "SMTP"},
}};

}  // namespace

bool may_change(RecipientState from, RecipientState to) {
  if (!is_terminal(from)) return to != RecipientState::pending;
  // A bounce message may follow a receiver's 250 (RFC 3464).
  if (from == RecipientState::delivered) return to == RecipientState::bounced;
  // What came of it may become known yet.
  return from == RecipientState::unknown &&
         (to == RecipientState::delivered || to == RecipientState::bounced);
}

std::string_view to_string(RecipientState state) {
  switch (state) {
    case RecipientState::pending:
      return "pending";
    case RecipientState::deferred:
      return "deferred";
    case RecipientState::delivered:
      return "delivered";
    case RecipientState::bounced:
      return "bounced";
    case RecipientState::dropped:
      return "dropped";
    case RecipientState::expired:
      return "expired";
    case RecipientState::cancelled:
      return "cancelled";
    case RecipientState::unknown:
      return "unknown";
  }
  return "invalid";
}

std::optional<RecipientState> recipient_state_of(std::string_view word) {
  for (auto number = static_cast<int>(RecipientState::pending);
       number <= static_cast<int>(RecipientState::unknown); ++number) {
    const auto state = static_cast<RecipientState>(number);
    if (to_string(state) == word) return state;
  }
  return std::nullopt;
}

std::string_view to_string(DeliveryStatus status) {
  switch (status) {
    case DeliveryStatus::edit:
      return "edit";
    case DeliveryStatus::importing:
      return "importing";
    case DeliveryStatus::reserve:
      return "reserve";
    case DeliveryStatus::wait:
      return "wait";
    case DeliveryStatus::sending:
      return "sending";
    case DeliveryStatus::sent:
      return "sent";
    case DeliveryStatus::failed:
      return "failed";
  }
  return "invalid";
}

std::string_view to_string(TrafficClass klass) {
  return klass == TrafficClass::transactional ? "transactional" : "bulk";
}

std::optional<std::string_view> contract_word(RecipientState state) {
  switch (state) {
    case RecipientState::pending:
      return std::nullopt;
    case RecipientState::deferred:
      return "RETRY";
    case RecipientState::delivered:
      return "SENT";
    case RecipientState::bounced:
      return "HARDERROR";
    case RecipientState::dropped:
      return "DROP";
    case RecipientState::expired:
      return "SOFTERROR";
    // The contract has no word for these two. Neither reached a receiver for certain.
    case RecipientState::cancelled:
      return "DROP";
    case RecipientState::unknown:
      return "SOFTERROR";
  }
  return std::nullopt;
}

std::string_view contract_word(DeliveryStatus status) {
  for (const auto& [value, word] : kStatusWords) {
    if (value == status) return word;
  }
  return "FAILED";
}

std::string_view contract_word(DeliveryType type) {
  for (const auto& [value, word] : kTypeWords) {
    if (value == type) return word;
  }
  return "TRANSACTION";
}

std::optional<DeliveryStatus> delivery_status_from_contract(std::string_view text) {
  for (const auto& [value, word] : kStatusWords) {
    if (word == text) return value;
  }
  return std::nullopt;
}

std::optional<DeliveryType> delivery_type_from_contract(std::string_view text) {
  for (const auto& [value, word] : kTypeWords) {
    if (word == text) return value;
  }
  return std::nullopt;
}

}  // namespace todoku
