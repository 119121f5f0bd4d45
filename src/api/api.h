// SPDX-License-Identifier: Apache-2.0
// The REST API: authenticates, counts, hands each call to its endpoint. The endpoints of one
// resource are one file; they know HTTP and intake, never delivery.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "access/access.h"
#include "api/answers.h"
#include "api/event_tickets.h"
#include "api/file_places.h"
#include "api/message_copies.h"
#include "api/preflight.h"
#include "api/previews.h"
#include "api/progress_watch.h"
#include "api/usher.h"
#include "api/views.h"
#include "async/file_pool.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/secret_box.h"
#include "events/endpoints/registry.h"
#include "http/json.h"
#include "http/router.h"
#include "intake/intake.h"
#include "intake/uploads.h"
#include "operate/operations.h"
#include "store/store.h"

namespace todoku::api {

struct Options {
  std::uint32_t rate_limit_per_minute = 500;  // per account; 0: none
  // Files being uploaded or sent at once; more get 503, of one account before others (FilePlaces).
  std::size_t files_max = 64;
  // Streams of events open at once; more get 429, of one account before others.
  std::size_t event_streams_max = 64;
  // How long a bulk lives from its start.
  Milliseconds bulk_life{std::chrono::hours(24)};
  // Where clients reach us, e.g. "https://mail.example.jp"; empty: http/origin.h.
  std::string public_url;
  // The Message-ID of a mail; of a transaction's copies, which are one mail, of any.
  std::function<std::string(const store::RecipientKey&, DeliveryType)> message_id;
  // Of Message-IDs that are made here, as of those.
  std::string message_id_domain = "localhost";
  // As whom this installation stands in Received of a message that came whole, and all names by
  // which it knows itself there, lower case.
  std::string hostname = "localhost";
  std::vector<std::string> own_names;
  // Whose word counts for who a request came from (http/forwarded.h).
  std::vector<net::Network> trusted_proxies;
  // Whose keys with the scope admin manage accounts, and from where; empty: nobody's, nowhere.
  std::string provisioning_account;
  std::vector<net::Network> provisioning_networks;
  // Which is not found here, and whose keys open nothing: links by which people sign in are in its
  // mail. Empty: there is none.
  std::string closed_account = {};
};

// One authenticated request.
struct Call {
  http::Request& request;
  http::Body& body;
  store::Account account;
  store::Scopes scopes = 0;   // what its key opens, or the role of who is signed in
  std::int64_t key = 0;       // its id; 0: there is none
  std::string actor;          // who it is, for the audit
  store::PersonKey person{};  // Visitor's, as in_charge
  bool in_charge = false;
  Usher* usher = nullptr;  // who let it in without a key
  net::IpAddress from;     // whose request it is
  Language language = Language::english;
  std::string unknown;        // members of its JSON that nobody read (members.h)
  std::string authorization;  // the header by which it was let in, or what its ticket stands for
  std::string warning;        // for the header of that name

  [[nodiscard]] store::AskedBy asked_by() const { return {.actor = actor, .person = person}; }
};

// How a door for the clients of another service (docs/doors.md) is knocked at, and what it says
// where no endpoint has been asked.
struct Guise {
  std::string_view prefix;  // of its paths
  // The credential as the header Authorization has it here; empty: none. nullptr: requests are
  // signed as Amazon SES's are (access/ses_keys.h), and a key with that scope is wanted.
  std::string (*authorization)(const http::Request& request);
  http::Response (*failure)(int status, std::string_view reason, const http::Request& request);

  [[nodiscard]] bool is_signed() const { return authorization == nullptr; }
};

class Api {
 public:
  // What the Api stands on, and outlives it. What waits for the disk, `uploads` among it, is done
  // on `files`.
  struct Ground {
    store::Store& store;
    intake::Intake& intake;
    intake::Uploads& uploads;
    async::FilePool& files;
    const Clock& clock;
    Metrics& metrics;
    Random& random;
    MessageCopies* copies = nullptr;            // who can show messages; none: they are not found
    operate::Operations* operations = nullptr;  // nullptr: none are offered
    events::endpoints::Registry* endpoints = nullptr;  // nullptr: none are found
    Preflight* preflight = nullptr;  // who judges deliveries; nullptr: nothing is judged
    Previews* previews = nullptr;    // who shows mails before; nullptr: they are not found
    const SecretBox* box = nullptr;  // of the master key; nullptr: no signature is believed
  };
  Api(const Ground& ground, Options options);

