// SPDX-License-Identifier: Apache-2.0
#include "people/people.h"

#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/log.h"
#include "people/steps.h"

namespace todoku::people {
namespace {

constexpr std::int64_t kFailuresPerMinute = 60;  // that are written

// Five mistakes for nothing, then waits from half a minute to half an hour.
constexpr access::LoginGuard::Options kGuesses{.failures_of_name = 5,
                                               .failures_of_network = 50,
                                               .window = std::chrono::hours(1),
                                               .first_wait = std::chrono::seconds(30)};
// Of these "network" is everybody, and stops nobody.
constexpr access::LoginGuard::Options kCodes{
    .failures_of_name = 5,
    .failures_of_network = std::numeric_limits<std::uint32_t>::max(),
    .window = std::chrono::hours(1),
    .first_wait = std::chrono::seconds(30)};
// Mail that somebody wants sent: of one address three an hour for nothing, of one person and of one
// account thirty, then waits as above. Whatever is asked for counts.
constexpr access::LoginGuard::Options kMailing{
    .failures_of_name = 30,
    .failures_of_network = std::numeric_limits<std::uint32_t>::max(),
    .window = std::chrono::hours(1),
    .first_wait = std::chrono::minutes(5)};
constexpr access::LoginGuard::Options kResets{
    .failures_of_name = 3,
    .failures_of_network = std::numeric_limits<std::uint32_t>::max(),
    .window = std::chrono::hours(1),
    .first_wait = std::chrono::minutes(5)};

}  // namespace

People::People(store::Store& store, const Clock& clock, Options options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      passwords_(options_.passwords),
      guesses_(kGuesses),
      codes_(kCodes),
      resets_(kResets),
      mailed_(kResets),
      mailing_(kMailing) {}

People::~People() = default;

void People::forget() {
  remembered_.forget();
}

Answer<void> People::whole(const SignedIn& who) {
  if (who.is_half()) return refuse(ErrorKind::unauthorized, texts::kHalf);
  if (who.must_set_up_second_factor()) return refuse(ErrorKind::unauthorized, texts::kSetUp);
  return {};
}

Task<Answer<Who>> People::read_who(std::string token_sha256) {
  auto found = co_await read([token_sha256](store::ReadTransaction& reader) {
    return read_signed_in(reader, token_sha256);
  });
  if (!found) co_return std::unexpected(std::move(found.error()));
  co_return std::make_shared<const SignedIn>(std::move(*found));
}

Task<Answer<Opened>> People::opened(SecretText token) {
  auto who = co_await read_who(sha256_hex(token));
  if (!who) co_return std::unexpected(std::move(who.error()));
  co_return Opened{.token = std::move(token), .who = std::move(*who)};
}

Answer<access::LoginGuard::Attempt> People::turn_at(access::LoginGuard& guard,
                                                    const net::IpAddress& from,
                                                    const std::string& name) {
  auto turn = guard.ask(from, name, clock_.steady_now());
  if (turn.attempt) return std::move(turn.attempt);
  const Milliseconds wait = std::max<Milliseconds>(turn.locked, std::chrono::seconds(1));
  return refuse(ErrorKind::limit_exceeded, texts::kTooOften, wait);
}

bool People::mails() const {
  return options_.mailer != nullptr && options_.mailer->is_there();
}

// By account, whose own mail it is: what is refused there keeps no mail from whoever has the
// address.
Answer<void> People::may_mail(const SignedIn& who, const std::string& to) {
  if (who.account && who.account->suspended) {
    return refuse(ErrorKind::conflict, texts::kSuspended);
  }
  if (!mails()) return {};
  const std::string person = fmt::format("person {}", static_cast<std::int64_t>(who.person.key));
  const std::string account = fmt::format("account {}", static_cast<std::int64_t>(account_of(who)));
  const std::string theirs = fmt::format("{}/{}", account, to);
  for (const auto& [guard, name] : {std::pair{&mailing_, &person}, std::pair{&mailing_, &account},
                                    std::pair{&mailed_, &theirs}}) {
    // The attempt is given up at once, and so counts.
    auto turn = turn_at(*guard, net::IpAddress(), *name);
    if (!turn) {
      return refuse(ErrorKind::limit_exceeded, texts::kMailedTooOften, turn.error().wait);
    }
  }
  return {};
}

Task<void> People::note_failure(std::string action, store::AccountKey account, std::string email,
                                Visitor visitor) {
  const std::array<MinuteMeter::Limit, 1> limit{{{"failures", kFailuresPerMinute}}};
  if (meter_.admit(limit, 1, clock_.steady_now())) co_return;
  const By by{.actor = "somebody", .from = visitor.from.to_string()};
  const auto noted =
      co_await store_.write(store::WritePriority::claims,
                            [by, action, account, email](store::WriteTransaction& transaction) {
                              return note(transaction, by, action, account, email);
                            });
  if (!noted) log::warning("a failed sign-in is not in the audit", {{"why", noted.error().detail}});
}

}  // namespace todoku::people
