// SPDX-License-Identifier: Apache-2.0
#include "mime/seven_bit.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/base64_lines.h"
#include "base/bytes.h"
#include "mime/entity_walk.h"
#include "mime/line_scan.h"

namespace todoku::mime {
namespace {

std::unexpected<Error> refused(std::string_view clause) {
  return fail(ErrorKind::invalid_input, std::string(clause));
}

bool is_beyond_seven_bit(DeclaredEncoding encoding) {
  return encoding == DeclaredEncoding::eight_bit || encoding == DeclaredEncoding::binary;
}

}  // namespace

std::string SevenBitPlan::said(const Part& part, const EntityHead& read, std::string_view head) {
  std::string out(head);
  std::string fields;
  if (part.gets_version) fields += "MIME-Version: 1.0\r\n";
  if (part.charset != nullptr) {
    fields += fmt::format("Content-Type: text/plain; charset={}\r\n", part.charset);
  }
  if (part.is_relabelled) {
    const auto field = fmt::format("Content-Transfer-Encoding: {}\r\n", to_string(part.encoding));
    if (read.encoding_octets > 0) {
      out.replace(read.encoding_begin, read.encoding_octets, field);
    } else {
      fields += field;
    }
  }
  out.insert(out.size() - std::min<std::size_t>(out.size(), 2), fields);  // before the blank line
  return out;
}

class SevenBitScan::Look final : public EntityHandler {
 public:
  explicit Look(WireOctets taken) : takes_eight_bit_(taken == WireOctets::eight_bit) {}

  [[nodiscard]] Result<void> update(std::string_view slice) {
    if (auto sound = wire_.update(slice); !sound) return sound;
    octets_ += slice.size();
    if (!trouble_) note(walk_.update(slice));
    return {};
  }

  [[nodiscard]] Result<SevenBitPlan> finish() {
    if (const auto sound = wire_.finish(); !sound) return fail(sound.error());
    if (!trouble_) note(walk_.finish());
    if (are_fit(wire_)) {
      plan_.parts_.clear();
      plan_.octets_ = octets_;
      return std::move(plan_);
    }
    if (trouble_) return fail(std::move(*trouble_));
    if (lacks_version_) {
      plan_.parts_.front().gets_version = true;
      plan_.octets_ += SevenBitPlan::said({.gets_version = true}, {}, {}).size();
    }
    return std::move(plan_);
  }

  [[nodiscard]] Result<void> entity(const Entity& entity, std::string_view head) override {
    if (!lines_fit(head)) {
      return refused("has header fields that are 8-bit or too long, which no encoding can change");
    }
    lacks_version_ |= entity.lacks_version && plan_.parts_.empty();
    SevenBitPlan::Part part;
    if (!entity.is_leaf) {
      part.is_relabelled = !entity.is_sealed && says_too_much(entity.head.encoding);
      count_head(entity, head, part);
    } else {
      leaf_ = {.entity = entity, .head = std::string(head)};
    }
    plan_.parts_.push_back(part);
    return {};
  }

  void line(std::string_view text) override {
    leaf_.needs_encoding |= !fits_on_the_wire(text);
    if (wants_charset()) {
      leaf_.is_eight_bit |= !is_ascii(text);
      leaf_.is_utf8 = leaf_.is_utf8 && is_utf8(text);
    }
    leaf_.is_pgp |= text.starts_with("-----BEGIN PGP ");
    leaf_.octets += text.size();
    if (!is_text()) return;
    scratch_.clear();
    append_quoted_printable(scratch_, text);
    leaf_.quoted += scratch_.size();
  }

  void line_end() override {
    leaf_.octets += 2;
    leaf_.quoted += 2;
  }

  [[nodiscard]] Result<void> leaf_end(bool delimited) override {
    SevenBitPlan::Part& part = plan_.parts_.back();
    const Entity& entity = leaf_.entity;
    if (!leaf_.needs_encoding) {
      part.is_relabelled =
          !entity.is_sealed && entity.fixed == nullptr && says_too_much(entity.head.encoding);
      plan_.octets_ += leaf_.octets;
      count_head(entity, leaf_.head, part);
      return {};
    }
    if (entity.is_sealed || leaf_.is_pgp) {
      return refused("has a signature that another encoding would break");
    }
    if (entity.fixed != nullptr) return refused(entity.fixed);
    const std::uint64_t base64 = base64_lines_size(leaf_.octets) - (delimited ? 2 : 0);
    const bool quoted = is_text() && leaf_.quoted <= base64;
    part = {.is_relabelled = true,
            .is_encoded = true,
            // Of the whole message it is said in any case: see finish().
            .gets_version = entity.lacks_version && plan_.parts_.size() > 1,
            .encoding = quoted ? TransferEncoding::quoted_printable : TransferEncoding::base64};
    if (wants_charset() && leaf_.is_eight_bit) {
      part.charset = leaf_.is_utf8 ? "utf-8" : "unknown-8bit";
    }
    plan_.octets_ += quoted ? leaf_.quoted : base64;
    count_head(entity, leaf_.head, part);
    return {};
  }

  void between(std::string_view octets) override {
    // What no reader shows cannot be said in another way either.
    if (!fits_on_the_wire(octets)) {
      note(refused("has text between its parts that is 8-bit or has too long lines"));
    }
    plan_.octets_ += octets.size();
  }

