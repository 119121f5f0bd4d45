// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "async/callback.h"
#include "async/task_group.h"
#include "base/bytes.h"
#include "base/check.h"

namespace todoku::http {
namespace {

using Done = async::Callback<Result<ClientResponse>>;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// One request on its way. Its address is what libcurl's callbacks get.
struct Transfer {
  std::uint64_t id = 0;  // names it for abort()
  ClientRequest request;
  Done done;
  ClientResponse response;
  std::unique_ptr<CURL, FreeEasy> handle;
  std::unique_ptr<curl_slist, FreeList> fields;
  std::unique_ptr<curl_slist, FreeList> connect_to;
  std::size_t header_octets = 0;  // of all responses, those of redirects and 1xx among them
  std::size_t body_octets = 0;
  bool header_too_large = false;
  bool too_large = false;
  bool address_refused = false;
  bool called_off = false;  // by the request's own functions
  bool thrown = false;      // memory was refused to what libcurl calls, which knows no exceptions
  std::optional<net::Endpoint> tried;  // the last address that was connected to
  std::array<char, CURL_ERROR_SIZE> detail{};
};

// What `take` answers; 0, which ends the transfer, if it throws.
template <class Take>
std::size_t caught(Transfer& transfer, Take&& take) noexcept {
  try {
    return take();
  } catch (...) {
    transfer.thrown = true;
    return 0;
  }
}

// True: the piece is the request's own function's to take, and is counted nowhere.
bool is_taken_apart(Transfer& transfer) {
  if (!transfer.request.take) return false;
  long status = 0;
  curl_easy_getinfo(transfer.handle.get(), CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  return status >= 200 && status < 300;
}

std::size_t on_body(char* octets, std::size_t /*one*/, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const ClientRequest& request = transfer.request;
  if (is_taken_apart(transfer)) {
    return caught(transfer, [&] {
      transfer.called_off = !request.take(transfer.response, {octets, count});
      return transfer.called_off ? 0 : count;
    });
  }
  std::string& body = transfer.response.body;
  const std::size_t taken = std::min(count, request.response_max - transfer.body_octets);
  transfer.body_octets += taken;
  const std::size_t kept = caught(transfer, [&] {
    body.append(octets, std::min(taken, request.response_kept - body.size()));
    return count;
  });
  if (transfer.thrown || taken == count) return kept;
  transfer.too_large = true;
  return 0;
}

// All the header fields of a response, and of those before it: without a bound a server could send
// "100 Continue" for ever.
constexpr std::size_t kHeaderOctetsMax = std::size_t{64} << 10U;

std::size_t on_header(char* octets, std::size_t /*one*/, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (count > kHeaderOctetsMax - transfer.header_octets) {
    transfer.header_too_large = true;
    return 0;
  }
  transfer.header_octets += count;
  const std::string_view line = trim({octets, count});
  // A new status line begins another response: after 100 Continue, or a redirect.
  if (line.starts_with("HTTP/")) transfer.response.headers.clear();
  return caught(transfer, [&] {
    if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      transfer.response.headers.add(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
    return count;
  });
}

// Not zero ends the transfer.
int on_progress(void* user, curl_off_t /*expected*/, curl_off_t /*got*/, curl_off_t /*to_send*/,
                curl_off_t /*sent*/) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t goes_on =
      caught(transfer, [&] { return transfer.request.goes_on() ? std::size_t{1} : 0; });
  transfer.called_off = transfer.called_off || (goes_on == 0 && !transfer.thrown);
  return goes_on == 0 ? 1 : 0;
}

std::optional<net::Endpoint> to_endpoint(const curl_sockaddr& at) {
  if (at.family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &at.addr, sizeof v4);
    std::array<std::uint8_t, 4> octets;
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    return net::Endpoint{net::IpAddress::v4(octets), ntohs(v4.sin_port)};
  }
  if (at.family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &at.addr, sizeof v6);
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return net::Endpoint{net::IpAddress::v6(octets), ntohs(v6.sin6_port)};
  }
  return std::nullopt;
}

// Judges the address that is really connected to, so that a name cannot resolve to one address for
// a check and to another one afterwards. What is no address (a Unix socket) is judged by nobody,
// so it is refused where somebody is to judge.
curl_socket_t on_open_socket(void* user, curlsocktype /*purpose*/, curl_sockaddr* at) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto to = to_endpoint(*at);
  const bool may_connect = caught(transfer, [&] {
                             const auto& judge = transfer.request.may_connect;
                             return !judge || (to && judge(*to)) ? 1U : 0U;
                           }) != 0;
  if (!may_connect) {
    transfer.address_refused = !transfer.thrown;
    return CURL_SOCKET_BAD;
  }
  transfer.tried = to;
  return ::socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// libcurl writes these as they are: a line break would become another header field.
bool is_sound(const ClientRequest& request) {
  if (has_control(request.method)) return false;
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const Headers::Field field = request.headers[i];
    if (has_control(field.name) || has_control(field.value)) return false;
  }
  return true;
}

