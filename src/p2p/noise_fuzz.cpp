// Handshake messages, their payloads and sealed frames of any bytes: no crash, no wrong yes, and
// the same answer in any segmentation.
#include <algorithm>
#include <memory>

#include "base/assert.hpp"
#include "p2p/noise.hpp"

namespace {

using namespace creto;
using namespace creto::p2p;

NoiseHandshake::Options options(Role role) {
    Key32 secret{};
    secret.fill(3);
    return {
        .role = role,
        .self = {},
        .sign = [](ByteView) { return Signature{}; },
        .verify = [](const PublicKey&, ByteView, const Signature&) { return true; },
        .static_secret = secret,
        .ephemeral_secret = secret,
        .expected_peer = std::nullopt,
        .muxers = {}};
}

/// True when the handshake failed. It can never be done: nobody guesses a tag.
bool shake(Role role, ByteView input, std::size_t step) {
    NoiseHandshake handshake{options(role)};
    Bytes out;
    handshake.start(out);
    while (!input.empty()) {
        ByteView part = input.first(std::min(step, input.size()));
        input = input.subspan(part.size());
        const auto progress = handshake.on_bytes(part, out);
        if (!progress) return true;
        CRETO_ASSERT(*progress == NoiseHandshake::Progress::running && part.empty());
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input{data, size};
    for (const Role role : {Role::initiator, Role::responder})
        CRETO_ASSERT(shake(role, input, size + 1) == shake(role, input, 1));
    if (const auto payload = decode_noise_payload(input)) {
        CRETO_ASSERT(decode_noise_payload(encode_noise_payload(*payload)) == payload);
    }
    NoiseSession session{Key32{}, Key32{}};
    const auto scratch = std::make_unique<NoiseScratch>();
    ByteView rest = input;
    while (true) {
        const auto plain = session.next(rest, *scratch);
        if (!plain || !*plain) break;
    }
    return 0;
}
