// TestSupport: agents that answer verified calls, for tests of calls; tests only.
#pragma once

#include <map>

#include "tools/call_server.hpp"
#include "tools/verified_call.hpp"

namespace creto::call_testing {

inline Instant at_ms(std::int64_t ms) {
    return Instant{} + Duration::from_ms(ms);
}

inline AgentId agent(std::uint32_t n) {
    std::array<std::uint8_t, AgentId::size> bytes{};
    for (std::size_t i = 0; i < 4; ++i)
        bytes[i] = static_cast<std::uint8_t>(n >> (8 * i));
    return AgentId{bytes};
}

/// Results of agents 0, 1, 2 and so on.
inline std::vector<ShownAnswer> results(std::initializer_list<const char*> texts) {
    std::vector<ShownAnswer> out;
    for (const char* text : texts)
        out.push_back({agent(static_cast<std::uint8_t>(out.size())), AnswerKind::result, text});
    return out;
}

struct Agents {
    explicit Agents(std::uint8_t n) {
        for (std::uint8_t i = 0; i < n; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed.fill(static_cast<std::uint8_t>(i + 1));
            signers.push_back(scheme.signer(KeySeed{seed}));
        }
        contract.flags =
            ContractSummary::deterministic | ContractSummary::pinned | ContractSummary::open;
    }
    [[nodiscard]] const AgentId& id(std::size_t i) const { return signers[i]->public_key(); }

    /// What agent i signs when its tool says `text`.
    [[nodiscard]] CallAnswer answer(
        std::size_t i, const VerifiedCall& call, const std::string& text
    ) const {
        CallServer server{chain, id(i), *signers[i], budget_of(i)};
        if (contract.has(ContractSummary::by_rule)) server.set_by_rule({contract.id()});
        Effects effects;
        server.on_verified_start(id(0), call.message(Duration::from_s(1)), at_ms(0), effects);
        const auto started = effects.take();
        server.on_executed(
            {std::get<Execute>(started.at(0)).ticket, CallAnswer::Status::result, text},
            at_ms(1),
            effects
        );
        const auto sent = effects.take();
        return std::get<CallAnswer>(*decode_message(*std::get<Send>(sent.at(0)).message));
    }
    [[nodiscard]] VerifiedCall ask(std::uint64_t nonce = 1) const {
        PanelCall call{
            .command = {.tool = "multiply", .arguments = "{}"},
            .contract = contract,
            .match = match,
            .arguments = R"({"a":3})",
            .nonce = nonce};
        call.salt[0] = static_cast<std::uint8_t>(nonce);
        for (const auto& signer : signers)
            call.panel.push_back(signer->public_key());
        return VerifiedCall::make(call, chain, id(0), *signers[0]).value();
    }

    /// Agent i's as a provider: 500 calls a second for each peer.
    [[nodiscard]] PeerBudget& budget_of(std::size_t i) const {
        PeerLimits limits;
        limits.calls = {.rate_per_s = 500, .burst = 500};
        return budgets.try_emplace(i, id(i), limits).first->second;
    }

    TagScheme scheme;
    mutable std::map<std::size_t, PeerBudget> budgets;
    std::vector<std::unique_ptr<Signer>> signers;
    ChainId chain{blake3(as_bytes("chain"))};
    ContractSummary contract;
    MatchRule match;

    void compare_by(MatchRule rule) {
        match = std::move(rule);
        contract.flags |= ContractSummary::by_rule;
    }
};

}  // namespace creto::call_testing