void set(const Transfer& transfer, CURLoption option, long number) {
  curl_easy_setopt(transfer.handle.get(), option, number);
}
void set(const Transfer& transfer, CURLoption option, const std::string& text) {
  curl_easy_setopt(transfer.handle.get(), option, text.c_str());
}

void append_field(Transfer& transfer, const std::string& line) {
  curl_slist* longer = curl_slist_append(transfer.fields.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  transfer.fields.release();  // NOLINT(bugprone-unused-return-value): `longer` begins with it
  transfer.fields.reset(longer);
}

void prepare_fields(Transfer& transfer) {
  const Headers& headers = transfer.request.headers;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const Headers::Field field = headers[i];
    // libcurl takes "Name;" for an empty value, and "Name:" for leaving the field out.
    append_field(transfer, field.value.empty() ? fmt::format("{};", field.name)
                                               : fmt::format("{}: {}", field.name, field.value));
  }
  // Waiting a second for "100 Continue" helps nobody here.
  append_field(transfer, "Expect:");
  if (!headers.find("Content-Type")) append_field(transfer, "Content-Type:");
  curl_easy_setopt(transfer.handle.get(), CURLOPT_HTTPHEADER, transfer.fields.get());
}

// The longest form is "::[v6]:port": for every host and port of the URL this address.
void prepare_connect_to(Transfer& transfer) {
  const std::string place = "::" + transfer.request.connect_to->to_string();
  transfer.connect_to.reset(curl_slist_append(nullptr, place.c_str()));
  if (transfer.connect_to == nullptr) throw std::bad_alloc();
  curl_easy_setopt(transfer.handle.get(), CURLOPT_CONNECT_TO, transfer.connect_to.get());
}

