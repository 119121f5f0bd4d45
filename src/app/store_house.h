// SPDX-License-Identifier: Apache-2.0
// Where an installation keeps its mail. Which kinds of store there are, what each needs of its
// machine and how a start goes about it is known only here: everybody else has a store::Store.
//
//   sqlite    in the data folder, whose lock keeps others out. Begun where nothing was.
//   postgres  on a server; `todoku migrate up` makes its tables. Whether one process at a time
//   works
//             on it is a matter of its nodes' leases (store/nodes.h), because the server is reached
//             from anywhere; so uploads and error files are in it, too. The admin socket stays in
//             the data folder, with its lock.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "cli/host.h"
#include "config/config.h"
#include "intake/uploads.h"
#include "store/store.h"

namespace todoku::app {

class StoreHouse {
 public:
  struct Start {
    // A new store may be begun in any case; one that is there is opened all the same.
    bool begin_new = false;
    // Asked before a new one is begun, because what is refused must not have begun: the next start
    // would find an older life.
    std::function<Result<void>()> ready;
    // Whether a start that waits for somebody is to end (cancelled); empty: no.
    std::function<bool()> given_up;
  };

  // `config` and `clock` must outlive it.
  [[nodiscard]] static std::unique_ptr<StoreHouse> of(const config::Config& config,
                                                      const Clock& clock);
  virtual ~StoreHouse() = default;

  // For an engine, which the house outlives. Errors: unauthorized (others can read the folder, or
  // the database forbids something), not_found (nothing is there, and something tells of an older
  // life; steps of the schema are missing), those of `ready` and of the back ends; the sentence
  // says what to do.
  [[nodiscard]] virtual Result<std::unique_ptr<store::Store>> open(const Start& start) = 0;
  // For a tool while no engine answers: waits for nobody, and where it only looks nothing is left
  // behind.
  [[nodiscard]] virtual Result<std::unique_ptr<store::Store>> open_for_tool(const Start& start) = 0;
  // The engines that work on the store while none answers such a tool. Waits for the store.
  [[nodiscard]] virtual Result<std::vector<store::Node>> engines_elsewhere(store::Store& store) = 0;
  // Whether such a tool may change something. not_found: the store is a new one, and something
  // tells of an older life.
  [[nodiscard]] virtual Result<void> may_change(store::Store& store) = 0;

  // For a step of a start that the store does not answer (unavailable): whether it is to be tried
  // again, after a pause. False: for as long as its store is waited for it was, or the start was
  // given up.
  [[nodiscard]] virtual bool tries_again(const Start& /*start*/, const Error& /*why*/) {
    return false;
  }

  // This process among the nodes of the store; after open(). `roles`, `version`: for people.
  [[nodiscard]] virtual Result<store::NewNode> node() const = 0;

  // Where uploads and error files are. `node`: of this process, once it has entered. What is given
  // outlives it.
  [[nodiscard]] virtual std::unique_ptr<intake::Uploads> uploads(
      store::Store& store, std::function<store::NodeKey()> node) const = 0;

  // For what open() would refuse, each a sentence, as far as the keys are known. Changes nothing,
  // and may be asked while an engine runs.
  [[nodiscard]] virtual std::vector<std::string> problems(
      const config::UnknownKeys& unknown) const = 0;

  // The steps of its schema; and to take them, as cli::Host says.
  [[nodiscard]] virtual Result<cli::Schema> schema() = 0;
  [[nodiscard]] virtual Result<void> migrate(bool contract, std::chrono::seconds patience,
                                             const cli::MigrationBlocked& blocked) = 0;

  // Carries another store into this one, as cli::Host says.
  [[nodiscard]] virtual Result<cli::Carriage> carry_in(const std::string& from,
                                                       const cli::CarriageTold& told) = 0;

  // The store as one file, and back, as cli::Host says. unsupported: the database has means of its
  // own.
  [[nodiscard]] virtual Result<cli::BackedUp> back_up(const std::string& to,
                                                      const cli::BackupTold& told) = 0;
  [[nodiscard]] virtual Result<cli::BackedUp> restore(const cli::RestoreWish& wish,
                                                      const cli::BackupTold& told) = 0;

  // From when an engine may write to the store until end_shipping(), which comes after the store is
  // closed, and rest_shipping() before that: what is committed is shipped elsewhere, if that is
  // configured. `id` tells the store from others, and is no secret. unsupported: this kind of store
  // is not shipped.
  [[nodiscard]] virtual Result<void> begin_shipping(Metrics& metrics, std::string id) = 0;
  virtual void rest_shipping() {}
  virtual void end_shipping() {}
  // What is wrong with it; empty: nothing. And its figures. From any thread.
  [[nodiscard]] virtual std::string shipping_trouble() const { return {}; }
  virtual void show_shipping() const {}

  // For people: which store, where.
  [[nodiscard]] virtual std::string place() const = 0;
};

}  // namespace todoku::app
