// VerifiedCall: one question to a panel; a Byzantine quorum of equal answers decides.
//
// Why      A tool may lie. The caller gets the result that a quorum gave, with a receipt that
//          anyone can check, and learns who answered otherwise.
// Source   docs/ARCHITECTURE.md, verified calls.
// Holds    Panel and bar are in the signed request. An answer counts when it is signed, names this
//          call and fits the text it came with. `bar` answers that the contract's match rule takes
//          for the same decide; silence is not dissent. Where a judge decides whether answers are the same,
//          it is asked when `bar` of them are there and equal values do not decide: about all that are
//          there, one question at a time, and again only about more. [CALL-JUDGE.4] Without its word
//          nothing is decided.
//          After the decision, late answers join the record until `linger` has passed.
// Units    bar = floor(2m/3)+1 of m unless the caller asked for another majority.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/effect.hpp"
#include "tools/call_client.hpp"
#include "tools/rule_decision.hpp"

namespace creto {

struct PanelCall {
    CallVerified command;
    ContractSummary contract;
    std::string definition;  ///< The contract's, for whoever checks the receipt.
    MatchRule match;         ///< From it.
    std::string arguments;   ///< Canonical JSON.
    std::vector<AgentId> panel;
    std::uint64_t nonce = 0;
    Salt salt{};
    std::int64_t deadline_unix_ms = 0;
};

class VerifiedCall {
public:
    /// Signs the request. invalid: a bar that decides nothing; unavailable: too few agents.
    [[nodiscard]] static Result<VerifiedCall> make(
        PanelCall call, const ChainId& chain, const AgentId& self, const Signer& signer
    );

    /// What to send to every member of the panel.
    [[nodiscard]] CallStart message(Duration timeout) const;

    /// Takes the end of one member's call; `answer.signed_answer`, if any, has been checked. Says
    /// why an answer does not count, for the log.
    Result<void> on_finished(const AgentId& provider, const CallAnswer& answer);

    /// The decision, from the moment the bar is reached.
    [[nodiscard]] const std::optional<VerifiedReply>& decided() const { return reply_; }
    /// Every member has answered, failed or gone.
    [[nodiscard]] bool complete() const { return open_ == 0; }
    /// How many answers with this result count so far.
    [[nodiscard]] std::uint32_t agreeing(const Digest& result) const;
    /// Judges should be asked now; see ask_judge().
    [[nodiscard]] bool wants_judge() const;
    /// What to ask them: about the answers that are there. Requires: wants_judge().
    [[nodiscard]] Result<std::string> ask_judge();
    /// What they said of it, and what shows that; or why they said nothing.
    void on_judged(Judgement judgement);
    void on_judge_failed(const std::string& why);
    /// A question was asked and is open.
    [[nodiscard]] bool judging() const { return question_.has_value(); }

    /// No result can reach the bar any more.
    [[nodiscard]] bool hopeless() const;
    /// "quorum not reached: 3 equal answers of 7, 5 needed"
    [[nodiscard]] std::string failure() const;

    [[nodiscard]] const PanelCall& call() const { return call_; }
    [[nodiscard]] const QuorumReceipt& receipt() const { return receipt_; }
    /// Somebody answered otherwise, or nothing was decided.
    [[nodiscard]] bool disputed() const;
    /// The texts that members signed, for evidence.
    [[nodiscard]] const std::map<AgentId, std::string>& texts() const { return texts_; }

private:
    VerifiedCall() = default;
    [[nodiscard]] std::uint32_t best_count() const;
    [[nodiscard]] bool by_rule() const { return receipt_.request.by_rule; }
    /// The answers so far in clear, as the receipt orders them.
    [[nodiscard]] std::vector<ShownAnswer> shown() const;
    void on_late(const Answer& said, const std::string& text);
    void try_to_decide();
    [[nodiscard]] VerifiedReply reply_so_far() const;
    [[nodiscard]] const MatchJudge* judge() const { return std::get_if<MatchJudge>(&call_.match); }

    PanelCall call_;
    CallId id_;
    QuorumReceipt receipt_;
    std::map<AgentId, std::string> texts_;
    std::size_t open_ = 0;
    std::optional<VerifiedReply> reply_;
    // Where a judge decides
    std::optional<VerifiedReply> question_;  ///< The answers that it was asked about.
    std::size_t judged_ = 0;                 ///< How many answers the last question was about.
    std::uint32_t judged_best_ = 0;
    std::string judge_failure_;
};

/// Remembers the answers of deterministic contracts and finds two of one provider that contradict.
class AnswerMemory {
public:
    explicit AnswerMemory(std::size_t entries_max = 4'096) : entries_max_{entries_max} {}
    /// The contradictions that this call's answers show, each provider once.
    [[nodiscard]] std::vector<AnswerConflict> learn(const VerifiedCall& call);

private:
    struct Key {
        AgentId provider;
        ContractId contract;
        Digest arguments;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    std::size_t entries_max_;
    std::map<Key, RevealedAnswer> entries_;
    std::vector<Key> order_;  ///< Oldest first, as a ring.
    std::size_t oldest_ = 0;
};

}  // namespace creto
