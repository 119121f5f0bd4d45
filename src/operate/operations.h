// SPDX-License-Identifier: Apache-2.0
// What an operator does to an installation, as plain functions: accounts, API keys, DKIM keys,
// stories, mails that are set aside, status. A running engine offers them at its admin socket; a
// command-line tool without one runs them itself, on the store that it has locked. There is no
// second implementation.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/file_pool.h"
#include "async/task.h"
#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret_box.h"
#include "events/journal/folding.h"
#include "explain/causes.h"
#include "explain/next_step.h"
#include "explain/time_text.h"
#include "explain/way.h"
#include "intake/suppression_lists.h"
#include "operate/agreement.h"
#include "operate/cluster_names.h"
#include "operate/domain_history.h"
#include "operate/domain_records.h"
#include "operate/domain_reports.h"
#include "operate/drained.h"
#include "operate/granter.h"
#include "operate/key_slots.h"
#include "operate/noted_asks.h"
#include "operate/people.h"
#include "operate/personal_data.h"
#include "operate/probes.h"
#include "operate/rates.h"
#include "operate/report_overview.h"
#include "operate/report_reading.h"
#include "operate/sources.h"
#include "store/retention.h"
#include "store/store.h"
#include "store/walks.h"

namespace todoku::people {
class People;
}

