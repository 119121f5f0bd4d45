// SPDX-License-Identifier: Apache-2.0
#include "app/roles/shared.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "app/instance_addresses.h"
#include "app/module_options.h"
#include "base/log.h"
#include "delivery/stored_feedback.h"

namespace todoku::app::roles {
namespace {

std::vector<std::string> names_of(const std::vector<delivery::EgressSource>& sources) {
  std::vector<std::string> names;
  for (const delivery::EgressSource& source : sources) names.push_back(source.name);
  return names;
}

delivery::MemoryFeedback::SiteOf site_of(Routing* routing) {
  if (routing == nullptr) return [](std::string_view domain) { return std::string(domain); };
  return [routing](std::string_view domain) { return routing->site_of(domain); };
}

}  // namespace

Result<std::unique_ptr<Shared>> Shared::make(const Ground& ground) {
  std::unique_ptr<Routing> routing;
  if (has_role(ground.config, "courier")) {
    auto made = Routing::make(ground);
    if (!made) return fail(std::move(made.error()));
    routing = std::move(*made);
  }
  auto queues = QueueHouse::make(ground.config, ground.store, ground.clock, ground.metrics,
                                 ground.runtime.executor(0));
  if (!queues) {
    if (routing != nullptr) routing->stop();
    return fail(std::move(queues.error()));
  }
  return std::unique_ptr<Shared>(new Shared(ground, std::move(*queues), std::move(routing)));
}

Shared::Shared(const Ground& ground, QueueHouse queues, std::unique_ptr<Routing> routing)
    : ground_(ground),
      is_cluster_(app::is_cluster(ground.config)),
      queues_(std::move(queues)),
      routing_(std::move(routing)) {
  running_.add([this](SteadyInstant) {
    ground_.wait_for(queues_.stop());
    return true;
  });
  running_.add([this](SteadyInstant) {
    if (routing_ != nullptr) routing_->stop();
    return true;
  });
  if (is_cluster_) {
    make_one_of_several();
  } else {
    make_alone();
  }
}

Shared::~Shared() = default;

// On EC2, and only where something is sent.
void Shared::make_addresses() {
  auto wanted = public_addresses_wanted(ground_.config);
  if (wanted.empty() || routing_ == nullptr) return;
  addresses_ = std::make_unique<InstanceAddresses>(ground_.config.aws.ec2_metadata_service_endpoint,
                                                   std::move(wanted), ground_.clock,
                                                   ground_.metrics, ground_.runtime.executor(0));
}

bool Shared::is_here(const std::string& source) const {
  if (!is_cluster_) return true;
  const auto sources = delivery_options(ground_.config, ground_.secret).sources;
  const auto found = std::ranges::find(sources, source, &delivery::EgressSource::name);
  return found != sources.end() && has_address(*found);
}

bool Shared::has_address(const delivery::EgressSource& source) const {
  return delivery::is_on_host(source) && (!addresses_ || addresses_->confirms(source.name));
}

void Shared::make_alone() {
  const auto sources = names_of(delivery_options(ground_.config, ground_.secret).sources);
  leads_ = std::make_unique<delivery::AlwaysLeads>();
  owned_ = std::make_unique<delivery::AllSources>(sources);
  live_ = std::make_unique<delivery::SparedLiveSources>(sources, rested_);
  feedback_ = std::make_unique<delivery::MemoryFeedback>(site_of(routing_.get()));
}

// A process that has not a role leads nobody and owns nothing: what it would begin with
// begin_to_lead() and begin_to_own() is never begun.
void Shared::make_one_of_several() {
  const async::Executor executor = ground_.runtime.executor(0);
  make_addresses();
  auto leads = std::make_unique<delivery::Leadership>(ground_.store, ground_.node, ground_.clock,
                                                      ground_.metrics, executor);
  auto owned = std::make_unique<delivery::SourceKeeper>(
      ground_.store, ground_.node,
      delivery::SourceKeeper::Options{
          .sources = delivery_options(ground_.config, ground_.secret).sources,
          .is_here =
              [this](const delivery::EgressSource& source) {
                return has_address(source) && !rested_.contains(source.name);
              },
          .in_use = [this](std::string_view source) { return in_use_ && in_use_(source); }},
      ground_.clock, ground_.metrics, executor);
  auto live = std::make_unique<delivery::StoredLiveSources>(ground_.store, ground_.clock, executor);
  auto feedback = std::make_unique<delivery::StoredFeedback>(
      ground_.store, ground_.node, *leads, site_of(routing_.get()), ground_.clock, ground_.metrics,
      executor,
      delivery::StoredFeedback::Options{.listens = has_role(ground_.config, "scheduler")});
  lead_ = [this, leads = leads.get()] {
    leads->start();
    leading_.add([this, leads](SteadyInstant) {
      ground_.wait_for(leads->stop());
      return true;
    });
  };
  own_ = [this, owned = owned.get()] {
    if (addresses_) {
      addresses_->start();
      owning_.add([this](SteadyInstant) {
        ground_.wait_for(addresses_->stop());
        return true;
      });
    }
    owned->start();
    owning_.add([this, owned](SteadyInstant) {
      ground_.wait_for(owned->stop());
      return true;
    });
  };
  leads_ = std::move(leads);
  owned_ = std::move(owned);
  live_ = std::move(live);
  feedback_ = std::move(feedback);
}

Result<void> Shared::start() {
  std::vector<queue::Channel> channels;
  for (const delivery::EgressSource& source :
       delivery_options(ground_.config, ground_.secret).sources) {
    channels.push_back({source.name, TrafficClass::transactional});
    channels.push_back({source.name, TrafficClass::bulk});
  }
  // Who only accepts where one process works on the store rings for nobody.
  if (!is_cluster_ && routing_ == nullptr) return {};
  auto usable = ground_.wait_for(queues_.check(std::move(channels)));
  if (!usable) return usable;
  if (routing_ != nullptr) routing_->start();
  if (!is_cluster_) return {};
  auto* const live = static_cast<delivery::StoredLiveSources*>(live_.get());
  const auto known = ground_.wait_for(live->refresh());
  if (!known) {
    log::warning("which sources are sent from is not known yet",
                 {{"reason", known.error().detail}});
  }
  live->start();
  running_.add([this, live](SteadyInstant) {
    ground_.wait_for(live->stop());
    return true;
  });
  auto* const feedback = static_cast<delivery::StoredFeedback*>(feedback_.get());
  feedback->start();
  running_.add([this, feedback](SteadyInstant) {
    ground_.wait_for(feedback->stop());
    return true;
  });
  return {};
}

void Shared::begin_to_lead() {
  if (lead_) lead_();
}

void Shared::begin_to_own(std::function<bool(std::string_view source)> in_use) {
  in_use_ = std::move(in_use);
  if (own_) own_();
}

void Shared::stop_leading() {
  (void)leading_.stop({});
}

void Shared::give_sources() {
  (void)owning_.stop({});
}

void Shared::stop(SteadyInstant deadline) {
  stop_leading();
  give_sources();
  (void)running_.stop(deadline);
}

}  // namespace todoku::app::roles
