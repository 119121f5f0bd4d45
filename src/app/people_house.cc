// SPDX-License-Identifier: Apache-2.0
#include "app/people_house.h"

#include <utility>

#include <fmt/format.h>

#include "console/gate.h"

namespace todoku::app {

void PeopleHouse::listens_at(std::string url) {
  const std::lock_guard lock(mutex_);
  listens_at_ = std::move(url);
}

people::People& PeopleHouse::people() {
  const std::lock_guard lock(mutex_);
  if (!people_) {
    people_.emplace(ground_.store, ground_.clock,
                    people::People::Options{.secret_box = ground_.secret_box,
                                            .public_url = [this] { return public_url(); },
                                            .mailer = mailer_});
  }
  return *people_;
}

std::string PeopleHouse::public_url() const {
  const config::Config::Console& console = ground_.config.console;
  if (const auto origin = console::parse_origin(console.public_url)) return origin->text;
  const std::lock_guard lock(mutex_);
  if (!listens_at_.empty()) return listens_at_;
  if (console.listen.empty()) return {};
  return fmt::format("{}://{}", console.tls_certificate_file.empty() ? "http" : "https",
                     console.listen);
}

}  // namespace todoku::app
