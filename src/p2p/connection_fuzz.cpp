// Any bytes from a socket to either role, and any bytes from an authenticated peer: no crash, no
// establishment by accident, Closed is said once and last.
#include <algorithm>

#include "base/assert.hpp"
#include "p2p/connection_pair.hpp"

namespace {

using namespace creto;
using namespace creto::p2p;

void check_events(const std::vector<ConnectionEvent>& events, bool closed) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        const bool last = i + 1 == events.size();
        CRETO_ASSERT(std::holds_alternative<Closed>(events[i]) == (last && closed));
    }
}

void from_a_stranger(Role role, ByteView input) {
    Connection connection{test_options(role, 1), Instant{}};
    connection.on_bytes(input, Instant{});
    CRETO_ASSERT(!connection.established());
    check_events(connection.take_events(), connection.closed());
    (void)connection.take_output();
}

/// Yamux frames of the fuzzer's choice, sealed by a peer who holds its keys.
void from_a_peer(ByteView input) {
    auto options = test_options(Role::initiator, 1);
    NoiseHandshake peer{
        {.role = Role::responder,
         .self = TestIdentity{2}.key,
         .sign = TestIdentity{2}.signer(),
         .verify = ed25519_verify_raw,
         .static_secret = TestIdentity::bytes_of(1),
         .ephemeral_secret = TestIdentity::bytes_of(2),
         .expected_peer = std::nullopt,
         .muxers = {"/yamux/1.0.0"}}};
    Connection connection{std::move(options), Instant{}};
    const Bytes hello = connection.take_output();
    constexpr std::size_t lines_bytes = 28;  // the header and /noise, which the peer echoes
    Bytes answer(hello.begin(), hello.begin() + lines_bytes);
    ByteView message = ByteView{hello}.subspan(lines_bytes);
    CRETO_ASSERT(peer.on_bytes(message, answer).has_value());
    connection.on_bytes(answer, Instant{});
    const Bytes third = connection.take_output();
    message = third;
    CRETO_ASSERT(peer.on_bytes(message, answer).has_value());
    CRETO_ASSERT(connection.established());
    const auto stream = connection.open("/echo/1", Instant{});
    CRETO_ASSERT(stream.has_value());
    (void)connection.take_events();

    const auto session = peer.session();
    Bytes sealed;
    session->seal(input, sealed);
    connection.on_bytes(sealed, Instant{});
    const auto events = connection.take_events();
    check_events(events, connection.closed());
    for (const auto& event : events) {
        if (const auto* data = std::get_if<StreamData>(&event)) {
            connection.consume(data->stream, data->data.size(), Instant{});
            (void)connection.send(data->stream, data->data, Instant{});
        }
    }
    (void)connection.take_output();
    connection.on_time(Instant{} + Duration::from_s(20));
    check_events(connection.take_events(), connection.closed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input{data, size};
    from_a_stranger(Role::initiator, input);
    from_a_stranger(Role::responder, input);
    from_a_peer(input);
    return 0;
}
