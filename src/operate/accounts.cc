// SPDX-License-Identifier: Apache-2.0
// Operations on accounts and their API keys.
#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "access/access.h"
#include "access/scopes.h"
#include "access/ses_keys.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "mail/allow_list.h"
#include "mail/invisible.h"
#include "net/network.h"
#include "operate/calls/calls.h"
#include "operate/networks.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

constexpr std::size_t kAccountNameMax = 64;
constexpr std::size_t kLabelMax = 100;
constexpr std::string_view kSandboxEnding = ".sandbox";
static_assert(calls::arguments::kWeight.min == store::kAccountWeightMin &&
              calls::arguments::kWeight.max == store::kAccountWeightMax);
constexpr std::size_t kApiKeyOctets = 24;  // 192 random bits

Result<void> check_name(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= kAccountNameMax && std::ranges::all_of(name, [](char c) {
        const char lower = ascii_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("._@-").contains(c);
      });
  // Names stand in paths, and "." and ".." go elsewhere there (RFC 3986 section 5.2.4).
  if (good && name != "." && name != "..") return {};
  return fail(
      ErrorKind::invalid_input,
      fmt::format(
          "the name of an account has 1 to {} letters, digits and . _ @ -, and is not . or ..",
          kAccountNameMax));
}

Result<void> check_weight(std::int64_t weight) {
  if (weight >= store::kAccountWeightMin && weight <= store::kAccountWeightMax) return {};
  return fail(ErrorKind::invalid_input,
              fmt::format("the weight is {}, but must be from {} to {}", weight,
                          store::kAccountWeightMin, store::kAccountWeightMax));
}

Result<Page<AccountView>> read_accounts(store::ReadTransaction& transaction,
                                        store::AccountKey after, std::int64_t limit) {
  auto accounts = transaction.accounts(after, limit);
  if (!accounts) return fail(std::move(accounts.error()));
  Page<AccountView> page;
  if (accounts->empty()) return page;
  auto keys = transaction.active_keys(accounts->front().key, accounts->back().key);
  if (!keys) return fail(std::move(keys.error()));
  if (static_cast<std::int64_t>(accounts->size()) == limit) {
    page.next = fmt::format("{}", static_cast<std::int64_t>(accounts->back().key));
  }
  for (store::Account& account : *accounts) {
    const std::int64_t active = (*keys)[account.key];
    page.views.push_back({std::move(account), active});
  }
  return page;
}

// A label is shown to people, in lists and next to others.
Result<void> check_label(std::string_view label) {
  if (!is_utf8(label) || utf8_length(label) > kLabelMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("a label is UTF-8 of at most {} characters", kLabelMax));
  }
  const auto control =
      std::ranges::find_if(label, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
  std::optional<char32_t> hidden;
  if (control != label.end()) hidden = static_cast<unsigned char>(*control);
  if (const auto invisible = find_invisible(label); !hidden && invisible) {
    hidden = invisible->character;
  }
  if (!hidden) return {};
  return fail(
      ErrorKind::invalid_input,
      fmt::format("the label has the character {}, which nobody can see", character_name(*hidden)));
}

// Where the octets of a new key come from. Of a request that has a name they are made of the master
// key and a number that is kept with its record, so that a repeat can be shown the key again, which
// is stored nowhere: who has the store and not the master key can make none.
class KeyOctets {
 public:
  KeyOctets() = default;
  KeyOctets(const SecretBox& box, const Named& named)
      : box_(&box),
        purpose_(fmt::format("named api key/{}/{}/{}",
                             static_cast<std::int64_t>(named.record.key.account),
                             to_hex(as_text(named.record.key.hash)), named.record.answer)) {}

  [[nodiscard]] std::string take(std::size_t size) const {
    if (box_ == nullptr) return random_octets(size);
    return std::string(box_->derive(purpose_).view().substr(0, size));
  }

 private:
  const SecretBox* box_ = nullptr;
  std::string purpose_;
};

IssuedKey make_key(const std::string& login_id, const KeyOctets& octets) {
  IssuedKey issued;
  issued.login_id = login_id;
  issued.api_key = to_hex(octets.take(kApiKeyOctets));
  issued.bearer_token = access::bearer_token(login_id, issued.api_key);
  return issued;
}