void prepare(Transfer& transfer, const ClientOptions& options) {
  const ClientRequest& request = transfer.request;
  CURL* handle = transfer.handle.get();
  set(transfer, CURLOPT_URL, request.url);
  set(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
  set(transfer, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(transfer, CURLOPT_FOLLOWLOCATION, request.redirects_max > 0 ? 1L : 0L);
  set(transfer, CURLOPT_MAXREDIRS, request.redirects_max);
  set(transfer, CURLOPT_NOSIGNAL, 1L);
  set(transfer, CURLOPT_PROXY, options.proxy);
  set(transfer, CURLOPT_USERAGENT, options.user_agent);
  set(transfer, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);  // or later
  if (!options.http2) set(transfer, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  if (request.connect_to) prepare_connect_to(transfer);
  if (!options.ca_file.empty()) set(transfer, CURLOPT_CAINFO, options.ca_file);
  if (!request.unix_socket.empty()) set(transfer, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket);
  set(transfer, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  set(transfer, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  if (request.method == "HEAD") {
    set(transfer, CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || request.method == "POST") {
    set(transfer, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  }
  set(transfer, CURLOPT_CUSTOMREQUEST, request.method);
  prepare_fields(transfer);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  if (request.silence_max.count() > 0) {
    set(transfer, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(transfer, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.silence_max.count() / 1000));
  }
  if (request.goes_on) {
    set(transfer, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
  }
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer.detail.data());
  curl_easy_setopt(handle, CURLOPT_PRIVATE, &transfer);
}

ErrorKind to_kind(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ErrorKind::invalid_input;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return ErrorKind::unavailable;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return ErrorKind::closed;
    case CURLE_PEER_FAILED_VERIFICATION:
      return ErrorKind::unauthorized;
    default:
      return ErrorKind::io;
  }
}

std::optional<net::Endpoint> peer_of(const Transfer& transfer) {
  const char* text = nullptr;
  long port = 0;
  curl_easy_getinfo(transfer.handle.get(), CURLINFO_PRIMARY_IP, &text);
  curl_easy_getinfo(transfer.handle.get(), CURLINFO_PRIMARY_PORT, &port);
  const auto address = net::IpAddress::parse(text != nullptr ? text : "");
  if (!address) return transfer.tried;
  return net::Endpoint{*address, static_cast<std::uint16_t>(port)};
}

void note_facts(const Transfer& transfer) {
  if (!transfer.request.facts) return;
  TransferFacts& facts = *transfer.request.facts;
  curl_off_t connected_after = 0;
  curl_easy_getinfo(transfer.handle.get(), CURLINFO_CONNECT_TIME_T, &connected_after);
  facts.peer = peer_of(transfer);
  facts.never_connected = transfer.tried.has_value() && connected_after == 0;
  facts.cut = transfer.too_large;
}

// Of a transfer to which memory was refused. So short that it needs none itself.
std::unexpected<Error> no_memory() {
  return fail(ErrorKind::unavailable, "no memory");
}

Result<ClientResponse> outcome(Transfer& transfer, CURLcode code) {
  if (transfer.thrown || code == CURLE_OUT_OF_MEMORY) return no_memory();
  if (transfer.called_off) return fail(ErrorKind::cancelled, "the request was called off");
  const bool cut = transfer.too_large && transfer.request.ends_at_response_max;
  if (code == CURLE_OK || cut) {
    long status = 0;
    curl_easy_getinfo(transfer.handle.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    return std::move(transfer.response);
  }
  if (transfer.too_large) {
    return fail(ErrorKind::limit_exceeded, fmt::format("the response is longer than {} octets",
                                                       transfer.request.response_max));
  }
  if (transfer.header_too_large) {
    return fail(ErrorKind::corrupt,
                fmt::format("the response has more than {} octets of header", kHeaderOctetsMax));
  }
  if (transfer.address_refused) {
    return fail(ErrorKind::unauthorized, "connections to this address are not allowed");
  }
  const char* detail =
      transfer.detail[0] != '\0' ? transfer.detail.data() : curl_easy_strerror(code);
  return fail(to_kind(code), detail);
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(const ClientOptions& options) : options_(options), multi_(new_multi()) {
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                      static_cast<long>(options.connections_per_host_max));
    if (options.connections_idle_max > 0) {
      curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                        static_cast<long>(options.connections_idle_max));
    }
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "todoku-http");
  }

  ~Impl() {
    stopping_.store(true);
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  [[nodiscard]] std::uint64_t new_id() { return next_id_.fetch_add(1); }

  // Ends the transfer with `cancelled`, if it has not ended.
  void abort(std::uint64_t id) {
    {
      const std::lock_guard lock(mutex_);
      aborted_.push_back(id);
    }
    curl_multi_wakeup(multi_.get());
  }

  void submit(std::uint64_t id, ClientRequest request, Done done) {
    auto transfer = std::make_unique<Transfer>();
    transfer->id = id;
    transfer->request = std::move(request);
    if (!take_place()) {
      done(fail(ErrorKind::unavailable,
                fmt::format("{} transfers are under way already", options_.transfers_max)));
      return;
    }
    transfer->done = std::move(done);
    enqueue(std::move(transfer));
    curl_multi_wakeup(multi_.get());
  }

 private:
  static CURLM* new_multi() {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    check(initialised == CURLE_OK, "libcurl initialises");
    CURLM* multi = curl_multi_init();
    check(multi != nullptr, "libcurl makes a multi handle");
    return multi;
  }

  void enqueue(std::unique_ptr<Transfer> transfer) {
    const std::lock_guard lock(mutex_);
    try {
      queue_.push_back(std::move(transfer));
    } catch (const std::exception&) {
      --pending_;
      throw;
    }
  }

  bool take_place() {
    const std::lock_guard lock(mutex_);
    if (pending_ >= options_.transfers_max) return false;
    ++pending_;
    return true;
  }

  void run() {
    while (!stopping_.load()) {
      start_queued();
      end_aborted();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      finish_done();
      constexpr int kPollMs = 1000;  // wake-ups end it; the time-outs of transfers, too
      curl_multi_poll(multi_.get(), nullptr, 0, kPollMs, nullptr);
    }
    start_queued();
    while (!active_.empty()) {
      finish(active_.begin()->first, fail(ErrorKind::cancelled, "the client was closed"));
    }
  }

  void start_queued() {
    std::vector<std::unique_ptr<Transfer>> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(queue_);
    }
    for (auto& transfer : taken) {
      try {
        begin(transfer);
      } catch (const std::exception&) {
        leave_place();
        tell(*transfer, no_memory());
      }
    }
  }

  // If it throws, `transfer` is where it was.
  void begin(std::unique_ptr<Transfer>& transfer) {
    transfer->handle.reset(curl_easy_init());
    if (transfer->handle == nullptr) throw std::bad_alloc();
    prepare(*transfer, options_);
    CURL* handle = transfer->handle.get();
    const auto [place, is_new] = active_.try_emplace(handle);
    place->second = std::move(transfer);
    if (curl_multi_add_handle(multi_.get(), handle) == CURLM_OK) return;
    transfer = std::move(place->second);
    active_.erase(place);
    throw std::bad_alloc();
  }

  void leave_place() {
    const std::lock_guard lock(mutex_);
    --pending_;
  }

  // Who waits is resumed elsewhere; what is thrown on the way there is nothing of the others'.
  static void tell(Transfer& transfer, Result<ClientResponse> result) {
    try {
      transfer.done(std::move(result));
    } catch (const std::exception&) {
      async::report_exception("telling what came of a request", std::current_exception());
    }
  }

  // After start_queued(): who is aborted was submitted before, and is among the active ones.
  void end_aborted() {
    std::vector<std::uint64_t> aborted;
    {
      const std::lock_guard lock(mutex_);
      aborted.swap(aborted_);
    }
    for (const std::uint64_t id : aborted) {
      const auto found =
          std::ranges::find_if(active_, [id](const auto& one) { return one.second->id == id; });
      if (found == active_.end()) continue;
      finish(found->first, fail(ErrorKind::cancelled, "the request was called off"));
    }
  }

  void finish_done() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* handle = message->easy_handle;
      const CURLcode code = message->data.result;
      finish(handle, outcome_or_no_memory(*active_.at(handle), code));
    }
  }

  static Result<ClientResponse> outcome_or_no_memory(Transfer& transfer, CURLcode code) {
    try {
      return outcome(transfer, code);
    } catch (const std::exception&) {
      return no_memory();
    }
  }

  void finish(CURL* handle, Result<ClientResponse> result) {
    auto node = active_.extract(handle);
    note_facts(*node.mapped());
    curl_multi_remove_handle(multi_.get(), handle);
    leave_place();
    tell(*node.mapped(), std::move(result));
  }

  const ClientOptions options_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> next_id_ = 1;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Transfer>> queue_;                 // under mutex_
  std::vector<std::uint64_t> aborted_;                           // under mutex_: ids
  std::size_t pending_ = 0;                                      // under mutex_: queued and active
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> active_;  // the thread's own
  std::thread thread_;
};

Client::Client(const ClientOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Client::~Client() = default;

Task<Result<ClientResponse>> Client::fetch(ClientRequest request) {
  if (!is_sound(request)) {
    co_return fail(ErrorKind::invalid_input,
                   "the method or a header field has a control character");
  }
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
    co_return fail(ErrorKind::cancelled, "the request was called off");
  }
  const std::uint64_t id = impl_->new_id();
  auto submit = [impl = impl_.get(), id, request = std::move(request)](Done done) mutable {
    impl->submit(id, std::move(request), std::move(done));
  };
  // What the callback waits for does not look at the slot: it is ours until it has come.
  auto slot = cancellation.slot();
  if (slot.is_connected()) {
    slot.assign([impl = impl_.get(), id](boost::asio::cancellation_type) { impl->abort(id); });
  }
  auto result = co_await async::from_callback<Result<ClientResponse>>(std::move(submit));
  if (slot.is_connected()) slot.clear();
  co_return result;
}

}  // namespace todoku::http
