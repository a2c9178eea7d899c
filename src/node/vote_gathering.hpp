// VoteGathering: votes that can be joined, and parts of certificates, on their way to one check for all.
//
// Why      A sum of signatures on one content is checked at the price of one: 2 ms for 30 votes, in place of
//          2 ms for the first that comes, 2 ms for those that came meanwhile, and so on.
// Holds    [ORD-V1.9] What came waits until it is enough for what it is gathered for, which its owner says,
//          and at most `patience` after the first, or `late_patience` where nobody waits for it. At most
//          contents_max contents are gathered, and bytes_max in all; what is beyond that is checked at once.
// Units    Signers are bitmaps over the roster.
// Cost     O(contents that are gathered) a message.
#pragma once

#include <optional>
#include <vector>

#include "base/time.hpp"
#include "model/message.hpp"
#include "node/check_gate.hpp"

namespace creto {

class VoteGathering {
public:
    static constexpr Duration patience = Duration::from_ms(4);
    static constexpr Duration late_patience = Duration::from_ms(200);
    static constexpr std::size_t contents_max = 64;
    static constexpr std::size_t bytes_max = 1024 * 1024;

    struct Held {
        AgentId from;
        MessagePtr message;
        std::size_t bytes = 0;
    };

    /// False: there is no room.
    [[nodiscard]] bool add(
        const VoteContent& content, const Bytes& signers, Held held, bool is_late, Instant now
    );
    /// Who has signed what is gathered of this content; null when nothing is.
    [[nodiscard]] const Bytes* signers(const VoteContent& content) const;
    /// All that is gathered of this content.
    [[nodiscard]] std::vector<Held> take(const VoteContent& content);
    /// All that has waited long enough.
    [[nodiscard]] std::vector<Held> due(Instant now);

    [[nodiscard]] Instant next_due() const { return next_due_; }
    [[nodiscard]] std::size_t contents() const { return gathered_.size(); }

private:
    struct Gathered {
        VoteContent content;
        Bytes signers;
        std::vector<Held> held;
        Instant due_at;
    };
    [[nodiscard]] std::vector<Held> remove(std::vector<Gathered>::iterator at);

    std::vector<Gathered> gathered_;  ///< In the order in which their first came.
    std::size_t bytes_ = 0;
    Instant next_due_ = Instant::max();
};

}  // namespace creto
