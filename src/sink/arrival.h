// SPDX-License-Identifier: Apache-2.0
// One message as it arrived, and the two places that may keep it: a log with a line a recipient,
// and a folder with the message itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::sink {

struct ArrivedRecipient {
  std::string_view address;
  bool duplicate = false;
};

struct Arrival {
  Instant at;
  std::string_view receiver;
  std::string_view client;  // IP address
  std::string_view hello;
  std::string_view tls;     // "TLSv1.3 TLS_AES_256_GCM_SHA384", empty: clear text
  std::string_view sender;  // empty: the null path
  std::span<const ArrivedRecipient> recipients;
  std::string_view message_id;
  std::uint64_t octets = 0;
  std::optional<std::int64_t> latency_ms;
  std::string_view dkim;         // empty: not verified
  std::string_view dkim_reason;  // of a verdict other than pass
};

// Appends JSON lines to a file. Thread-safe; buffered: call flush() about every second.
class ArrivalLog {
 public:
  // Errors: io.
  [[nodiscard]] static Result<std::unique_ptr<ArrivalLog>> open(const std::string& path);
  ~ArrivalLog();
  ArrivalLog(const ArrivalLog&) = delete;
  ArrivalLog& operator=(const ArrivalLog&) = delete;

  void write(const Arrival& arrival);
  // Lines that could not be written are dropped, with one warning in the process's log.
  void flush();

 private:
  explicit ArrivalLog(int file) : file_(file) {}
  void flush_locked();

  std::mutex mutex_;
  std::string buffer_;
  int file_;
  bool failed_ = false;
};

// Keeps messages octet by octet as <start>-<number>.eml, the envelope as .json beside. Thread-safe.
class MailFolder {
 public:
  // Makes the directory if need be. Errors: io.
  [[nodiscard]] static Result<std::unique_ptr<MailFolder>> open(const std::string& directory,
                                                                std::uint64_t messages_max,
                                                                Instant now);

  // Whether another message would be kept.
  [[nodiscard]] bool has_room() const { return next_.load() <= messages_max_; }
  // False: the folder is full, or the disk said no (once in the log).
  bool keep(const Arrival& arrival, std::string_view message);

 private:
  MailFolder(std::string prefix, std::uint64_t messages_max)
      : prefix_(std::move(prefix)), messages_max_(messages_max) {}

  const std::string prefix_;
  const std::uint64_t messages_max_;
  std::atomic<std::uint64_t> next_{1};
  std::atomic<bool> failed_{false};
};

}  // namespace todoku::sink
