// What one core carries through two joined connections: both ends' work is counted.
#include <benchmark/benchmark.h>

#include "p2p/connection_pair.hpp"
#include "p2p/framing.hpp"

namespace creto::p2p {
namespace {

void handshakes(benchmark::State& state) {
    for (auto _ : state) {
        ConnectionPair pair;
        pair.run();
        if (!pair.a.connection.established()) state.SkipWithError("not established");
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(handshakes)->Unit(benchmark::kMicrosecond);

/// Framed messages on one stream, `burst` of them in one write.
void framed_messages(benchmark::State& state) {
    const auto burst = static_cast<int>(state.range(0));
    ConnectionPair pair;
    pair.run();
    const auto stream = pair.a.connection.open("/call/1", pair.now);
    Bytes framed;
    append_frame(framed, Bytes(100));
    FrameReader reader{1 << 10};
    std::int64_t received = 0;
    for (auto _ : state) {
        for (int i = 0; i < burst; ++i)
            (void)pair.a.connection.send(*stream, framed, pair.now);
        pair.run();
        const Bytes data = pair.b.take_data(*stream, pair.now);
        ByteView rest{data};
        while (true) {
            const auto frame = reader.next(rest);
            if (!frame || !*frame) break;
            ++received;
        }
    }
    if (received != state.iterations() * burst) state.SkipWithError("messages are missing");
    state.SetItemsProcessed(received);
}
BENCHMARK(framed_messages)->ArgName("burst")->Arg(1)->Arg(16)->Arg(256);

/// A stream for each call: open, request, end, answer, end.
void call_streams(benchmark::State& state) {
    const auto parallel = static_cast<int>(state.range(0));
    ConnectionPair pair;
    pair.run();
    const Bytes request(100);
    for (auto _ : state) {
        for (int i = 0; i < parallel; ++i) {
            const auto stream = pair.a.connection.open("/call/1", pair.now);
            (void)pair.a.connection.send(*stream, request, pair.now);
            pair.a.connection.finish(*stream);
        }
        pair.run();
        for (const auto& event : std::exchange(pair.b.events, {})) {
            const auto* finished = std::get_if<StreamFinished>(&event);
            if (finished == nullptr) continue;
            (void)pair.b.connection.send(finished->stream, request, pair.now);
            pair.b.connection.finish(finished->stream);
        }
        pair.run();
        pair.a.events.clear();
        if (pair.a.connection.stream_count() != 0) state.SkipWithError("calls are missing");
    }
    state.SetItemsProcessed(state.iterations() * parallel);
}
BENCHMARK(call_streams)->ArgName("parallel")->Arg(1)->Arg(64);

/// Bulk in pieces of 64 KiB, as a host reads and writes a socket.
void bulk(benchmark::State& state) {
    constexpr std::size_t piece_bytes = 64 * 1'024;
    ConnectionPair pair;
    pair.run();
    const auto stream = pair.a.connection.open("/call/1", pair.now);
    const Bytes piece(piece_bytes);
    Bytes wire;
    std::int64_t received = 0;
    for (auto _ : state) {
        (void)pair.a.connection.send(*stream, piece, pair.now);
        wire.clear();
        pair.a.connection.take_output(wire);
        for (ByteView rest{wire}; !rest.empty();) {
            const ByteView part = rest.first(std::min(rest.size(), piece_bytes));
            rest = rest.subspan(part.size());
            pair.b.connection.on_bytes(part, pair.now);
        }
        for (const auto& event : pair.b.connection.take_events()) {
            const auto* data = std::get_if<StreamData>(&event);
            if (data == nullptr) continue;
            received += static_cast<std::int64_t>(data->data.size());
            pair.b.connection.consume(*stream, data->data.size(), pair.now);
        }
        pair.a.connection.on_bytes(pair.b.connection.take_output(), pair.now);
    }
    if (received != state.iterations() * static_cast<std::int64_t>(piece_bytes)) {
        state.SkipWithError("bytes are missing");
    }
    state.SetBytesProcessed(received);
}
BENCHMARK(bulk);

}  // namespace
}  // namespace creto::p2p
