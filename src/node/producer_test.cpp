#include "node/producer.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

constexpr std::uint32_t needed = 2;  // t + 1

constexpr LaneRoom empty_lane{.vertices = 0, .bytes = limits::lane_window_bytes};

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
    EXPECT_FALSE(producer.ready(at(0), empty_lane)) << "one may be a liar who hides what we wrote";
    EXPECT_FALSE(producer.confirm(peer(2), {}, needed, at(0)));
    EXPECT_TRUE(producer.ready(at(0), empty_lane));
}

TEST(Producer, OneClaimOfMoreHoldsItUpForAMomentAndStopsNobody) {
    Producer producer = with_work();
    producer.restore(tip(5, "five"), Producer::Disk::whole);
    EXPECT_TRUE(producer.ready(at(0), empty_lane));
    EXPECT_FALSE(producer.confirm(peer(1), tip(~0ULL, "a lie"), needed, at(10)));
    EXPECT_FALSE(producer.ready(at(20), empty_lane)) << "it may be true: time to show the vertex";
    EXPECT_EQ(producer.next_wake(), at(3'010));
    EXPECT_FALSE(producer.confirm(peer(1), tip(~0ULL, "a lie"), needed, at(3'000)));
    EXPECT_TRUE(producer.ready(at(3'010), empty_lane)) << "said again it has no more weight";
}

// The folder may be an old copy: the peers are heard first, or for a moment nobody.
// [LANE-RESET.2]
TEST(Producer, AStartWaitsForThePeersOrAMoment) {
    Producer alone = with_work();
    alone.restore(tip(5, "five"), Producer::Disk::whole);
    alone.begin(at(1'000), true);
    EXPECT_FALSE(alone.ready(at(2'999), empty_lane));
    EXPECT_EQ(alone.next_wake(), at(3'000));
    EXPECT_TRUE(alone.ready(at(3'000), empty_lane));

    Producer heard = with_work();
    heard.restore(tip(5, "five"), Producer::Disk::whole);
    heard.begin(at(1'000), true);
    EXPECT_FALSE(heard.confirm(peer(1), tip(5, "five"), needed, at(1'010)));
    EXPECT_FALSE(heard.ready(at(1'010), empty_lane));
    EXPECT_FALSE(heard.confirm(peer(2), tip(4, "four"), needed, at(1'020)));
    EXPECT_TRUE(heard.ready(at(1'020), empty_lane));

    Producer single = with_work();
    single.restore(tip(5, "five"), Producer::Disk::whole);
    single.begin(at(1'000), false);
    EXPECT_TRUE(single.ready(at(1'000), empty_lane)) << "it has no peers";
}

TEST(Producer, AnotherLaneIsEmptyAndUnconfirmedAndWhatWaitsStays) {
    Producer producer = with_work();
    producer.restore(tip(5, "five"), Producer::Disk::whole);
    const LaneId next{Seat{0}, Incarnation{1}};
    producer.reopen(next);
    EXPECT_EQ(producer.lane(), next);
    EXPECT_EQ(producer.tip().sequence, Sequence{});
    EXPECT_FALSE(producer.ready(at(0), empty_lane));
    EXPECT_FALSE(producer.confirm(peer(1), {}, needed, at(0)));
    EXPECT_FALSE(producer.confirm(peer(2), {}, needed, at(0)));
    ASSERT_TRUE(producer.ready(at(0), empty_lane));
    EXPECT_EQ(producer.next_batch().size(), 1U);
    EXPECT_EQ(producer.header({}, 0).lane, next);
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

Operation write_of(std::size_t bytes) {
    Operation operation;
    operation.body = DataOperation{Bytes(bytes)};
    return operation;
}

/// Makes vertices until the room says no, as a node does without finality. Returns how many.
std::size_t drain(Producer& producer, LaneRoom& room) {
    std::size_t made = 0;
    while (producer.ready(at(0), room)) {
        std::size_t bytes = 1'024;
        for (const Operation& operation : producer.next_batch())
            bytes += encode_bytes(operation).size();
        ++room.vertices;
        room.bytes -= std::min(bytes, room.bytes);
        ++made;
    }
    return made;
}

TEST(Producer, TakesWhatTheWindowHoldsAndNotOneMore) {
    Producer producer{LaneId{Seat{0}, Incarnation{}}, ProducerOptions{}};
    producer.allow();
    LaneRoom room = empty_lane;
    constexpr std::size_t size = 100'000;
    std::size_t taken = 0;
    while (producer.push(write_of(size), room))
        ++taken;
    EXPECT_GT(taken * size, limits::lane_window_bytes - 2 * limits::vertex_bytes_max);
    EXPECT_LT(taken * size, limits::lane_window_bytes);
    const auto refused = producer.push(write_of(size), room);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    // All that was taken finds its place although nothing becomes final.
    drain(producer, room);
    EXPECT_EQ(producer.waiting(), 0U);
    // What was reckoned is an upper bound: a few more fit, one by one, and then it is full.
    std::size_t more = 0;
    while (producer.push(write_of(size), room)) {
        ++more;
        EXPECT_EQ(drain(producer, room), 1U);
    }
    EXPECT_LT(more, 10U);
    EXPECT_LT((taken + more) * size, limits::lane_window_bytes);
    EXPECT_EQ(producer.waiting(), 0U);
    EXPECT_TRUE(producer.push(write_of(size), empty_lane)) << "after finality there is room again";
}

TEST(Producer, CountsTheVerticesThatTheQueueWillTake) {
    Producer producer{LaneId{Seat{0}, Incarnation{}}, ProducerOptions{.vertex_bytes = 2'000}};
    producer.allow();
    const Operation large = write_of(1'200);  // No two of these share a vertex.
    constexpr std::uint64_t last = limits::lane_window_vertices - Producer::vertices_kept - 1;
    LaneRoom room{.vertices = last - 3, .bytes = limits::lane_window_bytes};
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(producer.push(large, room)) << i;
    EXPECT_FALSE(producer.push(large, room)) << "one over the limit";
    EXPECT_FALSE(producer.push(large, room));
    EXPECT_TRUE(producer.push(write_of(100), room)) << "it joins the last vertex";
    EXPECT_TRUE(producer.push(large)) << "the node's own have a reserve";
    EXPECT_EQ(drain(producer, room), 4U);
    EXPECT_EQ(producer.waiting(), 0U);
}

TEST(Producer, KeepsRoomForWhatACausalWriteReplaces) {
    Operation add;
    add.body = CrdtOperation{.key = "causal/n", .amount = 1};
    Operation set;
    set.body = CrdtOperation{.action = CrdtOperation::Action::register_set, .key = "causal/n"};
    const auto vertices_of_nine = [](const Operation& operation, std::size_t seats) {
        Producer producer{LaneId{Seat{0}, Incarnation{}}, {.vertex_bytes = 5'000, .seats = seats}};
        producer.allow();
        LaneRoom room = empty_lane;
        for (int i = 0; i < 9; ++i)
            EXPECT_TRUE(producer.push(operation));
        return drain(producer, room);
    };
    EXPECT_EQ(vertices_of_nine(add, 128), 1U);
    EXPECT_EQ(vertices_of_nine(set, 4), 1U);
    EXPECT_EQ(vertices_of_nine(set, 128), 9U);
}

// The vote log is gone, and with it what the store had not synced: a vertex of ours may be known to
// others only.
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
