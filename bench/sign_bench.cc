// SPDX-License-Identifier: Apache-2.0
// What signing costs beside the two walls it stands near: the machine's RSA-2048 signature (as
// `openssl speed` measures it in the same run) and its SHA-256; the same for verifying. One figure
// per line: name<TAB>value<TAB>unit. `--quick` measures for a shorter time.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "base/wipe.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/message.h"
#include "mailauth/dkim/openssl_ptr.h"
#include "mailauth/dkim/signer.h"
#include "mailauth/dkim/verifier.h"
#include "mailauth/rsa/emulation.h"
#include "mailauth/rsa/private_key.h"

namespace todoku::mailauth::dkim {
namespace {

using Seconds = std::chrono::duration<double>;

// Processor time of this thread, which is also what `openssl speed` counts: other work on the
// machine disturbs the figures less.
double now_seconds() {
  timespec time{};
  check(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0, "threads have a clock");
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void print(std::string_view name, double value, std::string_view unit) {
  fmt::print("{}\t{:.4g}\t{}\n", name, value, unit);
  std::fflush(stdout);
}

// Calls a second that `call` reaches within about `duration`.
template <class Call>
double rate(Seconds duration, Call call) {
  constexpr int kBatch = 8;
  const double start = now_seconds();
  double elapsed = 0;
  double calls = 0;
  while (elapsed < duration.count()) {
    for (int i = 0; i < kBatch; ++i) call();
    calls += kBatch;
    elapsed = now_seconds() - start;
  }
  return calls / elapsed;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// What one running `openssl speed` reports for RSA-2048 in signatures a second; 0 if it fails.
double read_openssl_speed(std::FILE* output) {
  std::array<char, 512> line{};
  double found = 0;
  // "rsa 2048 bits 0.000249s 0.000016s   4018.0  61095.0"
  while (std::fgets(line.data(), line.size(), output) != nullptr) {
    double sign_seconds = 0;
    double verify_seconds = 0;
    double signs = 0;
    if (std::sscanf(line.data(), "rsa 2048 bits %lfs %lfs %lf", &sign_seconds, &verify_seconds,
                    &signs) == 3) {
      found = signs;
    }
  }
  return found;
}

// The sum of several at once. Not its own -multi, which counts elapsed time and not the
// processor's.
double openssl_speed(unsigned processes, int seconds) {
  const std::string command = fmt::format("openssl speed -seconds {} rsa2048 2>/dev/null", seconds);
  using Pipe = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  std::vector<Pipe> pipes;
  for (unsigned i = 0; i < processes; ++i) {
    pipes.emplace_back(popen(command.c_str(), "r"), pclose);
    if (!pipes.back()) return 0;
  }
  double sum = 0;
  for (const Pipe& pipe : pipes) sum += read_openssl_speed(pipe.get());
  return sum;
}

// Mail as it is sent: Japanese text in base64, or English with its spaces.
std::string base64_body(std::size_t octets) {
  std::string out;
  append_base64_lines(out, std::string(octets * 3 / 4, 'x'));
  out.resize(std::min(out.size(), octets));
  return out;
}
std::string prose_body(std::size_t octets) {
  std::string out;
  while (out.size() < octets) {
    out += "It arrives, and the engineer who sent it can see that it did.  It really does.\r\n";
  }
  return out;
}

constexpr std::string_view kHead =
    "From: =?UTF-8?B?5bGK44GP?= <news@example.jp>\r\n"
    "To: suzuki@example.com\r\n"
    "Subject: =?UTF-8?B?44GK5b6F44Gf44Gb44GX44G+44GX44Gf?=\r\n"
    "Date: Thu, 1 Jan 2026 09:00:00 +0900\r\n"
    "Message-ID: <a1b2c3d4e5f6a7b8c9d0@example.jp>\r\n"
    "List-Unsubscribe: <https://example.jp/u/a1b2c3d4e5f6a7b8c9d0>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=UTF-8\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n";

const VerifyOptions kAtSigning{.now = from_epoch_ms(1'767'225'600'000)};

Signer make_signer(KeyAlgorithm algorithm) {
  return Signer::create({{.name = KeyName::parse("example.jp", "s1").value(),
                          .key = SigningKey::generate(algorithm).value()}})
      .value();
}

// One thread's work on one message: body hash and signature, as a connection does them.
class Worker {
 public:
  // OpenSSL signs, unless there is RSA by eight.
  Worker(const Signer& signer, std::string body, std::shared_ptr<RsaByEight> by_eight = nullptr)
      : signer_(signer),
        context_(std::move(by_eight)),
        body_(std::move(body)),
        pieces_{body_},
        head_(split_message(kHead)) {}

  void body_hash() { hash_ = context_.body_hash(pieces_); }
  void sign() {
    out_.clear();
    check(signer_.sign(context_, input(), out_).has_value(), "the message can be signed");
  }
  void whole() {
    body_hash();
    sign();
  }
  // So many mails as a thread's connections sign them in a round.
  void together() {
    for (BegunSignatures& begun : begun_) {
      body_hash();
      check(signer_.begin(context_, input(), begun).has_value(), "the message can be signed");
    }
    for (const BegunSignatures& begun : begun_) {
      out_.clear();
      check(Signer::finish(context_, begun, out_).has_value(), "the message can be signed");
    }
  }
  [[nodiscard]] std::string message() {
    whole();
    return out_ + std::string(kHead) + body_;
  }

 private:
  [[nodiscard]] SigningInput input() const {
    return {.headers = head_.fields, .body_hash = hash_, .signed_at = kAtSigning.now};
  }

  const Signer& signer_;
  SigningContext context_;
  std::array<BegunSignatures, SigningContext::kTogetherMax> begun_;
  std::string body_;
  std::array<std::string_view, 1> pieces_;
  MessageView head_;
  BodyHash hash_{};
  std::string out_;
};

enum class Manner : std::uint8_t { one_by_one, together };

// The fastest arithmetic; where the processor has none of ours, both manners are OpenSSL's.
std::shared_ptr<RsaByEight> fastest() {
  static Metrics metrics;
  return RsaByEight::of(RsaArithmetic::fastest, metrics);
}

double rate_on_threads(unsigned count, const Signer& signer, Manner manner, Seconds duration) {
  std::vector<double> rates(count);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      Worker worker(signer, base64_body(2048), manner == Manner::together ? fastest() : nullptr);
      rates[i] = manner == Manner::one_by_one
                     ? rate(duration, [&] { worker.whole(); })
                     : rate(duration, [&] { worker.together(); }) * SigningContext::kTogetherMax;
    });
  }
  double sum = 0;
  for (unsigned i = 0; i < count; ++i) {
    threads[i].join();
    sum += rates[i];
  }
  return sum;
}

void measure_bodies(Seconds duration) {
  const Signer signer = make_signer(KeyAlgorithm::ed25519);
  struct Case {
    std::string_view name;
    std::string body;
  };
  const std::vector<Case> cases = {{"base64_2k", base64_body(2048)},
                                   {"prose_2k", prose_body(2048)},
                                   {"base64_100k", base64_body(100 * 1024)},
                                   {"prose_100k", prose_body(100 * 1024)}};
  for (const Case& one : cases) {
    Worker worker(signer, one.body);
    const double hashed = rate(duration, [&] { worker.body_hash(); });
    const double plain = rate(duration, [&] { (void)sha256(one.body); });
    print(fmt::format("body_hash_{}", one.name), 1e6 / hashed, "us");
    print(fmt::format("plain_sha256_{}", one.name), 1e6 / plain, "us");
    print(fmt::format("body_hash_{}_vs_sha256", one.name), hashed / plain, "ratio");
  }
}

// The same signature with nothing around it, in turns with ours.
void measure_own_cost(Seconds duration) {
  const Signer rsa = make_signer(KeyAlgorithm::rsa);
  const SigningKey& key = rsa.identities()[0].key;
  const PkeyPtr copy(EVP_PKEY_dup(key.native()));
  const PkeyContextPtr bare(EVP_PKEY_CTX_new_from_pkey(nullptr, copy.get(), nullptr));
  check(EVP_PKEY_sign_init(bare.get()) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(bare.get(), RSA_PKCS1_PADDING) == 1 &&
            EVP_PKEY_CTX_set_signature_md(bare.get(), sha256_algorithm()) == 1,
        "a bare RSA context");
  const Sha256 hash = sha256("x");
  std::array<std::uint8_t, 256> octets{};
  Worker worker(rsa, base64_body(2048));
  std::vector<double> costs;
  std::vector<double> shares;
  for (int i = 0; i < 15; ++i) {
    const double alone = rate(duration / 15, [&] {
      std::size_t size = octets.size();
      check(EVP_PKEY_sign(bare.get(), octets.data(), &size, hash.data(), hash.size()) == 1,
            "signs");
    });
    const double whole = rate(duration / 15, [&] { worker.whole(); });
    costs.push_back(1e6 / whole - 1e6 / alone);
    shares.push_back(whole / alone);
  }
  print("sign_2k_own_cost", median(costs), "us");
  print("sign_2k_vs_bare_rsa2048", median(shares), "ratio");
}

// Verifying, in turns with what no verifier can do without: SHA-256 of the message and one RSA
// operation, by a context that is made once.
void measure_verifying(Seconds duration) {
  constexpr int kRounds = 15;
  const Signer rsa = make_signer(KeyAlgorithm::rsa);
  const SigningKey& key = rsa.identities()[0].key;
  const KeyAnswer answer = KeyAnswer::from_texts({key_record_text(key)});
  const std::string text = Worker(rsa, prose_body(10 * 1024)).message();
  const PkeyPtr copy(EVP_PKEY_dup(key.native()));
  const PkeyContextPtr bare(EVP_PKEY_CTX_new_from_pkey(nullptr, copy.get(), nullptr));
  check(EVP_PKEY_verify_init(bare.get()) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(bare.get(), RSA_PKCS1_PADDING) == 1 &&
            EVP_PKEY_CTX_set_signature_md(bare.get(), sha256_algorithm()) == 1,
        "a bare RSA context");
  const MessageView cut = split_message(text);
  const Signature signed_by = parse_signatures(cut).front();
  const auto octets = as_octets(signed_by.octets);
  const SignatureResult good = verify(cut, signed_by, answer, kAtSigning);
  const auto hash = as_octets(good.header_hash);
  std::vector<double> ours;
  std::vector<double> shares;
  for (int i = 0; i < kRounds; ++i) {
    const double raw = rate(duration / kRounds, [&] {
      (void)sha256(text);
      check(
          EVP_PKEY_verify(bare.get(), octets.data(), octets.size(), hash.data(), hash.size()) == 1,
          "the bare operation verifies");
    });
    ours.push_back(rate(duration / kRounds, [&] {
      const MessageView message = split_message(text);
      const auto signature = parse_signatures(message).front();
      check(verify(message, signature, answer, kAtSigning).verdict == Verdict::pass, "it verifies");
    }));
    shares.push_back(raw / ours.back());
  }
  print("verify_10k_rsa2048", median(ours), "mails/s");
  print("verify_10k_vs_raw", median(shares), "ratio");
}

// Interleaved and repeated: the machine may be busy with other things.
void measure_signing(Seconds duration, int rounds) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const Signer rsa = make_signer(KeyAlgorithm::rsa);
  const int openssl_seconds = std::max(1, static_cast<int>(duration.count()));
  struct Cores {
    std::string_view suffix;
    unsigned count;
    std::vector<double> openssl;
    std::vector<double> one_by_one;
    std::vector<double> together;
  };
  std::array<Cores, 2> all{{{.suffix = "", .count = 1}, {.suffix = "_all_cores", .count = cores}}};
  for (int i = 0; i < rounds; ++i) {
    for (Cores& on : all) {
      const Seconds time(openssl_seconds);
      on.openssl.push_back(openssl_speed(on.count, openssl_seconds));
      on.one_by_one.push_back(rate_on_threads(on.count, rsa, Manner::one_by_one, time));
      on.together.push_back(rate_on_threads(on.count, rsa, Manner::together, time));
    }
  }
  for (const Cores& on : all) {
    const double wall = median(on.openssl);
    print(fmt::format("openssl_speed_rsa2048{}", on.suffix), wall, "signatures/s");
    print(fmt::format("sign_2k_rsa2048{}", on.suffix), median(on.one_by_one), "mails/s");
    print(fmt::format("sign_2k_rsa2048_together{}", on.suffix), median(on.together), "mails/s");
    if (wall <= 0) continue;
    print(fmt::format("sign_2k_vs_rsa_wall{}", on.suffix), median(on.one_by_one) / wall, "ratio");
    print(fmt::format("sign_2k_together_vs_rsa_wall{}", on.suffix), median(on.together) / wall,
          "ratio");
  }
}

