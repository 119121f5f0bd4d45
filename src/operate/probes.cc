// SPDX-License-Identifier: Apache-2.0
// Probes of mailboxes: which there are, asking for some, what they came to.
#include "operate/probes.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

// Nobody can guess it (probe/prober.h finds the mail by it).
constexpr std::size_t kTokenOctets = 10;

}  // namespace

Result<ProbePlan> Operations::probe_plan() const {
  return options_.probes;
}

Task<Result<std::vector<store::Probe>>> Operations::ask_probes(ProbeRequest request) {
  if (!options_.describe_engine) {
    co_return fail(ErrorKind::unsupported, "no engine runs here, and nobody would send the mail");
  }
  if (options_.probes.mailboxes.empty()) {
    co_return fail(ErrorKind::not_found, "there is no [[probe.mailbox]] in the configuration");
  }
  const Instant now = store_.clock().now();
  std::vector<store::Probe> probes;
  for (const ProbeMailbox& mailbox : options_.probes.mailboxes) {
    if (!request.mailbox.empty() && mailbox.name != request.mailbox) continue;
    for (const std::string& sender : options_.probes.senders) {
      if (!request.sender.empty() && !equals_ignoring_case(sender, request.sender)) continue;
      store::Probe probe{.token = to_hex(random_octets(kTokenOctets)),
                         .mailbox = mailbox.name,
                         .asked = now,
                         .due = now,
                         .news = {}};
      probe.news.sender = sender;
      probe.news.provider = mailbox.provider;
      probes.push_back(std::move(probe));
    }
  }
  if (probes.empty()) {
    co_return fail(ErrorKind::not_found,
                   "there is no such mailbox or From address: see `todoku probe list`");
  }
  co_return co_await store_.write(
      store::WritePriority::retention,
      [probes](store::WriteTransaction& transaction) -> Result<std::vector<store::Probe>> {
        const auto open = transaction.read().probes_open();
        if (!open) return fail(open.error());
        if (*open + static_cast<std::int64_t>(probes.size()) > store::kProbesOpenMax) {
          return fail(ErrorKind::limit_exceeded,
                      fmt::format("{} probes are not over yet, and at most {} may be", *open,
                                  store::kProbesOpenMax));
        }
        for (const store::Probe& probe : probes) {
          auto asked = transaction.ask_probe(probe);
          if (!asked) return fail(std::move(asked.error()));
        }
        return probes;
      });
}

Task<Result<std::vector<store::Probe>>> Operations::probe_history(ProbeHistoryRequest request) {
  store::ProbeQuestion question{.mailbox = {}, .before = {}, .limit = request.limit};
  if (!request.mailbox.empty()) question.mailbox = std::move(request.mailbox);
  co_return co_await store_.read(
      [question](store::ReadTransaction& reader) { return reader.probes(question); });
}

}  // namespace todoku::operate