namespace todoku::operate {

struct AccountView {
  store::Account account;
  std::int64_t keys = 0;  // that are not revoked
};

struct KeyView {
  store::ApiKey key;
  bool expired = false;
};

// A new API key with what is shown only once.
struct IssuedKey {
  store::ApiKey key;
  std::string login_id;
  std::string api_key;
  std::string bearer_token;
  // Of a key with the scope ses, and then api_key and bearer_token are empty.
  std::string access_key_id = {};
  std::string secret_access_key = {};
};

// What a key is asked to be; texts as people write them.
// That a request which makes something has a name, so that its repeat makes nothing more and gets
// the same answer (docs/adr/0019).
struct Named {
  store::IdempotencyRecord record;  // committed with what is made
  // It was made before, and `record.answer` is what was kept then: it is only told again.
  bool again = false;
};

struct NewKey {
  std::string account;
  std::string label;
  std::string scopes;                // "send,read"; empty: all that clients of the contract need
  std::string networks;              // "192.0.2.0/24,2001:db8::/32"; empty: from anywhere
  std::optional<std::int64_t> days;  // until it expires; nullopt: never
  std::optional<Named> named = {};
  MaybeGranter by = {};
};

struct RotatedKey {
  IssuedKey key;
  std::optional<Instant> old_expires;  // nullopt: the old one is revoked already
};

struct NewAccount {
  std::string name;
  std::int64_t weight = 1;
  bool with_key = true;
  bool sandbox = false;  // store/accounts.h
  std::optional<Named> named = {};
  MaybeGranter by = {};
};

struct AddedAccount {
  store::Account account;
  std::optional<IssuedKey> key;
  // Of the one account that was there before, if it has proven no domain: with this account there
  // is somebody to be taken for, and its mail is refused until it has (intake/senders.h).
  std::string now_refused;
};

struct AccountChange {
  std::optional<std::int64_t> weight;
  std::optional<bool> suspended;
  std::optional<bool> text_from_html;
  std::optional<bool> open_tracking;
  std::optional<std::string> preflight;  // "off", "warn" or "enforce"
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> mails_per_minute;
  std::optional<std::int64_t> mails_per_day;
  std::optional<std::int64_t> mails_per_month;
  std::optional<std::string> allowed_recipients;  // mail/allow_list.h
};

struct ChangedAccount {
  store::Account account;
  store::AccountWork work;  // what it has to go
};

struct DkimView {
  std::string account;
  store::DkimKey key;      // without the private key
  std::string dns_name;    // "s1._domainkey.example.jp"
  std::string zone_entry;  // of a zone file
};

// So long a key's record stays when the last delivery that may sign with it is over.
inline constexpr std::chrono::days kDkimOverlap{7};

struct RetiredDkim {
  std::vector<DkimView> removed;  // whose records may go from the zone
  std::vector<DkimView> kept;     // that sign no longer, and whose records must stay
};

// Keys that rotate by themselves, of one domain.
struct KeySlotsView {
  std::string account;
  std::string domain;
  KeySlots slots;
  std::array<std::vector<SlotName>, kSlots> names;  // in the order of the slots' keys
  SlotDue next;                                     // by the pace that is configured here
  Instant now{};                                    // when this was so
};

struct NewDkimKey {
  std::string account;
  std::string domain;
  std::string selector;     // empty: made from the algorithm and the date
  std::string algorithm;    // "rsa" or "ed25519"
  SecretText private_key;   // PEM of a key made elsewhere; empty: make one
  bool only_first = false;  // conflict where the domain has one of its kind already
};

// What an SMTP credential may; texts as people write them. nullopt: as it is, or usual.
struct SmtpTerms {
  std::optional<std::string> traffic;   // automatic, transactional, bulk
  std::optional<std::string> purpose;   // automatic, or a word of mail/labels.h
  std::optional<std::string> options;   // "tag,send-at": what its messages may say in their header
  std::optional<std::string> networks;  // "192.0.2.0/24"; empty: from anywhere
  std::optional<std::string> from_address;  // of messages without From; empty: they are refused
  std::optional<std::int64_t> days;         // until it expires; 0: it does not
  std::optional<bool> show_client;
  std::optional<bool> bounces;
  std::optional<std::int64_t> messages_per_minute;
  std::optional<std::int64_t> recipients_per_minute;
  std::optional<std::int64_t> bytes_per_minute;
  std::optional<std::int64_t> connections_max;  // 0: no limit of its own
  std::optional<std::int64_t>
      uid;  // a user of this machine, whose `todoku sendmail` it is; -1: none
};

struct SmtpCredentialView {
  std::string account;
  store::SmtpCredential credential;
  std::vector<std::string> options;  // their words
  bool expired = false;
};

// With what is shown only once; empty: the caller chose it.
struct IssuedSmtpCredential {
  SmtpCredentialView view;
  std::string password;
  bool has_domain = true;            // its account has proven one; told when it is added
  std::string unproven_domain = {};  // of an account without: one that it has claimed, or empty
};

// A claim of a domain (store/domains.h) with the record that proves it.
struct DomainView {
  std::string account;
  store::Domain claim;
  std::string_view state;             // its word
  std::string dns_name;               // "_todoku-challenge.example.jp"
  std::string dns_record;             // the value of the TXT record
  std::string zone_entry;             // of a zone file
  std::vector<std::string> consents;  // accounts that may have it, or domains below it, too
};

struct NewDomain {
  std::string account;
  std::string domain;
  bool vouched = false;  // an operator stands for it: it is proven from now on
  std::optional<Named> named = {};
};

struct VerifiedDomain {
  DomainView view;
  bool answered = false;      // the DNS did
  bool found = false;         // the record
  std::string instead;        // a record of that name and of ours with another value; empty: none
  std::string trouble;        // why there was no answer
  std::string needs_consent;  // the domain of another account that has to consent; empty: none
};

template <class View>
struct Page {
  std::vector<View> views;
  std::string next;  // where the list goes on; empty: nowhere
};

// One of the first four.
struct ExplainRequest {
  std::string address;     // or the number of a delivery
  std::string reference;   // that the sender gave (mail/attached.h)
  std::string message_id;  // ours, or that of a relayed message; angle brackets may be missing
  store::PublicId email = 0;
  std::string account;  // empty: all
  Language language = Language::english;
  std::int64_t limit = 20;
  // Subjects as their recipients have them; else as they were written, with the codes in them.
  bool fills_subjects = true;
  std::int64_t utc_offset_minutes = explain::kJapan.count();
};

struct Explanation {
  // As the store knows it; of a delivery its number; else what was asked for.
  std::string address;
  bool more = false;  // mails than were asked for
  std::vector<store::Story> stories;
  std::vector<std::string> next;           // what happens next with each
  std::vector<std::string> for_recipient;  // what can be sent on of each (explain/reader_text.h)
  std::string text;
};

// What became of many mails, by receiver and cause (explain/causes.h): of a delivery, or of a span
// of time.
struct CausesRequest {
  store::PublicId delivery = 0;  // 0: of a span
  std::string account;           // empty: all; of a delivery: whoever has it, if that is one
  std::string site;              // only at this receiver; "other": those not counted by name
  std::string domain;            // only at the receiver that this domain's mail goes to
  std::optional<Instant> since;  // by whole hours; of none the last 24 hours
  std::optional<Instant> until;
  Language language = Language::english;
  std::int64_t limit = 20;  // causes told, up to kCausesMax
  std::int64_t utc_offset_minutes = explain::kJapan.count();
};
inline constexpr std::int64_t kCausesMax = 50;

struct ExplainedCauses {
  std::optional<store::Delivery> delivery;
  std::optional<std::string> site;
  std::optional<Instant> since;  // of a span, as it was counted
  std::optional<Instant> until;
  explain::Causes causes;
  std::string text;
};

// A mail that is set aside (store/work.h). For people its name is the account and the email id.
struct StuckMail {
  std::string account;
  store::SetAside mail;
};

struct StuckMails {
  std::vector<StuckMail> mails;  // since long ago first
  bool more = false;             // than were asked for
};

// The names of this process, and which of the store's are others.
struct ClusterView {
  ClusterNames here;
  std::vector<OtherName> others;
};

// What an engine would send.
struct Waiting {
  std::int64_t deliveries = 0;
  std::int64_t recipients = 0;
};

// Mail by SMTP that waits.
struct WaitingMail {
  store::PublicId delivery = 0;
  Instant accepted{};
  std::int64_t recipients = 0;
  std::string subject;
};

struct Cancelled {
  std::int64_t deliveries = 0;  // that had not started
  std::int64_t recipients = 0;
  std::optional<std::int64_t> next;     // where to go on; nullopt: all is done
  std::vector<WaitingMail> first = {};  // of a preview: some, the oldest first
};

struct DropRequest {
  std::int64_t from = 0;  // where to go on; 0: the beginning
  bool preview = false;   // cancels nothing, and needs no hold
  std::string since;      // accepted then or later, as people write it; empty: whenever
};

// Somebody who may not log in at this process's relay, for wrong passwords (access/login_guard.h).
struct Lockout {
  std::string network;
  std::string name;  // empty: whoever comes from there
  Instant since{};   // the first wrong password
  Instant until{};
  std::int64_t failures = 0;
};

// Of the relay of this process.
class Lockouts {
 public:
  virtual ~Lockouts() = default;
  // The first ones, by network and name. Any thread.
  [[nodiscard]] virtual std::vector<Lockout> list() = 0;
  // Of that user name, or from that network. How many it ended. Any thread.
  [[nodiscard]] virtual std::int64_t unlock(const std::string& name_or_network) = 0;
};

struct NodeView {
  store::Node node;
  store::NodeHolds holds;
  bool leads = false;                // the scheduler that decides
  std::vector<std::string> sources;  // that are its to send from
};

struct SuspendedAccount {
  std::string name;
  store::AccountWork work;
};

struct HeldCredential {
  std::string account;
  std::string name;
  Instant since{};
  std::string because;
};

struct EngineStatus {
  std::string version;
  std::string data_directory;
  bool running = false;
  bool draining = false;
  std::optional<Instant> drains_until;  // what is not over then is broken off
  std::int64_t pid = 0;
  Instant started{};
  std::vector<std::string> roles;
  std::string api;      // URL
  std::string console;  // likewise; empty: none is open
  std::vector<store::QueueFigures> queues;
  store::ReservedWork reserved{};           // beside what is in the queues
  std::vector<SuspendedAccount> suspended;  // the first ones
  bool more_suspended = false;
  std::vector<HeldCredential> held;  // the first ones
  bool more_held = false;
  std::optional<Drained> drained;          // the last time that an engine did
  Instant asked{};                         // when these figures were taken
  std::vector<store::Node> elsewhere;      // engines that live, and are not asked here
  std::vector<std::string> missing_roles;  // of a store that is worked on: see roles_nobody_has()
  std::vector<Difference> differences;     // between what the processes were configured with
  std::string journal;                     // what is wrong with it; empty: nothing
  std::string shipping;                    // likewise
  std::vector<OtherName> others;           // for which it stands in HOLD, or would when it starts
};

// Of `scheduler` and `courier`, without whom nothing is sent, and `events`, without whom nothing is
// imported, those that none of these has whose lease runs. None where no lease does: who asks is
// not among them yet, or no more.
[[nodiscard]] std::vector<std::string> roles_nobody_has(const std::vector<store::Node>& nodes);

// What the private key of `key` is sealed for: one sealed for another account, domain or selector
// does not open.
[[nodiscard]] std::string dkim_seal_context(const store::DkimKey& key);

// What keeps a process of these names from working on the store.
[[nodiscard]] Result<std::vector<OtherName>> read_other_names(const ReadSetting& setting,
                                                              const ClusterNames& here);
[[nodiscard]] Result<std::vector<OtherName>> read_other_names(store::ReadTransaction& transaction,
                                                              const ClusterNames& here);
// By an engine that serves under these names.
[[nodiscard]] Result<void> remember_names(store::WriteTransaction& transaction,
                                          const ClusterNames& here);

// By an engine that serves a store in a file: its age from now on (app/age.h).
[[nodiscard]] Result<std::uint64_t> grow_older(store::WriteTransaction& transaction);

struct RatesRequest {
  std::string account;
  store::PublicId delivery = 0;  // 0: of the account
  std::int64_t hours = kRateHoursUsual;
};

// Of an account's own limits; nullopt: as it is. Percents as people write them, or "usual": as the
// installation.
struct RateLimitChange {
  std::optional<std::string> complaint_warn;
  std::optional<std::string> complaint_pause;
  std::optional<std::string> bounce_warn;
  std::optional<std::string> bounce_pause;
  std::optional<std::int64_t> complaint_minimum;
  std::optional<std::int64_t> bounce_minimum;
  std::optional<std::int64_t> canary_recipients;  // 0: none
  std::optional<std::int64_t> canary_minutes;
};

struct TlsReportRequest {
  std::string domain;     // of recipients; empty: all
  std::int64_t days = 7;  // with today
  std::int64_t limit = 1'000;
};

struct LanesRequest {
  std::string site;    // empty: all
  std::string source;  // likewise
  bool all = false;    // also what is remembered of those not at work
  std::int64_t limit = 1'000;
};

class Operations {
 public:
  struct Options {
    std::string version;
    std::string data_directory;
    Milliseconds transactional_expiry{};
    Milliseconds bulk_expiry{};
    // Where there is an engine: fills the part of the status about it.
    std::function<void(EngineStatus&)> describe_engine;
    // What the engine knows of the way of a mail; empty: nothing.
    explain::WayOf way_of;
    // Which mail a Message-ID names that was made here (mime/message_id.h): of a transaction only
    // its delivery. nullopt: none is. Empty: that cannot be read here.
    std::function<std::optional<store::RecipientKey>(std::string_view)> copy_of = {};
    // Where there is none: those that work on the same store, which may be reached from anywhere.
    // Empty: nobody can. May wait for the store.
    std::function<Result<std::vector<store::Node>>()> engines_elsewhere;
    // Of this process.
    ClusterNames names;
    std::string journal_folder = {};  // empty: there is none
    // Asks the engine to drain and stop.
    std::function<void()> drain;
    // The box of the master key. May make the key, so it is asked only when needed.
    std::function<Result<const SecretBox*>()> secret_box;
    // The TXT records at a name as they are now, none where there is no such name; errors as of
    // dns/resolver.h. Empty: the DNS cannot be asked here.
    std::function<Task<Result<std::vector<std::string>>>(std::string name)> look_up_texts;
    // nullptr: no relay runs here.
    std::function<Lockouts*()> lockouts = {};
    // The site of a recipients' domain, as far as this process knows it; else the domain.
    std::function<std::string(std::string_view domain)> site_of = {};
    // Our side, as the records of a domain name it.
    doctor::Platform platform = {};
    std::int64_t report_days = 0;  // reports of domains are kept so long; 0: without an end
    bool checks_domains = true;    // on a schedule, whichever process does it
    // In A-labels; empty: none. What rotates by itself is shown by this pace.
    std::string platform_zone = {};
    SlotPace slot_pace = {};
    ProbePlan probes = {};
    ConfiguredSources sources = {};
    // Where reports are read; nullptr: on the thread that asks.
    async::FilePool* files = nullptr;
    // Our own mail in a domain's name has begun to fail, as receivers say. May be empty.
    std::function<void(const OwnMailFailing&)> own_mail_failing = {};
    // People who sign in, made when first asked for; and where they do, empty: nowhere. Without the
    // functions there is no console here.
    std::function<people::People*()> people = {};
    std::function<std::string()> console_url = {};
    // The account whose mail has links by which people sign in (console.mail_account): whoever had
    // a key or a credential of it could read or imitate them, so it gets none. Empty: there is
    // none.
    std::string closed_account = {};
    // Called after a change of what processes keep in memory (store/changes.h): returns when this
    // one knows it. Empty: it keeps nothing. Where nobody may miss it for a moment, the error is
    // the operation's, though the change is kept.
    std::function<Task<Result<void>>()> changed;
  };

