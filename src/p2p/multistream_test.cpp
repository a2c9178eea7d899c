#include "p2p/multistream.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"

namespace creto::p2p {
namespace {

/// What the listener of these tests serves.
std::vector<std::string> served() {
    return {"/a/1", "/b/1"};
}

Bytes lines_of(const std::vector<std::string>& texts) {
    Bytes out;
    for (const auto& text : texts)
        append_line(out, text);
    return out;
}

TEST(Multistream, WritesTheBytesOfOtherImplementations) {
    EXPECT_EQ(
        to_hex(lines_of({std::string{multistream_header}, "/noise", "na"})),
        "132f6d756c746973747265616d2f312e302e300a072f6e6f6973650a036e610a"
    );
    Bytes start;
    MultistreamDialer{{"/noise"}}.start(start);
    EXPECT_EQ(start, lines_of({std::string{multistream_header}, "/noise"}));
}

TEST(Multistream, LongNamesTakeATwoByteLength) {
    const std::string name(130, 'x');
    const Bytes wire = lines_of({name});
    EXPECT_EQ(to_hex(ByteView{wire}.first(2)), "8301");
    LineReader reader;
    ByteView input{wire};
    std::string_view line;
    ASSERT_EQ(reader.next(input, line), LineReader::Status::line);
    EXPECT_EQ(line, name);
}

/// Runs both sides until nothing moves, cutting the bytes into random parts.
void negotiate(
    MultistreamDialer& dialer,
    MultistreamListener& listener,
    ByteView early,
    Bytes& to_listener_rest,
    Prng& prng
) {
    Bytes to_listener;
    Bytes to_dialer;
    dialer.start(to_listener);
    to_listener.insert(to_listener.end(), early.begin(), early.end());
    while (!to_listener.empty() || !to_dialer.empty()) {
        const auto deliver = [&](Bytes& from, auto&& take) {
            if (from.empty()) return;
            const std::size_t size = prng.between(1, from.size());
            const Bytes part(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
            from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
            ByteView view{part};
            take(view);
        };
        deliver(to_listener, [&](ByteView& part) {
            listener.on_bytes(part, served(), to_dialer);
            to_listener_rest.insert(to_listener_rest.end(), part.begin(), part.end());
        });
        deliver(to_dialer, [&](ByteView& part) {
            dialer.on_bytes(part, to_listener);
            EXPECT_TRUE(part.empty());
        });
    }
}

TEST(Multistream, AgreesOnTheFirstServedProposalInAnySegmentation) {
    Prng prng{3};
    for (int round = 0; round < 200; ++round) {
        MultistreamDialer dialer{{"/x/1", "/b/1", "/a/1"}};
        MultistreamListener listener;
        Bytes rest;
        negotiate(dialer, listener, {}, rest, prng);
        EXPECT_EQ(dialer.state(), Negotiation::agreed);
        EXPECT_EQ(listener.state(), Negotiation::agreed);
        EXPECT_EQ(dialer.protocol(), "/b/1");
        EXPECT_EQ(listener.protocol(), "/b/1");
        EXPECT_TRUE(rest.empty());
    }
}

TEST(Multistream, HandsOnTheBytesBehindTheAgreement) {
    Prng prng{4};
    const Bytes early = to_bytes("\x13/multistream/1.0.0\nthis is data, not a line");
    for (int round = 0; round < 200; ++round) {
        MultistreamDialer dialer{{"/a/1"}};
        MultistreamListener listener;
        Bytes rest;
        negotiate(dialer, listener, early, rest, prng);
        EXPECT_EQ(listener.state(), Negotiation::agreed);
        EXPECT_EQ(rest, early);
    }
}

TEST(Multistream, TheDialerIsRefusedWhenNothingIsServed) {
    Prng prng{5};
    MultistreamDialer dialer{{"/x/1", "/y/1"}};
    MultistreamListener listener;
    Bytes rest;
    negotiate(dialer, listener, {}, rest, prng);
    EXPECT_EQ(dialer.state(), Negotiation::refused);
    EXPECT_EQ(listener.state(), Negotiation::running);
}

TEST(Multistream, TheListenerAnswersABoundedNumberOfProposals) {
    Bytes wire = lines_of({std::string{multistream_header}});
    for (int i = 0; i < 10'000; ++i)
        append_line(wire, "/no/such/1");
    MultistreamListener listener;
    ByteView input{wire};
    Bytes out;
    EXPECT_EQ(listener.on_bytes(input, served(), out), Negotiation::refused);
    EXPECT_EQ(out.size(), 20 + 4 * limits::proposals_max);
    EXPECT_EQ(listener.on_bytes(input, served(), out), Negotiation::refused) << "and no more";
}

TEST(Multistream, ListIsAnsweredWithNotAvailable) {
    const Bytes wire = lines_of({std::string{multistream_header}, "ls", "/a/1"});
    MultistreamListener listener;
    ByteView input{wire};
    Bytes out;
    EXPECT_EQ(listener.on_bytes(input, served(), out), Negotiation::agreed);
    EXPECT_EQ(out, lines_of({std::string{multistream_header}, "na", "/a/1"}));
}

TEST(Multistream, RefusesLinesThatAreNotLines) {
    const auto state_after = [](const Bytes& wire) {
        MultistreamListener listener;
        ByteView input{wire};
        Bytes out;
        return listener.on_bytes(input, served(), out);
    };
    EXPECT_EQ(state_after(to_bytes("GET / HTTP/1.1\r\n\r\n")), Negotiation::running);  // 'G' = 71
    EXPECT_EQ(state_after(Bytes(100, 'G')), Negotiation::malformed);
    EXPECT_EQ(state_after({0x00}), Negotiation::malformed);
    EXPECT_EQ(state_after({0x93, 0x00}), Negotiation::malformed) << "padded length";
    EXPECT_EQ(state_after({0x80, 0x80}), Negotiation::malformed) << "a third length byte";
    EXPECT_EQ(state_after({0x81, 0x08}), Negotiation::malformed) << "1,025 bytes";
    EXPECT_EQ(state_after({0x80, 0x08}), Negotiation::running) << "1,024 bytes";
    EXPECT_EQ(state_after(lines_of({"/multistream/2.0.0"})), Negotiation::malformed);
}

TEST(Multistream, TheDialerRefusesAnAnswerToAnotherQuestion) {
    MultistreamDialer dialer{{"/a/1"}};
    const Bytes wire = lines_of({std::string{multistream_header}, "/b/1"});
    ByteView input{wire};
    Bytes out;
    EXPECT_EQ(dialer.on_bytes(input, out), Negotiation::malformed);
}

TEST(Multistream, NamesAreBounded) {
    EXPECT_TRUE(is_protocol_name(std::string(140, 'x')));
    EXPECT_FALSE(is_protocol_name(std::string(141, 'x')));
    EXPECT_FALSE(is_protocol_name(""));
    EXPECT_FALSE(is_protocol_name("na"));
    EXPECT_FALSE(is_protocol_name("/a\n"));
}

}  // namespace
}  // namespace creto::p2p
