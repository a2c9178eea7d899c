// Calls that someone else may check later: the signed request, the signed answers, the receipt.
//
// Why      A caller who asked several agents can show what each of them answered, without showing
//          the arguments or the result to whoever keeps the log.
// Source   docs/ARCHITECTURE.md, verified calls: panel and bar are signed, so neither shrinks later.
// Holds    Digests of arguments and results are salted; the salt travels beside the request to the
//          panel and is revealed in a dispute only. An answer names the call, hence the panel.
//          [CALL-RULE.1] Digests show that answers are equal, never that a contract's rule takes
//          different ones for the same; so the request says how its contract compares, whoever
//          answers has checked that, and nobody dissents by digest where a rule decides.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.hpp"
#include "model/limits.hpp"

namespace creto {

using Salt = std::array<std::uint8_t, 16>;

/// What a contract promises, as far as evidence depends on it.
struct ContractSummary {
    static constexpr std::uint8_t deterministic = 1;  ///< Equal arguments, equal results.
    static constexpr std::uint8_t idempotent = 2;     ///< May be retried elsewhere.
    static constexpr std::uint8_t pinned = 4;         ///< The implementation is named by digest.
    static constexpr std::uint8_t open = 8;      ///< A dispute may reveal arguments and results.
    static constexpr std::uint8_t by_rule = 16;  ///< Answers that differ may count as the same.

    std::uint8_t flags = 0;
    Digest body;  ///< Hash of the whole contract.

    [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) == flag; }
    [[nodiscard]] ContractId id() const;
    friend bool operator==(const ContractSummary&, const ContractSummary&) = default;
};

struct CallRequest {
    AgentId caller;
    std::uint64_t nonce = 0;  ///< Never twice for one caller.
    ContractId contract;
    Digest arguments;        ///< salted_digest(HashDomain::arguments, salt, arguments).
    Digest salt_commitment;  ///< salt_commitment(salt).
    std::int64_t deadline_unix_ms = 0;
    std::vector<AgentId> panel;  ///< Ascending, distinct.
    std::uint32_t bar = 0;       ///< Answers that decide when they are the same.
    bool by_rule = false;        ///< As the contract's flag says.
    Signature signature;

    /// The same for everyone who holds the request, whatever its signature.
    [[nodiscard]] CallId id(const ChainId& chain) const;
    friend bool operator==(const CallRequest&, const CallRequest&) = default;
};

enum class AnswerKind : std::uint8_t { result, tool_error };

struct Answer {
    CallId call;
    AgentId provider;
    AnswerKind kind = AnswerKind::result;
    Digest result;  ///< salted_digest(HashDomain::result, salt, canonical result or error text).
    Signature signature;

    friend bool operator==(const Answer&, const Answer&) = default;
};

/// An answer in clear, for those who compare by a rule.
struct ShownAnswer {
    AgentId provider;
    AnswerKind kind = AnswerKind::result;
    std::string text;  ///< Canonical JSON, or the text of the error.
    friend bool operator==(const ShownAnswer&, const ShownAnswer&) = default;
};

/// What one verified call leaves behind: the request and the answers that came in time.
struct QuorumReceipt {
    CallRequest request;
    std::vector<Answer> answers;  ///< By provider, ascending, distinct, all of the panel.

    friend bool operator==(const QuorumReceipt&, const QuorumReceipt&) = default;
};

/// What a panel of judges said of answers that differ, and all that shows it.
struct Judgement {
    QuorumReceipt receipt;   ///< Of the verified call of the judge.
    Salt salt{};             ///< Of that call.
    std::string definition;  ///< The judge's contract.
    std::string result;      ///< In clear: canonical JSON.
    friend bool operator==(const Judgement&, const Judgement&) = default;
};

/// The outcome that a receipt shows, recomputed by whoever holds it.
struct Decision {
    AnswerKind kind = AnswerKind::result;
    Digest result;
    std::uint32_t agreeing = 0;
    std::vector<AgentId> dissenting;  ///< Answered otherwise, by provider.
};

[[nodiscard]] Digest salted_digest(HashDomain domain, const Salt& salt, ByteView content);
[[nodiscard]] Digest salt_commitment(const Salt& salt);

/// floor(2m/3)+1 of m.
[[nodiscard]] constexpr std::uint32_t panel_bar(std::uint32_t m) {
    return 2 * m / 3 + 1;
}

/// What decides: `bar` equal answers. None when no answer reached the bar. Where a rule decides, equal
/// digests are a part of those that agree at most, and who dissents cannot be seen: nobody is named.
[[nodiscard]] std::optional<Decision> decide(const QuorumReceipt& receipt);

/// Form only (order, membership, bar in range); signatures are checked apart.
[[nodiscard]] Result<void> well_formed(const QuorumReceipt& receipt, const ChainId& chain);

/// The message bytes that are signed, without the signature.
[[nodiscard]] Bytes signing_bytes(const CallRequest& request);
[[nodiscard]] Bytes signing_bytes(const Answer& answer);

void encode(Writer& w, const ContractSummary& v);
void decode(Reader& r, ContractSummary& v);
void encode(Writer& w, const CallRequest& v);
void decode(Reader& r, CallRequest& v);
void encode(Writer& w, const Answer& v);
void decode(Reader& r, Answer& v);
void encode(Writer& w, const QuorumReceipt& v);
void decode(Reader& r, QuorumReceipt& v);

}  // namespace creto
