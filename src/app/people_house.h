// SPDX-License-Identifier: Apache-2.0
// The people of an installation, as a process has them: made when somebody asks for them, because
// their hashing has threads of its own.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret_box.h"
#include "config/config.h"
#include "people/people.h"
#include "store/store.h"

namespace todoku::app {

// Thread-safe, but for what is said to come first.
class PeopleHouse {
 public:
  struct Ground {
    const config::Config& config;
    store::Store& store;
    const Clock& clock;
    std::function<Result<const SecretBox*>()> secret_box;
  };
  // All of it outlives this.
  explicit PeopleHouse(Ground ground) : ground_(std::move(ground)) {}

  // Before people(): how mail to them leaves. It outlives this.
  void mail_by(people::Mailer& mailer) { mailer_ = &mailer; }
  // Where the console listens: links lead there where there is no public_url.
  void listens_at(std::string url);

  [[nodiscard]] people::People& people();
  // Where links lead; empty: there is no console.
  [[nodiscard]] std::string public_url() const;

 private:
  const Ground ground_;
  people::Mailer* mailer_ = nullptr;
  mutable std::mutex mutex_;
  std::string listens_at_;
  std::optional<people::People> people_;
};

}  // namespace todoku::app
