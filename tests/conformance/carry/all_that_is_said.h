// SPDX-License-Identifier: Apache-2.0
// All that a store says through its own interface, as lines that can be compared.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "store/store.h"
#include "store/walks.h"

namespace todoku::store {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class Work>
auto write(Store& store, Work work) {
  return must(store.write_and_wait(WritePriority::accept, std::move(work)));
}
template <class Work>
auto read(Store& store, Work work) {
  return must(store.read_and_wait(std::move(work)));
}

// -- what a store says, as lines that can be compared

inline std::string text_of(std::optional<Instant> instant) {
  return instant ? fmt::format("{}", to_epoch_ms(*instant)) : "-";
}

inline std::string text_of(const std::vector<InsertCode>& codes) {
  std::string text;
  for (const InsertCode& code : codes) text += fmt::format("{}={};", code.key, code.value);
  return text;
}

inline std::string text_of(const DeliveryCounts& c) {
  return fmt::format("{}/{}/{}/{}/{}/{}/{}/{}", c.total, c.delivered, c.bounced, c.dropped,
                     c.expired, c.cancelled, c.unknown, c.deferred);
}

inline std::string text_of(const Attempt& a) {
  return fmt::format("[{} {} {} {} {} {} {} {} {} {} {} {} {} {}]", a.number, to_epoch_ms(a.at),
                     a.duration.count(), to_string(a.outcome.state), to_string(a.outcome.stage),
                     a.outcome.reply.code, a.outcome.reply.text, a.outcome.is_attempt,
                     static_cast<int>(a.outcome.cause), a.path.mx_host, a.path.remote_ip,
                     a.path.egress_source, static_cast<int>(a.path.tls), a.path.tls_detail);
}

inline std::string text_of(const Story& s) {
  std::string text = fmt::format(
      "story {} delivery {} email {} {} {} {} from {} to {} created {} reserved {} started {}"
      " expires {} {} due {} aside {} key {}/{}/{} {} held {} after {} suspended {} once {} way {}",
      s.account, s.delivery_id, s.email_id, static_cast<int>(s.type),
      static_cast<int>(s.delivery_status), s.subject, s.from, s.address, to_epoch_ms(s.created),
      text_of(s.reservation), text_of(s.started), text_of(s.expires), to_string(s.state),
      text_of(s.due), s.set_aside, static_cast<std::int64_t>(s.key.delivery), s.key.batch,
      s.key.seq, s.signing, s.in_hand, text_of(s.not_before), s.account_suspended, s.at_most_once,
      s.on_its_way);
  text += fmt::format(" ref {} id {}", s.attached.reference, s.attached.message_id);
  for (const MetadataMember& member : s.attached.metadata) {
    text += fmt::format(" {}={}", member.name, member.value);
  }
  for (const Attempt& attempt : s.attempts) text += text_of(attempt);
  return text;
}

inline std::string text_of(const Delivery& d, const Content& content) {
  std::string text = fmt::format(
      "delivery {} of {} id {} {} {} {} once {} {} created {} updated {} reserved {} started {}"
      " expires {} finished {} {} {} | {} {} {} {} {} {} | {} | {} | {} {} {} {} {} {}",
      static_cast<std::int64_t>(d.key), static_cast<std::int64_t>(d.account), d.id,
      static_cast<int>(d.type), static_cast<int>(d.traffic), static_cast<int>(d.status),
      d.at_most_once, text_of(d.counts), to_epoch_ms(d.created), to_epoch_ms(d.updated),
      text_of(d.reservation), text_of(d.started), text_of(d.expires), text_of(d.finished),
      d.signing, d.failure_reason, content.from.address, content.from.name,
      content.reply_to ? content.reply_to->address : "-",
      content.reply_to ? content.reply_to->name : "-", content.subject,
      content.text_from_html + 2 * content.open_tracking + 4 * content.list_unsubscribe_one_click,
      content.text_part, content.html_part, fmt::join(content.header_to, ","),
      fmt::join(content.header_cc, ","), static_cast<int>(content.encode),
      content.list_unsubscribe_mailto, content.list_unsubscribe_url, content.attachments.size());
  for (const ExtraHeader& header : content.headers) {
    text += fmt::format(" [{}: {}]", header.name, header.value);
  }
  for (const AttachmentRecord& a : d.attachments) {
    text += fmt::format(" ({} {} {} {} {} {})", a.id, a.file_name, a.mime_type, a.size,
                        to_epoch_ms(a.created), a.content_id);
  }
  for (const Attachment& a : content.attachments) {
    text += fmt::format(" ({} {} {} {})", a.file_name, a.mime_type, a.data, a.content_id);
  }
  return text;
}

inline std::string text_of(const ImportJob& j) {
  return fmt::format("job {} of {} for {} ({}) {} {}{}{} {} {} {}/{}/{}/{} {} {} {} {}{} {}", j.id,
                     static_cast<std::int64_t>(j.account), static_cast<std::int64_t>(j.delivery),
                     j.delivery_id, static_cast<int>(j.status), j.ignore_errors, j.immediate,
                     j.keep_duplicates, static_cast<int>(j.language), j.percentage, j.success_count,
                     j.failed_count, j.total_count, j.folded, j.upload, j.errors,
                     to_epoch_ms(j.created), static_cast<int>(j.form), j.dry_run, j.findings);
}

inline void tell_account(Store& store, const Account& account, std::vector<std::string>& said) {
  said.push_back(fmt::format("account {} {} {} {} {} {}", static_cast<std::int64_t>(account.key),
                             account.name, account.weight, account.suspended,
                             account.text_from_html, to_epoch_ms(account.created)));
  said.push_back(fmt::format("openings {} preflight {} sandbox {} allowed {}",
                             account.open_tracking, to_string(account.preflight), account.sandbox,
                             account.allowed_recipients));
  said.push_back(fmt::format("limits {} {} {} {}", account.limits.requests_per_minute,
                             account.limits.mails_per_minute, account.limits.mails_per_day,
                             account.limits.mails_per_month));
  for (const ApiKey& key :
       read(store, [&](ReadTransaction& t) { return t.api_keys(account.key); })) {
    said.push_back(fmt::format("key {} {} {} {} {} {} {} {} {}", key.id, key.label,
                               to_epoch_ms(key.created), text_of(key.revoked), key.scopes,
                               fmt::join(key.networks, " "), text_of(key.expires),
                               text_of(key.used), static_cast<std::int64_t>(key.made_by)));
  }
  const auto work = read(store, [&](ReadTransaction& t) { return t.work_of(account.key); });
  said.push_back(fmt::format("work {} {} {}", work.deliveries, work.recipients, work.in_hand));
  const auto kept = read(store, [&](ReadTransaction& t) {
    return t.kept_answer({account.key, KeyedRoute::bulk_commit, sha256("key")});
  });
  said.push_back(
      kept ? fmt::format("answer {} of {}", kept->answer, to_hex(as_text(kept->fingerprint)))
           : "no answer");
  DeliveryList list({.account = account.key});
  must(walk_and_wait(store, list));
  for (const Delivery& head : list.take()) {
    const auto delivery = read(store, [&](ReadTransaction& t) { return t.delivery(head.key); });
    const auto content = read(store, [&](ReadTransaction& t) { return t.content(head.key); });
    said.push_back(text_of(delivery, content));
    DomainHistogram histogram(head.key);
    must(walk_and_wait(store, histogram));
    said.push_back(fmt::format("histogram {} {} {} {}", histogram.known(), histogram.recipients(),
                               histogram.domains(), histogram.others()));
    for (const DomainCount& count : histogram.largest(100)) {
      said.push_back(fmt::format("to {} of {}", count.recipients, count.domain));
    }
    for (const SampledRecipient& one :
         read(store, [&](ReadTransaction& t) { return t.sample_recipients(head.key, 3); })) {
      said.push_back(fmt::format("sampled {} {}", one.address, text_of(one.insert_codes)));
    }
    const auto opens = read(store, [&](ReadTransaction& t) { return t.open_counts(head.key); });
    said.push_back(fmt::format("opened {} prefetched {}", opens.opened, opens.prefetched));
    for (const std::string& errors :
         read(store, [&](ReadTransaction& t) { return t.import_errors(head.key); })) {
      said.push_back("errors " + errors);
    }
  }
  for (const OpenRecord& open : read(store, [&](ReadTransaction& t) {
         return t.opens_in(account.key, {1, 1'000'000}, 1'000);
       })) {
    said.push_back(fmt::format("open {} {} {} {} {} {}", open.id, text_of(open.opened),
                               text_of(open.opened_last), open.times, text_of(open.prefetched),
                               text_of(open.complained)));
  }
  for (PublicId job = 1; job < 10; ++job) {
    const auto found =
        store.read_and_wait([&](ReadTransaction& t) { return t.import_job(account.key, job); });
    if (found) said.push_back(text_of(*found));
  }
  for (PublicId email = 1; email < 1'100; ++email) {
    const auto found =
        store.read_and_wait([&](ReadTransaction& t) { return t.recipient(account.key, email); });
    if (!found) continue;
    said.push_back(fmt::format(
        "recipient {} {}/{}/{} {} {} {} {} {} {}", found->id,
        static_cast<std::int64_t>(found->key.delivery), found->key.batch, found->key.seq,
        found->delivery_id, static_cast<int>(found->delivery_status), found->address,
        text_of(found->insert_codes), to_epoch_ms(found->created), to_epoch_ms(found->updated)));
    if (email % 5 > 1) continue;  // looking each of them up takes long
    StorySearch search(found->address, account.key, 100);
    must(walk_and_wait(store, search));
    for (const Story& story : search.take()) said.push_back(text_of(story));
    const auto other = read(store, [&](ReadTransaction& t) { return t.story(found->key); });
    said.push_back(text_of(other));
  }
}

inline void tell_due(Store& store, Workload workload, std::vector<std::string>& said) {
  std::optional<std::string> after;
  do {
    const auto due =
        must(store.perform_and_wait(Due{.workload = workload, .after = after, .limit = 100}));
    for (const DueDomain& domain : due.domains) {
      const auto all = must(store.perform_and_wait(
          Due{.workload = workload, .only = domain.domain, .limit = 10'000}));
      for (const DueBatch& batch : all.domains.at(0).batches) {
        said.push_back(fmt::format("due {}/{} {} {} {} {}",
                                   static_cast<std::int64_t>(batch.key.delivery), batch.key.batch,
                                   static_cast<int>(batch.traffic), batch.domain, batch.recipients,
                                   to_epoch_ms(batch.due)));
      }
    }
    if (due.upcoming) said.push_back(fmt::format("upcoming {}", due.upcoming->count()));
    after = due.next;
  } while (after);
}

inline void tell_events(Store& store, std::vector<std::string>& said) {
  EventQuestion question{.limit = 1'000};
  for (bool more = true; more;) {
    const EventPage page = read(store, [&](ReadTransaction& t) { return t.events(question); });
    for (const EventRecord& event : page.events) {
      said.push_back(fmt::format("event {} {} {} {} {} {} {} {}", event_id(event.place),
                                 to_string(event.entry.kind), to_epoch_ms(event.entry.at),
                                 event.delivery->id, event.log_id, event.address, event.reply,
                                 event.path->mx_host));
    }
    question.after = page.next;
    question.after_account = page.next_account;
    more = page.more;
  }
}

inline void tell_suppressions(Store& store, std::vector<std::string>& said) {
  const std::vector<std::string> subjects{"stopped@example.com", "left@example.com",
                                          "any@stopped.example", "gone@example.com"};
  for (const AccountKey owner : {kInstallation, AccountKey{1}, AccountKey{2}, AccountKey{3}}) {
    for (const StoppedSubject& each :
         read(store, [&](ReadTransaction& t) { return t.stops_of(owner, subjects); })) {
      const Suppression& entry = each.entry;
      said.push_back(fmt::format(
          "stop {} {} {} {} {} {} {} {} {} {} {}", static_cast<std::int64_t>(entry.account),
          entry.subject, to_string(entry.reason), to_string(entry.scope), entry.list_id, entry.note,
          entry.cause.code, entry.cause.text, text_of(entry.cause.at), entry.cause.delivery_id,
          to_epoch_ms(entry.created)));
    }
    for (const SuppressionChange& change : read(
             store, [&](ReadTransaction& t) { return t.removals_of(owner, "gone@example.com"); })) {
      said.push_back(fmt::format("removed {} {} {}", change.subject, change.why, change.actor));
    }
  }
}

inline void tell_people(Store& store, AccountKey account, std::vector<std::string>& said) {
  for (const Person& p :
       read(store, [&](ReadTransaction& t) { return t.people(account, PersonKey{}, 100); })) {
    said.push_back(fmt::format(
        "person {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", static_cast<std::int64_t>(p.key),
        p.email, p.name, static_cast<int>(p.role), p.language, p.password_hash, p.sealed_totp,
        p.sealed_totp_offered, p.totp_step_used, fmt::join(p.recovery, " "), p.suspended,
        to_epoch_ms(p.created), text_of(p.confirmed), text_of(p.seen), p.stands_for));
    for (const SignIn& s : read(store, [&](ReadTransaction& t) { return t.sign_ins(p.key); })) {
      said.push_back(fmt::format(
          "signed in {} {} {} {} {} {} {} {} {} {}", static_cast<std::int64_t>(s.key),
          s.token_sha256, s.half, static_cast<std::int64_t>(s.acting_for), to_epoch_ms(s.created),
          to_epoch_ms(s.used), to_epoch_ms(s.idle_end), to_epoch_ms(s.end), s.from, s.agent));
    }
    for (const KeptText& k :
         read(store, [&](ReadTransaction& t) { return t.kept_texts(p.key, ""); })) {
      said.push_back(fmt::format("kept {} {} {}", k.place, k.text, to_epoch_ms(k.kept)));
    }
  }
  const auto rules = read(store, [&](ReadTransaction& t) { return t.sign_in_rules(account); });
  said.push_back(fmt::format("asked {} {} {}", rules.second_factor, fmt::join(rules.networks, " "),
                             rules.approval));
  for (const Approval& a :
       read(store, [&](ReadTransaction& t) { return t.approvals_waiting(account, 100); })) {
    said.push_back(fmt::format("approval {} {} {} {} {} {}", static_cast<std::int64_t>(a.delivery),
                               a.revision, a.asked_by.actor,
                               static_cast<std::int64_t>(a.asked_by.person), to_epoch_ms(a.asked),
                               to_epoch_ms(a.lapses)));
  }
}

inline std::vector<std::string> all_of(Store& store) {
  std::vector<std::string> said;
  for (const char* name : {"master_key_check", "odd", "drained"}) {
    const auto value = read(store, [&](ReadTransaction& t) { return t.setting(name); });
    said.push_back(fmt::format("setting {} {}", name, value.value_or("-")));
  }
  for (const Account& account :
       read(store, [](ReadTransaction& t) { return t.accounts({}, 100); })) {
    tell_account(store, account, said);
    tell_people(store, account.key, said);
  }
  const auto link =
      store.read_and_wait([](ReadTransaction& t) { return t.link(sha256_hex("link")); });
  said.push_back(link ? fmt::format("link {} {} {} {}", static_cast<int>(link->purpose),
                                    static_cast<std::int64_t>(link->person),
                                    to_epoch_ms(link->created), to_epoch_ms(link->end))
                      : "no link");
  tell_suppressions(store, said);
  DkimList keys;
  must(walk_and_wait(store, keys));
  for (const DkimKey& key : keys.take()) {
    said.push_back(fmt::format("dkim {} {} {} {} {} {} {}", static_cast<std::int64_t>(key.account),
                               key.domain, key.selector, key.algorithm, key.sealed_private_key,
                               key.dns_record, to_epoch_ms(key.created)));
  }
  for (const Domain& d : read(store, [](ReadTransaction& t) { return t.domains({}, 100); })) {
    said.push_back(fmt::format("domain {} {} {} {} {} {} {} {} {} {} {} {}",
                               static_cast<std::int64_t>(d.account), d.domain, d.token,
                               static_cast<int>(d.state), d.vouched, d.consents.size(),
                               to_epoch_ms(d.created), text_of(d.proven), text_of(d.answered),
                               text_of(d.failing), d.failed_for.count(), text_of(d.look_at)));
    const std::vector<AccountKey> whose = {d.account};
    for (const MailCount& count :
         read(store, [&](ReadTransaction& t) { return t.mail_counts(whose, 0); })) {
      said.push_back(fmt::format("mails {} {}", count.day, count.mails));
    }
  }
  for (const Account& account :
       read(store, [](ReadTransaction& t) { return t.accounts({}, 100); })) {
    for (const Webhook& w :
         read(store, [&](ReadTransaction& t) { return t.webhooks(account.key); })) {
      said.push_back(fmt::format("webhook {} {} {} {} {} {} {} {} {} {}", w.name,
                                 static_cast<int>(w.form), static_cast<int>(w.status),
                                 w.terms.shown, w.terms.sealed, pack_wishes(w.terms.wishes),
                                 w.state, w.turn, to_epoch_ms(w.created), to_epoch_ms(w.changed)));
      for (const SetAsideEvent& event :
           read(store, [&](ReadTransaction& t) { return t.set_aside_of(w.name, "", 100); })) {
        said.push_back(fmt::format("not told {} {}", event.event, to_epoch_ms(event.at)));
      }
    }
  }
  for (const Account& account :
       read(store, [](ReadTransaction& t) { return t.accounts({}, 100); })) {
    for (const TemplateHead& head : read(
             store, [&](ReadTransaction& t) { return t.content_templates(account.key, 0, 100); })) {
      for (const TemplateVersionHead& version : read(store, [&](ReadTransaction& t) {
             return t.template_versions(account.key, head.id);
           })) {
        const Template kept = read(store, [&](ReadTransaction& t) {
          return t.content_template(account.key, {.id = head.id, .version = version.version});
        });
        said.push_back(fmt::format("template {} {} {} {} {} {} {} {}", head.id, head.name,
                                   head.latest, to_epoch_ms(head.created),
                                   to_epoch_ms(head.updated), version.version,
                                   to_epoch_ms(version.made), pack_template(kept.content)));
      }
    }
  }
  for (const SmtpCredential& c :
       read(store, [](ReadTransaction& t) { return t.smtp_credentials(std::nullopt, "", 100); })) {
    said.push_back(
        fmt::format("smtp {} {} {} {} {} {} {} {} {} {} {} {} {} {}", c.name,
                    static_cast<std::int64_t>(c.account), pack_smtp_settings(c.settings),
                    c.settings.uid.value_or(0), c.secret, c.previous_secret,
                    text_of(c.previous_until), to_epoch_ms(c.created), text_of(c.revoked),
                    text_of(c.held), c.held_because, text_of(c.released), text_of(c.used),
                    read(store, [&](ReadTransaction& t) { return t.smtp_habits(c.name); })));
  }
  for (const Domain& claim : read(store, [](ReadTransaction& t) { return t.domains({}, 1'000); })) {
    for (const DomainReport& r : read(store, [&](ReadTransaction& t) {
           return t.domain_reports(claim.account, claim.domain, {}, 100);
         })) {
      said.push_back(fmt::format("report {} {} {} {} {} {} {} {} {} {} {}", r.domain, r.day, r.id,
                                 static_cast<int>(r.kind), r.organization, r.reported, r.policy,
                                 to_epoch_ms(r.begin), to_epoch_ms(r.end), r.messages,
                                 to_epoch_ms(r.received)));
    }
    for (const DatedLine& l : read(store, [&](ReadTransaction& t) {
           return t.report_lines(claim.account, claim.domain, {}, 100);
         })) {
      said.push_back(
          fmt::format("reported {} {} {} {}", l.day, l.line.words, l.line.messages, l.line.failed));
    }
  }
  for (const KeySlotsRow& row :
       read(store, [](ReadTransaction& t) { return t.key_slots({kPlatform, ""}, 100); })) {
    said.push_back(fmt::format("key slots {} {} {} {} {}", static_cast<std::int64_t>(row.account),
                               row.domain, row.revision, text_of(row.look), row.state));
  }
  for (const AuditEntry& line : read(store, [](ReadTransaction& t) { return t.audit({}); })) {
    said.push_back(fmt::format("audit {} {} {} {} {} {} {:x} {}", line.number, to_epoch_ms(line.at),
                               line.actor, line.action, static_cast<std::int64_t>(line.account),
                               line.delivery, line.address_hash, line.origin));
  }
  for (const QueueFigures& queue :
       read(store, [](ReadTransaction& t) { return t.queue_figures(); })) {
    said.push_back(fmt::format("queue {} {} {}", static_cast<int>(queue.traffic), queue.waiting,
                               queue.set_aside));
  }
  for (const SetAside& mail : read(store, [](ReadTransaction& t) { return t.set_aside(100); })) {
    said.push_back(fmt::format("aside {} {} {} {}", mail.delivery_id, mail.email_id, mail.address,
                               to_epoch_ms(mail.since)));
  }
  for (const StartingDelivery& each :
       read(store, [](ReadTransaction& t) { return t.deliveries_to_start(100); })) {
    said.push_back(fmt::format("to start {} {}", each.delivery.id, each.late.count()));
  }
  const auto next = read(store, [](ReadTransaction& t) { return t.next_reservation(); });
  said.push_back(fmt::format("next {}", next ? next->count() : -1));
  tell_due(store, std::nullopt, said);
  for (const SendingDelivery& each :
       read(store, [](ReadTransaction& t) { return t.sending_bulk(); })) {
    said.push_back(fmt::format("sending {} {} {}", static_cast<std::int64_t>(each.key), each.weight,
                               each.expires_in.count()));
    tell_due(store, each.key, said);
  }
  tell_events(store, said);
  return said;
}

}  // namespace todoku::store