// `box`: of the master key; nullptr where the key is no credential of SES's form.
IssuedKey make_key(const std::string& login_id, const SecretBox* box, const KeyOctets& octets) {
  if (box == nullptr) return make_key(login_id, octets);
  IssuedKey issued;
  issued.login_id = login_id;
  issued.access_key_id = access::access_key_id_of(octets.take(access::kAccessKeyOctets));
  issued.secret_access_key = access::secret_access_key(*box, issued.access_key_id).view();
  return issued;
}

// What the store knows an issued key by.
std::string hash_of(const IssuedKey& issued) {
  return issued.access_key_id.empty() ? sha256_hex(issued.bearer_token)
                                      : access::access_key_hash(issued.access_key_id);
}

// Once more of what was made under a name before. conflict: it is revoked by now.
Result<IssuedKey> found_again(store::ReadTransaction& reader, IssuedKey issued) {
  auto holder = reader.key_by_token(hash_of(issued));
  if (!holder && holder.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::conflict, "the key that this request made is revoked by now");
  }
  if (!holder) return fail(std::move(holder.error()));
  issued.key = std::move(holder->key);
  return issued;
}

// Of the record of a request that is carried out now.
std::int64_t number_of_record() {
  std::int64_t number = 0;
  for (const char octet : random_octets(sizeof number - 1)) {  // not below 0
    number = number << 8 | static_cast<std::uint8_t>(octet);
  }
  return number;
}

Result<void> keep(store::WriteTransaction& transaction, const std::optional<Named>& named) {
  return named ? transaction.keep_answer(named->record) : Result<void>();
}

Result<store::NewApiKey> read_terms(const NewKey& request) {
  store::NewApiKey key{.label = request.label, .token_sha256 = {}, .networks = {}, .life = {}};
  if (auto good = check_label(request.label); !good) return fail(std::move(good.error()));
  if (!request.scopes.empty()) {
    const auto scopes = access::parse_scopes(request.scopes);
    if (!scopes) return fail(scopes.error());
    key.scopes = *scopes;
  }
  auto networks = read_networks(request.networks);
  if (!networks) return fail(std::move(networks.error()));
  key.networks = std::move(*networks);
  if (request.days) key.life = std::chrono::days(*request.days);
  return key;
}

// Only the hash is kept: what is shown now cannot be shown again.
Result<IssuedKey> write_key(store::WriteTransaction& transaction, store::AccountKey account,
                            store::NewApiKey terms, IssuedKey issued) {
  terms.token_sha256 = hash_of(issued);
  auto key = transaction.add_api_key(account, terms);
  if (!key) return fail(std::move(key.error()));
  issued.key = std::move(*key);
  return issued;
}

// See AddedAccount::now_refused.
Result<std::string> name_of_refused(store::ReadTransaction& reader, store::AccountKey added) {
  // Where they are more, those for trials are not looked for among them.
  constexpr std::int64_t kLookedAt = 20;
  auto accounts = reader.accounts({}, kLookedAt);
  if (!accounts) return fail(accounts.error());
  std::erase_if(*accounts, &store::Account::sandbox);
  if (accounts->size() != 2) return std::string();
  const store::Account& before =
      accounts->front().key == added ? accounts->back() : accounts->front();
  const auto proven = reader.proven_domains({.account = before.key, .domain = {}}, 1);
  if (!proven) return fail(proven.error());
  const bool has_one = !proven->empty() && proven->front().account == before.key;
  return has_one ? std::string() : before.name;
}

// The account and its first key, or neither: an account without a key cannot be used, and its name
// would be taken.
Result<AddedAccount> write_account(store::WriteTransaction& transaction, const NewAccount& request,
                                   const KeyOctets& octets) {
  auto account = transaction.create_account(request.name, request.sandbox);
  if (!account) return fail(std::move(account.error()));
  account->weight = static_cast<std::uint32_t>(request.weight);
  const auto changed = transaction.change_account(*account);
  if (!changed) return fail(changed.error());
  Result<std::string> refused;
  if (!account->sandbox) refused = name_of_refused(transaction.read(), account->key);
  if (!refused) return fail(std::move(refused.error()));
  AddedAccount added{
      .account = std::move(*account), .key = std::nullopt, .now_refused = std::move(*refused)};
  if (auto kept = keep(transaction, request.named); !kept) return fail(std::move(kept.error()));
  auto noted = note_by(transaction, request.by, "account.add", added.account.key);
  if (!noted) return fail(std::move(noted.error()));
  if (!request.with_key) return added;
  auto key =
      write_key(transaction, added.account.key, {.label = "first"}, make_key(request.name, octets));
  if (!key) return fail(std::move(key.error()));
  added.key = std::move(*key);
  return added;
}

