// Words: one good message of every kind, in the name of a chosen agent, for tests that spoil them.
//
// Holds    Every message decodes and every signature in it holds; what it says is of this network.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/message.hpp"

namespace creto::system_test {

class Words {
public:
    /// Speaks with `key`; `seat` is its seat, or one that it pretends to hold.
    Words(const Genesis& genesis, const KeySeed& key, Seat seat);

    [[nodiscard]] const Roster& roster() const { return roster_; }
    [[nodiscard]] Signature sign(SignDomain domain, ByteView message) const {
        return signer_->sign(domain, roster_.chain().value(), message);
    }
    [[nodiscard]] VoteContent content(VoteKind kind, View view, const char* block = "block") const;
    [[nodiscard]] Vote vote(VoteKind kind, View view, const char* block = "block") const;
    /// An empty block on genesis, led by whoever leads the view, with our signature.
    [[nodiscard]] Proposal proposal(View view) const;
    /// A quorum's certificate in which every signature is ours.
    [[nodiscard]] Certificate certificate(VoteKind kind, View view) const;
    [[nodiscard]] ChainAnswer chain_answer(View view) const;
    [[nodiscard]] VertexPtr vertex(Sequence sequence, std::int64_t salt = 0) const;
    [[nodiscard]] AgentRecord record(std::uint64_t version, const std::string& name) const;
    [[nodiscard]] Alive alive(std::uint64_t version) const;
    [[nodiscard]] Operation operation(std::uint64_t counter, OperationBody body) const;
    [[nodiscard]] Evidence evidence() const;
    [[nodiscard]] CallStart call(std::uint64_t id, bool verified) const;

    struct Named {
        std::string name;
        Message message;
    };
    /// One of every kind, in their order.
    [[nodiscard]] std::vector<Named> all(View view) const;
    /// Those that carry a signature, with one bit of it wrong.
    [[nodiscard]] std::vector<Named> wrongly_signed(View view) const;

private:
    Roster roster_;
    Ed25519Scheme scheme_;
    std::unique_ptr<Signer> signer_;
    Seat seat_;
};

}  // namespace creto::system_test