  // `store` and `clock` must outlive this object.
  Operations(store::Store& store, const Clock& clock, Options options);

  // Errors of all: those of the store; not_found for an account or key that is not there;
  // invalid_input and conflict with a sentence for the operator.
  // Lists are pages of at most `limit`, which begin after `after`: empty, or the `next` of the page
  // before. Whoever wants all asks until there is no next.
  Task<Result<Page<AccountView>>> accounts(std::string after, std::int64_t limit);
  Task<Result<AccountView>> account_view(std::string name);
  Task<Result<AddedAccount>> add_account(NewAccount account);
  Task<Result<ChangedAccount>> change_account(std::string name, AccountChange change,
                                              MaybeGranter by = {});

  Task<Result<std::vector<KeyView>>> keys(std::string account);
  // The name of the account for trials beside an account, NAME.sandbox, which is made if there is
  // none; of one that is for trials itself: its own. conflict: another account has that name.
  Task<Result<std::string>> sandbox_of(std::string name);
  // unauthorized, limit_exceeded: see granter.h. conflict: the account is Options::closed_account;
  // so of rotate_key().
  Task<Result<IssuedKey>> add_key(NewKey key);
  // A key with the label, scopes, networks and, counted anew, life of key `id`, which opens nothing
  // any more after `overlap_hours`. conflict: it does not already.
  Task<Result<RotatedKey>> rotate_key(std::string account, std::int64_t id,
                                      std::int64_t overlap_hours, MaybeGranter by = {});
  // How many keys the account has left.
  Task<Result<std::int64_t>> revoke_key(std::string account, std::int64_t id, MaybeGranter by = {});