Result<AddedAccount> read_again(store::ReadTransaction& reader, const NewAccount& request,
                                const KeyOctets& octets) {
  auto account = reader.account_by_name(request.name);
  if (!account) return fail(std::move(account.error()));
  Result<std::string> refused;
  if (!account->sandbox) refused = name_of_refused(reader, account->key);
  if (!refused) return fail(std::move(refused.error()));
  AddedAccount added{
      .account = std::move(*account), .key = std::nullopt, .now_refused = std::move(*refused)};
  if (!request.with_key) return added;
  auto key = found_again(reader, make_key(request.name, octets));
  if (!key) return fail(std::move(key.error()));
  added.key = std::move(*key);
  return added;
}

bool is_in_force(const store::ApiKey& key, Instant now) {
  return !key.revoked && (!key.expires || *key.expires > now);
}

// Of an account with these keys, of which `ended` end with it.
Result<void> may_add(const MaybeGranter& by, const std::vector<store::ApiKey>& keys,
                     store::Scopes scopes, std::int64_t ended, Instant now) {
  if (auto held = check_held(by, scopes); !held) return held;
  const auto in_force =
      std::ranges::count_if(keys, [now](const auto& key) { return is_in_force(key, now); });
  return check_count(by, in_force - ended, std::ssize(keys));
}

Result<IssuedKey> grant_key(store::WriteTransaction& transaction, store::AccountKey account,
                            store::NewApiKey terms, IssuedKey issued, const MaybeGranter& by,
                            Instant now) {
  if (!by) return write_key(transaction, account, std::move(terms), std::move(issued));
  const auto keys = transaction.read().api_keys(account);
  if (!keys) return fail(keys.error());
  if (auto may = may_add(by, *keys, terms.scopes, 0, now); !may)
    return fail(std::move(may.error()));
  terms.made_by = maker(by);
  auto made = write_key(transaction, account, std::move(terms), std::move(issued));
  if (!made) return made;
  auto noted =
      note_by(transaction, by,
              fmt::format("api_key.add: {} {}", made->key.id, access::to_string(made->key.scopes)),
              account);
  if (!noted) return fail(std::move(noted.error()));
  return made;
}

// The new key and the end of the old one, or neither.
Result<RotatedKey> rotate(store::WriteTransaction& transaction, const store::Account& account,
                          std::int64_t id, Milliseconds overlap, const SecretBox* box,
                          const MaybeGranter& by, Instant now) {
  const auto keys = transaction.read().api_keys(account.key);
  if (!keys) return fail(keys.error());
  const auto old = std::ranges::find(*keys, id, &store::ApiKey::id);
  if (old == keys->end()) return fail(ErrorKind::not_found, "there is no such API key");
  if (auto may = may_add(by, *keys, old->scopes, 1, now); !may) return fail(std::move(may.error()));
  if (old->revoked) {
    return fail(ErrorKind::conflict, fmt::format("key {} is revoked: add another instead", id));
  }
  store::NewApiKey terms{.label = old->label,
                         .token_sha256 = {},
                         .scopes = old->scopes,
                         .networks = old->networks,
                         .life = old->life,
                         .made_by = maker(by)};
  RotatedKey rotated;
  const bool is_ses = store::has(old->scopes, store::Scope::ses);
  auto issued = write_key(transaction, account.key, std::move(terms),
                          make_key(account.name, is_ses ? box : nullptr, KeyOctets()));
  if (!issued) return fail(std::move(issued.error()));
  rotated.key = std::move(*issued);
  const auto done = overlap > Milliseconds::zero()
                        ? transaction.expire_api_key(account.key, id, overlap)
                        : transaction.revoke_api_key(account.key, id);
  if (!done) return fail(done.error());
  auto noted = note_by(transaction, by, fmt::format("api_key.rotate: {}", id), account.key);
  if (!noted) return fail(std::move(noted.error()));
  if (overlap > Milliseconds::zero()) {
    const Instant end = rotated.key.key.created + overlap;
    rotated.old_expires = old->expires ? std::min(*old->expires, end) : end;
  }
  return rotated;
}