  // Registers every endpoint under /api/v1. The Api must outlive the router, and so must `usher`:
  // with one, keys open nothing there, and who it lets in may call.
  void add_routes(http::Router& router, Usher* usher = nullptr);

  // And those of the doors for other services' clients, each under a prefix of its own.
  void add_door_routes(http::Router& router);

  // Who calls is asked of the store again: accounts or their keys have changed. From any thread.
  void forget_accounts() { authenticator_.forget(); }
  // When keys were used last (access.h).
  Task<Result<void>> write_key_uses() { return authenticator_.write_uses(); }

  // The answer to a request that no endpoint answers; an http::FailureResponder.
  [[nodiscard]] http::Response failure_response(const http::Failure& failure,
                                                const http::Request& request);

  // For the endpoints.
  using Endpoint = Task<http::Response> (*)(Api&, Call&);
  // `opened_by`: a key with one of these is let in.
  void add(http::Router& router, http::Method method, std::string_view pattern,
           store::Scopes opened_by, http::RouteOptions options, Endpoint endpoint);
  void add(http::Router& router, http::Method method, std::string_view pattern,
           store::Scopes opened_by, Endpoint endpoint) {
    add(router, method, pattern, opened_by, {}, endpoint);
  }
  // `guise`, which outlives the Api, has the prefix of `pattern`.
  void add_door(http::Router& router, const Guise& guise, std::string_view pattern,
                http::RouteOptions options, Endpoint endpoint);
  [[nodiscard]] store::Store& store() { return ground_.store; }
  [[nodiscard]] operate::Operations* operations() { return ground_.operations; }
  [[nodiscard]] events::endpoints::Registry* endpoints() { return ground_.endpoints; }
  [[nodiscard]] intake::Intake& intake() { return ground_.intake; }
  [[nodiscard]] const intake::Intake& intake() const { return ground_.intake; }
  [[nodiscard]] intake::Uploads& uploads() { return ground_.uploads; }
  [[nodiscard]] MessageCopies* copies() { return ground_.copies; }
  [[nodiscard]] Preflight* preflight() { return ground_.preflight; }
  [[nodiscard]] Previews* previews() { return ground_.previews; }
  [[nodiscard]] async::FilePool& files() { return ground_.files; }
  // Once more, after a body that took its time: the account as it is now, or the response for whose
  // token was revoked meanwhile.
  [[nodiscard]] Task<std::optional<http::Response>> ask_again(Call& call);
  // Whether who was let in by this header, or by `usher`, still is.
  using Admission = std::expected<Visitor, http::Response>;
  [[nodiscard]] Task<Admission> admit(Usher* usher, std::string authorization,
                                      net::IpAddress client, Language language);
  [[nodiscard]] FilePlaces& file_places() { return file_places_; }
  [[nodiscard]] FilePlaces& event_places() { return event_places_; }
  [[nodiscard]] EventTickets& event_tickets() { return event_tickets_; }
  [[nodiscard]] ProgressWatches& progress_watches() { return progress_watches_; }
  [[nodiscard]] const Clock& clock() const { return ground_.clock; }
  // Of messages that are composed to be shown: each is in memory as a whole.
  [[nodiscard]] FilePlaces& message_places() { return message_places_; }
  [[nodiscard]] KnownViews& known_views() { return known_views_; }
  [[nodiscard]] const Options& options() const { return options_; }
  // Warns of a From address that is accepted without proof.
  void warn_of_sender(Call& call, const Content& content) const;
  // Whether the account may send as this address only while there is no other one.
  [[nodiscard]] bool is_unproven(store::AccountKey account, std::string_view from) const;
  // Octets a request with JSON and attachments may have.
  [[nodiscard]] std::size_t form_octets_max() const;
  // Of a request's JSON: no list that is allowed is longer.
  [[nodiscard]] http::JsonLimits json_limits() const;

 private:
  struct Door {
    Endpoint endpoint;
    store::Scopes opened_by;
    bool wants_body;
    bool takes_gzip = false;
    const Guise* guise = nullptr;
    Usher* usher = nullptr;
    std::string_view change = {};  // what the audit calls it (changes.h)

