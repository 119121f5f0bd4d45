// SPDX-License-Identifier: Apache-2.0
#include "dns/unbound_resolver.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <unbound.h>

#include "async/callback.h"
#include "async/timer.h"
#include "base/bytes.h"
#include "base/log.h"
#include "dns/rdata.h"
#include "dns/unbound_complaints.h"
#include "dns/unbound_context.h"

namespace todoku::dns {
namespace {

struct FreeResult {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};
using RawAnswer = std::unique_ptr<ub_result, FreeResult>;

constexpr int kClassInternet = 1;
constexpr int kServfail = 2;
constexpr int kNxdomain = 3;
// libunbound remembers for 5 s that a question came to nothing, and may ask for longer than that.
constexpr Milliseconds kShortageLasts{10'000};

std::string_view rcode_name(int rcode) {
  switch (rcode) {
    case 1:
      return "FORMERR";
    case 2:
      return "SERVFAIL";
    case 4:
      return "NOTIMP";
    case 5:
      return "REFUSED";
    default:
      return "an error";
  }
}

// libunbound did not even try, or could not: for want of memory, files or threads, if the name is
// one.
std::unexpected<Error> cannot_ask(std::string_view name, int code) {
  const auto kind = code == UB_SYNTAX ? ErrorKind::invalid_input : ErrorKind::limit_exceeded;
  return fail(kind, fmt::format("{} cannot be asked for: {}", name, ub_strerror(code)));
}

std::unexpected<Error> no_means_to_ask(std::string_view name) {
  return fail(ErrorKind::limit_exceeded,
              fmt::format("{} cannot be asked for: no open file or memory of ours left", name));
}

// What libunbound found, without the records.
Result<void> judge(const ub_result& raw, RecordType type) {
  if (raw.bogus != 0) {
    return fail(ErrorKind::unavailable,
                fmt::format("DNSSEC validation of {} {} failed: {}", to_string(type), raw.qname,
                            raw.why_bogus == nullptr ? "bogus" : raw.why_bogus));
  }
  if (raw.nxdomain != 0 || raw.rcode == kNxdomain) {
    return fail(ErrorKind::not_found, fmt::format("{} does not exist (NXDOMAIN)", raw.qname));
  }
  if (raw.rcode != 0) {
    return fail(ErrorKind::unavailable,
                fmt::format("the name servers answered {} for {} {}", rcode_name(raw.rcode),
                            to_string(type), raw.qname));
  }
  return {};
}

// What CNAMEs led to, if they did; in the form of names in answers.
std::string canonical_name(const ub_result& raw) {
  const auto plain = [](std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return to_ascii_lower(name);
  };
  if (raw.canonname == nullptr) return "";
  std::string canonical = plain(raw.canonname);
  return canonical == plain(raw.qname) ? "" : canonical;
}

template <class Record>
Result<Answer<Record>> read_answer(const ub_result& raw, RecordType type,
                                   Result<Record> (*parse)(Rdata)) {
  if (const auto verdict = judge(raw, type); !verdict) return fail(verdict.error());
  Answer<Record> answer;
  answer.ttl = std::chrono::seconds(std::max(raw.ttl, 0));
  answer.secure = raw.secure != 0;
  answer.canonical = canonical_name(raw);
  if (raw.havedata == 0) return answer;
  std::string problem;
  for (int i = 0; raw.data[i] != nullptr; ++i) {
    const Rdata rdata(reinterpret_cast<const std::uint8_t*>(raw.data[i]),
                      static_cast<std::size_t>(raw.len[i]));
    auto record = parse(rdata);
    if (record) {
      answer.records.push_back(std::move(*record));
    } else {
      problem = record.error().detail;
    }
  }
  // One record that cannot be read does not spoil the others.
  if (!answer.records.empty() || problem.empty()) return answer;
  return fail(ErrorKind::corrupt,
              fmt::format("{} of {} cannot be read: {}", to_string(type), raw.qname, problem));
}

}  // namespace

// All state is touched on the executor's thread only. It waits for libunbound only while questions
// are open, so that an idle resolver does not keep an io_context running.
class UnboundResolver::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(Options options, const async::Executor& executor, const Clock& clock, Metrics& metrics);
  ~Core() { close(); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Result<void> open();
  void forget_answers();
  void stop();

  template <class Record>
  Task<Result<Answer<Record>>> ask(std::string name, RecordType type,
                                   Result<Record> (*parse)(Rdata));

  [[nodiscard]] const async::Executor& executor() const { return executor_; }

 private:
  using Done = async::Callback<Result<RawAnswer>>;
  struct Question {
    Core* core = nullptr;
    std::uint64_t id = 0;
    std::string name;
    RecordType type = RecordType::a;
    Done done;
    SteadyInstant asked{};
    SteadyInstant deadline{};
    int handle = 0;  // libunbound's
  };

  // A question's way: into the line, to libunbound, back by answered(), or given up.
  void enqueue(std::string name, RecordType type, Done done);
  void begin_next();
  void begin(std::unique_ptr<Question> question);
  static void answered(void* question, int error, ub_result* result);
  void settle(std::uint64_t id, Result<RawAnswer> answer);
  void give_up_late();
  // Whether libunbound complained a moment ago of what we have too little of.
  [[nodiscard]] bool is_short();
  void fail_all(const Error& error);

  void wait_for_answers();
  void wait_for_deadline();
  void after_change();
  void reopen();
  void close();

  const Options options_;
  const Clock& clock_;
  Histogram& duration_;
  Counter& failures_;
  Counter& own_shortages_;
  Gauge& gauge_;
  async::Executor executor_;
  async::SteadyTimer timer_;
  UnboundContext context_;
  boost::asio::posix::basic_stream_descriptor<async::Executor> descriptor_;

  std::uint64_t next_id_ = 1;
  std::deque<std::unique_ptr<Question>> line_;  // not begun, by deadline
  std::unordered_map<std::uint64_t, std::unique_ptr<Question>> open_;
  std::deque<std::pair<SteadyInstant, std::uint64_t>> deadlines_;  // of open ones, ascending
  std::uint64_t shortages_ = unbound_shortages();                  // known of
  std::optional<SteadyInstant> short_at_;
  bool listening_ = false;
  bool timing_ = false;
  bool stopped_ = false;
};

UnboundResolver::Core::Core(Options options, const async::Executor& executor, const Clock& clock,
                            Metrics& metrics)
    : options_(std::move(options)),
      clock_(clock),
      duration_(metrics.histogram("todoku_dns_question_seconds",
                                  "Time from a question to its answer, the cache's included.",
                                  short_durations())),
      failures_(metrics.counter("todoku_dns_failures_total",
                                "Questions without a usable answer: SERVFAIL, time-outs.")),
      own_shortages_(metrics.counter(
          "todoku_dns_own_shortages_total",
          "Questions that came to nothing for want of our own files or memory; asked again.")),
      gauge_(metrics.gauge("todoku_dns_questions_open", "Questions under way and in line.")),
      executor_(executor),
      timer_(executor),
      descriptor_(executor) {}

Result<void> UnboundResolver::Core::open() {
  auto context = make_unbound_context(options_);
  if (!context) return fail(std::move(context.error()));
  context_ = std::move(*context);
  boost::system::error_code error;
  descriptor_.assign(ub_fd(context_.get()), error);
  if (!error) return {};
  close();
  return fail(ErrorKind::unavailable,
              fmt::format("libunbound cannot be listened to: {}", error.message()));
}

void UnboundResolver::Core::close() {
  // The descriptor is libunbound's own: it is not closed by us, and let go before it is closed.
  if (descriptor_.is_open()) descriptor_.release();
  context_.reset();
}

void UnboundResolver::Core::stop() {
  stopped_ = true;
  fail_all({.kind = ErrorKind::cancelled, .detail = "the resolver was stopped"});
  timer_.cancel();
  close();
}

// libunbound has no call to empty its cache, so another one takes its place.
void UnboundResolver::Core::forget_answers() {
  if (stopped_ || !context_) return;
  deadlines_.clear();
  std::vector<std::unique_ptr<Question>> again;
  for (auto& [id, question] : open_) {
    ub_cancel(context_.get(), question->handle);
    again.push_back(std::move(question));
  }
  open_.clear();
  close();
  std::ranges::sort(again, std::greater(), [](const auto& question) { return question->deadline; });
  for (auto& question : again) line_.push_front(std::move(question));
  begin_next();
}

template <class Record>
Task<Result<Answer<Record>>> UnboundResolver::Core::ask(std::string name, RecordType type,
                                                        Result<Record> (*parse)(Rdata)) {
  const auto self = shared_from_this();
  const auto initiate = [&self, &name, type](Done done) {
    boost::asio::post(self->executor_, [self, name, type, done = std::move(done)]() mutable {
      self->enqueue(std::move(name), type, std::move(done));
    });
  };
  const auto raw = co_await async::from_callback<Result<RawAnswer>>(initiate);
  auto answer = raw ? read_answer(**raw, type, parse) : Result<Answer<Record>>(fail(raw.error()));
  if (!answer && answer.error().kind == ErrorKind::limit_exceeded) {
    self->own_shortages_.add();
  } else if (!answer && answer.error().kind != ErrorKind::not_found &&
             answer.error().kind != ErrorKind::cancelled) {
    failures_.add();
  }
  co_return answer;
}

void UnboundResolver::Core::enqueue(std::string name, RecordType type, Done done) {
  if (stopped_) {
    done(fail(ErrorKind::cancelled, "the resolver was stopped"));
    return;
  }
  if (line_.size() >= options_.waiting_max) {
    done(fail(ErrorKind::limit_exceeded, "too many questions wait for the resolver"));
    return;
  }
  auto question = std::make_unique<Question>();
  question->core = this;
  question->id = next_id_++;
  question->name = std::move(name);
  question->type = type;
  question->done = std::move(done);
  question->asked = clock_.steady_now();
  question->deadline = question->asked + options_.timeout;
  line_.push_back(std::move(question));
  begin_next();
}

void UnboundResolver::Core::begin_next() {
  while (!line_.empty() && open_.size() < options_.questions_max) {
    auto question = std::move(line_.front());
    line_.pop_front();
    begin(std::move(question));
  }
  after_change();
}

void UnboundResolver::Core::begin(std::unique_ptr<Question> question) {
  if (!context_) {
    if (const auto opened = open(); !opened) {
      question->done(fail(ErrorKind::limit_exceeded, opened.error().detail));
      return;
    }
  }
  const int code =
      ub_resolve_async(context_.get(), question->name.c_str(), static_cast<int>(question->type),
                       kClassInternet, question.get(), &Core::answered, &question->handle);
  if (code != UB_NOERROR) {
    question->done(cannot_ask(question->name, code));
    return;
  }
  deadlines_.emplace_back(question->deadline, question->id);
  const std::uint64_t id = question->id;
  open_.emplace(id, std::move(question));
}

// Called by ub_process() on our thread.
void UnboundResolver::Core::answered(void* question, int error, ub_result* result) {
  const auto* asked = static_cast<const Question*>(question);
  RawAnswer raw(result);
  if (error != UB_NOERROR) {
    asked->core->settle(asked->id, cannot_ask(asked->name, error));
  } else if (raw->rcode == kServfail && asked->core->is_short()) {
    asked->core->settle(asked->id, no_means_to_ask(asked->name));
  } else {
    asked->core->settle(asked->id, std::move(raw));
  }
}

void UnboundResolver::Core::settle(std::uint64_t id, Result<RawAnswer> answer) {
  auto node = open_.extract(id);
  if (node.empty()) return;
  const auto question = std::move(node.mapped());
  duration_.observe(clock_.steady_now() - question->asked);
  question->done(std::move(answer));
}

bool UnboundResolver::Core::is_short() {
  const SteadyInstant now = clock_.steady_now();
  const bool was_short = short_at_ && now - *short_at_ < kShortageLasts;
  const std::uint64_t shortages = unbound_shortages();
  if (std::exchange(shortages_, shortages) == shortages) return was_short;
  short_at_ = now;
  if (!was_short) {
    log::error("no questions to name servers for want of our own files or memory",
               {{"action", "they are asked again"}});
  }
  return true;
}

void UnboundResolver::Core::give_up_late() {
  const SteadyInstant now = clock_.steady_now();
  const auto late = [this](const std::string& name) {
    return fail(ErrorKind::timeout,
                fmt::format("no answer for {} within {} ms", name, options_.timeout.count()));
  };
  while (!deadlines_.empty() && deadlines_.front().first <= now) {
    const std::uint64_t id = deadlines_.front().second;
    deadlines_.pop_front();
    const auto question = open_.find(id);
    if (question == open_.end()) continue;
    // From here on libunbound will not call back for it.
    ub_cancel(context_.get(), question->second->handle);
    const std::string& name = question->second->name;
    settle(id, is_short() ? no_means_to_ask(name) : late(name));
  }
  while (!line_.empty() && line_.front()->deadline <= now) {
    line_.front()->done(late(line_.front()->name));
    line_.pop_front();
  }
}

void UnboundResolver::Core::fail_all(const Error& error) {
  for (auto& [id, question] : open_) {
    if (context_) ub_cancel(context_.get(), question->handle);
    question->done(fail(error));
  }
  for (auto& question : line_) question->done(fail(error));
  open_.clear();
  line_.clear();
  deadlines_.clear();
  gauge_.set(0);
}

// Waits for what there is to wait for, and for nothing else.
void UnboundResolver::Core::after_change() {
  gauge_.set(static_cast<double>(open_.size() + line_.size()));
  if (stopped_) return;
  if (open_.empty()) {
    deadlines_.clear();
    timer_.cancel();
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
  } else {
    wait_for_answers();
    wait_for_deadline();
  }
}

void UnboundResolver::Core::wait_for_answers() {
  if (listening_) return;
  listening_ = true;
  descriptor_.async_wait(
      boost::asio::posix::descriptor_base::wait_read,
      [self = shared_from_this()](const boost::system::error_code& error) {
        self->listening_ = false;
        if (self->stopped_) return;
        // Without a context its descriptor was of an earlier one.
        if (!error && self->context_ && ub_process(self->context_.get()) != UB_NOERROR)
          self->reopen();
        self->begin_next();
      });
}

void UnboundResolver::Core::wait_for_deadline() {
  if (timing_ || deadlines_.empty()) return;
  timing_ = true;
  timer_.expires_after(
      std::max(deadlines_.front().first - clock_.steady_now(), SteadyInstant::duration(0)));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
    self->timing_ = false;
    if (self->stopped_) return;
    self->give_up_late();
    self->begin_next();
  });
}

