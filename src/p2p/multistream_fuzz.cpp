// Both sides end in the same state whether the input comes whole or byte by byte, and a listener's
// answers are bounded.
#include <algorithm>

#include "base/assert.hpp"
#include "p2p/multistream.hpp"

namespace {

using creto::Bytes;
using creto::ByteView;
using creto::p2p::Negotiation;

struct Outcome {
    Negotiation state = Negotiation::running;
    Bytes out;
    std::size_t left = 0;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

template <class Feed>
Outcome run(ByteView input, std::size_t step, Feed&& feed) {
    Outcome outcome;
    while (!input.empty() && outcome.state == Negotiation::running) {
        ByteView part = input.first(std::min(step, input.size()));
        const std::size_t size = part.size();
        outcome.state = feed(part, outcome.out);
        input = input.subspan(size - part.size());
    }
    outcome.left = outcome.state == Negotiation::agreed ? input.size() : 0;
    return outcome;
}

Outcome listen(ByteView input, std::size_t step) {
    const std::vector<std::string> served{"/a", "/b"};
    creto::p2p::MultistreamListener listener;
    return run(input, step, [&](ByteView& part, Bytes& out) {
        return listener.on_bytes(part, served, out);
    });
}

Outcome dial(ByteView input, std::size_t step) {
    creto::p2p::MultistreamDialer dialer{{"/a", "/b"}};
    return run(input, step, [&](ByteView& part, Bytes& out) { return dialer.on_bytes(part, out); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input{data, size};
    const Outcome heard = listen(input, size + 1);
    CRETO_ASSERT(heard == listen(input, 1));
    CRETO_ASSERT(heard.out.size() <= 20 + 4 * creto::p2p::limits::proposals_max);
    CRETO_ASSERT(dial(input, size + 1) == dial(input, 1));
    return 0;
}
