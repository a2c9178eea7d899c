// AgentRecord: what an agent says of itself: name, addresses, tools, seat. Signed and versioned.
//
// Why      Discovery spreads these; whoever holds one can check it without asking anybody.
// Holds    The greatest version of an agent wins; the agent counts versions itself and renews its
//          record before it expires. A record with `leaving` removes the agent.
// Units    lifetime_ms counts from reception: clocks of different agents are never compared.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/call.hpp"
#include "model/ids.hpp"
#include "model/limits.hpp"

namespace creto {

struct ToolOffer {
    std::string name;
    ContractSummary contract;
    std::string description;
    std::string definition;  ///< The contract's canonical JSON: schemas, version, match rule.
    friend bool operator==(const ToolOffer&, const ToolOffer&) = default;
};

struct AgentRecord {
    AgentId agent;
    std::uint64_t version = 0;
    std::string name;
    std::string software;
    std::optional<Seat> seat;
    std::vector<std::string> addresses;  ///< "/ip4/127.0.0.1/tcp/4001"
    std::vector<ToolOffer> tools;        ///< By name, ascending, distinct.
    std::uint32_t lifetime_ms = 0;
    bool leaving = false;
    Signature signature;
    friend bool operator==(const AgentRecord&, const AgentRecord&) = default;
};

[[nodiscard]] Result<void> well_formed(const AgentRecord& record);
[[nodiscard]] Bytes signing_bytes(const AgentRecord& record);

void encode(Writer& w, const AgentRecord& v);
void decode(Reader& r, AgentRecord& v);

}  // namespace creto