// libunbound's own thread has ended, which it does only for lack of memory or descriptors.
void UnboundResolver::Core::reopen() {
  log::error("resolver lost", {{"action", "starting it again"}});
  fail_all({.kind = ErrorKind::limit_exceeded, .detail = "libunbound broke down"});
  close();
}

UnboundResolver::UnboundResolver(std::shared_ptr<Core> core) : core_(std::move(core)) {}

UnboundResolver::~UnboundResolver() = default;

Result<std::unique_ptr<UnboundResolver>> UnboundResolver::create(Options options,
                                                                 async::Executor executor,
                                                                 const Clock& clock,
                                                                 Metrics& metrics) {
  auto core = std::make_shared<Core>(std::move(options), executor, clock, metrics);
  if (const auto opened = core->open(); !opened) return fail(opened.error());
  return std::unique_ptr<UnboundResolver>(new UnboundResolver(std::move(core)));
}

Task<Result<Answer<MxRecord>>> UnboundResolver::mx(std::string name) {
  return core_->ask(std::move(name), RecordType::mx, &parse_mx);
}

Task<Result<Answer<net::IpAddress>>> UnboundResolver::a(std::string name) {
  return core_->ask(std::move(name), RecordType::a, &parse_a);
}

Task<Result<Answer<net::IpAddress>>> UnboundResolver::aaaa(std::string name) {
  return core_->ask(std::move(name), RecordType::aaaa, &parse_aaaa);
}

