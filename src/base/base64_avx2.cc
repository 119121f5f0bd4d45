// SPDX-License-Identifier: Apache-2.0
// Base64 in 256-bit vectors after W. Mula and D. Lemire, "Faster Base64 Encoding and Decoding Using
// AVX2 Instructions" (2018): shuffle, split into 6-bit fields by multiplication, map by offsets.
#include "base/base64_avx2.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/base64_lines.h"

namespace todoku {

#if defined(__x86_64__)
namespace {

// The last of a line's vectors loads this many octets beyond the 57 that it uses.
constexpr std::size_t kOverread = 4;

// The 32 characters of the 24 octets in the low 12 octets of each half of `in`.
__attribute__((target("avx2"))) __m256i encode_24_octets(__m256i in) {
  in = _mm256_shuffle_epi8(in,
                           _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10,  //
                                            1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
  const __m256i high = _mm256_mulhi_epu16(_mm256_and_si256(in, _mm256_set1_epi32(0x0FC0FC00)),
                                          _mm256_set1_epi32(0x04000040));
  const __m256i low = _mm256_mullo_epi16(_mm256_and_si256(in, _mm256_set1_epi32(0x003F03F0)),
                                         _mm256_set1_epi32(0x01000010));
  const __m256i digits = _mm256_or_si256(high, low);
  // Which range of the alphabet a digit is in: 0 for a-z, 1-10 for 0-9, 11 for +, 12 for /, 13 for
  // A-Z; the offset of that range turns the digit into its character.
  const __m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), digits);
  const __m256i range = _mm256_or_si256(_mm256_subs_epu8(digits, _mm256_set1_epi8(51)),
                                        _mm256_and_si256(upper, _mm256_set1_epi8(13)));
  const __m128i offsets =
      _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                    '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  return _mm256_add_epi8(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(offsets), range), digits);
}

__attribute__((target("avx2"))) void encode_24_octets(const char* in, char* out) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 12));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                      encode_24_octets(_mm256_set_m128i(high, low)));
}

__attribute__((target("avx2"))) std::size_t encode_lines(std::string_view octets, char* out) {
  std::size_t lines = 0;
  const char* in = octets.data();
  for (std::size_t left = octets.size(); left >= kBase64LineOctets + kOverread;
       left -= kBase64LineOctets) {
    encode_24_octets(in, out);
    encode_24_octets(in + 24, out + 32);
    encode_24_octets(in + 33, out + 44);  // overlaps the one before: 57 is not a multiple of 24
    out[76] = '\r';
    out[77] = '\n';
    in += kBase64LineOctets;
    out += kBase64LineCharacters;
    ++lines;
  }
  return lines;
}

}  // namespace

std::size_t encode_base64_lines_avx2(std::string_view octets, char* out) {
  return __builtin_cpu_supports("avx2") ? encode_lines(octets, out) : 0;
}

#else

std::size_t encode_base64_lines_avx2(std::string_view, char*) {
  return 0;
}

#endif

}  // namespace todoku
