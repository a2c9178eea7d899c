#include "node/producer.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

constexpr std::uint32_t needed = 2;  // t + 1

Instant at(std::int64_t ms) {
    return Instant::from_ns(0) + Duration::from_ms(ms);
}

AgentId peer(std::uint8_t n) {
    std::array<std::uint8_t, 32> key{};
    key[0] = n;
    return AgentId{key};
}

LaneTip tip(std::uint64_t sequence, const char* name) {
    return {Sequence{sequence}, VertexId{blake3(as_bytes(name))}};
}

Producer with_work() {
    Producer producer{LaneId{Seat{0}, Incarnation{}}, ProducerOptions{}};
    Operation operation;
    operation.body = DataOperation{to_bytes("x")};
    EXPECT_TRUE(producer.push(std::move(operation)));
    return producer;
}

TEST(Producer, WritesOnceEnoughPeersSayHowFarTheLaneCame) {
    Producer producer = with_work();
    EXPECT_FALSE(producer.confirm(peer(1), {}, needed, at(0)));
    EXPECT_FALSE(producer.ready(at(0), 0, 0)) << "one may be a liar who hides what we wrote";
    EXPECT_FALSE(producer.confirm(peer(2), {}, needed, at(0)));
    EXPECT_TRUE(producer.ready(at(0), 0, 0));
}

TEST(Producer, OneClaimOfMoreHoldsItUpForAMomentAndStopsNobody) {
    Producer producer = with_work();
    producer.restore(tip(5, "five"), Producer::Disk::whole);
    EXPECT_TRUE(producer.ready(at(0), 0, 0));
    EXPECT_FALSE(producer.confirm(peer(1), tip(~0ULL, "a lie"), needed, at(10)));
    EXPECT_FALSE(producer.ready(at(20), 0, 0)) << "it may be true: time to show the vertex";
    EXPECT_EQ(producer.next_wake(), at(3'010));
    EXPECT_FALSE(producer.confirm(peer(1), tip(~0ULL, "a lie"), needed, at(3'000)));
    EXPECT_TRUE(producer.ready(at(3'010), 0, 0)) << "said again it has no more weight";
}

TEST(Producer, StopsWhenEnoughPeersKnowMore) {
    Producer producer = with_work();
    producer.restore(tip(5, "five"), Producer::Disk::whole);
    EXPECT_FALSE(producer.confirm(peer(1), tip(6, "six"), needed, at(0)));
    EXPECT_TRUE(producer.confirm(peer(2), tip(7, "seven"), needed, at(0)));
}

TEST(Producer, AVertexThatItDoesNotKnowIsProof) {
    Producer producer = with_work();
    producer.restore(tip(5, "five"), Producer::Disk::whole);
    EXPECT_FALSE(producer.proven(tip(4, "four")));
    EXPECT_FALSE(producer.proven(tip(5, "five")));
    EXPECT_TRUE(producer.proven(tip(5, "another five")));
    EXPECT_TRUE(producer.proven(tip(6, "six")));
}

// The vote log is gone, and with it what the store had not synced: a vertex of ours may be known to others only.
TEST(Producer, ADamagedDiskNeedsThePeersWordAsAnEmptyOneDoes) {
    Producer producer = with_work();
    producer.restore(tip(4, "four"), Producer::Disk::damaged);
    EXPECT_FALSE(producer.confirmed());
    EXPECT_FALSE(producer.confirm(peer(1), tip(4, "four"), needed, at(0)).has_value());
    EXPECT_FALSE(producer.confirmed());
    EXPECT_FALSE(producer.confirm(peer(2), tip(4, "four"), needed, at(0)).has_value());
    EXPECT_TRUE(producer.confirmed());
}

}  // namespace
}  // namespace creto
