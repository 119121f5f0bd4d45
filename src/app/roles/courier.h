// SPDX-License-Identifier: Apache-2.0
// Role `courier`: sends, from the sources that this process owns.
#pragma once

#include <memory>
#include <string_view>

#include "app/mta_sts.h"
#include "app/roles/ground.h"
#include "app/roles/role.h"
#include "app/roles/shared.h"
#include "app/running.h"
#include "app/sending.h"
#include "app/source_doctor.h"
#include "app/source_examination.h"
#include "app/tls_counting.h"
#include "net/tls.h"

namespace todoku::app::roles {

class CourierRole final : public Role {
 public:
  // Both outlive the role. Errors: certificates that cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<CourierRole>> make(const Ground& ground,
                                                                 Shared& shared);

  [[nodiscard]] std::string_view name() const override { return "courier"; }
  [[nodiscard]] Result<void> start() override;
  void begin_stop() override { ground_.wait_for(sending_.begin_stop()); }
  // Hands over: what it had is due for others, its sources are free.
  bool stop(SteadyInstant deadline) override { return running_.stop(deadline); }
  [[nodiscard]] std::optional<explain::Way> way_of(const store::Story& story) const override {
    return sending_.way_of(story);
  }
  [[nodiscard]] std::string site_of(std::string_view domain) const override {
    return sending_.site_of(domain);
  }

  // Takes over what is accepted in this process.
  [[nodiscard]] Sending& sending() { return sending_; }

 private:
  CourierRole(const Ground& ground, Shared& shared,
              std::shared_ptr<const net::TlsClientContext> tls);
  void add_figures();
  void make_doctor();

  const Ground& ground_;
  Shared& shared_;
  std::unique_ptr<MtaSts> mta_sts_;  // nullptr: switched off
  TlsCounting tls_counting_;
  Sending sending_;
  std::unique_ptr<SourceExaminer> examiner_;  // nullptr: there are no checks on a schedule
  std::unique_ptr<SourceDoctor> doctor_;
  Running running_;
};

}  // namespace todoku::app::roles
