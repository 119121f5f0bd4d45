// SPDX-License-Identifier: Apache-2.0
// Any octets as a message for a 7-bit receiver: refused, or converted into as many octets as was
// told, the same wherever it is cut, with the same parts that hold the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "mime/entity_walk.h"
#include "mime/seven_bit.h"
#include "mime/test_reader.h"

namespace {

using namespace todoku;
using namespace todoku::mime;

// What a reader finds: bodies without their encoding, and all else but the field that says it.
class Found final : public EntityHandler {
 public:
  explicit Found(std::string_view message) {
    EntityWalk walk(*this);
    check(walk.update(message) && walk.finish(), "what was converted can be read");
  }
  Result<void> entity(const Entity& entity, std::string_view head) override {
    encoding_ = entity.head.encoding;
    std::string rest(head);
    rest.erase(entity.head.encoding_begin, entity.head.encoding_octets);
    if (pieces_.empty() || begins_message_) {
      // What a message may get that says nothing of MIME.
      for (const std::string_view said :
           {"MIME-Version: 1.0\r\n", "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/plain; charset=unknown-8bit\r\n"}) {
        for (std::size_t at = 0; (at = rest.find(said, at)) != std::string::npos;) {
          rest.erase(at, said.size());
        }
      }
    }
    pieces_.push_back(std::move(rest));
    begins_message_ = !entity.is_leaf && entity.head.type.type == "message";
    body_.clear();
    return {};
  }
  void line(std::string_view text) override { body_ += text; }
  void line_end() override { body_ += "\r\n"; }
  Result<void> leaf_end(bool) override {
    if (encoding_ == DeclaredEncoding::quoted_printable) {
      body_ = test::from_quoted_printable(body_);
    } else if (encoding_ == DeclaredEncoding::base64) {
      // What is none is nothing of ours, and the same before and after.
      body_ = from_base64(body_).value_or(body_);
    }
    pieces_.push_back(std::move(body_));
    body_.clear();
    return {};
  }
  void between(std::string_view octets) override { pieces_.emplace_back(octets); }

  [[nodiscard]] const std::vector<std::string>& pieces() const { return pieces_; }

 private:
  DeclaredEncoding encoding_ = DeclaredEncoding::none;
  bool begins_message_ = false;  // what comes next
  std::string body_;
  std::vector<std::string> pieces_;
};

// `step`: what is given at once, at most; 0: everything.
template <class Take>
bool feed(std::string_view message, std::size_t step, Take take) {
  if (step == 0) return take(message);
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t length = 1 + static_cast<std::uint8_t>(message[at]) % step;
    if (!take(message.substr(at, length))) return false;
    at += length;
  }
  return true;
}

Result<SevenBitPlan> look(std::string_view message, WireOctets taken, std::size_t step) {
  SevenBitScan scan(taken);
  Result<void> sound;
  feed(message, step, [&](std::string_view slice) {
    sound = scan.update(slice);
    return sound.has_value();
  });
  if (!sound) return fail(sound.error());
  return scan.finish();
}

std::string convert(std::string_view message, SevenBitPlan plan, std::size_t step) {
  SevenBitWriter writer(std::move(plan));
  std::string out;
  const bool taken = feed(
      message, step, [&](std::string_view slice) { return writer.update(slice, out).has_value(); });
  check(taken && writer.finish(out), "what was looked through can be written");
  return out;
}

void try_for(std::string_view message, WireOctets taken) {
  const auto plan = look(message, taken, 0);
  const auto in_slices = look(message, taken, 7);
  check(plan.has_value() == in_slices.has_value(), "slices are refused as the whole is");
  if (!plan) {
    check(plan.error() == in_slices.error() && !plan.error().detail.empty(), "for one reason");
    return;
  }
  const std::string out = convert(message, *plan, 0);
  check(out == convert(message, *in_slices, 7), "the octets are the same in slices");
  check(out.size() == plan->octets(), "the octets are counted");
  check(look(out, taken, 0)->changes_nothing(), "it is fit");
  if (plan->changes_nothing()) {
    check(out == message, "nothing is done where nothing has to be");
    return;
  }
  check(Found(message).pieces() == Found(out).pieces(), "a reader finds the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  try_for(message, WireOctets::seven_bit);
  try_for(message, WireOctets::eight_bit);
  return 0;
}
