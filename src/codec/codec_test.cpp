#include <gtest/gtest.h>
#include <limits>

#include "base/prng.hpp"
#include "codec/base58.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace creto {
namespace {

TEST(Codec, RoundTripsEveryPrimitive) {
    Writer writer;
    writer.u8(7);
    writer.u32(0x01020304);
    writer.u64(std::numeric_limits<std::uint64_t>::max());
    writer.uvarint(300);
    writer.boolean(true);
    writer.text("agent");
    const Bytes bytes = writer.take();
    EXPECT_EQ(bytes[1], 0x04);  // little-endian
    Reader reader{bytes};
    EXPECT_EQ(reader.u8(), 7);
    EXPECT_EQ(reader.u32(), 0x01020304U);
    EXPECT_EQ(reader.u64(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(reader.uvarint(), 300U);
    EXPECT_TRUE(reader.boolean());
    EXPECT_EQ(reader.text(5), "agent");
    EXPECT_EQ(reader.finish(), DecodeError::none);
}

TEST(Codec, UvarintHasOneForm) {
    for (const std::uint64_t value : {0ULL, 127ULL, 128ULL, 16'383ULL, 16'384ULL, ~0ULL}) {
        Writer writer;
        writer.uvarint(value);
        Reader reader{writer.view()};
        EXPECT_EQ(reader.uvarint(), value);
        EXPECT_EQ(reader.finish(), DecodeError::none);
    }
    const Bytes padded{0x80, 0x00};
    Reader reader{padded};
    (void)reader.uvarint();
    EXPECT_EQ(reader.error(), DecodeError::not_minimal);
    const Bytes over{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02};
    Reader over_reader{over};
    (void)over_reader.uvarint();
    EXPECT_EQ(over_reader.error(), DecodeError::over_limit);
}

TEST(Codec, LimitsHoldOneOver) {
    Writer writer;
    writer.text("12345");
    Reader exact{writer.view()};
    EXPECT_EQ(exact.text(5), "12345");
    Reader over{writer.view()};
    (void)over.text(4);
    EXPECT_EQ(over.error(), DecodeError::over_limit);
}

TEST(Codec, ACountThatTheInputCannotHoldIsRefusedBeforeAllocation) {
    Writer writer;
    writer.uvarint(1'000'000);
    Reader reader{writer.view()};
    EXPECT_EQ(reader.count(2'000'000), 0U);
    EXPECT_EQ(reader.error(), DecodeError::truncated);
}

TEST(Codec, TrailingBytesAndBadBooleansAreRefused) {
    const Bytes two{1, 2};
    Reader reader{two};
    (void)reader.u8();
    EXPECT_EQ(reader.finish(), DecodeError::trailing);
    Reader bad{ByteView{two}.subspan(1)};
    (void)bad.boolean();
    EXPECT_EQ(bad.error(), DecodeError::bad_value);
}

TEST(Codec, TheFirstFailureSticks) {
    Reader reader{ByteView{}};
    (void)reader.u8();
    reader.fail(DecodeError::bad_value);
    EXPECT_EQ(reader.error(), DecodeError::truncated);
    EXPECT_EQ(reader.u64(), 0U);
}

TEST(Base58, KnownValuesAndRoundTrips) {
    EXPECT_EQ(to_base58(as_bytes("Hello World!")), "2NEpo7TZRRrLZSi2U");
    EXPECT_EQ(to_base58(Bytes{0, 0, 1}), "112");
    Prng prng{1};
    for (int i = 0; i < 200; ++i) {
        Bytes bytes(prng.below(40));
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(prng.below(4) == 0 ? 0 : prng.next());
        EXPECT_EQ(from_base58(to_base58(bytes)), bytes);
    }
    EXPECT_EQ(from_base58("0OIl"), std::nullopt);
    EXPECT_EQ(from_base58(std::string(129, '2')), std::nullopt);
}

}  // namespace
}  // namespace creto