// The instructions of eight operations, counted.
struct CountingLanes : rsa::EmulatedLanes {
  static inline double count = 0;
  [[gnu::noinline]] static Vector add_low(const Vector& sum, const Vector& a, const Vector& b) {
    ++count;
    return EmulatedLanes::add_low(sum, a, b);
  }
  [[gnu::noinline]] static Vector add_high(const Vector& sum, const Vector& a, const Vector& b) {
    ++count;
    return EmulatedLanes::add_high(sum, a, b);
  }
};

void compute_nothing(rsa::EightOperations&) {}

// What eight signatures cost beside their arithmetic: random numbers to blind them with, operands
// put side by side, memory wiped. And, of the arithmetic, the share of blinding.
void measure_around_eight(Seconds duration) {
  const SigningKey key = SigningKey::generate(KeyAlgorithm::rsa).value();
  rsa::PrivateKey numbers = rsa::PrivateKey::of(key.native()).value();
  const std::array<std::uint8_t, rsa::kOctets> input{};
  std::array<std::uint8_t, rsa::kOctets> output{};
  const std::vector<rsa::PrivateOperation> operations(rsa::kTogether, {&numbers, input, output});
  const auto operate_with = [&](rsa::Compute& compute) {
    return rate(duration, [&] {
      for (int i = 0; i < 32; ++i) {
        check(rsa::operate(operations, compute).has_value(), "eight operations");
      }
    });
  };
  const double around = 1e6 / (operate_with(compute_nothing) * 32);
  print("rsa_by_eight_around", around / rsa::kTogether, "us/signature");
  if (rsa::Compute* const compute = rsa::fastest_arithmetic()) {
    const double all = 1e6 / (operate_with(*compute) * 32);
    print("rsa_by_eight_alone", all / rsa::kTogether, "us/signature");
    print("rsa_by_eight_around_share", around / all, "ratio");
  }
  using Counted = rsa::Arithmetic<CountingLanes>;
  const auto work = std::make_unique<rsa::EightOperations>();
  CountingLanes::count = 0;
  Counted::compute(*work);
  const double all = CountingLanes::count;
  CountingLanes::count = 0;
  Counted::multiply(work->x_p, work->x_p, work->x_p, work->p.modulus);
  Counted::square(work->x_p, work->x_p, work->p.modulus);
  print("rsa_by_eight_blinding_share", 4 * CountingLanes::count / all, "ratio");
}

