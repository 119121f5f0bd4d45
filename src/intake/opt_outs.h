// SPDX-License-Identifier: Apache-2.0
// What a recipient does by the link of List-Unsubscribe (RFC 8058): leaves, at once and for good,
// and may take it back for a while.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "mail/unsubscribe_token.h"
#include "store/store.h"

namespace todoku::intake {

// What is left: the list that a mail belonged to, or all advertisements of its account, which is
// also what is left where the mail belonged to no list.
enum class Leaves : std::uint8_t { list, advertisements };

// What has been left already of what a link leads away from.
struct LeftAlready {
  Leaves leaves = Leaves::list;  // the most that is left
  // When that was recorded as its reader's leaving, the last time; nullopt: something else stops
  // it, a complaint or an entry of the sender's, which no page takes back.
  std::optional<Instant> at;
};
// `entries`: what stops mail to the token's address in its account. nullopt: its mail goes on.
[[nodiscard]] std::optional<LeftAlready> left_already(std::span<const store::Suppression> entries,
                                                      const UnsubscribeToken& token);

// Thread-safe.
class OptOuts {
 public:
  explicit OptOuts(store::Store& store) : store_(store) {}

  static constexpr std::size_t kTakenBackMax = 3;  // of an address and account

  enum class Left : std::uint8_t { now, before };
  // Committed when it answers, with the event `unsubscribed` of the mail that the token is of,
  // while that is stored. Of an account that is not there any more nothing is sent: `before`. Who
  // has left as many lists as are kept (store::kStopsOfSubjectMax) leaves all advertisements
  // instead. Errors: those of the store.
  [[nodiscard]] Task<Result<Left>> leave(UnsubscribeToken token, Leaves leaves);

  enum class TakenBack : std::uint8_t {
    now,
    nothing,  // there was nothing, or it was recorded anew since
    not_all,  // now, and another entry goes on stopping such mail
  };
  // What was left until `until`; kept as a change of the list with who did it. Where there is
  // nothing it costs no commit. Errors: limit_exceeded (kTakenBackMax within a day: whoever has a
  // mail of somebody else must not fill the store), those of the store.
  [[nodiscard]] Task<Result<TakenBack>> take_back(UnsubscribeToken token, Leaves leaves,
                                                  Instant until);

  // left_already() by what is stored. Errors: those of the store.
  [[nodiscard]] Task<Result<std::optional<LeftAlready>>> before(UnsubscribeToken token);

  // Who sent the mail, as its From says. Where it is not stored any more there is no name, and in
  // the place of the address the account's domains; both empty where those say too little: none,
  // or more than kDomainsNamedMax.
  static constexpr std::size_t kDomainsNamedMax = 3;
  struct Sender {
    std::string name;
    std::string address;
  };
  [[nodiscard]] Task<Result<Sender>> sender_of(UnsubscribeToken token);

 private:
  store::Store& store_;
};

}  // namespace todoku::intake
