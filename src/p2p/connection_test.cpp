#include "p2p/connection.hpp"

#include <gtest/gtest.h>

#include "crypto/digest.hpp"
#include "p2p/connection_pair.hpp"
#include "p2p/framing.hpp"
#include "p2p/peer_id.hpp"

namespace creto::p2p {
namespace {

Bytes pattern(std::size_t size, std::uint64_t seed) {
    Prng prng{seed};
    Bytes bytes(size);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(prng.next());
    return bytes;
}

template <class Event>
std::optional<Event> find_event(const std::vector<ConnectionEvent>& events) {
    for (const auto& event : events) {
        if (const auto* found = std::get_if<Event>(&event)) return *found;
    }
    return std::nullopt;
}

// [P2P-ESTABLISHED.1]
TEST(Connection, BothSidesLearnWhoThePeerIs) {
    ConnectionPair pair;
    pair.run();
    EXPECT_EQ(pair.a.take<Established>()->peer, TestIdentity{2}.key);
    EXPECT_EQ(pair.b.take<Established>()->peer, TestIdentity{1}.key);
    EXPECT_TRUE(pair.a.connection.established());
    EXPECT_TRUE(pair.b.connection.established());
    EXPECT_TRUE(pair.a.connection.round_trip().has_value());
}

TEST(Connection, TakesOneRoundTripLessThanItHasMessages) {
    ConnectionPair pair;
    const auto hop = [&](ConnectionPair::End& from, ConnectionPair::End& to) {
        to.connection.on_bytes(from.connection.take_output(), pair.now);
        to.events = to.connection.take_events();
    };
    hop(pair.a, pair.b);  // header, /noise, message 1
    hop(pair.b, pair.a);  // header, /noise, message 2
    ASSERT_TRUE(pair.a.take<Established>());
    const auto stream = pair.a.connection.open("/call/1", pair.now);
    ASSERT_TRUE(stream);
    ASSERT_TRUE(pair.a.connection.send(*stream, as_bytes("request"), pair.now));
    pair.a.connection.finish(*stream);
    hop(pair.a, pair.b);  // message 3, header, protocol, request, end: all in one write
    EXPECT_TRUE(pair.b.take<Established>());
    EXPECT_EQ(pair.b.take<StreamOpened>()->protocol, "/call/1");
    EXPECT_EQ(pair.b.take_data(*stream, pair.now), to_bytes("request"));
    EXPECT_TRUE(pair.b.take<StreamFinished>());
}

TEST(Connection, TheSameSecretsGiveTheSameBytes) {
    const auto transcript = [] {
        ConnectionPair pair;
        Bytes all = pair.a.connection.take_output();
        pair.b.connection.on_bytes(all, pair.now);
        const Bytes answer = pair.b.connection.take_output();
        all.insert(all.end(), answer.begin(), answer.end());
        pair.a.connection.on_bytes(answer, pair.now);
        const Bytes third = pair.a.connection.take_output();
        all.insert(all.end(), third.begin(), third.end());
        return all;
    };
    const Bytes bytes = transcript();
    EXPECT_EQ(bytes, transcript());
    // Header and /noise both ways, and three messages with the extension of 16 bytes; then a ping.
    EXPECT_EQ(bytes.size(), (28 + 34) + (28 + 2 + 216) + (2 + 184) + (2 + 12 + 16));
}

class ConnectionWays : public testing::TestWithParam<std::pair<bool, bool>> {};

TEST_P(ConnectionWays, CarryEveryByteInAnySegmentation) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        auto dialer = test_options(Role::initiator, 1);
        auto listener = test_options(Role::responder, 2);
        dialer.early_muxer = GetParam().first;
        listener.early_muxer = GetParam().second;
        ConnectionPair pair{std::move(dialer), std::move(listener)};
        Prng cut{seed};
        pair.run(&cut);
        ASSERT_TRUE(pair.a.connection.established() && pair.b.connection.established());

