// SPDX-License-Identifier: Apache-2.0
#include "probe/mailbox.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "probe/verdicts.h"

namespace todoku::probe {
namespace {

using store::ProbePlace;

constexpr std::size_t kAnswerOctetsMax = std::size_t{256} << 10U;
constexpr long kConnectMostMs = 20'000;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

std::size_t take_octets(char* octets, std::size_t /*one*/, std::size_t count, void* user) noexcept {
  auto& answer = *static_cast<std::string*>(user);
  if (count > kAnswerOctetsMax - answer.size()) return 0;
  try {
    answer.append(octets, count);
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return count;
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
    // The connection is lost: that says nothing of the folder it was to open.
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
      return ErrorKind::unavailable;
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::timeout;
    case CURLE_WRITE_ERROR:
      return ErrorKind::corrupt;
    case CURLE_ABORTED_BY_CALLBACK:
      return ErrorKind::cancelled;
    default:
      return ErrorKind::io;
  }
}

// Everything but letters and digits as %XX, so that no name is a part of the URL's syntax.
std::string escaped(std::string_view text) {
  std::string url;
  for (const char c : text) {
    if (is_ascii_alphanumeric(c)) {
      url += c;
    } else {
      url += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return url;
}

// One connection, on which commands follow each other.
class Session {
 public:
  Session(const MailboxAccess& access, Milliseconds most, const Clock& clock,
          const std::atomic<bool>& stopped)
      : access_(access),
        clock_(clock),
        until_(clock.steady_now() + most),
        stopped_(stopped),
        handle_(curl_easy_init()) {}

  // A command, with the folder open if one is named.
  Result<std::string> command(std::string_view folder, const std::string& words) {
    return perform(folder.empty() ? std::string() : escaped(folder), words);
  }
  Result<std::string> header(std::string_view folder, std::uint32_t number) {
    return perform(fmt::format("{}/;UID={}/;SECTION=HEADER", escaped(folder), number), {});
  }

 private:
  void set(CURLoption option, long number) { curl_easy_setopt(handle_.get(), option, number); }
  void set(CURLoption option, const std::string& text) {
    curl_easy_setopt(handle_.get(), option, text.c_str());
  }

  void prepare(const std::string& path, const std::string& words) {
    const bool is_v6 = access_.host.find(':') != std::string::npos;
    const bool implicit = access_.tls == MailboxTls::implicit;
    set(CURLOPT_URL,
        fmt::format("{}://{}:{}/{}", implicit ? "imaps" : "imap",
                    is_v6 ? '[' + access_.host + ']' : access_.host, access_.port, path));
    set(CURLOPT_PROTOCOLS_STR, "imap,imaps");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, std::string());
    set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);  // or later
    set(CURLOPT_USE_SSL,
        access_.tls == MailboxTls::none ? long{CURLUSESSL_NONE} : long{CURLUSESSL_ALL});
    if (!access_.ca_file.empty()) set(CURLOPT_CAINFO, access_.ca_file);
    set(CURLOPT_USERNAME, access_.user);
    set(access_.bearer ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD, access_.secret);
    if (words.empty()) {
      curl_easy_setopt(handle_.get(), CURLOPT_CUSTOMREQUEST, nullptr);
    } else {
      set(CURLOPT_CUSTOMREQUEST, words);
    }
    set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMostMs);
    curl_easy_setopt(handle_.get(), CURLOPT_WRITEFUNCTION, take_octets);
    curl_easy_setopt(handle_.get(), CURLOPT_WRITEDATA, &answer_);
    set(CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle_.get(), CURLOPT_XFERINFOFUNCTION, look_whether_stopped);
    curl_easy_setopt(handle_.get(), CURLOPT_XFERINFODATA, &stopped_);
    detail_[0] = '\0';
    curl_easy_setopt(handle_.get(), CURLOPT_ERRORBUFFER, detail_.data());
  }

  Result<std::string> perform(const std::string& path, const std::string& words) {
    if (!handle_) return fail(ErrorKind::unavailable, "there is no memory for a connection");
    const auto left = std::chrono::duration_cast<Milliseconds>(until_ - clock_.steady_now());
    if (left.count() <= 0) return fail(ErrorKind::timeout, "the mailbox took too long to be read");
    answer_.clear();
    prepare(path, words);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    const CURLcode code = curl_easy_perform(handle_.get());
    if (code == CURLE_OK) return std::move(answer_);
    const std::string_view detail(detail_.data());
    return fail(kind_of(code),
                fmt::format("{}: {}", access_.host,
                            detail.empty() ? std::string_view(curl_easy_strerror(code)) : detail));
  }

  const MailboxAccess& access_;
  const Clock& clock_;
  const SteadyInstant until_;
  const std::atomic<bool>& stopped_;
  std::string answer_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
  std::unique_ptr<CURL, FreeEasy> handle_;  // first to go: it points at the rest
};

// In the folder that is looked at. A folder that cannot be opened has nothing of ours.
Result<std::optional<FoundMail>> find_in(Session& session, const Folder& folder,
                                         const MailboxWish& wish) {
  const auto found = session.command(folder.name, "UID SEARCH SUBJECT " + wish.token);
  if (!found) {
    const bool is_the_folders = found.error().kind == ErrorKind::io;
    if (is_the_folders && folder.place != ProbePlace::inbox) return std::nullopt;
    return fail(found.error());
  }
  for (const std::uint32_t number : read_found(*found)) {
    auto header = session.header(folder.name, number);
    if (!header) return fail(std::move(header.error()));
    // Servers find parts of words, too, and some whatever has a word like it.
    if (!has_subject_with(*header, wish.token)) continue;
    if (wish.remove) {
      // A mailbox whose mail cannot be deleted has still told where it was.
      const auto marked = session.command(
          folder.name, fmt::format("UID STORE {} +FLAGS.SILENT (\\Deleted)", number));
      if (marked) (void)session.command(folder.name, fmt::format("UID EXPUNGE {}", number));
    }
    return FoundMail{.folder = folder, .header = std::move(*header)};
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<FoundMail>> find_mail(const MailboxAccess& access, const MailboxWish& wish,
                                           const Clock& clock, const std::atomic<bool>& stopped) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) return fail(ErrorKind::unavailable, "libcurl cannot be used");
  Session session(access, wish.most, clock, stopped);
  const auto listed = session.command({}, "LIST \"\" \"*\"");
  if (!listed) return fail(listed.error());
  for (const Folder& folder : read_folders(*listed)) {
    if (folder.place == ProbePlace::other && !wish.everywhere) continue;
    auto found = find_in(session, folder, wish);
    if (!found || *found) return found;
  }
  return std::nullopt;
}

}  // namespace todoku::probe
