#include "p2p/yamux.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"

namespace creto::p2p {
namespace {

using yamux::Header;
using yamux::Type;
using Kind = YamuxEvent::Kind;
namespace flag = yamux::flag;

constexpr std::uint32_t window = yamux::initial_window;
constexpr Instant start = Instant::from_ns(1'000);

/// Without pings of its own, so that the bytes are only those of the streams.
YamuxOptions quiet() {
    return {.ping_interval = Duration::max()};
}

Bytes frame(const Header& header, ByteView body = {}) {
    Bytes out;
    yamux::encode(header, out);
    out.insert(out.end(), body.begin(), body.end());
    return out;
}
Bytes data_frame(std::uint32_t stream, std::size_t size, std::uint16_t flags = 0) {
    return frame(
        {.type = Type::data,
         .flags = flags,
         .stream = stream,
         .length = static_cast<std::uint32_t>(size)},
        Bytes(size)
    );
}
Bytes update(std::uint32_t stream, std::uint32_t delta, std::uint16_t flags = 0) {
    return frame({.type = Type::window_update, .flags = flags, .stream = stream, .length = delta});
}

/// A responder under test; the test plays the initiator's wire.
struct Subject {
    explicit Subject(YamuxOptions options = quiet()) : yamux{Role::responder, options, start} {}

    /// Hands in bytes; the kinds of what came out.
    std::vector<Kind> feed(ByteView bytes, Instant now = start) {
        std::vector<Kind> kinds;
        while (const auto event = yamux.next(bytes, now)) {
            kinds.push_back(event->kind);
            last = *event;
            data_bytes += event->data.size();
        }
        return kinds;
    }
    /// The frames written since the last call, without bodies.
    std::vector<Header> written() {
        std::vector<Header> headers;
        while (yamux.has_output()) {
            const std::vector<Header> more = written_at_once();
            headers.insert(headers.end(), more.begin(), more.end());
        }
        return headers;
    }
    std::vector<Header> written_at_once() {
        std::vector<Header> headers;
        const ByteView out = yamux.output();
        for (std::size_t at = 0; at < out.size();) {
            const auto header = yamux::decode(out.subspan(at, yamux::header_bytes));
            headers.push_back(*header);
            at += yamux::header_bytes + (header->type == Type::data ? header->length : 0);
        }
        yamux.clear_output();
        return headers;
    }
    /// The last frame written is a go-away for a protocol error.
    bool went_away() {
        const auto headers = written();
        return yamux.ended() && !headers.empty() &&
               headers.back() ==
                   Header{.type = Type::go_away, .length = yamux::go_away::protocol_error};
    }

    Yamux yamux;
    YamuxEvent last;
    std::size_t data_bytes = 0;
};

using Kinds = std::vector<Kind>;

TEST(YamuxFrame, HasTheBytesOfTheSpecification) {
    const Header header{
        .type = Type::window_update,
        .flags = flag::syn | flag::fin,
        .stream = 0x01020304,
        .length = 0x0A0B0C0D};
    EXPECT_EQ(
        to_hex(frame(header)),
        "0001000501020304"
        "0a0b0c0d"
    );
    EXPECT_EQ(yamux::decode(frame(header)), header);
    Bytes other = frame(header);
    other[0] = 1;
    EXPECT_EQ(yamux::decode(other), std::nullopt);
    other[0] = 0;
    other[1] = 4;
    EXPECT_EQ(yamux::decode(other), std::nullopt);
}

TEST(Yamux, OpensSendsFinishesAndAcknowledges) {
    Yamux dialer{Role::initiator, quiet(), start};
    const auto id = dialer.open(start);
    ASSERT_EQ(id, StreamId{1});
    ASSERT_TRUE(dialer.send(*id, as_bytes("hello"), start));
    dialer.finish(*id);
    Subject listener;
    EXPECT_EQ(listener.feed(dialer.output()), (Kinds{Kind::opened, Kind::data, Kind::finished}));
    EXPECT_EQ(listener.data_bytes, 5U);
    dialer.clear_output();

    ASSERT_TRUE(listener.yamux.send(*id, as_bytes("hi"), start));
    listener.yamux.finish(*id);
    EXPECT_EQ(listener.yamux.stream_count(), 0U) << "both ends are closed";
    const auto headers = listener.written();
    ASSERT_EQ(headers.size(), 2U);
    EXPECT_EQ(headers[0].flags, flag::ack) << "the acknowledgement rides on the answer";
    EXPECT_EQ(headers[1], (Header{Type::window_update, flag::fin, 1, 0}));
    EXPECT_EQ(dialer.open(start), StreamId{3});
}

TEST(Yamux, AcceptsEveryWayToOpenAndToClose) {
    Subject s;
    // With a window update, as go and js do; with data, as rust does; all flags at once.
    EXPECT_EQ(s.feed(update(1, 0, flag::syn)), Kinds{Kind::opened});
    EXPECT_EQ(s.feed(data_frame(3, 10, flag::syn)), (Kinds{Kind::opened, Kind::data}));
    EXPECT_EQ(
        s.feed(data_frame(5, 10, flag::syn | flag::fin)),
        (Kinds{Kind::opened, Kind::data, Kind::finished})
    );
    EXPECT_EQ(s.feed(data_frame(1, 0, flag::fin)), Kinds{Kind::finished}) << "rust, nim";
    EXPECT_EQ(s.feed(update(3, 0, flag::fin)), Kinds{Kind::finished}) << "go, js";
    EXPECT_EQ(s.feed(update(3, 0, flag::fin)), Kinds{}) << "the end is said once";
    EXPECT_EQ(s.feed(update(5, 0x1002, flag::rst)), Kinds{Kind::reset});
    EXPECT_EQ(s.last.code, 0x1002U);
    EXPECT_EQ(s.yamux.stream_count(), 2U);
    EXPECT_FALSE(s.yamux.ended());
}

// [P2P-WINDOW.1]
TEST(Yamux, TheWindowHoldsExactlyOnOpeningAndLater) {
    Subject exact;
    EXPECT_EQ(exact.feed(data_frame(1, window, flag::syn)), (Kinds{Kind::opened, Kind::data}));
    EXPECT_FALSE(exact.yamux.ended());
    EXPECT_EQ(exact.feed(data_frame(1, 1)), Kinds{Kind::failed});
    EXPECT_TRUE(exact.went_away());

    Subject over;
    // The header alone is enough: nobody waits for the body.
    const Bytes whole = data_frame(1, window + 1, flag::syn);
    EXPECT_EQ(over.feed(ByteView{whole}.first(12)), (Kinds{Kind::opened, Kind::failed}));
    EXPECT_TRUE(over.went_away());
    EXPECT_EQ(over.data_bytes, 0U);

    Subject later;
    (void)later.feed(update(1, 0, flag::syn));
    EXPECT_EQ(later.feed(data_frame(1, window + 1)), Kinds{Kind::failed});
}

TEST(Yamux, CreditComesFromConsumingOnly) {
    Subject s;
    (void)s.feed(data_frame(1, window, flag::syn));
    EXPECT_TRUE(s.written().empty()) << "receiving grants nothing";
    s.yamux.consume(StreamId{1}, window / 2 - 1, start);
    EXPECT_TRUE(s.written().empty()) << "less than half a window waits";
    s.yamux.consume(StreamId{1}, 1, start);
    const Header granted{Type::window_update, flag::ack, 1, window / 2};
    EXPECT_EQ(s.written(), std::vector{granted});
    EXPECT_EQ(s.feed(data_frame(1, window / 2)), Kinds{Kind::data});
    EXPECT_EQ(s.feed(data_frame(1, 1)), Kinds{Kind::failed});
}

TEST(Yamux, ConsumingMoreThanCameGrantsNoMore) {
    Subject s;
    (void)s.feed(data_frame(1, window, flag::syn));
    s.yamux.consume(StreamId{1}, std::size_t{10} * window, start);
    s.yamux.consume(StreamId{1}, std::size_t{10} * window, start);
    const auto headers = s.written();
    ASSERT_EQ(headers.size(), 1U);
    EXPECT_EQ(headers[0].length, window);
}

// [P2P-WINDOW.2]
TEST(Yamux, SendsNeverBeyondThePeersWindow) {
    Subject s;
    (void)s.feed(update(1, 0, flag::syn));
    ASSERT_TRUE(s.yamux.send(StreamId{1}, Bytes(window + 1'000), start));
    const auto sum = [&] {
        std::uint32_t bytes = 0;
        for (const auto& header : s.written()) {
            if (header.type == Type::data) bytes += header.length;
        }
        return bytes;
    };
    EXPECT_EQ(sum(), window);
    EXPECT_EQ(s.yamux.backlog(StreamId{1}), 1'000U);
    (void)s.feed(update(1, 999));
    EXPECT_EQ(sum(), 999U);
    s.yamux.finish(StreamId{1});
    EXPECT_EQ(sum(), 0U) << "the end waits behind the data";
    (void)s.feed(update(1, 5));
    const auto headers = s.written();
    ASSERT_EQ(headers.size(), 2U);
    EXPECT_EQ(headers[0].length, 1U);
    EXPECT_EQ(headers[1].flags, flag::fin);
}

TEST(Yamux, AWindowBeyond32BitsIsRefused) {
    Subject s;
    (void)s.feed(update(1, 0xFFFFFFFF - window, flag::syn));
    EXPECT_FALSE(s.yamux.ended());
    EXPECT_EQ(s.feed(update(1, 1)), Kinds{Kind::failed});
    EXPECT_TRUE(s.went_away());
}

TEST(Yamux, AWindowGrowsWhileItLimitsAndWithinTheBudget) {
    YamuxOptions options;
    options.window_bytes_max = 4 * window;
    options.window_growth_bytes_max = std::uint64_t{4} * window;
    Subject s{options};
    const Duration round_trip = Duration::from_ms(50);
    const auto ping = s.written().at(0);
    (void)s.feed(
        frame({.type = Type::ping, .flags = flag::ack, .length = ping.length}), start + round_trip
    );
    ASSERT_EQ(s.yamux.round_trip(), round_trip);

    // A stream that is drained at once, over and over: its window doubles up to its maximum.
    const auto granted_after_full = [&](std::uint32_t stream, std::uint32_t size, Instant now) {
        (void)s.feed(data_frame(stream, size), now);
        s.yamux.consume(StreamId{stream}, size, now);
        std::uint32_t delta = 0;
        for (const auto& header : s.written())
            delta += header.length;
        return delta;
    };
    Instant now = start + round_trip;
    (void)s.feed(update(1, 0, flag::syn), now);
    EXPECT_EQ(granted_after_full(1, window, now), 2 * window);
    EXPECT_EQ(granted_after_full(1, 2 * window, now), 4 * window);
    EXPECT_EQ(granted_after_full(1, 4 * window, now), 4 * window) << "the maximum";
    // The budget is 4 windows, of which the first stream took 3.
    (void)s.feed(update(3, 0, flag::syn), now);
    EXPECT_EQ(granted_after_full(3, window, now), 2 * window);
    EXPECT_EQ(granted_after_full(3, 2 * window, now), 2 * window) << "the budget is used up";
    // It returns with the stream.
    (void)s.feed(update(1, 0, flag::rst), now);
    EXPECT_EQ(granted_after_full(3, 2 * window, now), 4 * window);
    // A stream that is drained slowly needs no more.
    (void)s.feed(update(5, 0, flag::syn), now);
    (void)s.feed(update(3, 0, flag::rst), now);
    now = now + round_trip * 4;
    EXPECT_EQ(granted_after_full(5, window, now), window);
}

TEST(Yamux, FramesForStreamsThatAreNoMoreAreDrainedInSilence) {
    Subject s;
    (void)s.feed(update(1, 0, flag::syn));
    s.yamux.reset(StreamId{1});
    EXPECT_EQ(s.written(), (std::vector{Header{Type::window_update, flag::rst, 1, 0}}));
    EXPECT_EQ(s.feed(data_frame(1, 10'000)), Kinds{});
    EXPECT_EQ(s.feed(update(1, 77)), Kinds{});
    EXPECT_EQ(s.feed(update(1, 0, flag::fin)), Kinds{});
    EXPECT_EQ(s.feed(update(1, 0, flag::rst)), Kinds{});
    EXPECT_EQ(s.feed(data_frame(9, 100)), Kinds{}) << "never opened";
    EXPECT_TRUE(s.written().empty());
    EXPECT_EQ(s.feed(update(3, 0, flag::syn)), Kinds{Kind::opened}) << "still in step";
}

TEST(Yamux, RefusesWhatNoHonestPeerSends) {
    const auto refused = [](const std::vector<Bytes>& frames) {
        Subject s;
        for (const auto& bytes : frames)
            (void)s.feed(bytes);
        return s.went_away() && s.last.kind == Kind::failed && s.yamux.stream_count() == 0;
    };
    EXPECT_TRUE(refused({update(2, 0, flag::syn)})) << "an even number from the initiator";
    EXPECT_TRUE(refused({update(0, 0, flag::syn)}));
    EXPECT_TRUE(refused({data_frame(0, 4)}));
    EXPECT_TRUE(refused({update(1, 0, flag::syn), update(1, 0, flag::syn)})) << "opened twice";
    EXPECT_TRUE(refused({data_frame(2, 4)})) << "a stream of ours that we never opened";
    EXPECT_TRUE(refused({data_frame(1, 0, flag::syn | flag::fin), data_frame(1, 1)}));
    EXPECT_TRUE(refused({frame({.type = Type::data, .stream = 1, .length = (16U << 20U) + 1})}));
    EXPECT_TRUE(refused({frame({.type = Type::ping, .flags = flag::syn, .stream = 1})}));
    EXPECT_TRUE(refused({frame({.type = Type::ping})}));
    EXPECT_TRUE(refused({frame({.type = Type::go_away, .stream = 1})}));
    Bytes version = update(1, 0, flag::syn);
    version[0] = 1;
    EXPECT_TRUE(refused({version}));
    Bytes type = update(1, 0, flag::syn);
    type[1] = 9;
    EXPECT_TRUE(refused({type}));
    EXPECT_TRUE(refused({Bytes(12, 0xFF)}));
}

TEST(Yamux, UnknownFlagsMeanNothing) {
    Subject s;
    EXPECT_EQ(s.feed(update(1, 0, flag::syn | 0xFFF0U)), Kinds{Kind::opened});
    EXPECT_FALSE(s.yamux.ended());
}

TEST(Yamux, NothingIsReadBehindTheEnd) {
    Subject s;
    Bytes bytes = data_frame(0, 4);
    const Bytes open = update(1, 0, flag::syn);
    bytes.insert(bytes.end(), open.begin(), open.end());
    EXPECT_EQ(s.feed(bytes), Kinds{Kind::failed});
    EXPECT_EQ(s.feed(open), Kinds{});
    EXPECT_EQ(s.yamux.open(start).error().code, ErrorCode::conflict);
}

TEST(Yamux, AFloodOfStreamsIsRefusedAndThenEndsTheConnection) {
    YamuxOptions options = quiet();
    options.inbound_streams_max = 10;
    options.resets = {.rate_per_s = 1, .burst = 20};
    Subject s{options};
    std::uint32_t id = 1;
    for (; s.yamux.stream_count() < 10; id += 2)
        EXPECT_EQ(s.feed(update(id, 0, flag::syn)), Kinds{Kind::opened});
    for (int i = 0; i < 20; ++i, id += 2)
        EXPECT_EQ(s.feed(update(id, 0, flag::syn)), Kinds{}) << "refused";
    const auto headers = s.written();
    EXPECT_EQ(headers.size(), 20U);
    for (const auto& header : headers)
        EXPECT_EQ(header.flags, flag::rst);
    EXPECT_EQ(s.feed(update(id, 0, flag::syn)), Kinds{Kind::failed});
    EXPECT_TRUE(s.went_away());
}

TEST(Yamux, ARapidResetEndsTheConnectionAndASlowOneDoesNot) {
    YamuxOptions options = quiet();
    options.resets = {.rate_per_s = 10, .burst = 100};
    Subject rapid{options};
    std::uint32_t id = 1;
    for (; !rapid.yamux.ended(); id += 2) {
        (void)rapid.feed(update(id, 0, flag::syn));
        (void)rapid.feed(update(id, 0, flag::rst));
        ASSERT_LT(id, 1'000U);
    }
    EXPECT_EQ(id, 1U + 2 * 101);
    EXPECT_EQ(rapid.yamux.stream_count(), 0U);

    Subject slow{options};
    Instant now = start;
    for (id = 1; id < 2'000; id += 2) {
        now = now + Duration::from_ms(100);
        (void)slow.feed(update(id, 0, flag::syn), now);
        (void)slow.feed(update(id, 0, flag::rst), now);
    }
    EXPECT_FALSE(slow.yamux.ended());
}

TEST(Yamux, APingFloodIsAnsweredInPart) {
    Subject s;
    for (std::uint32_t i = 0; i < 10'000; ++i)
        (void)s.feed(frame({.type = Type::ping, .flags = flag::syn, .length = i}));
    const auto headers = s.written();
    ASSERT_EQ(headers.size(), 32U);
    EXPECT_EQ(headers[7], (Header{Type::ping, flag::ack, 0, 7}));
    (void)s.feed(frame({.type = Type::ping, .flags = flag::syn, .length = 1}));
    EXPECT_EQ(s.written().size(), 1U) << "answers again once the last were taken";
}

TEST(Yamux, APingThatNobodySentIsNotAnswered) {
    Subject s;
    EXPECT_EQ(s.feed(frame({.type = Type::ping, .flags = flag::ack, .length = 5})), Kinds{});
    EXPECT_FALSE(s.yamux.ended());
    EXPECT_EQ(s.yamux.round_trip(), std::nullopt);
}

TEST(Yamux, PingsEveryIntervalAndEndsWithoutAnAnswer) {
    YamuxOptions options;
    Subject s{options};
    EXPECT_EQ(s.written().size(), 1U);
    EXPECT_EQ(s.yamux.next_deadline(), start + Duration::from_s(10));
    (void)s.feed(frame({.type = Type::ping, .flags = flag::ack, .length = 1}));
    const Instant second = start + Duration::from_s(30);
    EXPECT_EQ(s.yamux.next_deadline(), second);
    s.yamux.on_time(second);
    s.yamux.on_time(second + Duration::from_s(1));
    EXPECT_EQ(s.written().size(), 1U) << "never two at once";
    s.yamux.on_time(second + Duration::from_s(10));
    EXPECT_EQ(s.feed({}), Kinds{Kind::failed});
    EXPECT_EQ(s.yamux.error()->code, ErrorCode::timeout);
    EXPECT_EQ(s.yamux.next_deadline(), Instant::max());
}

TEST(Yamux, AStreamWhosePeerNeverReadsIsReset) {
    Subject s;
    (void)s.feed(update(1, 0, flag::syn));
    (void)s.feed(update(3, 0, flag::syn));
    ASSERT_TRUE(s.yamux.send(StreamId{1}, Bytes(std::size_t{2} * window), start));
    ASSERT_TRUE(s.yamux.send(StreamId{3}, Bytes(std::size_t{2} * window), start));
    (void)s.written();
    const Duration timeout = Duration::from_s(60);
    Instant now = s.yamux.next_deadline();
    EXPECT_EQ(now, start + timeout);
    s.yamux.on_time(now);  // the first windows went out since
    EXPECT_EQ(s.feed({}), Kinds{});
    (void)s.feed(update(3, 1'000));
    (void)s.written();
    now = s.yamux.next_deadline();
    EXPECT_EQ(now, start + timeout * 2);
    s.yamux.on_time(now);
    EXPECT_EQ(s.feed({}), Kinds{Kind::stalled});
    EXPECT_EQ(s.last.stream, StreamId{1}) << "the other one moved";
    EXPECT_EQ(s.written(), (std::vector{Header{Type::window_update, flag::rst, 1, 0}}));
    EXPECT_EQ(s.yamux.stream_count(), 1U);
}

TEST(Yamux, StopsOpeningWhenThePeerDoesNotAcknowledge) {
    Yamux dialer{Role::initiator, quiet(), start};
    for (int i = 0; i < 256; ++i)
        ASSERT_TRUE(dialer.open(start));
    EXPECT_EQ(dialer.open(start).error().code, ErrorCode::limit);
    const Bytes ack = update(1, 0, flag::ack);
    ByteView input{ack};
    EXPECT_FALSE(dialer.next(input, start));
    EXPECT_TRUE(dialer.open(start));
    dialer.reset(StreamId{3});
    EXPECT_TRUE(dialer.open(start)) << "what we reset needs no acknowledgement";
    EXPECT_FALSE(dialer.open(start));
}

TEST(Yamux, AGoAwayLetsOpenStreamsEnd) {
    Subject s;
    (void)s.feed(update(1, 0, flag::syn));
    EXPECT_EQ(s.feed(frame({.type = Type::go_away})), Kinds{Kind::going_away});
    EXPECT_EQ(s.feed(frame({.type = Type::go_away})), Kinds{});
    EXPECT_EQ(s.yamux.open(start).error().code, ErrorCode::unavailable);
    EXPECT_EQ(s.feed(data_frame(1, 5)), Kinds{Kind::data});
    EXPECT_EQ(s.feed(frame({.type = Type::go_away, .length = 1})), Kinds{Kind::failed});
    EXPECT_EQ(s.yamux.error()->code, ErrorCode::unavailable);
    EXPECT_TRUE(s.written().empty()) << "nobody is there to be told";
}

TEST(Yamux, SmallSendsShareAFrameAndLargeOnesAreCutInTurns) {
    Subject s;
    (void)s.feed(update(1, 0, flag::syn));
    (void)s.feed(update(3, 1U << 20U, flag::syn));
    (void)s.feed(update(5, 1U << 20U, flag::syn));
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(s.yamux.send(StreamId{1}, Bytes(10), start));
    const auto joined = s.written();
    ASSERT_EQ(joined.size(), 1U);
    EXPECT_EQ(joined[0].length, 1'000U);
    ASSERT_TRUE(s.yamux.send(StreamId{3}, Bytes(600'000), start));
    ASSERT_TRUE(s.yamux.send(StreamId{5}, Bytes(600'000), start));
    const auto turns = s.written_at_once();
    ASSERT_GE(turns.size(), 4U);
    EXPECT_EQ(turns[0].stream, 3U);
    EXPECT_EQ(turns[1].stream, 5U);
    EXPECT_EQ(turns[2].stream, 3U);
    EXPECT_TRUE(s.yamux.has_output()) << "the rest waits until this was taken";
}

/// One end of a random conversation: opens, sends, finishes, consumes, and checks what comes.
class Talker {
public:
    explicit Talker(Role role) : yamux_{role, quiet(), start} {}

    void act(Prng& prng) {
        if (opened_ < 5 && prng.chance(1, 3)) {
            known_.push_back(*yamux_.open(start));
            ++opened_;
        }
        for (const StreamId id : known_) {
            if (prng.chance(1, 3)) send(id, prng.below(100'000), prng);
            if (prng.chance(1, 10)) finish(id);
            if (prng.chance(1, 2)) pay(id, prng.below(owed_[id] + 1));
        }
    }
    void wind_up() {
        for (const StreamId id : known_) {
            finish(id);
            pay(id, owed_[id]);
        }
    }
    void receive(ByteView part) {
        while (const auto event = yamux_.next(part, start)) {
            ASSERT_NE(event->kind, Kind::failed) << yamux_.error()->message;
            if (event->kind == Kind::opened) known_.push_back(event->stream);
            if (event->kind != Kind::data) continue;
            auto& bytes = received[event->stream];
            bytes.insert(bytes.end(), event->data.begin(), event->data.end());
            owed_[event->stream] += event->data.size();
            ASSERT_LE(owed_[event->stream], window);
        }
    }
    bool write_to(Bytes& wire) {
        const ByteView out = yamux_.output();
        wire.insert(wire.end(), out.begin(), out.end());
        const bool wrote = !out.empty();
        yamux_.clear_output();
        return wrote;
    }
    [[nodiscard]] std::size_t stream_count() const { return yamux_.stream_count(); }

    std::map<StreamId, Bytes> sent;
    std::map<StreamId, Bytes> received;

private:
    void send(StreamId id, std::size_t size, Prng& prng) {
        const Bytes bytes(size, static_cast<std::uint8_t>(prng.next()));
        if (!yamux_.send(id, bytes, start) || bytes.empty()) return;
        sent[id].insert(sent[id].end(), bytes.begin(), bytes.end());
    }
    void finish(StreamId id) { yamux_.finish(id); }
    void pay(StreamId id, std::size_t count) {
        yamux_.consume(id, count, start);
        owed_[id] -= count;
    }

    Yamux yamux_;
    int opened_ = 0;
    std::vector<StreamId> known_;
    std::map<StreamId, std::size_t> owed_;
};

TEST(Yamux, RandomTrafficArrivesWholeAndLeavesNothingBehind) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(seed);
        Prng prng{seed};
        Talker a{Role::initiator};
        Talker b{Role::responder};
        Bytes to_a;
        Bytes to_b;
        const auto deliver = [&](Talker& to, Bytes& wire) {
            if (wire.empty()) return;
            const std::size_t size = prng.between(1, wire.size());
            to.receive(ByteView{wire}.first(size));
            wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size));
        };
        for (int step = 0; step < 100; ++step) {
            a.act(prng);
            b.act(prng);
            (void)a.write_to(to_b);
            (void)b.write_to(to_a);
            deliver(a, to_a);
            deliver(b, to_b);
        }
        bool moved = true;
        while (moved || !to_a.empty() || !to_b.empty()) {
            a.wind_up();
            b.wind_up();
            moved = a.write_to(to_b);
            moved = b.write_to(to_a) || moved;
            deliver(a, to_a);
            deliver(b, to_b);
        }
        EXPECT_EQ(a.received, b.sent);
        EXPECT_EQ(b.received, a.sent);
        EXPECT_EQ(a.stream_count() + b.stream_count(), 0U);
    }
}

}  // namespace
}  // namespace creto::p2p
