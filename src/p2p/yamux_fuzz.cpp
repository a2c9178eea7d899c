// Frames of any bytes, whole or byte by byte, with an application that consumes, answers and
// resets: no crash, the same events, windows held, and nothing left once the connection ended.
#include <algorithm>
#include <map>

#include "base/assert.hpp"
#include "p2p/yamux.hpp"

namespace {

using namespace creto;
using namespace creto::p2p;

struct Trace {
    std::vector<std::pair<YamuxEvent::Kind, StreamId>> events;  ///< Without data.
    std::map<StreamId, Bytes> data;
    Bytes out;
    friend bool operator==(const Trace&, const Trace&) = default;
};

/// An application that is decided by the stream's number alone, so that both runs do the same.
void react(Yamux& yamux, const YamuxEvent& event, std::map<StreamId, std::size_t>& owed) {
    const Instant now;
    const StreamId id = event.stream;
    switch (event.kind) {
        case YamuxEvent::Kind::opened:
            if (id.value() % 8 == 3) yamux.reset(id);
            if (id.value() % 8 == 5) (void)yamux.send(id, Bytes(300'000), now);
            break;
        case YamuxEvent::Kind::data:
            owed[id] += event.data.size();
            CRETO_ASSERT(owed[id] <= yamux::initial_window);
            // At a full window, which is the same byte however the input was cut.
            if (id.value() % 8 == 1 && owed[id] == yamux::initial_window) {
                yamux.consume(id, owed[id], now);
                owed[id] = 0;
            }
            break;
        case YamuxEvent::Kind::finished:
            yamux.finish(id);
            break;
        case YamuxEvent::Kind::reset:
            CRETO_ASSERT(!yamux.send(id, Bytes(1), now));
            break;
        default:
            break;
    }
}

Trace run(ByteView input, std::size_t step) {
    YamuxOptions options{.inbound_streams_max = 20};
    options.resets = {.rate_per_s = 1, .burst = 10};
    Yamux yamux{Role::responder, options, Instant{}};
    (void)yamux.open(Instant{});
    Trace trace;
    std::map<StreamId, std::size_t> owed;
    while (!input.empty()) {
        ByteView part = input.first(std::min(step, input.size()));
        input = input.subspan(part.size());
        while (const auto event = yamux.next(part, Instant{})) {
            react(yamux, *event, owed);
            if (event->kind == YamuxEvent::Kind::opened) owed[event->stream] = 0;
            if (event->kind == YamuxEvent::Kind::data) {
                auto& data = trace.data[event->stream];
                data.insert(data.end(), event->data.begin(), event->data.end());
            } else {
                trace.events.emplace_back(event->kind, event->stream);
            }
        }
        CRETO_ASSERT(part.empty());
        CRETO_ASSERT(yamux.stream_count() <= options.inbound_streams_max + 1);
        CRETO_ASSERT(!yamux.ended() || yamux.stream_count() == 0);
    }
    const ByteView out = yamux.output();
    trace.out.assign(out.begin(), out.end());
    return trace;
}

/// Frames in step, each of four bytes of the input: type, flags, stream, and a telling length.
Bytes frames_of(ByteView input) {
    constexpr std::uint32_t window = yamux::initial_window;
    constexpr std::array<std::uint32_t, 8> lengths{
        0, 1, 100, window / 2, window, window + 1, 0xFFFFFFFF, 7};
    Bytes out;
    for (; input.size() >= 4 && out.size() < (4U << 20U); input = input.subspan(4)) {
        const yamux::Header header{
            .type = yamux::Type{static_cast<std::uint8_t>(input[0] % 4)},
            .flags = static_cast<std::uint16_t>(input[1] % 16),
            .stream = input[2] % 32U,
            .length = lengths[input[3] % lengths.size()]};
        yamux::encode(header, out);
        const bool has_body = header.type == yamux::Type::data && header.length <= window;
        if (has_body) out.resize(out.size() + header.length);
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // The first byte chooses: bytes as they are, or frames that stay in step.
    const ByteView rest{data + 1, size - 1};
    const Bytes framed = data[0] % 2 == 0 ? Bytes{} : frames_of(rest);
    const ByteView input = data[0] % 2 == 0 ? rest : ByteView{framed};
    const Trace whole = run(input, input.size() + 1);
    const Trace bytewise = run(input, data[0] % 2 == 0 ? 1 : 5'003);
    CRETO_ASSERT(whole == bytewise);
    return 0;
}