  // `account` empty: of all.
  Task<Result<Page<DkimView>>> dkim_keys(std::string account, std::string after,
                                         std::int64_t limit);
  Task<Result<DkimView>> dkim_key(std::string account, std::string domain, std::string selector);
  // conflict if the selector is taken.
  Task<Result<DkimView>> add_dkim_key(NewDkimKey request);
  // -- dkim_rotation.cc. Keys that do not sign yet, so that they can be published before: those of
  // the domain, made by the second, one of each algorithm, if there are none.
  Task<Result<std::vector<DkimView>>> next_dkim_keys(std::string account, std::string domain);
  Task<Result<std::vector<DkimView>>> make_next_dkim_keys(std::string account, std::string domain);
  // They sign from now on. conflict: there are none.
  Task<Result<std::vector<DkimView>>> begin_next_dkim_keys(std::string account, std::string domain);
  // Notes which keys of the domain are over (dkim_parts.h): another of the algorithm signs, and of
  // what the account began before, which might pin them, nothing is under way. Removes those that
  // were so kDkimOverlap ago.
  Task<Result<RetiredDkim>> retire_dkim_keys(std::string account, std::string domain);
  // -- dkim_slots.cc. Keys that rotate by themselves. `account` empty: of all.
  Task<Result<Page<KeySlotsView>>> key_slots(std::string account, std::string after,
                                             std::int64_t limit);
  // Sets a domain up for them; again: as it is. unsupported: there is no platform zone.
  Task<Result<KeySlotsView>> add_key_slots(std::string account, std::string domain);
  // The next keys as soon as a slot is free.
  Task<Result<KeySlotsView>> rotate_key_slots(std::string account, std::string domain);
  // Those that sign are looked at as soon as the keeper comes by, and not only every
  // kSlotWatchedEvery: somebody has seen that they are not published.
  Task<Result<KeySlotsView>> look_at_key_slots(std::string account, std::string domain);
  // They go once other keys of the domain sign.
  Task<Result<KeySlotsView>> end_key_slots(std::string account, std::string domain);
  // What the account has to go: mail that began with the key waits for it from now on.
  Task<Result<store::AccountWork>> remove_dkim_key(std::string account, std::string domain,
                                                   std::string selector);

