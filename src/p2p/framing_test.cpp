#include "p2p/framing.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"

namespace creto::p2p {
namespace {

Bytes message_of(std::size_t size, std::uint8_t value) {
    return Bytes(size, value);
}

TEST(Framing, WritesLengthAndMessage) {
    Bytes out;
    append_frame(out, as_bytes("hi"));
    append_frame(out, {});
    append_frame(out, message_of(300, 1));
    EXPECT_EQ(to_hex(ByteView{out}.first(6)), "02686900ac02");
    EXPECT_EQ(out.size(), 3U + 1U + 302U);
}

TEST(Framing, ReadsBackInAnySegmentation) {
    Prng prng{11};
    for (int round = 0; round < 200; ++round) {
        std::vector<Bytes> sent;
        Bytes wire;
        for (std::uint64_t i = prng.below(6); i > 0; --i) {
            sent.push_back(message_of(prng.below(400), static_cast<std::uint8_t>(prng.next())));
            append_frame(wire, sent.back());
        }
        FrameReader reader{400};
        std::vector<Bytes> got;
        for (ByteView rest{wire}; !rest.empty();) {
            ByteView part = rest.first(prng.between(1, std::min<std::size_t>(rest.size(), 150)));
            rest = rest.subspan(part.size());
            while (true) {
                const auto frame = reader.next(part);
                ASSERT_TRUE(frame.has_value());
                if (!*frame) break;
                got.emplace_back((*frame)->begin(), (*frame)->end());
            }
            EXPECT_TRUE(part.empty());
        }
        EXPECT_EQ(got, sent);
        EXPECT_TRUE(reader.at_border());
    }
}

TEST(Framing, TheLimitHoldsOneOver) {
    Bytes wire;
    append_frame(wire, message_of(10, 1));
    ByteView exact{wire};
    EXPECT_TRUE(FrameReader{10}.next(exact)->has_value());
    FrameReader small{9};
    ByteView over{wire};
    const auto refused = small.next(over);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::limit);
    ByteView again{wire};
    EXPECT_FALSE(small.next(again).has_value()) << "the borders are lost for good";
}

TEST(Framing, RefusesLengthsThatAreNotInTheirOneForm) {
    const Bytes padded{0x80, 0x00};
    ByteView input{padded};
    EXPECT_EQ(FrameReader{10}.next(input).error().code, ErrorCode::invalid);
    const Bytes endless(10, 0x80);
    input = endless;
    EXPECT_EQ(FrameReader{10}.next(input).error().code, ErrorCode::invalid);
    const Bytes huge{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F};
    input = huge;
    EXPECT_EQ(FrameReader{1 << 20}.next(input).error().code, ErrorCode::limit);
}

TEST(Framing, HoldsWhatCameNotWhatWasAnnounced) {
    FrameReader reader{1 << 30};
    const Bytes wire{0xFF, 0xFF, 0xFF, 0xFF, 0x03, 1, 2, 3};  // a gigabyte is announced
    ByteView input{wire};
    ASSERT_TRUE(reader.next(input).has_value());
    EXPECT_EQ(reader.held_bytes(), 3U);
    EXPECT_FALSE(reader.at_border());
}

}  // namespace
}  // namespace creto::p2p
