// Repair: what this node lacks, whom it asks next, and when it asks again.
//
// Why      Honest nodes may finish a view with different certificates; without targeted requests
//          below the current view the network can lock up although everyone is online
//          (monorepo#2192, #4386).
// Source   Rules G1 to G5 and L11 in docs/spec/ordering.md.
// Holds    [ORD-G2.1] the first to ask is whoever must hold it, then every connected seat in turn;
//          an answer that does not help is not punished. What is no longer wanted is forgotten at
//          the next sweep, so the list is as long as what is lacking now. [ORD-G3.1]
#pragma once

#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "model/message.hpp"
#include "order/view_log.hpp"

namespace creto::simplex {

class Repair {
public:
    explicit Repair(std::uint64_t spread, Epoch epoch = Epoch{1})
        : epoch_{epoch}, spread_{spread} {}

    /// Starts a sweep: say again everything that is still wanted.
    void begin() { ++sweep_; }
    void want(const CertificateKey& certificate, const std::optional<AgentId>& first);
    void want(const BlockId& block, const std::optional<AgentId>& first);
    /// Finalised blocks from `from` on.
    void want(Height from, const std::optional<AgentId>& first);

    /// The final blocks that end with this one, of which at most so many are lacking.
    void want(const ChainRequest& anchored, const std::optional<AgentId>& first);

    struct Request {
        AgentId to;
        Message message;
    };
    /// Ends the sweep: forgets the rest, and gives the requests that are due.
    [[nodiscard]] std::vector<Request> due(
        const std::vector<AgentId>& peers, Duration retry, Instant now
    );
    [[nodiscard]] Instant next_wake() const;
    [[nodiscard]] bool wants(const BlockId& block) const { return wants_.contains(Key{block}); }
    [[nodiscard]] std::size_t size() const { return wants_.size(); }

private:
    /// What lies at and below an anchor.
    struct Below {
        BlockId anchor;
        Height from;
        std::uint32_t count = 0;
        friend auto operator<=>(const Below&, const Below&) = default;
    };
    using Key = std::variant<CertificateKey, BlockId, Height, Below>;
    struct Want {
        std::optional<AgentId> first;
        std::uint64_t sweep = 0;
        std::uint64_t attempts = 0;
        Instant next;
    };

    [[nodiscard]] Message message_for(const Key& key) const;
    [[nodiscard]] static std::uint64_t number(const Key& key);
    void add(const Key& key, const std::optional<AgentId>& first);
    [[nodiscard]] AgentId whom(const Key& key, const Want& want, const std::vector<AgentId>& peers)
        const;

    Epoch epoch_;           ///< That views are of.
    std::uint64_t spread_;  ///< Differs by node, so that not everyone asks the same peer first.
    std::uint64_t sweep_ = 0;
    std::map<Key, Want> wants_;
};

}  // namespace creto::simplex