  // -- smtp_credentials.cc. `password` empty: one is made. conflict: the name is taken.
  Task<Result<IssuedSmtpCredential>> add_smtp_credential(std::string account, std::string name,
                                                         SmtpTerms terms, SecretText password,
                                                         MaybeGranter by = {});
  // `account` empty: of all. By name, on from after `after`.
  Task<Result<Page<SmtpCredentialView>>> smtp_credentials(std::string account, std::string after,
                                                          std::int64_t limit);
  Task<Result<SmtpCredentialView>> smtp_credential(std::string account, std::string name);
  // conflict: it is revoked, or the uid is another's.
  Task<Result<SmtpCredentialView>> change_smtp_credential(std::string account, std::string name,
                                                          SmtpTerms terms);
  // The password before goes on for `overlap_hours`. conflict: it is revoked, or one before that
  // still goes on and this one should, too.
  Task<Result<IssuedSmtpCredential>> rotate_smtp_credential(std::string account, std::string name,
                                                            std::int64_t overlap_hours,
                                                            SecretText password,
                                                            MaybeGranter by = {});
  // Again: as it was.
  Task<Result<SmtpCredentialView>> revoke_smtp_credential(std::string account, std::string name,
                                                          MaybeGranter by = {});
  // Nothing new is taken of it, and nothing of what was accepted is begun, until it is released.
  // Again: as it was. `because` empty: it was held by hand.
  Task<Result<SmtpCredentialView>> hold_smtp_credential(std::string account, std::string name,
                                                        std::string because);
  Task<Result<SmtpCredentialView>> release_smtp_credential(std::string account, std::string name,
                                                           MaybeGranter by = {});
  // -- held_mail.cc. What a held credential handed in and what is not over yet ends here: it is
  // cancelled. A piece of it. conflict: it is not held. invalid_input: `since` is no time.
  Task<Result<Cancelled>> drop_smtp_mail(std::string account, std::string name,
                                         DropRequest request);
  // Who may not log in now for wrong passwords. unsupported where no relay runs.
  [[nodiscard]] Result<std::vector<Lockout>> lockouts() const;
  // By user name or network; how many lock-outs it ended. unsupported: as above.
  [[nodiscard]] Result<std::int64_t> unlock(const std::string& name_or_network);

