// SPDX-License-Identifier: Apache-2.0
// What composing one personalised message costs. Prints name, value and unit, tab-separated; every
// figure is the median of several rounds. An argument --quick shortens the rounds.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/letter_message.h"
#include "mime/message_template.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

// Counted, because a warm connection must compose without allocating.
void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace todoku;
using namespace todoku::mime;

constexpr int kRounds = 7;

struct Shape {
  std::string_view name;
  std::size_t text_octets;
  std::size_t html_octets;
  Encoding encode = Encoding::utf_8;
  bool personal_lines = false;  // an insert code in every line, so that nothing can be shared
};

std::string japanese(std::size_t octets, std::string_view begin, std::string_view end) {
  std::string out(begin);
  while (out.size() < octets) {
    out += "いつもご利用いただき、まことにありがとうございます。お知らせは次のとおりです。";
    out += end;
  }
  return out;
}

Content make_content(const Shape& shape) {
  Content content;
  content.from = {"info@example.jp", "届くショップ"};
  content.subject = "【重要】__name__様への大切なお知らせ";
  content.encode = shape.encode;
  content.list_unsubscribe_url = "https://example.jp/unsubscribe?id=__id__";
  const std::string_view line_end = shape.personal_lines ? "__name__\n" : "\n";
  content.text_part = japanese(shape.text_octets, "__name__様\n\n", line_end) + "%%point%%\n";
  if (shape.html_octets > 0) {
    content.html_part = japanese(shape.html_octets, "<html><body><p>__name__様</p>\n", line_end) +
                        "%%point%%</body>";
  }
  return content;
}

struct Recipients {
  explicit Recipients(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(100'000 + i * 37);
      addresses.push_back("taro" + number + "@example.com");
      codes.push_back({InsertCode{"__name__", "山田太郎" + number.substr(0, 1 + i % 5)},
                       InsertCode{"__id__", number}, InsertCode{"%%point%%", "1," + number}});
    }
  }
  std::vector<std::string> addresses;
  std::vector<std::array<InsertCode, 3>> codes;
};

// Of this process: other programs on the machine count less than in wall-clock time.
double cpu_microseconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) * 1e6 + static_cast<double>(spent.tv_nsec) / 1e3;
}

double median(std::vector<double> figures) {
  std::ranges::sort(figures);
  return figures[figures.size() / 2];
}

void measure(const Shape& shape, bool quick) {
  auto built = MessageTemplate::build(make_content(shape), {});
  if (!built) std::abort();
  const delivery::LetterMessage letter(std::move(*built));
  const Recipients recipients(64);
  Identity identity;
  identity.delivery = 1;
  identity.message_id_domain = "mail.example.jp";
  identity.date = from_epoch_ms(1'767'225'600'000);
  delivery::OutgoingMessage message;
  std::size_t octets = 0;
  const auto compose = [&](std::size_t i) {
    const std::size_t who = i % recipients.addresses.size();
    identity.seq = static_cast<std::uint32_t>(i);
    letter.begin({.address = recipients.addresses[who],
                  .insert_codes = recipients.codes[who],
                  .identity = identity},
                 message);
    octets += message.size();
  };
  for (std::size_t i = 0; i < 200; ++i) compose(i);
  const std::size_t count = quick ? 2'000 : 40'000;
  std::vector<double> figures;
  const std::uint64_t allocations_before = allocations.load();
  for (int round = 0; round < kRounds; ++round) {
    const double begin = cpu_microseconds();
    for (std::size_t i = 0; i < count; ++i) compose(i);
    figures.push_back((cpu_microseconds() - begin) / static_cast<double>(count));
  }
  const std::uint64_t allocated = allocations.load() - allocations_before - 4;  // of `figures`
  const std::string name(shape.name);
  std::printf("compose_%s\t%.3f\tus\n", name.c_str(), median(figures));
  std::printf("compose_%s_octets\t%zu\toctets\n", name.c_str(), message.size());
  std::printf("compose_%s_private_memory\t%zu\toctets\n", name.c_str(), message.memory_octets());
  std::printf("compose_%s_allocations\t%.3f\tper mail\n", name.c_str(),
              static_cast<double>(allocated) / static_cast<double>(count * kRounds));
  if (octets == 0) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  for (const Shape& shape : {
           Shape{"2k", 2'048, 0},
           Shape{"50k", 5'120, 46'080},
           Shape{"100k", 30'720, 71'680},
           Shape{"2k_iso_2022_jp", 2'048, 0, Encoding::iso_2022_jp},
           Shape{"100k_iso_2022_jp", 30'720, 71'680, Encoding::iso_2022_jp},
           Shape{"2k_personal_lines", 2'048, 0, Encoding::utf_8, true},
           Shape{"2k_personal_lines_iso_2022_jp", 2'048, 0, Encoding::iso_2022_jp, true},
           Shape{"100k_personal_lines", 30'720, 71'680, Encoding::utf_8, true},
           Shape{"100k_personal_lines_iso_2022_jp", 30'720, 71'680, Encoding::iso_2022_jp, true},
       }) {
    measure(shape, quick);
  }
  return 0;
}
