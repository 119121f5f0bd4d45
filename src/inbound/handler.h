// SPDX-License-Identifier: Apache-2.0
// What becomes of a mail that came in: a returned one ends the story of its recipient, a complaint
// stops the address, a report is added to those of its domain, and people's mail goes on to people.
// Whatever it was, it is counted (todoku_inbound_mails_total).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/file_pool.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/line_budget.h"
#include "base/metrics.h"
#include "base/result.h"
#include "feedback/parse/bounce.h"
#include "inbound/addressee.h"
#include "inbound/counted.h"
#include "inbound/options.h"
#include "inbound/returned.h"
#include "intake/opt_outs.h"
#include "mail/reply.h"
#include "mail/unsubscribe_token.h"
#include "store/store.h"

namespace todoku::inbound {

// Thread-safe.
class Handler {
 public:
  // All of it outlives the handler.
  struct World {
    store::Store& store;
    async::FilePool& pool;  // reads mail
    const Clock& clock;
    Metrics& metrics;
    std::string secret;                                     // by which return paths were sealed
    std::shared_ptr<const UnsubscribeTokens> unsubscribes;  // likewise of who leaves
    SiteNames sites;
    // Adds the reports that a mail carries to those of their domains; how many it carries.
    std::function<Task<Result<std::size_t>>(std::string octets)> import_reports;
  };
  // `options` outlives it, too.
  Handler(World world, const InboundOptions& options);

  struct Came {
    std::vector<Addressee> to;
    std::string octets;
    std::string client;  // who handed it in, for people
    // A filter wants a person to look at it, for this reason: nothing else is made of it.
    std::optional<std::string> quarantined_as;
  };
  // The answer to the content: 250 once what it changed is committed; 4xx where the same mail may
  // be handed in again later, which repeats nothing that was done: what goes to people goes to them
  // last, and once for all of their addresses.
  [[nodiscard]] Task<Reply> take(Came came);

 private:
  // A word for the metric and the log.
  using Became = Result<std::string_view>;
  // Of several return paths it is read once.
  struct Coming {
    Came came;
    std::optional<feedback::parse::Bounce> bounce;
  };

  [[nodiscard]] Task<Reply> take_quarantined(Coming& coming);
  [[nodiscard]] Reply put_off(const Error& error);
  void count(std::string_view became);
  [[nodiscard]] Task<Became> take_for(const Addressee& to, Coming& coming);
  [[nodiscard]] Task<Became> take_returned(RecipientToken token, Coming& coming);
  [[nodiscard]] Task<Became> take_unsubscribe(Coming& coming);
  [[nodiscard]] Task<Became> take_peoples(Coming& coming);
  [[nodiscard]] Task<Became> take_reports(Coming& coming);
  [[nodiscard]] Task<Became> record(const store::Story& story, Returned returned);
  [[nodiscard]] Task<Became> note_delay(const store::Story& story, Outcome outcome);
  [[nodiscard]] Task<Became> complain(const store::Story& story);
  [[nodiscard]] Task<Result<void>> read(Coming& coming);
  [[nodiscard]] Task<Became> forward(Coming& coming);
  void tell(const store::Story& story, const Outcome& outcome);

  const World world_;
  const InboundOptions& options_;
  intake::OptOuts opt_outs_;
  LineBudget lines_;
  LineBudget forwards_;
  Counter& put_off_for_limit_;
  Counter& put_off_for_stop_;
};

}  // namespace todoku::inbound