  // -- domains.cc. conflict: the account has the domain already, or too many.
  Task<Result<DomainView>> add_domain(NewDomain request);
  // `account` empty: of all.
  Task<Result<Page<DomainView>>> domains(std::string account, std::string after,
                                         std::int64_t limit);
  // Asks the DNS now. unsupported where it cannot be asked.
  Task<Result<VerifiedDomain>> verify_domain(std::string account, std::string domain);
  Task<Result<DomainHistoryView>> domain_history(std::string account, std::string domain);
  // -- domain_records.cc
  Task<Result<DomainRecordsView>> domain_records(std::string account, std::string domain);
  // One of each kind. conflict: mail of the domain is signed already.
  Task<Result<DomainRecordsView>> make_domain_keys(std::string account, std::string domain);
  // What the account signs with stays its own; whoever has the domain next gets nothing of it.
  Task<Result<void>> remove_domain(std::string account, std::string domain);
  // -- domain_reports.cc. What is handed over: a report, a message that carries some, or a file of
  // messages; each is told of by itself. `account` empty: for every account that has its domain,
  // each in a commit of its own, and told of by itself. invalid_input: nothing was handed over.
  Task<Result<ImportedReports>> import_reports(std::string account, HandedOverReports given);
  // Of the last `days` days and today, in UTC. `account` empty: of the one that has the domain.
  // conflict: several have.
  Task<Result<ReportOverview>> reported(std::string account, std::string domain, std::int64_t days);
  // To the account `to` having the domain, or such below it, too.
  Task<Result<DomainView>> consent(std::string account, std::string domain, std::string to,
                                   bool withdrawn);

  Task<Result<Explanation>> explain(ExplainRequest request);
  // -- explaining_causes.cc. invalid_input: it asks for what does not go together.
  Task<Result<ExplainedCauses>> explain_causes(CausesRequest request);

  // -- personal_data.cc: all that is kept of an address, a page of it.
  Task<Result<PersonalPage>> personal_data(PersonalRequest request);
  // -- erasing.cc: erases a part of it. Mail that is on its way is told and stays.
  Task<Result<Erasure>> erase_personal_data(ErasureRequest request);
  // -- audit.cc: who looked at what of somebody's; oldest first, unless it is asked otherwise, on
  // from `after`, which a page before has told. `since` as people write it.
  Task<Result<AuditPage>> audit(AuditRequest request);
  // -- people.cc: people who sign in at the console. unsupported: there is none here.
  // Whoever uses it becomes an operator.
  Task<Result<PersonLink>> link_for_operator(Asker asker);
  // An invitation for who has no password yet, else one to set another.
  Task<Result<PersonLink>> link_for_person(std::string email, Asker asker);
  Task<Result<PersonLink>> invite_person(NewPersonWish wish, Asker asker);
  // `account` empty: the operators.
  Task<Result<std::vector<PersonRow>>> people_of(std::string account);
  // Within two seconds nothing is open to them any more.
  Task<Result<void>> suspend_person(std::string email, bool suspended, Asker asker);
  Task<Result<void>> remove_person(std::string email, Asker asker);
  // How long the account's mail is kept after it is over; nullopt: as it was. What holds now.
  Task<Result<store::KeptFor>> keep_for(std::string account,
                                        std::optional<std::int64_t> content_days,
                                        std::optional<std::int64_t> story_days);