        const Bytes request = pattern(cut.below(100'000), seed);
        const Bytes answer = pattern(cut.below(100'000), seed + 1'000);
        const auto stream = pair.a.connection.open("/echo/1", pair.now);
        ASSERT_TRUE(pair.a.connection.send(*stream, request, pair.now));
        pair.a.connection.finish(*stream);
        pair.run(&cut);
        EXPECT_TRUE(pair.b.take<StreamOpened>()->inbound);
        EXPECT_EQ(pair.b.take_data(*stream, pair.now), request);
        EXPECT_TRUE(pair.b.take<StreamFinished>());
        ASSERT_TRUE(pair.b.connection.send(*stream, answer, pair.now));
        pair.b.connection.finish(*stream);
        pair.run(&cut);
        EXPECT_FALSE(pair.a.take<StreamOpened>()->inbound);
        EXPECT_EQ(pair.a.take_data(*stream, pair.now), answer);
        EXPECT_TRUE(pair.a.take<StreamFinished>());
        EXPECT_EQ(pair.a.connection.stream_count() + pair.b.connection.stream_count(), 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(
    WithAndWithoutEarlyMuxers,
    ConnectionWays,
    testing::Values(
        std::pair{true, true},
        std::pair{true, false},
        std::pair{false, true},
        std::pair{false, false}
    )
);

TEST(Connection, WorksByteByByte) {
    ConnectionPair pair;
    const auto drip = [&](ConnectionPair::End& from, ConnectionPair::End& to) {
        for (const std::uint8_t byte : from.connection.take_output())
            to.connection.on_bytes({&byte, 1}, pair.now);
        auto events = to.connection.take_events();
        to.events.insert(to.events.end(), events.begin(), events.end());
    };
    for (int i = 0; i < 3; ++i) {
        drip(pair.a, pair.b);
        drip(pair.b, pair.a);
    }
    const auto stream = pair.a.connection.open("/echo/1", pair.now);
    ASSERT_TRUE(stream);
    ASSERT_TRUE(pair.a.connection.send(*stream, as_bytes("drop by drop"), pair.now));
    drip(pair.a, pair.b);
    drip(pair.b, pair.a);
    EXPECT_EQ(pair.b.take_data(*stream, pair.now), to_bytes("drop by drop"));
    EXPECT_TRUE(pair.a.take<StreamOpened>());
}

TEST(Connection, BulkFlowsThroughTheWindowAsItIsConsumed) {
    ConnectionPair pair;
    pair.run();
    const Bytes bulk = pattern(3 << 20, 7);
    const auto stream = pair.a.connection.open("/echo/1", pair.now);
    ASSERT_TRUE(pair.a.connection.send(*stream, bulk, pair.now));
    pair.a.connection.finish(*stream);
    Bytes got;
    while (!pair.b.take<StreamFinished>()) {
        pair.run();
        const Bytes part = pair.b.take_data(*stream, pair.now);
        ASSERT_FALSE(part.empty());
        ASSERT_LE(part.size(), 256U * 1'024) << "never more than the window is under way";
        got.insert(got.end(), part.begin(), part.end());
    }
    EXPECT_EQ(got, bulk);
}

TEST(Connection, AStreamThatIsNotConsumedStopsAtTheWindowAndHoldsUpNoOther) {
    ConnectionPair pair;
    pair.run();
    const auto slow = pair.a.connection.open("/echo/1", pair.now);
    ASSERT_TRUE(pair.a.connection.send(*slow, pattern(1 << 20, 1), pair.now));
    pair.run();
    const auto quick = pair.a.connection.open("/call/1", pair.now);
    ASSERT_TRUE(pair.a.connection.send(*quick, as_bytes("passes"), pair.now));
    pair.run();
    EXPECT_EQ(pair.b.take_data(*quick, pair.now), to_bytes("passes"));
    std::size_t received = 0;
    for (const auto& event : pair.b.events) {
        if (const auto* data = std::get_if<StreamData>(&event)) received += data->data.size();
    }
    // The negotiation's 29 bytes used the window too and are paid back when half of it is due.
    EXPECT_EQ(received, 256U * 1'024 - 29);
    EXPECT_EQ(pair.a.connection.send_backlog(*slow), (1U << 20U) - received);
}

TEST(Connection, SendRefusesBeyondItsBacklogAndSaysWhenThereIsRoom) {
    auto dialer = test_options(Role::initiator, 1);
    dialer.yamux.stream_backlog_bytes_max = 100'000;
    ConnectionPair pair{std::move(dialer), test_options(Role::responder, 2)};
    pair.run();
    const auto stream = pair.a.connection.open("/echo/1", pair.now);
    while (pair.a.connection.send(*stream, Bytes(50'000), pair.now)) {
    }
    EXPECT_EQ(
        pair.a.connection.send(*stream, Bytes(50'000), pair.now).error().code, ErrorCode::limit
    );
    EXPECT_LT(pair.a.connection.send_room(*stream), 50'000U);
    pair.run();
    EXPECT_FALSE(find_event<StreamWritable>(pair.a.connection.take_events()));
    (void)pair.b.take_data(*stream, pair.now);
    pair.run();
    std::vector<ConnectionEvent> events = pair.a.connection.take_events();
    events.insert(events.end(), pair.a.events.begin(), pair.a.events.end());
    ASSERT_TRUE(find_event<StreamWritable>(events));
    EXPECT_TRUE(pair.a.connection.send(*stream, Bytes(50'000), pair.now));
}

TEST(Connection, AnUnservedProtocolIsRefusedAndItsEarlyDataIsNotRead) {
    ConnectionPair pair;
    pair.run();
    const auto stream = pair.a.connection.open("/no/such/1", pair.now);
    ASSERT_TRUE(pair.a.connection.send(*stream, as_bytes("\x08/echo/1\nrest"), pair.now));
    pair.run();
    const auto reset = pair.a.take<StreamReset>();
    ASSERT_TRUE(reset);
    EXPECT_EQ(reset->stream, *stream);
    EXPECT_EQ(reset->reason.code, ErrorCode::not_found);
    EXPECT_EQ(pair.a.connection.stream_count() + pair.b.connection.stream_count(), 0U);
}

TEST(Connection, AnEndCanWaitForTheAgreement) {
    ConnectionPair pair;
    pair.run();
    const auto stream = pair.a.connection.open("/echo/1", pair.now);
    ASSERT_TRUE(pair.a.connection.send(*stream, as_bytes("data"), pair.now));
    pair.a.connection.finish(*stream, Finish::once_agreed);
    EXPECT_EQ(
        pair.a.connection.send(*stream, as_bytes("more"), pair.now).error().code,
        ErrorCode::conflict
    );
    pair.b.connection.on_bytes(pair.a.connection.take_output(), pair.now);
    pair.b.events = pair.b.connection.take_events();
    EXPECT_EQ(pair.b.take_data(*stream, pair.now), to_bytes("data"));
    EXPECT_FALSE(pair.b.take<StreamFinished>());
    pair.run();
    EXPECT_TRUE(pair.b.take<StreamFinished>());
}

TEST(Connection, AResetReachesTheOtherSide) {
    ConnectionPair pair;
    pair.run();
    const auto stream = pair.a.connection.open("/echo/1", pair.now);
    pair.run();
    ASSERT_TRUE(pair.b.take<StreamOpened>());
    pair.b.connection.reset(*stream);
    pair.run();
    EXPECT_EQ(pair.a.take<StreamReset>()->reason.code, ErrorCode::unavailable);
    EXPECT_EQ(
        pair.a.connection.send(*stream, as_bytes("x"), pair.now).error().code, ErrorCode::not_found
    );
    pair.a.connection.consume(*stream, 100, pair.now);
    pair.a.connection.finish(*stream);
    pair.a.connection.reset(*stream);
    EXPECT_FALSE(pair.a.connection.has_output()) << "a stream that is gone says nothing";
}

TEST(Connection, RefusesAnotherPeerThanExpected) {
    auto dialer = test_options(Role::initiator, 1);
    dialer.expected_peer = TestIdentity{3}.key;
    ConnectionPair pair{std::move(dialer), test_options(Role::responder, 2)};
    pair.run();
    EXPECT_EQ(pair.a.take<Closed>()->reason.code, ErrorCode::denied);
    EXPECT_FALSE(pair.a.take<Established>());
    EXPECT_FALSE(pair.b.connection.established());
}

TEST(Connection, RefusesAPeerWhoseIdentityDidNotSign) {
    auto listener = test_options(Role::responder, 2);
    listener.sign = TestIdentity{3}.signer();
    ConnectionPair pair{test_options(Role::initiator, 1), std::move(listener)};
    pair.run();
    EXPECT_EQ(pair.a.take<Closed>()->reason.code, ErrorCode::invalid);
    EXPECT_FALSE(pair.a.take<Established>());
}

TEST(Connection, AChangedBitAnywhereInTheHandshakeEstablishesNothing) {
    // Every byte of what the responder writes first: multistream, then message 2.
    ConnectionPair reference;
    reference.b.connection.on_bytes(reference.a.connection.take_output(), reference.now);
    const Bytes good = reference.b.connection.take_output();
    for (std::size_t i = 0; i < good.size(); ++i) {
        Connection dialer{test_options(Role::initiator, 1), reference.now};
        Bytes bad = good;
        bad[i] ^= 0x20U;
        dialer.on_bytes(bad, reference.now);
        EXPECT_FALSE(find_event<Established>(dialer.take_events())) << i;
    }
}

TEST(Connection, AReplayedHandshakeEstablishesNothing) {
    ConnectionPair first;
    const Bytes one = first.a.connection.take_output();
    first.b.connection.on_bytes(one, first.now);
    first.a.connection.on_bytes(first.b.connection.take_output(), first.now);
    const Bytes three = first.a.connection.take_output();
    first.b.connection.on_bytes(three, first.now);
    ASSERT_TRUE(first.b.connection.established());

    auto again = test_options(Role::responder, 2);
    again.noise_ephemeral_seed = TestIdentity::bytes_of(99);  // fresh, as it must be
    Connection replayed{std::move(again), first.now};
    replayed.on_bytes(one, first.now);
    replayed.on_bytes(three, first.now);
    EXPECT_TRUE(replayed.closed());
    EXPECT_FALSE(find_event<Established>(replayed.take_events()));
}

TEST(Connection, AReplayedOrDroppedFrameEndsTheConnection) {
    for (const bool replay : {true, false}) {
        ConnectionPair pair;
        pair.run();
        const auto stream = pair.a.connection.open("/echo/1", pair.now);
        const Bytes first = pair.a.connection.take_output();
        ASSERT_TRUE(pair.a.connection.send(*stream, as_bytes("more"), pair.now));
        const Bytes second = pair.a.connection.take_output();
        pair.b.connection.on_bytes(replay ? first : second, pair.now);
        if (replay) pair.b.connection.on_bytes(first, pair.now);
        const auto closed = find_event<Closed>(pair.b.connection.take_events());
        ASSERT_TRUE(closed);
        EXPECT_EQ(closed->reason.code, ErrorCode::invalid);
    }
}

TEST(Connection, ASilentHandshakeEndsAtItsDeadline) {
    for (const Role role : {Role::initiator, Role::responder}) {
        const Instant start = Instant::from_ns(5);
        Connection connection{test_options(role, 1), start};
        const Instant deadline = start + Duration::from_s(10);
        EXPECT_EQ(connection.next_deadline(), deadline);
        // A byte now and then does not move the deadline.
        const Bytes header = to_bytes("\x13/multistream/1.0.0\n");
        for (std::size_t i = 0; i < 9; ++i)
            connection.on_bytes({&header[i], 1}, start + Duration::from_s(static_cast<int>(i)));
        connection.on_time(deadline + Duration::from_ns(-1));
        EXPECT_FALSE(connection.closed());
        connection.on_time(deadline);
        const auto closed = find_event<Closed>(connection.take_events());
        ASSERT_TRUE(closed);
        EXPECT_EQ(closed->reason.code, ErrorCode::timeout);
        EXPECT_EQ(connection.next_deadline(), Instant::max());
    }
}

TEST(Connection, AStreamWithoutAProtocolEndsAtItsDeadline) {
    ConnectionPair pair;
    pair.run();
    const auto stream = pair.a.connection.open("/echo/1", pair.now);
    ASSERT_TRUE(stream);
    (void)pair.a.connection.take_output();  // lost on the way
    EXPECT_EQ(pair.a.connection.next_deadline(), pair.now + Duration::from_s(10));
    pair.a.connection.on_time(pair.now + Duration::from_s(10));
    const auto reset = find_event<StreamReset>(pair.a.connection.take_events());
    ASSERT_TRUE(reset);
    EXPECT_EQ(reset->reason.code, ErrorCode::timeout);
    EXPECT_EQ(pair.a.connection.stream_count(), 0U);
}

TEST(Connection, AnUnansweredPingEndsTheConnection) {
    ConnectionPair pair;
    pair.run();
    const Instant ping_at = pair.now + Duration::from_s(30);
    EXPECT_EQ(pair.a.connection.next_deadline(), ping_at);
    pair.a.connection.on_time(ping_at);
    EXPECT_TRUE(pair.a.connection.has_output());
    EXPECT_EQ(pair.a.connection.next_deadline(), ping_at + Duration::from_s(10));
    pair.a.connection.on_time(ping_at + Duration::from_s(10));
    const auto closed = find_event<Closed>(pair.a.connection.take_events());
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->reason.code, ErrorCode::timeout);
}

TEST(Connection, PingsKeepTheConnectionButAreNoActivity) {
    ConnectionPair pair;
    pair.run();
    const Instant established_at = pair.now;
    for (int i = 0; i < 5; ++i) {
        pair.now = pair.now + Duration::from_s(30);
        pair.a.connection.on_time(pair.now);
        pair.b.connection.on_time(pair.now);
        pair.run();
    }
    EXPECT_TRUE(pair.a.connection.established());
    EXPECT_EQ(pair.a.connection.last_activity(), established_at);
    EXPECT_EQ(pair.b.connection.last_activity(), established_at);
}

TEST(Connection, CloseTellsThePeerAndIsTheLastEvent) {
    ConnectionPair pair;
    pair.run();
    const auto stream = pair.a.connection.open("/echo/1", pair.now);
    ASSERT_TRUE(stream);
    pair.a.connection.close();
    EXPECT_EQ(
        find_event<Closed>(pair.a.connection.take_events())->reason.code, ErrorCode::cancelled
    );
    EXPECT_EQ(pair.a.connection.open("/echo/1", pair.now).error().code, ErrorCode::unavailable);
    EXPECT_FALSE(pair.a.connection.send(*stream, as_bytes("late"), pair.now));
    pair.run();
    EXPECT_TRUE(pair.b.take<GoingAway>());
    EXPECT_EQ(pair.b.connection.open("/echo/1", pair.now).error().code, ErrorCode::unavailable);
    pair.b.connection.on_end();
    pair.b.connection.on_end();
    const auto events = pair.b.connection.take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(std::get<Closed>(events[0]).reason.code, ErrorCode::unavailable);
}

TEST(Connection, OutputIsBoundedWhileTheSocketIsSlow) {
    ConnectionPair pair;
    pair.run();
    std::vector<StreamId> streams;
    for (int i = 0; i < 8; ++i) {
        streams.push_back(*pair.a.connection.open("/echo/1", pair.now));
        ASSERT_TRUE(pair.a.connection.send(streams.back(), Bytes(1 << 20), pair.now));
    }
    EXPECT_LT(pair.a.connection.output_bytes(), 400'000U);
    EXPECT_LT(pair.a.connection.take_output().size(), 400'000U);
    EXPECT_TRUE(pair.a.connection.has_output());
}

TEST(Connection, TenThousandFramedMessagesArriveInOrderOverCutBytes) {
    ConnectionPair pair;
    Prng cut{21};
    pair.run();
    const auto stream = pair.a.connection.open("/call/1", pair.now);
    FrameReader reader{64};
    std::uint64_t next = 0;
    const auto receive = [&] {
        const Bytes data = pair.b.take_data(*stream, pair.now);
        ByteView rest{data};
        while (true) {
            const auto frame = reader.next(rest);
            ASSERT_TRUE(frame.has_value());
            if (!*frame) break;
            EXPECT_EQ(as_text(**frame), std::to_string(next++));
        }
    };
    for (int i = 0; i < 10'000; ++i) {
        Bytes framed;
        append_frame(framed, as_bytes(std::to_string(i)));
        ASSERT_TRUE(pair.a.connection.send(*stream, framed, pair.now));
        if (cut.chance(1, 50)) {
            pair.run(&cut);
            receive();
        }
    }
    pair.run(&cut);
    receive();
    EXPECT_EQ(next, 10'000U);
}

TEST(Connection, APeerThatOnlyProposesNonsenseIsDroppedInTheEnd) {
    auto listener = test_options(Role::responder, 2);
    listener.yamux.resets = {.rate_per_s = 1, .burst = 50};
    ConnectionPair pair{test_options(Role::initiator, 1), std::move(listener)};
    pair.run();
    int opened = 0;
    for (; opened < 1'000 && pair.a.connection.established(); ++opened) {
        const auto stream = pair.a.connection.open("/no/such/1", pair.now);
        ASSERT_TRUE(stream);
        ASSERT_TRUE(pair.a.connection.send(*stream, Bytes(200, 0xFF), pair.now));
        pair.run();
    }
    EXPECT_EQ(opened, 51);
    EXPECT_EQ(pair.b.take<Closed>()->reason.code, ErrorCode::invalid);
    EXPECT_EQ(pair.b.connection.stream_count(), 0U);
}

TEST(Connection, AnInboundFloodOfSilentStreamsIsCappedAndForgotten) {
    auto dialer = test_options(Role::initiator, 1);
    dialer.yamux.unacknowledged_max = 10'000;
    dialer.yamux.outbound_streams_max = 10'000;
    auto listener = test_options(Role::responder, 2);
    listener.yamux.inbound_streams_max = 50;
    ConnectionPair pair{std::move(dialer), std::move(listener)};
    pair.run();
    for (int i = 0; i < 500; ++i)
        ASSERT_TRUE(pair.a.connection.open("/echo/1", pair.now));
    pair.run();
    EXPECT_EQ(pair.b.connection.stream_count(), 50U);
    EXPECT_EQ(pair.a.connection.stream_count(), 50U) << "the others were refused";
    EXPECT_TRUE(pair.b.connection.established());
}

}  // namespace
}  // namespace creto::p2p
