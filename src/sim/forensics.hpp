// Forensics: who must have lied, worked out from certificates that contradict each other.
//
// Why      With more liars than the quorum tolerates the chain may split. Then it must at least be
//          possible to say by whom: two quorums share more seats than may lie.
// Source   Sheng, Wang, Nayak, Kannan, Viswanath: BFT Protocol Forensics (CCS 2021).
// Holds    Only certificates that somebody was sent go in; each culprit comes with two votes that a
//          third party accepts as a proof.
// Cost     For each certificate of a view that is new: one comparison with the others of the view.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "crypto/signature.hpp"
#include "model/evidence.hpp"
#include "model/genesis.hpp"

namespace creto {

class Forensics {
public:
    /// Both outlive it.
    Forensics(const Genesis& genesis, const SignatureScheme& scheme)
        : genesis_{genesis}, scheme_{scheme} {}

    /// The certificates inside a message, if any.
    void on_message(ByteView bytes);
    void on_certificate(const Certificate& certificate);

    [[nodiscard]] const std::set<AgentId>& culprits() const { return culprits_; }
    /// Views for which two certificates contradicted each other.
    [[nodiscard]] const std::set<View>& clashes() const { return clashes_; }

private:
    static constexpr std::size_t views_kept = 10'000;

    void compare(const Certificate& a, const Certificate& b);
    [[nodiscard]] std::vector<std::optional<Vote>> votes_of(const Certificate& certificate) const;

    const Genesis& genesis_;
    const SignatureScheme& scheme_;
    std::map<View, std::vector<Certificate>> by_view_;
    std::set<AgentId> culprits_;
    std::set<View> clashes_;
};

}  // namespace creto