  // -- receiver_tls.cc: how the protection of connections fared, the newest days first.
  Task<Result<std::vector<store::TlsCount>>> tls_report(TlsReportRequest request);

  // -- probes.cc: test mails to mailboxes of the operator's own. Asking is unsupported where no
  // engine runs, and limit_exceeded where too many are not over.
  [[nodiscard]] Result<ProbePlan> probe_plan() const;
  Task<Result<std::vector<store::Probe>>> ask_probes(ProbeRequest request);
  Task<Result<std::vector<store::Probe>>> probe_history(ProbeHistoryRequest request);

  // The site of a recipients' domain, as far as this process or the rules know it; else the domain.
  // From any thread.
  [[nodiscard]] std::string site_of(std::string_view domain) const;

  // -- sources.cc: those that are configured, and where they stand in their warm-up plans.
  Task<Result<std::vector<SourceView>>> sources();

  // -- lanes.cc: how they fare, by source and site; those that are at work.
  Task<Result<std::vector<store::LanePace>>> lanes(LanesRequest request);
  // -- rates.cc: bounces and complaints, and limits of an account's own.
  Task<Result<RateReport>> rates(RatesRequest request);
  Task<Result<delivery::policy::ProtectionOverrides>> limit_rates(std::string account,
                                                                  RateLimitChange change);

  // At most `limit`.
  Task<Result<StuckMails>> stuck(std::int64_t limit);
  // Has the mail tried again. not_found if it is not set aside.
  Task<Result<void>> release_stuck(std::string account, store::PublicId email_id,
                                   MaybeGranter by = {});
  // How many they were. After an error those of earlier slices stay released.
  Task<Result<std::int64_t>> release_all_stuck();

  // -- suppressions.cc: an account's list; `account` empty: the installation's
  Task<Result<intake::SuppressionRows>> suppressions(std::string account, std::string after,
                                                     std::int64_t limit);
  Task<Result<intake::SuppressionLook>> look_suppression(std::string account, std::string address);
  // True: it is new.
  Task<Result<bool>> add_suppression(std::string account, intake::SuppressionRequest request);
  Task<Result<std::vector<store::Suppression>>> remove_suppression(
      std::string account, intake::SuppressionRemoval removal);
  Task<Result<intake::ImportedSuppressions>> import_suppressions(std::string account,
                                                                 std::string csv);

  Task<Result<EngineStatus>> status();
  // Everybody who lives, lapsed, or is void and still holds something.
  Task<Result<std::vector<NodeView>>> nodes();

  // -- adoption.cc: a store that was served under other names
  Task<Result<ClusterView>> cluster();
  // Goes through all deliveries.
  Task<Result<Waiting>> waiting();
  // Cancels what waits, for some seconds; from `from` (0: the beginning) on. conflict: an engine
  // works on the store.
  // `as`: cancelled, or unknown, which leaves what is reserved for later.
  Task<Result<Cancelled>> cancel_waiting(std::int64_t from,
                                         RecipientState as = RecipientState::cancelled);
  // Folds what the journal knows into a store that is behind it, for a moment; records after number
  // `from` (0: the one that this copy has; then Folded::last_number). conflict: an engine works on
  // the store, or it is not behind. io: the folder has less than it had.
  Task<Result<events::journal::Folded>> fold_journal(std::int64_t from);
  // Gives the store the names of this process. conflict: an engine works on it, or something waits
  // that is not meant to be sent, or the journal is not folded in.
  Task<Result<void>> adopt(bool send_waiting);
  // unsupported where no engine runs.
  [[nodiscard]] Result<void> drain();