 private:
  struct Leaf {
    Entity entity;
    std::string head;
    bool needs_encoding = false;
    bool is_eight_bit = false;
    bool is_utf8 = true;
    bool is_pgp = false;
    std::uint64_t octets = 0;
    std::uint64_t quoted = 0;  // in quoted-printable
  };

  [[nodiscard]] bool is_text() const {
    const std::string& type = leaf_.entity.head.type.type;
    return type.empty() || type == "text";
  }

  [[nodiscard]] bool are_fit(const LineScan& lines) const {
    return !lines.has_long_line() && (takes_eight_bit_ || !lines.is_eight_bit());
  }
  [[nodiscard]] bool fits_on_the_wire(std::string_view line) const {
    return line.size() <= kWireLineOctetsMax && (takes_eight_bit_ || is_ascii(line));
  }
  [[nodiscard]] bool lines_fit(std::string_view lines) const {
    LineScan scan;
    return scan.update(lines) && are_fit(scan);
  }
  [[nodiscard]] bool says_too_much(DeclaredEncoding encoding) const {
    return !takes_eight_bit_ && is_beyond_seven_bit(encoding);
  }

  [[nodiscard]] bool wants_charset() const {
    return leaf_.entity.lacks_version && !leaf_.entity.head.has_type;
  }

  void count_head(const Entity& entity, std::string_view head, const SevenBitPlan::Part& part) {
    plan_.octets_ += SevenBitPlan::said(part, entity.head, head).size();
  }

  // What stands against it, told only if something has to be done.
  void note(const Result<void>& result) {
    if (!result && !trouble_) trouble_ = result.error();
  }

  const bool takes_eight_bit_;
  EntityWalk walk_{*this};
  LineScan wire_;
  SevenBitPlan plan_;
  Leaf leaf_;
  bool lacks_version_ = false;
  std::string scratch_;
  std::optional<Error> trouble_;
  std::uint64_t octets_ = 0;
};

SevenBitScan::SevenBitScan(WireOctets taken) : look_(std::make_unique<Look>(taken)) {}
SevenBitScan::~SevenBitScan() = default;
SevenBitScan::SevenBitScan(SevenBitScan&&) noexcept = default;
SevenBitScan& SevenBitScan::operator=(SevenBitScan&&) noexcept = default;

Result<void> SevenBitScan::update(std::string_view slice) {
  return look_->update(slice);
}

Result<SevenBitPlan> SevenBitScan::finish() {
  return look_->finish();
}

class SevenBitWriter::Work final : public EntityHandler {
 public:
  explicit Work(SevenBitPlan plan) : plan_(std::move(plan)) {}

  [[nodiscard]] Result<void> update(std::string_view slice, std::string& out) {
    if (plan_.changes_nothing()) {
      out += slice;
      return {};
    }
    out_ = &out;
    return walk_.update(slice);
  }

  [[nodiscard]] Result<void> finish(std::string& out) {
    if (plan_.changes_nothing()) return {};
    out_ = &out;
    return walk_.finish();
  }

  [[nodiscard]] Result<void> entity(const Entity& entity, std::string_view head) override {
    if (next_ >= plan_.parts_.size()) return refused("is not the message that was looked through");
    part_ = plan_.parts_[next_++];
    *out_ += SevenBitPlan::said(part_, entity.head, head);
    return {};
  }

  void line(std::string_view text) override {
    if (!part_.is_encoded) {
      *out_ += text;
    } else if (part_.encoding == TransferEncoding::base64) {
      append_to_base64(text);
    } else {
      append_quoted_printable(*out_, text);
    }
  }

  void line_end() override {
    if (part_.is_encoded && part_.encoding == TransferEncoding::base64) {
      append_to_base64("\r\n");
    } else {
      *out_ += "\r\n";
    }
  }

  [[nodiscard]] Result<void> leaf_end(bool delimited) override {
    append_base64_lines(*out_, octets_);
    // The line end before a delimiter comes with it.
    if (!octets_.empty() && delimited) out_->resize(out_->size() - 2);
    octets_.clear();
    return {};
  }

  void between(std::string_view octets) override { *out_ += octets; }

 private:
  static constexpr std::size_t kOctetsAtOnce = 64 * kBase64LineOctets;

  void append_to_base64(std::string_view octets) {
    octets_ += octets;
    if (octets_.size() <= kOctetsAtOnce) return;
    // Never all of them: the last line may have to do without its end.
    const std::size_t whole = (octets_.size() - 1) / kBase64LineOctets * kBase64LineOctets;
    append_base64_lines(*out_, std::string_view(octets_).substr(0, whole));
    octets_.erase(0, whole);
  }

  EntityWalk walk_{*this};
  SevenBitPlan plan_;
  SevenBitPlan::Part part_;
  std::size_t next_ = 0;
  std::string octets_;  // of a body that becomes base64
  std::string* out_ = nullptr;
};

SevenBitWriter::SevenBitWriter(SevenBitPlan plan)
    : work_(std::make_unique<Work>(std::move(plan))) {}
SevenBitWriter::~SevenBitWriter() = default;
SevenBitWriter::SevenBitWriter(SevenBitWriter&&) noexcept = default;
SevenBitWriter& SevenBitWriter::operator=(SevenBitWriter&&) noexcept = default;

Result<void> SevenBitWriter::update(std::string_view slice, std::string& out) {
  return work_->update(slice, out);
}

Result<void> SevenBitWriter::finish(std::string& out) {
  return work_->finish(out);
}

}  // namespace todoku::mime
