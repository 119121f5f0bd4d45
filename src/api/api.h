// SPDX-License-Identifier: Apache-2.0
// The REST API: authenticates, counts, hands each call to its endpoint. The endpoints of one
// resource are one file; they know HTTP and intake, never delivery.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>

#include "access/access.h"
#include "api/answers.h"
#include "async/file_pool.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "http/router.h"
#include "intake/intake.h"
#include "store/store.h"

namespace todoku::api {

struct Options {
  std::uint32_t rate_limit_per_minute = 500;  // per account; 0: none
  std::filesystem::path data_directory;       // for uploads and error files
  std::size_t uploads_max = 64;               // files being uploaded at once; more get 503
  // Where clients reach us, e.g. "https://mail.example.jp"; empty: as the Host header says.
  std::string public_url;
};

// One authenticated request.
struct Call {
  http::Request& request;
  http::Body& body;
  store::Account account;
  Language language = Language::en;
};

class Api {
 public:
  // Everything must outlive the Api. What waits for the disk is done on `files`.
  Api(store::Store& store, intake::Intake& intake, async::FilePool& files, const Clock& clock,
      Metrics& metrics, Options options);

  // Registers every endpoint under /api/v1. The Api must outlive the router.
  void add_routes(http::Router& router);

  // For the endpoints.
  using Endpoint = Task<http::Response> (*)(Api&, Call&);
  void add(http::Router& router, http::Method method, std::string_view pattern,
           http::RouteOptions options, Endpoint endpoint);
  void add(http::Router& router, http::Method method, std::string_view pattern, Endpoint endpoint) {
    add(router, method, pattern, {}, endpoint);
  }
  [[nodiscard]] store::Store& store() { return store_; }
  [[nodiscard]] intake::Intake& intake() { return intake_; }
  [[nodiscard]] async::FilePool& files() { return files_; }
  // One of Options::uploads_max places; false if all are taken. To be given back.
  [[nodiscard]] bool take_upload_place();
  void give_upload_place_back() { uploads_.fetch_sub(1); }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] const Options& options() const { return options_; }
  // Octets a request with JSON and attachments may have.
  [[nodiscard]] std::size_t form_octets_max() const;

 private:
  Task<http::Response> serve(http::Request& request, http::Body& body, Endpoint endpoint,
                             bool wants_body);

  store::Store& store_;
  intake::Intake& intake_;
  async::FilePool& files_;
  std::atomic<std::size_t> uploads_ = 0;
  const Clock& clock_;
  Metrics& metrics_;
  const Options options_;
  access::Authenticator authenticator_;
  access::RateLimit rate_limit_;
};

// One per resource file.
void add_transaction_routes(Api& api, http::Router& router);
void add_bulk_routes(Api& api, http::Router& router);
void add_delivery_routes(Api& api, http::Router& router);
void add_recipient_routes(Api& api, http::Router& router);
void add_import_routes(Api& api, http::Router& router);

// The id in a path segment; nullopt if it is not a positive number.
[[nodiscard]] std::optional<store::PublicId> path_id(const Call& call, std::string_view name);
[[nodiscard]] http::Response no_data_found(const Call& call);

}  // namespace todoku::api
