// SPDX-License-Identifier: Apache-2.0
#include "alarms/smarthost.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>

namespace todoku::alarms {
namespace {

constexpr long kMostMs = 60'000;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t give_octets(char* to, std::size_t one, std::size_t count, void* user) noexcept {
  auto& rest = *static_cast<std::string_view*>(user);
  const std::size_t octets = std::min(one * count, rest.size());
  std::memcpy(to, rest.data(), octets);
  rest.remove_prefix(octets);
  return octets;
}

std::size_t drop_octets(char* /*octets*/, std::size_t one, std::size_t count,
                        void* /*user*/) noexcept {
  return one * count;
}

// The only place where libcurl shows what was said of each recipient.
int overhear(CURL* /*handle*/, curl_infotype type, char* octets, std::size_t count,
             void* user) noexcept {
  auto& replies = *static_cast<RecipientReplies*>(user);
  try {
    if (type == CURLINFO_HEADER_OUT) replies.sent({octets, count});
    if (type == CURLINFO_HEADER_IN) replies.received({octets, count});
  } catch (const std::exception&) {  // no memory: then nobody is named
  }
  return 0;
}

int look_whether_stopped(void* user, curl_off_t /*to_get*/, curl_off_t /*got*/,
                         curl_off_t /*to_send*/, curl_off_t /*sent*/) noexcept {
  return static_cast<const std::atomic<bool>*>(user)->load() ? 1 : 0;
}

ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_LOGIN_DENIED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CACERT_BADFILE:
      return ErrorKind::unauthorized;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return ErrorKind::unavailable;
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::timeout;
    case CURLE_ABORTED_BY_CALLBACK:
      return ErrorKind::cancelled;
    default:
      return ErrorKind::io;
  }
}

void set(CURL* handle, CURLoption option, long number) {
  curl_easy_setopt(handle, option, number);
}
void set(CURL* handle, CURLoption option, const std::string& text) {
  curl_easy_setopt(handle, option, text.c_str());
}

void prepare(CURL* handle, const SmarthostAccess& access) {
  const bool is_v6 = access.host.find(':') != std::string::npos;
  set(handle, CURLOPT_URL,
      fmt::format("smtp://{}:{}/{}", is_v6 ? '[' + access.host + ']' : access.host, access.port,
                  access.hello_name));
  set(handle, CURLOPT_PROTOCOLS_STR, "smtp");
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_PROXY, std::string());
  set(handle, CURLOPT_TIMEOUT_MS, kMostMs);
  set(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);  // or later
  const bool clear = access.tls == SmarthostTls::none;
  set(handle, CURLOPT_USE_SSL, clear ? long{CURLUSESSL_NONE} : long{CURLUSESSL_ALL});
  if (access.tls == SmarthostTls::unverified) {
    set(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    set(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!access.ca_file.empty()) set(handle, CURLOPT_CAINFO, access.ca_file);
  if (access.user.empty()) return;
  set(handle, CURLOPT_USERNAME, access.user);
  set(handle, CURLOPT_PASSWORD, access.password);
}

}  // namespace

Result<std::vector<RefusedRecipient>> hand_to_smarthost(const SmarthostAccess& access,
                                                        const AlarmMail& mail,
                                                        const std::atomic<bool>& stopped) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, FreeEasy> handle(ready == CURLE_OK ? curl_easy_init() : nullptr);
  if (!handle) return fail(ErrorKind::unavailable, "libcurl cannot be used");
  std::unique_ptr<curl_slist, FreeList> recipients;
  for (const std::string& to : mail.to) {
    curl_slist* const longer = curl_slist_append(recipients.get(), ('<' + to + '>').c_str());
    if (longer == nullptr) return fail(ErrorKind::unavailable, "there is no memory for a mail");
    recipients.release();  // NOLINT(bugprone-unused-return-value): `longer` begins with it
    recipients.reset(longer);
  }
  prepare(handle.get(), access);
  set(handle.get(), CURLOPT_MAIL_FROM, '<' + mail.from + '>');
  curl_easy_setopt(handle.get(), CURLOPT_MAIL_RCPT, recipients.get());
  // One address that is refused keeps nobody else from being told.
  set(handle.get(), CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  std::string_view rest = mail.message;
  set(handle.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_READFUNCTION, give_octets);
  curl_easy_setopt(handle.get(), CURLOPT_READDATA, &rest);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, drop_octets);
  set(handle.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, look_whether_stopped);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFODATA, &stopped);
  RecipientReplies replies;
  set(handle.get(), CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_DEBUGFUNCTION, overhear);
  curl_easy_setopt(handle.get(), CURLOPT_DEBUGDATA, &replies);
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(handle.get());
  std::vector<RefusedRecipient> refused = replies.take();
  if (code == CURLE_OK) return refused;
  const std::string_view said(detail.data());
  std::string words = fmt::format("{}: {}", access.host,
                                  said.empty() ? std::string_view(curl_easy_strerror(code)) : said);
  for (const RefusedRecipient& each : refused) words += fmt::format("; {}", to_string(each));
  return fail(kind_of(code), std::move(words));
}

}  // namespace todoku::alarms