// "account.suspend: weight, preflight": what of it was asked to be another.
std::string changed_words(const AccountChange& change) {
  std::string words = "account.change";
  if (change.suspended) words = *change.suspended ? "account.suspend" : "account.resume";
  std::string_view before = ": ";
  const auto add = [&words, &before](std::string_view name, bool is_given) {
    if (!is_given) return;
    words += fmt::format("{}{}", before, name);
    before = ", ";
  };
  add("weight", change.weight.has_value());
  add("text_from_html", change.text_from_html.has_value());
  add("open_tracking", change.open_tracking.has_value());
  add("preflight", change.preflight.has_value());
  add("requests_per_minute", change.requests_per_minute.has_value());
  add("mails_per_minute", change.mails_per_minute.has_value());
  add("mails_per_day", change.mails_per_day.has_value());
  add("mails_per_month", change.mails_per_month.has_value());
  add("allowed_recipients", change.allowed_recipients.has_value());
  return words;
}

Result<store::Account> write_change(store::WriteTransaction& transaction, const std::string& name,
                                    const AccountChange& change, const MaybeGranter& by) {
  auto account = transaction.read().account_by_name(name);
  if (!account) return account;
  if (change.weight) account->weight = static_cast<std::uint32_t>(*change.weight);
  if (change.suspended) account->suspended = *change.suspended;
  if (change.text_from_html) account->text_from_html = *change.text_from_html;
  if (change.open_tracking) account->open_tracking = *change.open_tracking;
  if (change.preflight) {
    account->preflight = parse_preflight_mode(*change.preflight).value_or(account->preflight);
  }
  if (change.allowed_recipients) {
    auto list = read_allow_list(*change.allowed_recipients);
    if (!list) return fail("allowed_recipients", std::move(list.error()));
    account->allowed_recipients = std::move(*list);
  }
  store::AccountLimits& limits = account->limits;
  limits.requests_per_minute = change.requests_per_minute.value_or(limits.requests_per_minute);
  limits.mails_per_minute = change.mails_per_minute.value_or(limits.mails_per_minute);
  limits.mails_per_day = change.mails_per_day.value_or(limits.mails_per_day);
  limits.mails_per_month = change.mails_per_month.value_or(limits.mails_per_month);
  const auto changed = transaction.change_account(*account);
  if (!changed) return fail(changed.error());
  auto noted = note_by(transaction, by, changed_words(change), account->key);
  if (!noted) return fail(std::move(noted.error()));
  return account;
}

Result<std::string> find_sandbox(store::WriteTransaction& transaction, const std::string& name) {
  const auto account = transaction.read().account_by_name(name);
  if (!account) return fail(account.error());
  if (account->sandbox) return name;
  const std::string its = name + std::string(kSandboxEnding);
  if (auto good = check_name(its); !good) return fail(std::move(good.error()));
  const auto there = transaction.read().account_by_name(its);
  if (there && there->sandbox) return its;
  if (there) {
    return fail(ErrorKind::conflict,
                fmt::format("there is an account {}, whose mail does leave this machine", its));
  }
  if (there.error().kind != ErrorKind::not_found) return fail(there.error());
  const auto made = transaction.create_account(its, true);
  if (!made) return fail(made.error());
  return its;
}

// How many keys are left.
Result<std::int64_t> revoke(store::WriteTransaction& transaction, store::AccountKey account,
                            std::int64_t id, const MaybeGranter& by) {
  const auto revoked = transaction.revoke_api_key(account, id);
  if (!revoked) return fail(revoked.error());
  auto noted = note_by(transaction, by, fmt::format("api_key.end: {}", id), account);
  if (!noted) return fail(std::move(noted.error()));
  auto left = transaction.read().active_keys(account, account);
  if (!left) return fail(std::move(left.error()));
  return (*left)[account];
}

}  // namespace

Task<Result<store::Account>> Operations::account(std::string name) {
  auto found = co_await store_.read(
      [name](store::ReadTransaction& transaction) { return transaction.account_by_name(name); });
  if (!found && found.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::not_found,
                   fmt::format("there is no account {}", printable(utf8_prefix(name, kLabelMax))));
  }
  co_return found;
}