    [[nodiscard]] bool is_signed() const { return guise != nullptr && guise->is_signed(); }
  };
  // The header, or what a ticket in its place stands for.
  [[nodiscard]] std::string authorization_of(const http::Request& request);
  // Who asks, or the response that says why nobody is let in.
  struct Caller {
    Visitor visitor;
    std::int64_t key = 0;
    std::string authorization;  // by which it was let in
  };
  using Knock = std::expected<Caller, http::Response>;
  [[nodiscard]] Caller caller_of(store::KeyHolder holder, std::string authorization);
  Task<Knock> knock(const http::Request& request, http::Body& body, Door door);
  Task<Knock> knock_with_key(const http::Request& request, Door door);
  // The same of who has no key.
  Task<Knock> knock_at_usher(const http::Request& request, Usher& usher);
  // The same of a request that is signed, whose body has to be here for that: who may ask is looked
  // up before and after it.
  Task<Knock> knock_signed(const http::Request& request, http::Body& body);
  Task<http::Response> serve(http::Request& request, http::Body& body, Door door);
  Task<http::Response> answer(Call& call, Door door);
  [[nodiscard]] static http::Response over_the_limit(const access::RateLimit::Verdict& rate,
                                                     Language language);
  // What was said before an endpoint was asked, in the words of the guise.
  [[nodiscard]] static http::Response dressed(const Guise* guise, const http::Request& request,
                                              http::Response response);
  // What every answer has, `remaining` requests of the limit being left; 0: there is none.
  // The account's limits of mail a day and a month, in the answer's header.
  Task<void> tell_standing(const store::Account& account, http::Response& response);
  void finish(http::Response& response, std::uint32_t limit, std::uint32_t remaining);

  const Ground ground_;
  std::mutex random_mutex_;  // guards ground_.random
  const Options options_;
  FilePlaces file_places_;
  FilePlaces event_places_;
  EventTickets event_tickets_;
  ProgressWatches progress_watches_{*this};
  FilePlaces message_places_;
  KnownViews known_views_;
  access::Authenticator authenticator_;
  access::RateLimit rate_limit_;
  std::vector<const Guise*> guises_;
  Usher* usher_ = nullptr;  // of the routes that are being added
};

// Whether its body is compressed so.
[[nodiscard]] bool is_gzip(const http::Request& request);

// What a key needs at least for what hands mail in or changes it, and for what tells of it.
inline constexpr store::Scopes kSend = static_cast<store::Scopes>(store::Scope::send);
inline constexpr store::Scopes kRead = static_cast<store::Scopes>(store::Scope::read);

// One per resource file.
void add_transaction_routes(Api& api, http::Router& router);
void add_transaction_batch_routes(Api& api, http::Router& router);
void add_bulk_routes(Api& api, http::Router& router);
void add_delivery_routes(Api& api, http::Router& router);
void add_recipient_export_routes(Api& api, http::Router& router);
void add_recipient_routes(Api& api, http::Router& router);
void add_import_routes(Api& api, http::Router& router);
void add_list_stream_routes(Api& api, http::Router& router);
void add_event_routes(Api& api, http::Router& router);

// The one path that a ticket opens, below /api/v1.
inline constexpr std::string_view kEventsPath = "/events";
void add_message_routes(Api& api, http::Router& router);
void add_log_routes(Api& api, http::Router& router);
void add_explain_routes(Api& api, http::Router& router);
void add_usage_routes(Api& api, http::Router& router);
void add_rate_routes(Api& api, http::Router& router);
void add_tag_routes(Api& api, http::Router& router);
void add_open_routes(Api& api, http::Router& router);
void add_inline_part_routes(Api& api, http::Router& router);
void add_label_routes(Api& api, http::Router& router);
void add_domain_routes(Api& api, http::Router& router);
void add_report_routes(Api& api, http::Router& router);
void add_personal_data_routes(Api& api, http::Router& router);
void add_provisioning_routes(Api& api, http::Router& router);
void add_waiting_routes(Api& api, http::Router& router);
void add_verb_routes(Api& api, http::Router& router);
void add_approval_routes(Api& api, http::Router& router);
void add_resending_routes(Api& api, http::Router& router);
void add_steering_routes(Api& api, http::Router& router);
void add_preflight_routes(Api& api, http::Router& router);
void add_preview_routes(Api& api, http::Router& router);
void add_error_routes(Api& api, http::Router& router);
void add_suppression_routes(Api& api, http::Router& router);
void add_template_routes(Api& api, http::Router& router);
void add_webhook_routes(Api& api, http::Router& router);

// The id in a path segment; nullopt if it is not a positive number.
[[nodiscard]] std::optional<store::PublicId> path_id(const Call& call, std::string_view name);
[[nodiscard]] http::Response no_data_found(const Call& call);
// One more sentence for the header; none if it is empty.
void add_warning(Call& call, std::string_view warning);
// 403: the caller lacks each of these scopes, one of which would do.
[[nodiscard]] http::Response lacks_scope(const Call& call, store::Scopes opened_by);

}  // namespace todoku::api
