// Ping: what agents say to each other to find out who is alive.
//
// Why      mesh/liveness.hpp says how they are used.
// Holds    A Suspicion is the opinion of whoever sends it, and the link says who that is: it is not
//          signed, proves nothing and is passed on by nobody who has not looked for himself. An
//          Alive is signed by the agent that it speaks of, so that it may go through any hands.
// Units    Versions are those of the agent's record: one counter of the agent's own, which only
//          grows, also over restarts.
#pragma once

#include <optional>
#include <vector>

#include "model/checks.hpp"
#include "model/ids.hpp"
#include "model/limits.hpp"

namespace creto {

/// What one agent thinks of another.
enum class AgentState : std::uint8_t { alive, suspect, dead };
[[nodiscard]] const char* to_string(AgentState state);

/// "I live": what a suspected agent answers, with a version that was never seen before.
struct Alive {
    AgentId agent;
    std::uint64_t version = 0;
    Signature signature;
    friend bool operator==(const Alive&, const Alive&) = default;
};
/// "It does not answer me": the agent, and its newest version that the sender has seen.
struct Suspicion {
    AgentId agent;
    std::uint64_t version = 0;
    friend bool operator==(const Suspicion&, const Suspicion&) = default;
};
/// News that ride on pings and answers.
struct Rumours {
    std::vector<Suspicion> suspicions;
    std::vector<Alive> alive;
    friend bool operator==(const Rumours&, const Rumours&) = default;
};

/// "Are you there?" Whoever is told of a suspicion of himself answers with an Alive.
struct Ping {
    std::uint64_t nonce = 0;
    std::optional<std::uint64_t> prove;  ///< For somebody else: by an Alive above this version.
    Rumours rumours;
    friend bool operator==(const Ping&, const Ping&) = default;
};
struct PingAnswer {
    std::uint64_t nonce = 0;
    Rumours rumours;
    friend bool operator==(const PingAnswer&, const PingAnswer&) = default;
};
/// Asks somebody else to ping an agent that does not answer, and to bring an Alive of it above this
/// version.
struct PingRequest {
    std::uint64_t nonce = 0;
    AgentId agent;
    std::uint64_t version = 0;
    friend bool operator==(const PingRequest&, const PingRequest&) = default;
};
/// What came of it: the agent's own word, or nothing.
struct PingReport {
    std::uint64_t nonce = 0;
    std::optional<Alive> alive;
    friend bool operator==(const PingReport&, const PingReport&) = default;
};

[[nodiscard]] Bytes signing_bytes(const Alive& alive);
/// One for each.
[[nodiscard]] std::vector<CheckItem> signatures_of(
    const std::vector<Alive>& said, const ChainId& chain
);

void encode(Writer& w, const Alive& v);
void decode(Reader& r, Alive& v);
void encode(Writer& w, const Ping& v);
void decode(Reader& r, Ping& v);
void encode(Writer& w, const PingAnswer& v);
void decode(Reader& r, PingAnswer& v);
void encode(Writer& w, const PingRequest& v);
void decode(Reader& r, PingRequest& v);
void encode(Writer& w, const PingReport& v);
void decode(Reader& r, PingReport& v);

}  // namespace creto
