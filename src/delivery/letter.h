// SPDX-License-Identifier: Apache-2.0
// A letter: everything that the recipients of one delivery share when their mail is made. Built
// once per delivery, immutable, shared by all connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/key_ring.h"
#include "delivery/letter_message.h"
#include "delivery/options.h"
#include "mail/content.h"
#include "mail/dsn.h"
#include "mail/labels.h"
#include "mail/states.h"
#include "store/store.h"

namespace todoku::delivery {

// MAIL FROM of every copy of a relayed message, and what its sender wishes to be told by receivers
// that tell it (RFC 3461).
struct OwnSender {
  std::string mail_from;  // empty: the null path
  DsnReturn returned = DsnReturn::unspecified;
  std::string envid;
};

struct Letter {
  store::DeliveryKey delivery{};
  store::AccountKey account{};
  std::uint32_t weight = 1;  // of the account
  TrafficClass traffic = TrafficClass::transactional;
  bool at_most_once = false;
  bool sandbox = false;                      // of an account whose mail never leaves the machine
  Purpose purpose = Purpose::transactional;  // never by_type
  std::string list_id;
  Instant started{};
  std::shared_ptr<const mailauth::dkim::Signer> signer;  // null: not signed
  // nullopt: MAIL FROM is a token of the recipient's (options.h, return_path_domain).
  std::optional<OwnSender> sender;
  LetterMessage message;
  std::size_t bytes = 0;  // approximate memory
};

// What a letter says of its account.
struct LetterTerms {
  std::uint32_t weight = 1;
  bool sandbox = false;
};

// Errors: not_found if a pinned signing key is gone.
[[nodiscard]] Result<std::shared_ptr<const Letter>> make_letter(
    const store::Delivery& delivery, LetterMessage message, LetterTerms terms, KeyRing& keys,
    std::optional<OwnSender> sender = std::nullopt);

// Whether attachments of so many octets are sent in slices rather than kept with the letter.
[[nodiscard]] bool goes_in_slices(std::uint64_t octets, const Options& options);

// What messages are composed of.
struct LetterContent {
  // With the data of the attachments; without, if that is in the store and read from there.
  Content content;
  std::vector<std::uint64_t> data_outside;  // octets of each, if it is not here
  std::string relayed_head;  // of a relayed message that is not here, its header section

  // From data that is at hand, which is let go of if it goes in slices.
  [[nodiscard]] static LetterContent of(Content content, const Options& options);
};

// Of a message that is composed or relayed. The store outlives the letter. Errors also:
// invalid_input if no message can be made of it.
[[nodiscard]] Result<std::shared_ptr<const Letter>> make_letter(const store::Delivery& delivery,
                                                                LetterContent content,
                                                                LetterTerms terms, KeyRing& keys,
                                                                const Options& options,
                                                                store::Store& store);

}  // namespace todoku::delivery