Result<void> Operations::refuse_closed(std::string_view name) const {
  if (options_.closed_account.empty() || name != options_.closed_account) return {};
  return fail(ErrorKind::conflict,
              fmt::format("account {} is console.mail_account: links by which people sign in are "
                          "in its mail, so it has no API keys and no SMTP credentials",
                          name));
}

Task<Result<store::Account>> Operations::account_for_credentials(std::string name) {
  if (auto open = refuse_closed(name); !open) co_return fail(std::move(open.error()));
  co_return co_await account(std::move(name));
}

Task<Result<Page<AccountView>>> Operations::accounts(std::string after, std::int64_t limit) {
  std::int64_t key = 0;
  const auto [end, error] = std::from_chars(after.data(), after.data() + after.size(), key);
  if (!after.empty() && (error != std::errc() || end != after.data() + after.size())) {
    co_return fail(ErrorKind::invalid_input, "there is no such place in the list of accounts");
  }
  auto page = co_await store_.read([key, limit](store::ReadTransaction& transaction) {
    return read_accounts(transaction, store::AccountKey{key}, limit);
  });
  co_return page;
}

Task<Result<AccountView>> Operations::account_view(std::string name) {
  auto found = co_await account(std::move(name));
  if (!found) co_return fail(std::move(found.error()));
  auto keys = co_await store_.read([key = found->key](store::ReadTransaction& transaction) {
    return transaction.active_keys(key, key);
  });
  if (!keys) co_return fail(std::move(keys.error()));
  const std::int64_t active = (*keys)[found->key];
  co_return AccountView{std::move(*found), active};
}

Task<Result<AddedAccount>> Operations::add_account(NewAccount request) {
  if (auto good = check_name(request.name); !good) co_return fail(good.error());
  if (request.name.ends_with(kSandboxEnding) && !request.sandbox) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("names that end in {} are of sandboxes, and mail of this account "
                               "would leave the machine: add it with --sandbox (\"sandbox\": "
                               "true), or by another name",
                               kSandboxEnding));
  }
  if (auto good = check_weight(request.weight); !good) co_return fail(good.error());
  if (request.with_key) {
    if (auto open = refuse_closed(request.name); !open) co_return fail(std::move(open.error()));
  }
  KeyOctets octets;
  if (request.named) {
    const auto box = options_.secret_box();
    if (!box) co_return fail(box.error());
    if (!request.named->again) request.named->record.answer = number_of_record();
    octets = KeyOctets(**box, *request.named);
  }
  if (request.named && request.named->again) {
    co_return co_await store_.read([request, octets](store::ReadTransaction& reader) {
      return read_again(reader, request, octets);
    });
  }
  auto added = co_await store_.write(store::WritePriority::accept,
                                     [request, octets](store::WriteTransaction& transaction) {
                                       return write_account(transaction, request, octets);
                                     });
  if (!added && added.error().kind == ErrorKind::conflict) {
    co_return fail(ErrorKind::conflict,
                   fmt::format("there is an account {} already", request.name));
  }
  // Who was alone until now is so no longer.
  if (added) (void)co_await changed();
  co_return added;
}

Task<Result<ChangedAccount>> Operations::change_account(std::string name, AccountChange change,
                                                        MaybeGranter by) {
  if (change.weight) {
    if (auto good = check_weight(*change.weight); !good) co_return fail(std::move(good.error()));
  }
  if (change.preflight && !parse_preflight_mode(*change.preflight)) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("preflight is \"{}\", but must be \"off\", \"warn\" or \"enforce\"",
                               printable(utf8_prefix(*change.preflight, kLabelMax))));
  }
  auto found = co_await account(name);
  if (!found) co_return fail(std::move(found.error()));
  auto changed = co_await store_.write(store::WritePriority::accept,
                                       [name, change, by](store::WriteTransaction& transaction) {
                                         return write_change(transaction, name, change, by);
                                       });
  if (!changed) co_return fail(std::move(changed.error()));
  (void)co_await this->changed();  // otherwise it is heard of within seconds, as by others
  // A question of its own: it may take longer than a writer may keep others waiting.
  const auto work = co_await store_.read([key = changed->key](store::ReadTransaction& transaction) {
    return transaction.work_of(key);
  });
  if (!work) co_return fail("the account is changed, but what it has to go", work.error());
  co_return ChangedAccount{.account = std::move(*changed), .work = *work};
}

