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
            if (id.value() % 8 == 1) {
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input{data, size};
    const Trace whole = run(input, size + 1);
    const Trace bytewise = run(input, 1);
    CRETO_ASSERT(whole == bytewise);
    return 0;
}
