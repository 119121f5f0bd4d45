// SPDX-License-Identifier: Apache-2.0
// Who can show a mail before it is sent, and judge it without asking the DNS. Implemented where
// mail is composed (app/). What is shown proves nothing and opens nothing
// (delivery/dead_secrets.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "doctor/preflight.h"
#include "mail/content.h"
#include "mail/labels.h"
#include "mail/states.h"
#include "store/accounts.h"
#include "store/keys.h"
#include "store/recipient_sample.h"

namespace todoku::api {

// Whom a mail is shown for where nobody is named and none is registered.
inline constexpr std::string_view kPreviewedAddress = "recipient@example.com";

struct PreviewWish {
  // nullopt: what `change` makes of an empty content is all that there is.
  std::optional<store::PublicId> delivery;
  // What is not stored; nullptr: nothing.
  std::function<void(Content&, Labels&)> change = nullptr;
  // Instead of the recipients that are stored; nullopt: these.
  std::optional<std::vector<store::SampledRecipient>> recipients = {};
  // Of what is stored nowhere.
  DeliveryType type = DeliveryType::bulk;
  // Whom it is for, canonical; empty: the first recipient there is, or kPreviewedAddress.
  std::string email = {};
  // nullopt: those of the recipient, who must be one then, if it is named.
  std::optional<std::vector<InsertCode>> insert_codes = {};
};

struct Preview {
  std::string email;
  bool is_recipient = false;  // of the delivery
  std::string mail_from;      // dead, too
  std::string octets;
  bool charset_fell_back = false;
  std::vector<std::string> missing_codes;  // in the texts, without a value for this recipient
};

class Previews {
 public:
  virtual ~Previews() = default;
  // Errors of both: not_found (also: the address is no recipient of it), conflict (`change` of a
  // relayed message), unsupported (its content or a key that signed it is gone), invalid_input (no
  // message can be made of it), limit_exceeded (it would be larger than any mail may be), cancelled
  // (nobody would get it: it cannot be converted), and those of the store.
  [[nodiscard]] virtual Task<Result<Preview>> preview(store::Account account, PreviewWish wish) = 0;
  // What is wrong with the mails of its first, last and other recipients, or of the one that is
  // wished for.
  [[nodiscard]] virtual Task<Result<doctor::PreflightReport>> lint(store::Account account,
                                                                   PreviewWish wish) = 0;
};

}  // namespace todoku::api
