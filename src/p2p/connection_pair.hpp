// ConnectionPair: two connections joined in memory, for tests and benchmarks.
//
// Holds    Deterministic: keys, cuts and time follow from the seed. Each side's events are kept
//          until the test takes them.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.hpp"
#include "p2p/connection.hpp"

namespace creto::p2p {

/// An identity whose one statement is signed once, as a host with one static key does.
struct TestIdentity {
    explicit TestIdentity(std::uint64_t number)
        : seed{seed_of(number)}, key{ed25519_public_key(seed)} {}

    [[nodiscard]] static Key32 bytes_of(std::uint64_t number) {
        Prng prng{number};
        Key32 out{};
        for (auto& byte : out)
            byte = static_cast<std::uint8_t>(prng.next());
        return out;
    }
    [[nodiscard]] static KeySeed seed_of(std::uint64_t number) { return KeySeed{bytes_of(number)}; }
    [[nodiscard]] IdentitySigner signer() const {
        return [copy = seed](ByteView bytes) { return ed25519_sign_raw(copy, bytes); };
    }

    KeySeed seed;
    PublicKey key;
};

inline Connection::Options test_options(Role role, std::uint64_t number) {
    const TestIdentity identity{number};
    return {
        .role = role,
        .self = identity.key,
        .sign = identity.signer(),
        .verify = ed25519_verify_raw,
        .noise_static_seed = TestIdentity::bytes_of(number * 1'000 + 1),
        .noise_ephemeral_seed = TestIdentity::bytes_of(number * 1'000 + 2),
        .expected_peer = std::nullopt,
        .protocols = {"/echo/1", "/call/1"}};
}

class ConnectionPair {
public:
    /// One end, its events, and the bytes under way to it.
    struct End {
        explicit End(Connection::Options options, Instant now)
            : connection{std::move(options), now} {}
        Connection connection;
        std::vector<ConnectionEvent> events;
        Bytes inbox;

        /// Takes the first event of this kind out of the kept ones.
        template <class Event>
        std::optional<Event> take() {
            const auto it = std::find_if(events.begin(), events.end(), [](const auto& event) {
                return std::holds_alternative<Event>(event);
            });
            if (it == events.end()) return std::nullopt;
            Event event = std::get<Event>(std::move(*it));
            events.erase(it);
            return event;
        }
        /// All bytes received on the stream so far, taken out and paid back.
        Bytes take_data(StreamId id, Instant at) {
            Bytes all;
            std::erase_if(events, [&](const ConnectionEvent& event) {
                const auto* data = std::get_if<StreamData>(&event);
                if (data == nullptr || data->stream != id) return false;
                all.insert(all.end(), data->data.begin(), data->data.end());
                return true;
            });
            connection.consume(id, all.size(), at);
            return all;
        }
    };

    ConnectionPair(Connection::Options dialer, Connection::Options listener)
        : a{std::move(dialer), now}, b{std::move(listener), now} {}
    ConnectionPair()
        : ConnectionPair{test_options(Role::initiator, 1), test_options(Role::responder, 2)} {}

    /// Carries bytes both ways until nothing is under way. `cut` chooses the parts' sizes; without
    /// it the bytes come as they were written.
    void run(Prng* cut = nullptr) {
        bool moved = true;
        while (moved) {
            collect(a, b);
            collect(b, a);
            moved = deliver(a, cut);
            moved = deliver(b, cut) || moved;
        }
    }

    Instant now = Instant::from_ns(1'000'000'000);
    End a;
    End b;

private:
    static void collect(End& from, End& to) {
        while (from.connection.has_output())
            from.connection.take_output(to.inbox);
    }
    bool deliver(End& to, Prng* cut) {
        if (to.inbox.empty()) return false;
        const std::size_t size =
            cut == nullptr ? to.inbox.size() : cut->between(1, to.inbox.size());
        const ByteView part = ByteView{to.inbox}.first(size);
        to.connection.on_bytes(part, now);
        to.inbox.erase(to.inbox.begin(), to.inbox.begin() + static_cast<std::ptrdiff_t>(size));
        auto events = to.connection.take_events();
        std::move(events.begin(), events.end(), std::back_inserter(to.events));
        return true;
    }
};

}  // namespace creto::p2p
