// SPDX-License-Identifier: Apache-2.0
// Links that are good once: made, mailed, looked at and used.
#include <array>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/log.h"
#include "people/people.h"
#include "people/steps.h"
#include "store/account_name.h"

namespace todoku::people {
namespace {

constexpr std::size_t kAskedResetsMax = 100;
constexpr std::int64_t kResetsOfNetworkPerMinute = 10;

// Before the token of a link that a command shows: whoever gets it so has shown nothing about the
// address. It is in what the link's hash is of, so nobody can take it away or add it.
constexpr std::string_view kHandedOver = "h.";

// A link and whose it is, if it is somebody's.
struct Linked {
  store::Link link;
  store::Person person;
  std::string account;
  bool is_admitted = true;  // signs in from where it is used
};

Result<Linked> read_link(store::ReadTransaction& reader, const std::string& token_sha256,
                         const net::IpAddress& from) {
  auto link = reader.link(token_sha256);
  if (!link && link.error().kind == ErrorKind::not_found) {
    return stop(ErrorKind::not_found, texts::kLinkOver);
  }
  if (!link) return fail(std::move(link.error()));
  Linked linked;
  linked.link = std::move(*link);
  if (linked.link.purpose == store::LinkPurpose::first_operator) return linked;
  auto person = reader.person(linked.link.person);
  if (!person) return fail(std::move(person.error()));
  if (person->suspended) return stop(ErrorKind::not_found, texts::kLinkOver);
  const auto rules = rules_of(reader, person->account);
  if (!rules) return fail(rules.error());
  linked.is_admitted = is_admitted(*rules, from);
  if (person->account != store::AccountKey{}) {
    linked.account = store::account_name(reader, person->account);
  }
  linked.person = std::move(*person);
  return linked;
}

// The link, which is good no more.
Result<store::Link> use(store::WriteTransaction& transaction, const std::string& token_sha256) {
  auto link = transaction.use_link(token_sha256);
  if (!link && link.error().kind == ErrorKind::not_found) {
    return stop(ErrorKind::not_found, texts::kLinkOver);
  }
  return link;
}

struct NewOperator {
  std::string email;
  std::string name;
  std::string language;
  std::string password_hash;
};

Result<bool> add_first_operator(store::WriteTransaction& transaction, const std::string& link_hash,
                                const NewOperator& wanted, const std::string& token_hash,
                                const Visitor& visitor, Instant now) {
  if (auto used = use(transaction, link_hash); !used) return fail(used.error());
  store::NewPerson of_installation;
  of_installation.email = wanted.email;
  of_installation.name = wanted.name;
  of_installation.role = store::Role::operator_;
  of_installation.language = wanted.language;
  auto person = transaction.add_person(of_installation);
  if (!person && person.error().kind == ErrorKind::conflict) {
    return stop(ErrorKind::conflict, texts::kTaken);
  }
  if (!person) return fail(std::move(person.error()));
  person->password_hash = wanted.password_hash;
  person->seen = now;
  if (auto changed = transaction.change_person(*person); !changed) return fail(changed.error());
  if (auto begun = begin(transaction, *person, token_hash, visitor); !begun) {
    return fail(begun.error());
  }
  auto noted = note(transaction, By::person(*person, visitor), "person.first_operator",
                    store::AccountKey{}, person->email);
  if (!noted) return fail(std::move(noted.error()));
  return true;
}

struct NewPassword {
  std::string password_hash;
  std::optional<std::string> name;
  std::optional<std::string> language;
  bool is_mailed = false;  // the link came to the address
};

Result<bool> put_password(store::WriteTransaction& transaction, const store::Person& before,
                          const std::string& link_hash, const NewPassword& wanted,
                          const std::string& token_hash, const Visitor& visitor, Instant now) {
  auto person = transaction.hold_person(before.key);
  if (!person) return fail(std::move(person.error()));
  const auto link = use(transaction, link_hash);
  if (!link) return fail(link.error());
  if (person->suspended) return stop(ErrorKind::not_found, texts::kLinkOver);
  person->password_hash = wanted.password_hash;
  if (wanted.is_mailed) person->confirmed = now;
  person->name = wanted.name.value_or(person->name);
  person->language = wanted.language.value_or(person->language);
  const bool is_half = !person->sealed_totp.empty();
  if (!is_half) person->seen = now;
  if (auto changed = transaction.change_person(*person); !changed) return fail(changed.error());
  if (auto gone = transaction.void_links(person->key); !gone) return fail(gone.error());
  auto ended = transaction.end_sign_ins(person->key, store::SignInKey{});
  if (!ended) return fail(std::move(ended.error()));
  if (auto begun = begin(transaction, *person, token_hash, visitor); !begun) {
    return fail(begun.error());
  }
  const bool is_reset = link->purpose == store::LinkPurpose::reset;
  auto noted =
      note(transaction, By::person(*person, visitor),
           is_reset ? "person.password_reset" : "person.joined", person->account, person->email);
  if (!noted) return fail(std::move(noted.error()));
  return true;
}

std::string_view action_of(store::LinkPurpose purpose) {
  switch (purpose) {
    case store::LinkPurpose::first_operator:
      return "person.link_first_operator";
    case store::LinkPurpose::invitation:
      return "person.link_invitation";
    case store::LinkPurpose::reset:
      return "person.link_reset";
    case store::LinkPurpose::confirm:
      break;
  }
  return "person.link_confirm";
}

std::unexpected<Refusal> refuse_password(BilingualText fault) {
  return std::unexpected(
      Refusal{.kind = ErrorKind::invalid_input, .reason = std::move(fault), .wait = {}});
}

}  // namespace

Task<Answer<LinkView>> People::look_at_link(SecretText token) {
  auto found = co_await read([hash = sha256_hex(token)](store::ReadTransaction& reader) {
    return read_link(reader, hash, net::IpAddress());
  });
  if (!found) co_return std::unexpected(std::move(found.error()));
  co_return LinkView{.purpose = found->link.purpose,
                     .email = found->person.email,
                     .name = found->person.name,
                     .account = found->account};
}

Task<Answer<std::optional<Opened>>> People::use_link(LinkUse use, Visitor visitor) {
  auto found =
      co_await read([hash = sha256_hex(use.token), from = visitor.from](
                        store::ReadTransaction& reader) { return read_link(reader, hash, from); });
  if (!found) co_return std::unexpected(std::move(found.error()));
  const store::LinkPurpose purpose = found->link.purpose;
  if (purpose == store::LinkPurpose::first_operator) {
    co_return co_await make_first_operator(std::move(use), std::move(visitor));
  }
  if (purpose == store::LinkPurpose::confirm) {
    co_return co_await confirm(std::move(use), std::move(found->person), std::move(visitor));
  }
  // Before it is used up: it is good where signing in is.
  if (!found->is_admitted) co_return refuse(ErrorKind::unauthorized, texts::kElsewhere);
  co_return co_await set_password(std::move(use), std::move(found->person), std::move(visitor));
}

Task<Answer<std::optional<Opened>>> People::confirm(LinkUse wanted, store::Person person,
                                                    Visitor visitor) {
  auto done = co_await write(
      [hash = sha256_hex(wanted.token), key = person.key, visitor,
       now = store_.clock().now()](store::WriteTransaction& transaction) -> Result<bool> {
        auto held = transaction.hold_person(key);
        if (!held) return fail(std::move(held.error()));
        if (auto used = use(transaction, hash); !used) return fail(used.error());
        held->confirmed = now;
        if (auto changed = transaction.change_person(*held); !changed) return fail(changed.error());
        auto noted = note(transaction, By::person(*held, visitor), "person.confirmed",
                          held->account, held->email);
        if (!noted) return fail(std::move(noted.error()));
        return true;
      });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return std::nullopt;
}

Task<Answer<std::optional<Opened>>> People::make_first_operator(LinkUse use, Visitor visitor) {
  auto email = read_email(use.email.value_or(""));
  if (!email) co_return refuse(std::move(email.error()));
  auto name = read_name(use.name.value_or(""));
  if (!name) co_return refuse(std::move(name.error()));
  auto language = read_language(use.language.value_or("en"));
  if (!language) co_return refuse(std::move(language.error()));
  if (auto fault = access::password_fault(use.password, *email)) {
    co_return refuse_password(std::move(*fault));
  }
  auto made = co_await passwords_.make(owner_of(visitor.from), use.password);
  if (!made) co_return refuse(std::move(made.error()));
  const NewOperator wanted{.email = std::move(*email),
                           .name = std::move(*name),
                           .language = std::move(*language),
                           .password_hash = std::move(*made)};
  SecretText token(new_token());
  auto done =
      co_await write([link = sha256_hex(use.token), wanted, hash = sha256_hex(token), visitor,
                      now = store_.clock().now()](store::WriteTransaction& transaction) {
        return add_first_operator(transaction, link, wanted, hash, visitor, now);
      });
  if (!done) co_return std::unexpected(std::move(done.error()));
  has_operator_ = true;
  auto begun = co_await opened(std::move(token));
  if (!begun) co_return std::unexpected(std::move(begun.error()));
  co_return std::optional(std::move(*begun));
}

Task<Answer<std::optional<Opened>>> People::set_password(LinkUse use, store::Person person,
                                                         Visitor visitor) {
  NewPassword wanted;
  wanted.is_mailed = !use.token.view().starts_with(kHandedOver);
  if (use.name) {
    auto name = read_name(*use.name);
    if (!name) co_return refuse(std::move(name.error()));
    wanted.name = std::move(*name);
  }
  if (use.language) {
    auto language = read_language(*use.language);
    if (!language) co_return refuse(std::move(language.error()));
    wanted.language = std::move(*language);
  }
  if (auto fault = access::password_fault(use.password, person.email)) {
    co_return refuse_password(std::move(*fault));
  }
  auto made = co_await passwords_.make(owner_of(visitor.from), use.password);
  if (!made) co_return refuse(std::move(made.error()));
  wanted.password_hash = std::move(*made);
  SecretText token(new_token());
  auto done =
      co_await write([link = sha256_hex(use.token), person, wanted, hash = sha256_hex(token),
                      visitor, now = store_.clock().now()](store::WriteTransaction& transaction) {
        return put_password(transaction, person, link, wanted, hash, visitor, now);
      });
  if (!done) co_return std::unexpected(std::move(done.error()));
  auto begun = co_await opened(std::move(token));
  if (!begun) co_return std::unexpected(std::move(begun.error()));
  co_return std::optional(std::move(*begun));
}

void People::ask_reset(std::string email, Visitor visitor) {
  auto address = read_email(email);
  if (!address) return;
  const SteadyInstant now = clock_.steady_now();
  const std::array<MinuteMeter::Limit, 1> of_network{
      {{"resets/" + network_of(visitor.from).to_string(), kResetsOfNetworkPerMinute}}};
  if (meter_.admit(of_network, 1, now)) return;
  // Whatever is asked for counts: the attempt is given up at once.
  if (!resets_.ask(net::IpAddress(), *address, now).attempt) return;
  const std::lock_guard lock(mutex_);
  if (asked_resets_.size() >= kAskedResetsMax) return;
  asked_resets_.push_back({.email = std::move(*address), .visitor = std::move(visitor)});
}

Task<void> People::answer_resets() {
  while (true) {
    AskedReset asked;
    {
      const std::lock_guard lock(mutex_);
      if (asked_resets_.empty()) co_return;
      asked = std::move(asked_resets_.front());
      asked_resets_.pop_front();
    }
    co_await answer_reset(std::move(asked));
  }
}

Task<void> People::answer_reset(AskedReset asked) {
  auto person = co_await read([email = asked.email](store::ReadTransaction& reader) {
    return reader.person_by_email(email);
  });
  // Where no mail goes none is made: whoever cannot be sent it is handed one over.
  if (!mails() || !person || person->suspended) co_return;
  const auto purpose =
      person->password_hash.empty() ? store::LinkPurpose::invitation : store::LinkPurpose::reset;
  const By by{.actor = "somebody", .from = asked.visitor.from.to_string()};
  // Of who has shown nothing: it voids none that somebody was handed.
  auto link = co_await make_link(*person, purpose, by, Way::by_mail, store::Earlier::stay);
  if (!link) {
    log::warning("a link for a new password was not made", {{"why", link.error().reason.en}});
    co_return;
  }
  (void)co_await mail_link(std::move(*person), purpose, std::string(link->url.view()));
}

Task<Answer<IssuedLink>> People::first_operator_link(std::string by, std::string from) {
  const By who{.actor = std::move(by), .from = std::move(from)};
  co_return co_await make_link(store::Person{}, store::LinkPurpose::first_operator, who,
                               Way::by_hand, store::Earlier::are_void);
}

Task<Answer<IssuedLink>> People::link_for(std::string email, std::string by, std::string from) {
  auto address = read_email(email);
  if (!address) co_return refuse(std::move(address.error()));
  auto person = co_await read([address = *address](store::ReadTransaction& reader) {
    return reader.person_by_email(address);
  });
  if (!person) {
    if (person.error().kind == ErrorKind::not_found) {
      co_return refuse(ErrorKind::not_found, texts::kNobody);
    }
    co_return std::unexpected(std::move(person.error()));
  }
  const auto purpose =
      person->password_hash.empty() ? store::LinkPurpose::invitation : store::LinkPurpose::reset;
  const By who{.actor = std::move(by), .from = std::move(from)};
  co_return co_await make_link(std::move(*person), purpose, who, Way::by_hand,
                               store::Earlier::are_void);
}

Task<Answer<IssuedLink>> People::make_link(store::Person person, store::LinkPurpose purpose, By by,
                                           Way way, store::Earlier earlier) {
  const bool is_first = purpose == store::LinkPurpose::first_operator;
  const Milliseconds life = is_first ? kFirstOperatorLinkLife : kLinkLife;
  const SecretText token(fmt::format("{}{}", way == Way::by_hand ? kHandedOver : "", new_token()));
  const Instant now = store_.clock().now();
  auto done = co_await write([person, purpose, by, earlier, life, hash = sha256_hex(token)](
                                 store::WriteTransaction& transaction) -> Result<bool> {
    if (auto added = transaction.add_link(hash, purpose, person.key, life, earlier); !added) {
      return fail(added.error());
    }
    auto noted =
        note(transaction, by, about(action_of(purpose), person), person.account, person.email);
    if (!noted) return fail(std::move(noted.error()));
    return true;
  });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return IssuedLink{.url = SecretText(url_of(token)), .end = now + life};
}

// In the fragment, which browsers send to nobody by themselves.
std::string People::url_of(std::string_view token) const {
  return fmt::format("{}/link#{}", options_.public_url(), token);
}

Task<bool> People::mail_link(store::Person person, store::LinkPurpose purpose, std::string url) {
  if (options_.mailer == nullptr) co_return false;
  const auto sent = co_await options_.mailer->send(std::move(person), purpose, std::move(url));
  if (!sent) log::warning("a link could not be mailed", {{"why", sent.error().detail}});
  co_return sent.has_value();
}

}  // namespace todoku::people