 private:
  [[nodiscard]] Result<std::vector<store::Node>> engines_elsewhere() const;
  // `octets` stay where they are until it is done.
  Task<Result<void>> import_message(std::optional<store::AccountKey> account, std::string name,
                                    std::string_view octets, ImportedReports& told);
  Task<Result<void>> import_report(std::optional<store::AccountKey> account,
                                   HandedOverReports given, ImportedReports& told);
  Task<Result<store::Domain>> claim_of(std::string account, std::string domain);
  Task<Result<store::Account>> account(std::string name);
  // The same of one that gets a key or a credential. conflict: it is Options::closed_account.
  [[nodiscard]] Result<void> refuse_closed(std::string_view name) const;
  Task<Result<store::Account>> account_for_credentials(std::string name);
  Task<Result<store::AccountKey>> list_owner(std::string name);
  Task<Result<explain::Causes>> causes_of(store::Delivery delivery, std::optional<std::string> site,
                                          std::size_t most);
  Task<Result<void>> read_samples(explain::Causes& causes);
  struct FoundStories;
  Task<Result<FoundStories>> find_stories(ExplainRequest request);
  Task<Result<FoundStories>> find_mail(ExplainRequest request,
                                       std::optional<store::AccountKey> owner);
  Task<Result<FoundStories>> find_message(ExplainRequest request,
                                          std::optional<store::AccountKey> owner);
  Task<Result<FoundStories>> find_reference(ExplainRequest request,
                                            std::optional<store::AccountKey> owner);
  Task<Result<FoundStories>> found_by(store::StorySearch search, FoundStories all,
                                      std::int64_t limit);
  Task<Result<FoundStories>> filled_in(FoundStories all, std::int64_t limit);
  Task<Result<std::map<std::string, explain::CredentialHold>>> holds_of(
      std::vector<std::string> names);
  struct RateHolds {
    std::map<store::DeliveryKey, std::vector<explain::RateHold>> rates;
    std::map<store::DeliveryKey, Instant> canaries;
    std::map<store::DeliveryKey, explain::SteeredWay> steered;
  };
  struct Resends {
    std::map<store::DeliveryKey, store::PublicId> of;
    std::map<store::RecipientKey, std::vector<store::PublicId>> later;
  };
  Task<Result<std::map<store::DeliveryKey, Instant>>> approvals_of(
      std::vector<store::DeliveryKey> deliveries);
  Task<Result<Resends>> resends_of(const std::vector<store::Story>& stories);
  Task<Result<RateHolds>> rate_holds_of(std::vector<store::DeliveryKey> deliveries);
  Task<Result<void>> changed();
  Task<Result<void>> check_adoptable();
  Task<Result<bool>> only_address_differs();
  Task<Result<bool>> is_renewed();
  Task<Result<void>> check_folded();
  Task<Result<Cancelled>> cancel_unstarted(RecipientState as);
  struct Person;
  Task<Result<Person>> person(std::string address, std::string account_name);
  Task<Result<void>> note(store::AuditEntry entry, std::string address);
  // A beginning always, and any later part of which no line tells; before anything is done.
  Task<Result<void>> note_ask(std::string action, Person whose, Asker asker, bool begins);
  Task<Result<void>> stop_mails(std::vector<store::Story>& stories, Erasure& told);
  Task<Result<bool>> is_for_later(store::DeliveryKey key);
  [[nodiscard]] Result<people::People*> people_here() const;
  // `usual`, or where a key had that name once, something like it.
  // `work`: true if what it made of the credential is still to be written.
  struct SmtpChange {
    std::string_view event;  // as the log has it
    std::function<Result<bool>(store::WriteTransaction&, store::SmtpCredential&)> work;
    std::string_view action = {};  // as the audit has it, where somebody is named
    MaybeGranter by = {};
  };
  Task<Result<SmtpCredentialView>> alter_smtp_credential(std::string account, std::string name,
                                                         SmtpChange change);
  using SlotsChange = std::function<Result<void>(KeySlots&, bool is_new, Instant now)>;
  Task<Result<KeySlotsView>> alter_key_slots(std::string account, std::string domain,
                                             SlotsChange change);
  Task<Result<std::vector<store::DkimKey>>> waiting_dkim_keys(std::string account,
                                                              std::string domain);
  Task<Result<store::DkimKey>> make_waiting_key(store::Account owner, std::string domain,
                                                std::string algorithm);
  Task<Result<std::string>> new_selector(std::string account, std::string domain,
                                         std::string usual);

  store::Store& store_;
  const Clock& clock_;
  const Options options_;
  NotedAsks noted_asks_;
};

}  // namespace todoku::operate
