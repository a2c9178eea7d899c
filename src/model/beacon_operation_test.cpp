#include <gtest/gtest.h>
#include <set>

#include "model/operation.hpp"

namespace creto {
namespace {

Digest digest_of(const std::string& text) {
    return blake3(as_bytes(text));
}

TEST(BeaconOperation, HasOneFormAndBelongsToAnEpochThatSeatsFeed) {
    const std::vector<OperationBody> bodies{
        BeaconCommitOperation{Epoch{3}, digest_of("commitment")},
        BeaconRevealOperation{Epoch{70'000}, digest_of("secret")}};
    for (const OperationBody& body : bodies) {
        Operation operation{.client = {}, .counter = 7, .expiry = Height{9}, .body = body};
        const Bytes bytes = encode_bytes(operation);
        const auto read = decode_exact<Operation>(bytes);
        ASSERT_TRUE(read.has_value()) << kind_name(body);
        EXPECT_EQ(*read, operation);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(decode_exact<Operation>(ByteView{bytes}.first(size)).has_value());
        EXPECT_TRUE(well_formed(operation).has_value());
        EXPECT_TRUE(feeds_beacon(body));
        EXPECT_EQ(std::string{kind_name(body)}.substr(0, 7), "beacon_");
    }
    EXPECT_FALSE(feeds_beacon(DataOperation{}));
    for (const std::uint64_t epoch : {0U, 1U, 2U}) {
        EXPECT_FALSE(well_formed({.body = BeaconCommitOperation{Epoch{epoch}, {}}}).has_value());
        EXPECT_FALSE(well_formed({.body = BeaconRevealOperation{Epoch{epoch}, {}}}).has_value());
    }
}

// [BEACON-COMMIT.1]
TEST(BeaconOperation, ACommitmentBindsItsChainEpochKeyAndSecret) {
    const PublicKey one{};
    std::array<std::uint8_t, PublicKey::size> other{};
    other[31] = 1;
    const ChainId chain{digest_of("chain")};
    const std::set<Digest> different{
        beacon_commitment(chain, Epoch{3}, one, digest_of("a")),
        beacon_commitment(ChainId{digest_of("elsewhere")}, Epoch{3}, one, digest_of("a")),
        beacon_commitment(chain, Epoch{4}, one, digest_of("a")),
        beacon_commitment(chain, Epoch{3}, PublicKey{other}, digest_of("a")),
        beacon_commitment(chain, Epoch{3}, one, digest_of("b")),
        digest_of("a")};
    EXPECT_EQ(different.size(), 6U);
}

}  // namespace
}  // namespace creto
