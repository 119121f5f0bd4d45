// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/sandbox.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/bytes.h"

namespace todoku::delivery::policy {
namespace {

constexpr std::string_view kTaken = "2.0.0 Taken by the sandbox: nothing has left this machine";
constexpr Milliseconds kSlow = std::chrono::seconds(10);

struct Mailbox {
  std::string_view name;
  RecipientState state = RecipientState::delivered;
  int code = 250;
  std::string_view words = kTaken;
  Milliseconds takes{};
  SandboxAfter after = SandboxAfter::nothing;
};

constexpr std::array<Mailbox, 10> kMailboxes{{
    {.name = "delivered"},
    {.name = "bounced",
     .state = RecipientState::bounced,
     .code = 550,
     .words = "5.1.1 No such mailbox: bounced, as its name in the sandbox asks"},
    {.name = "rejected",
     .state = RecipientState::bounced,
     .code = 554,
     .words = "5.7.1 Message content rejected as spam: rejected, as its name in the sandbox asks"},
    {.name = "deferred",
     .state = RecipientState::deferred,
     .code = 451,
     .words = "4.7.1 Greylisted, try again later: deferred, as its name in the sandbox asks"},
    {.name = "soft",
     .state = RecipientState::expired,
     .code = 452,
     .words = "4.2.2 Mailbox full until the mail was given up: as its name in the sandbox asks"},
    {.name = "slow", .takes = kSlow},
    {.name = "returned", .after = SandboxAfter::returned},
    {.name = "complained", .after = SandboxAfter::complained},
    {.name = "unsubscribed", .after = SandboxAfter::unsubscribed},
    {.name = "opened", .after = SandboxAfter::opened},
}};

Outcome answered(RecipientState state, Stage stage, int code, std::string_view words) {
  return {.state = state, .stage = stage, .reply = {code, std::string(words)}};
}

std::string names() {
  std::string names;
  for (const Mailbox& mailbox : kMailboxes) {
    if (!names.empty()) names += ", ";
    names += mailbox.name;
  }
  return names;
}

SandboxEnd end_of(const Mailbox& mailbox, std::uint32_t attempts) {
  const bool is_taken = mailbox.state == RecipientState::delivered ||
                        (mailbox.state == RecipientState::deferred && attempts > 0);
  if (is_taken) {
    return {answered(RecipientState::delivered, Stage::accepted, 250, kTaken), mailbox.takes,
            mailbox.after};
  }
  return {answered(mailbox.state, Stage::rcpt_to, mailbox.code, mailbox.words)};
}

}  // namespace

SandboxEnd sandbox_end(std::string_view address, std::uint32_t attempts) {
  const std::size_t at = address.rfind('@');
  const bool is_there =
      at != std::string_view::npos && equals_ignoring_case(address.substr(at + 1), kSandboxDomain);
  if (!is_there) return end_of(kMailboxes.front(), attempts);
  std::string_view name = address.substr(0, at);
  name = name.substr(0, name.find('+'));
  const auto* const found = std::ranges::find_if(
      kMailboxes, [&](const Mailbox& mailbox) { return equals_ignoring_case(mailbox.name, name); });
  if (found != kMailboxes.end()) return end_of(*found, attempts);
  return {answered(RecipientState::bounced, Stage::rcpt_to, 550,
                   "5.1.1 No such mailbox in the sandbox, which has " + names())};
}

Outcome sandbox_return() {
  Outcome outcome =
      answered(RecipientState::bounced, Stage::rcpt_to, 550,
               "5.1.1 No such mailbox: it came back, as its name in the sandbox asks");
  outcome.is_attempt = false;
  outcome.cause = Cause::mailbox;
  return outcome;
}

Path sandbox_path() {
  return {.mx_host = std::string(kSandboxHost),
          .remote_ip = {},
          .egress_source = {},
          .tls = TlsUse::none,
          .tls_detail = "the sandbox: no connection was made"};
}

}  // namespace todoku::delivery::policy