void measure_the_rest(Seconds duration) {
  const Signer rsa = make_signer(KeyAlgorithm::rsa);
  const Signer ed25519 = make_signer(KeyAlgorithm::ed25519);
  Worker large(rsa, base64_body(100 * 1024));
  print("sign_100k_rsa2048", rate(duration, [&] { large.whole(); }), "mails/s");
  Worker curve(ed25519, base64_body(2048));
  print("sign_2k_ed25519", rate(duration, [&] { curve.whole(); }), "mails/s");
  Worker small(rsa, base64_body(2048));
  const std::string text = small.message();
  const KeyAnswer key = KeyAnswer::from_texts({key_record_text(rsa.identities()[0].key)});
  const double verified = rate(duration, [&] {
    const MessageView message = split_message(text);
    const auto signature = parse_signatures(message).front();
    check(verify(message, signature, key, kAtSigning).verdict == Verdict::pass,
          "our signature verifies");
  });
  print("verify_2k_rsa2048", verified, "mails/s");
}

}  // namespace
}  // namespace todoku::mailauth::dkim

int main(int argc, char** argv) {
  using namespace todoku::mailauth::dkim;
  todoku::check(todoku::wipe_what_openssl_frees(), "as the engine does, before all else");
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const Seconds duration(quick ? 0.3 : 1.0);
  measure_bodies(duration);
  measure_the_rest(duration);
  measure_around_eight(duration);
  measure_verifying(Seconds(quick ? 1.5 : 6.0));
  measure_own_cost(Seconds(quick ? 1.5 : 6.0));
  measure_signing(Seconds(quick ? 1.0 : 2.0), quick ? 1 : 5);
}