Task<Result<Answer<std::string>>> UnboundResolver::txt(std::string name) {
  return core_->ask(std::move(name), RecordType::txt, &parse_txt);
}

Task<Result<Answer<std::string>>> UnboundResolver::ptr(net::IpAddress address) {
  return core_->ask(reverse_name(address), RecordType::ptr, &parse_ptr);
}

Task<Result<Answer<TlsaRecord>>> UnboundResolver::tlsa(std::string name) {
  return core_->ask(std::move(name), RecordType::tlsa, &parse_tlsa);
}

Task<Result<Answer<std::string>>> UnboundResolver::cname(std::string name) {
  return core_->ask(std::move(name), RecordType::cname, &parse_ptr);
}

Task<Result<Answer<std::string>>> UnboundResolver::ns(std::string name) {
  return core_->ask(std::move(name), RecordType::ns, &parse_ptr);
}

void UnboundResolver::forget_answers() {
  // At once for who is on that thread: no later question is answered from before.
  boost::asio::dispatch(core_->executor(), [core = core_] { core->forget_answers(); });
}

Task<void> UnboundResolver::stop() {
  const auto core = core_;
  co_await async::from_callback<bool>([&core](async::Callback<bool> done) {
    boost::asio::post(core->executor(), [core, done = std::move(done)]() mutable {
      core->stop();
      done(true);
    });
  });
}

}  // namespace todoku::dns
