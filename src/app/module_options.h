// SPDX-License-Identifier: Apache-2.0
// From the configuration to the options of each module: the one place where their names meet.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "api/api.h"
#include "app/vault.h"
#include "async/file_pool.h"
#include "config/config.h"
#include "delivery/options.h"
#include "dns/mail_route.h"
#include "dns/resolver_check.h"
#include "dns/unbound_resolver.h"
#include "events/protection/watcher.h"
#include "events/reports/reporter.h"
#include "http/guarded/guarded_client.h"
#include "http/server.h"
#include "inbound/options.h"
#include "intake/limits.h"
#include "operate/agreement.h"
#include "operate/sources.h"
#include "queue/sqs/sqs_queues.h"
#include "queue/store/store_queue.h"
#include "relay/anomaly.h"
#include "relay/options.h"
#include "store/sqlite/sqlite_store.h"

namespace todoku::app {

// All expect a configuration that has passed its checks.

[[nodiscard]] std::size_t thread_count(const config::Config& config);
[[nodiscard]] std::filesystem::path database_path(const config::Config& config);
[[nodiscard]] std::string admin_socket_path(const config::Config& config);
[[nodiscard]] bool has_role(const config::Config& config, std::string_view role);
// This process opens the console.
[[nodiscard]] bool has_console(const config::Config& config);
// Several processes may work on the store at the same time.
[[nodiscard]] bool is_cluster(const config::Config& config);

[[nodiscard]] store::SqliteStore::Options store_options(const config::Config& config,
                                                        const Clock& clock);
[[nodiscard]] intake::Limits intake_limits(const config::Config& config);
[[nodiscard]] api::Options api_options(const config::Config& config);
[[nodiscard]] http::ServerOptions server_options(const config::Config& config);
[[nodiscard]] http::ServerOptions console_server_options(const config::Config& config);
[[nodiscard]] dns::UnboundResolver::Options resolver_options(const config::Config& config);

// `any_name` is asked for where no names are configured.
[[nodiscard]] dns::ResolverCheckOptions resolver_check_options(const config::Config& config,
                                                               std::string any_name);
// Own names and addresses included; the site naming is the caller's.
[[nodiscard]] dns::RouteOptions route_options(const config::Config& config);
// Which sources send what.
[[nodiscard]] delivery::policy::Pools source_pools(const config::Config& config);
// Of those that are warming up.
[[nodiscard]] std::map<std::string, delivery::policy::WarmUpPlan, std::less<>> warm_ups(
    const config::Config& config);
[[nodiscard]] operate::ConfiguredSources configured_sources(const config::Config& config);
// Own addresses are kept from outsiders.
[[nodiscard]] http::GuardedOptions guarded_options(const config::Config& config);
// `files` reads the passwords of sources where mail is carried (smarthosts.h), and outlives that.
[[nodiscard]] delivery::Options delivery_options(const config::Config& config,
                                                 const InstanceSecret& secret,
                                                 async::FilePool* files = nullptr);

// What must be the same in every process (operate/agreement.h).
[[nodiscard]] operate::Settings agreed_settings(const config::Config& config,
                                                const delivery::policy::SiteRules& rules);

// Of this process's relay; listeners in force. `connections_max`: files that it may have open.
[[nodiscard]] relay::AnomalyLimits anomaly_limits(const config::Config& config);
[[nodiscard]] relay::RelayOptions relay_options(const config::Config& config,
                                                std::uint64_t connections_max);
// Of this process, where mail that comes back is taken.
[[nodiscard]] inbound::InboundOptions inbound_options(const config::Config& config);
// How senders of relayed mail are told what became of it.
[[nodiscard]] events::reports::ReporterOptions report_options(const config::Config& config);

// When bulk mail is paused for bounces and complaints, and what is known of receivers by the rules,
// which outlive it.
[[nodiscard]] events::protection::ProtectionOptions protection_options(
    const config::Config& config);
[[nodiscard]] events::protection::Receivers receivers_by(const delivery::policy::SiteRules& rules);

// Where queue.kind is "store".
[[nodiscard]] queue::StoreQueues::Options store_queue_options();
// Where queue.kind is "sqs".
[[nodiscard]] queue::sqs::SqsOptions sqs_options(const config::Config& config);

[[nodiscard]] std::string host_name();

// The name that mail from this installation introduces itself with.
[[nodiscard]] std::string hello_name(const config::Config& config);

}  // namespace todoku::app