Task<Result<std::vector<KeyView>>> Operations::keys(std::string account_name) {
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  auto keys = co_await store_.read([key = found->key](store::ReadTransaction& transaction) {
    return transaction.api_keys(key);
  });
  if (!keys) co_return fail(std::move(keys.error()));
  const Instant now = store_.clock().now();
  std::vector<KeyView> views;
  for (store::ApiKey& key : *keys) {
    const bool expired = key.expires && *key.expires <= now;
    views.push_back({std::move(key), expired});
  }
  co_return views;
}

Task<Result<std::string>> Operations::sandbox_of(std::string name) {
  auto found = co_await account(name);
  if (!found) co_return fail(std::move(found.error()));
  auto its = co_await store_.write(
      store::WritePriority::accept,
      [name](store::WriteTransaction& transaction) { return find_sandbox(transaction, name); });
  if (its) (void)co_await changed();
  co_return its;
}

Task<Result<IssuedKey>> Operations::add_key(NewKey key) {
  auto terms = read_terms(key);
  if (!terms) co_return fail(std::move(terms.error()));
  auto found = co_await account_for_credentials(key.account);
  if (!found) co_return fail(std::move(found.error()));
  const SecretBox* box = nullptr;
  KeyOctets octets;
  const bool is_ses = store::has(terms->scopes, store::Scope::ses);
  if (is_ses || key.named) {
    const auto opened = options_.secret_box();
    if (!opened) co_return fail(opened.error());
    if (is_ses) box = *opened;
    if (key.named && !key.named->again) key.named->record.answer = number_of_record();
    if (key.named) octets = KeyOctets(**opened, *key.named);
  }
  if (key.named && key.named->again) {
    co_return co_await store_.read([account = *found, box, octets](store::ReadTransaction& reader) {
      return found_again(reader, make_key(account.name, box, octets));
    });
  }
  auto issued = co_await store_.write(
      store::WritePriority::accept,
      [account = *found, terms = *terms, box, octets, named = key.named, by = key.by,
       now = store_.clock().now()](store::WriteTransaction& transaction) -> Result<IssuedKey> {
        if (auto kept = keep(transaction, named); !kept) return fail(std::move(kept.error()));
        return grant_key(transaction, account.key, terms, make_key(account.name, box, octets), by,
                         now);
      });
  co_return issued;
}

Task<Result<RotatedKey>> Operations::rotate_key(std::string account_name, std::int64_t id,
                                                std::int64_t overlap_hours, MaybeGranter by) {
  auto found = co_await account_for_credentials(account_name);
  if (!found) co_return fail(std::move(found.error()));
  const auto keys = co_await store_.read([key = found->key](store::ReadTransaction& transaction) {
    return transaction.api_keys(key);
  });
  if (!keys) co_return fail(keys.error());
  // Most keys do without the master key; what a key opens does not change.
  const SecretBox* box = nullptr;
  const auto old = std::ranges::find(*keys, id, &store::ApiKey::id);
  if (old != keys->end() && store::has(old->scopes, store::Scope::ses)) {
    const auto opened = options_.secret_box();
    if (!opened) co_return fail(opened.error());
    box = *opened;
  }
  auto rotated =
      co_await store_.write(store::WritePriority::accept,
                            [account = *found, id, overlap = std::chrono::hours(overlap_hours), box,
                             by, now = store_.clock().now()](store::WriteTransaction& transaction) {
                              return rotate(transaction, account, id, overlap, box, by, now);
                            });
  if (!rotated && rotated.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::not_found, fmt::format("account {} has no key {}", account_name, id));
  }
  if (rotated) (void)co_await changed();  // otherwise it is heard of within seconds, as by others
  co_return rotated;
}

Task<Result<std::int64_t>> Operations::revoke_key(std::string account_name, std::int64_t id,
                                                  MaybeGranter by) {
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  auto revoked =
      co_await store_.write(store::WritePriority::accept,
                            [account = found->key, id, by](store::WriteTransaction& transaction) {
                              return revoke(transaction, account, id, by);
                            });
  if (!revoked && revoked.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::not_found, fmt::format("account {} has no key {}", account_name, id));
  }
  if (revoked) (void)co_await changed();  // otherwise it is heard of within seconds, as by others
  co_return revoked;
}

}  // namespace todoku::operate
