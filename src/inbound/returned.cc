// SPDX-License-Identifier: Apache-2.0
#include "inbound/returned.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "feedback/parse/judged.h"

namespace todoku::inbound {
namespace {

using feedback::parse::Bounce;
using feedback::parse::ReturnedRecipient;
using Action = ReturnedRecipient::Action;
using Kind = Returned::Kind;

Kind kind_of(Bounce::Kind kind) {
  switch (kind) {
    case Bounce::Kind::none:
    case Bounce::Kind::report:
      break;
    case Bounce::Kind::complaint:
      return Kind::complained;
    case Bounce::Kind::no_spam:
      return Kind::no_spam;
    case Bounce::Kind::auth_failure:
      return Kind::auth_failure;
    case Bounce::Kind::auto_reply:
      return Kind::auto_reply;
  }
  return Kind::not_understood;
}

// Who is meant: the address itself, else whoever failed, else anybody that is told of.
const ReturnedRecipient* find_meant(const Bounce& bounce, std::string_view address) {
  const auto& all = bounce.recipients;
  auto found = std::ranges::find_if(all, [address](const ReturnedRecipient& each) {
    return equals_ignoring_case(each.address, address);
  });
  if (found == all.end())
    found = std::ranges::find(all, Action::failed, &ReturnedRecipient::action);
  if (found == all.end()) found = all.begin();
  return found == all.end() ? nullptr : &*found;
}

// As a server would have said it: a code, and the status before the words (RFC 3463 section 2).
Reply reply_of(const ReturnedRecipient& recipient) {
  Reply reply = recipient.reply;
  const bool is_over = recipient.action == Action::failed && !recipient.status.starts_with("4.");
  if (reply.code < 400) reply.code = is_over ? 550 : 450;
  if (!recipient.status.empty() && !reply.enhanced()) {
    reply.text = recipient.status + (reply.text.empty() ? "" : " ") + reply.text;
  }
  return reply;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::bounced:
      return "bounced";
    case Kind::complained:
      return "complained";
    case Kind::delayed:
      return "delayed";
    case Kind::delivered:
      return "delivered";
    case Kind::auto_reply:
      return "auto_reply";
    case Kind::no_spam:
      return "no_spam";
    case Kind::auth_failure:
      return "auth_failure";
    case Kind::not_understood:
      break;
  }
  return "not_understood";
}

Returned returned_of(const Bounce& bounce, std::string_view address) {
  Returned returned{.kind = kind_of(bounce.kind), .outcome = {}};
  if (bounce.kind != Bounce::Kind::report) return returned;
  const ReturnedRecipient* const meant = find_meant(bounce, address);
  if (meant == nullptr) return returned;
  if (meant->action == Action::delivered) {
    returned.kind = Kind::delivered;
    return returned;
  }
  const auto judged = feedback::parse::judge(bounce, meant);
  if (meant->action == Action::delayed) {
    returned.kind = Kind::delayed;
    returned.outcome = {.state = RecipientState::deferred,
                        .stage = Stage::accepted,
                        .reply = reply_of(*meant),
                        .is_attempt = false,
                        .cause = judged.cause};
    return returned;
  }
  returned.kind = Kind::bounced;
  const bool is_its = meant->address.empty() || equals_ignoring_case(meant->address, address);
  returned.against_address = judged.suppress && is_its;
  // Words against another address say nothing of this one but that it passes mail on.
  const bool is_passed_on = judged.suppress && !is_its;
  const Cause cause = judged.cause == Cause::none ? Cause::unclear : judged.cause;
  returned.outcome = {.state = RecipientState::bounced,
                      .stage = meant->stage,
                      .reply = reply_of(*meant),
                      .is_attempt = false,
                      .cause = is_passed_on ? Cause::forwarding : cause};
  return returned;
}

}  // namespace todoku::inbound
