#include "training/sha256.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hacscale::detail {
namespace {

std::string sum_of(const std::string& text) {
    return sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// The examples of FIPS 180-4 (csrc.nist.gov, "Examples with Intermediate Values").
TEST(Sha256, GivesTheStandardsExamples) {
    EXPECT_EQ(sum_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sum_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sum_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sum_of(std::string(1'000'000, 'a')),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsTheSameInWhateverPiecesBytesCome) {
    std::vector<std::uint8_t> bytes(1000);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37);
    const std::string whole = sha256(bytes);
    for (const std::size_t piece : {1UL, 7UL, 63UL, 64UL, 65UL, 128UL, 999UL}) {
        Sha256 sum;
        for (std::size_t begin = 0; begin < bytes.size(); begin += piece) {
            sum.update(std::span(bytes).subspan(begin, std::min(piece, bytes.size() - begin)));
        }
        EXPECT_EQ(sum.finish(), whole) << piece;
    }
}

}  // namespace
}  // namespace hacscale::detail
