// The state layer's test bench: a network whose keys are known, lanes that grow, blocks that cover.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/vertex_checks.hpp"
#include "state/causal_state.hpp"
#include "state/final_state.hpp"

namespace creto::state_test {

/// Blocks of an epoch, where a test sees some end.
inline constexpr std::uint32_t span = 4;

inline Digest digest_of(const std::string& text) {
    return blake3(as_bytes(text));
}

/// Of seats whose keys are made up: for what checks no signature.
inline Genesis made_up_genesis(std::uint32_t n, QuorumMode mode, std::uint32_t epoch_blocks) {
    Genesis genesis;
    genesis.network = "made up";
    genesis.mode = mode;
    genesis.epoch_blocks = epoch_blocks;
    for (std::uint32_t i = 0; i < n; ++i) {
        std::array<std::uint8_t, 32> key{};
        key[0] = static_cast<std::uint8_t>(i + 1);
        key[1] = static_cast<std::uint8_t>((i + 1) >> 8U);
        genesis.members.push_back({Seat{i}, PublicKey{key}, "agent-" + std::to_string(i)});
    }
    return genesis;
}

/// One honest network: signers, roster, and the lanes' tips as their authors know them.
class Network {
public:
    explicit Network(
        std::uint32_t n,
        QuorumMode mode = QuorumMode::byzantine,
        std::uint32_t epoch_blocks = 0,  ///< 0: one epoch without end.
        std::uint32_t dead_after_reports = limits::dead_after_reports,
        void (*also)(Genesis&) = nullptr  ///< What else is not as usual.
    )
        : roster{genesis_of(n, mode, epoch_blocks, dead_after_reports, also)}, lanes_(n) {}

    [[nodiscard]] AgentId agent(std::uint32_t seat) const { return signers[seat]->public_key(); }

    [[nodiscard]] Operation operation(
        std::uint32_t seat, OperationBody body, Height expiry = Height{100}
    ) {
        return {agent(seat), ++counter_, expiry, std::move(body), std::nullopt};
    }
    /// By an agent that signs for itself, to travel in any lane.
    [[nodiscard]] Operation signed_by(
        const Signer& client, OperationBody body, Height expiry = Height{100}
    ) {
        Operation made{client.public_key(), ++counter_, expiry, std::move(body), std::nullopt};
        made.signature =
            client.sign(SignDomain::operation, roster.chain().value(), signing_bytes(made));
        return made;
    }
    /// The next vertex of the seat's lane.
    VertexPtr vertex(
        std::uint32_t seat,
        std::vector<Operation> operations,
        const std::vector<VertexPtr>& foreign = {},
        std::uint64_t depth = 0  ///< As a liar says; 0: as it is.
    ) {
        VertexHeader header;
        header.lane = {Seat{seat}, incarnations_[seat]};
        header.sequence = Sequence{1};
        if (const VertexPtr& tip = lanes_[seat]) {
            header.sequence = tip->header().sequence.next();
            header.parents = {tip->ref()};
            header.depth = tip->header().depth + 1;
        }
        for (const VertexPtr& parent : foreign) {
            header.parents.push_back(parent->ref());
            header.depth = std::max(header.depth, parent->header().depth + 1);
        }
        if (depth > 0) header.depth = depth;
        VertexPtr made =
            SealedVertex::make(header, std::move(operations), roster.chain(), *signers[seat]);
        lanes_[seat] = made;
        return made;
    }
    /// The next vertex of the seat's lane that is made continues here: the other branch of a fork.
    void rewind(std::uint32_t seat, VertexPtr tip) { lanes_[seat] = std::move(tip); }
    /// The seat's next vertex is the first of another lane.
    void begin_lane(std::uint32_t seat, std::uint32_t incarnation) {
        lanes_[seat] = nullptr;
        incarnations_[seat] = Incarnation{incarnation};
    }
    Vote vote(std::uint32_t seat, const VoteContent& content) const {
        return {
            content,
            Seat{seat},
            signers[seat]->sign(SignDomain::vote, roster.chain().value(), signing_bytes(content))};
    }
    std::unique_ptr<Signer> outsider(std::uint8_t n) { return scheme.signer(seed_of(n)); }

    TagScheme scheme;
    std::vector<std::unique_ptr<Signer>> signers;
    Roster roster;

private:
    static KeySeed seed_of(std::uint8_t n) {
        std::array<std::uint8_t, 32> bytes{};
        bytes.fill(n);
        return KeySeed{bytes};
    }
    Genesis genesis_of(
        std::uint32_t n,
        QuorumMode mode,
        std::uint32_t epoch_blocks,
        std::uint32_t dead_after_reports,
        void (*also)(Genesis&)
    ) {
        Genesis genesis;
        genesis.epoch_blocks = epoch_blocks;
        genesis.dead_after_reports = dead_after_reports;
        genesis.network = "test";
        genesis.mode = mode;
        for (std::uint32_t i = 0; i < n; ++i) {
            signers.push_back(scheme.signer(seed_of(static_cast<std::uint8_t>(i + 1))));
            genesis.members.push_back(
                {Seat{i}, signers.back()->public_key(), "agent-" + std::to_string(i)}
            );
        }
        if (also != nullptr) also(genesis);
        return genesis;
    }
    std::vector<VertexPtr> lanes_;
    std::map<std::uint32_t, Incarnation> incarnations_;
    std::uint64_t counter_ = 0;
};

/// The next block over a state; only its height matters to execution.
inline Block next_block(const FinalState& state) {
    Block block;
    block.height = state.height().next();
    block.epoch = state.roster().epochs().of(block.height);
    block.view = View{block.height.value()};
    block.parent_view = View{block.height.value() - 1};
    block.executed = state.mark();
    return block;
}

inline FinalState::Applied finalise(FinalState& state, const std::vector<VertexPtr>& ordered) {
    const Block block = next_block(state);
    return state.apply(block, block.id(), ordered);
}

/// Empty blocks up to and including this height.
inline void advance(FinalState& state, std::uint64_t height) {
    while (state.height() < Height{height})
        static_cast<void>(finalise(state, {}));
}

// --- operation bodies ---

inline OperationBody data(std::size_t bytes) {
    return DataOperation{Bytes(bytes, 0xAB)};
}
inline OperationBody set_key(const std::string& key, const std::string& value) {
    return KeyOperation{KeyOperation::Action::set, key, to_bytes(value), 0};
}
inline OperationBody add_key(const std::string& key, std::int64_t amount) {
    return KeyOperation{KeyOperation::Action::add, key, {}, amount};
}
inline OperationBody remove_key(const std::string& key) {
    return KeyOperation{KeyOperation::Action::remove, key, {}, 0};
}
inline OperationBody causal(
    CrdtOperation::Action action,
    const std::string& key,
    const std::string& value = {},
    std::vector<std::string> path = {}
) {
    return CrdtOperation{
        .action = action, .key = key, .value = to_bytes(value), .path = std::move(path)};
}
inline OperationBody count(
    const std::string& key, std::int64_t amount, std::vector<std::string> path = {}
) {
    return CrdtOperation{.key = key, .amount = amount, .path = std::move(path)};
}
inline OperationBody write(
    const std::string& key, const std::string& value, std::vector<Dot> observed = {}
) {
    return CrdtOperation{
        .action = CrdtOperation::Action::register_set,
        .key = key,
        .value = to_bytes(value),
        .observed = std::move(observed)};
}
inline OperationBody clear(const std::string& key, std::vector<Dot> observed) {
    return CrdtOperation{
        .action = CrdtOperation::Action::register_clear,
        .key = key,
        .observed = std::move(observed)};
}

/// A node as far as the state goes: a final state with a causal reading over it.
struct Node {
    explicit Node(const Network& net) : state{net.roster}, causal{state} {}

    FinalState::Applied finalise(const std::vector<VertexPtr>& ordered) {
        FinalState::Applied done = state_test::finalise(state, ordered);
        causal.apply_final(ordered);
        return done;
    }
    /// The seat's next vertex, made as a node with this state makes it; it is held here.
    VertexPtr make(
        Network& net,
        std::uint32_t seat,
        const std::vector<OperationBody>& bodies,
        const std::vector<VertexPtr>& foreign = {}
    ) {
        std::vector<Operation> operations;
        for (const OperationBody& body : bodies)
            operations.push_back(net.operation(seat, body));
        causal.prepare(operations, LaneId{Seat{seat}, {}});
        VertexPtr made = net.vertex(seat, std::move(operations), foreign);
        causal.add(made);
        return made;
    }
    FinalState state;
    CausalState causal;
};

inline std::string text_of(const std::optional<Bytes>& value) {
    return value ? std::string{as_text(*value)} : std::string{"(none)"};
}

// --- verified calls ---

/// A verified call of one caller to a panel, as it would go over the wire.
struct Call {
    ContractSummary contract{
        ContractSummary::deterministic | ContractSummary::open | ContractSummary::pinned,
        digest_of("add")};
    std::string arguments = R"({"a":100,"b":200})";
    Salt salt{1, 2, 3};
    QuorumReceipt receipt;
    CallId id;

    /// Requires: `panel` ascends by seat or not, it is put in order here.
    Call(
        Network& network,
        const Signer& caller,
        const std::vector<std::uint32_t>& panel,
        std::uint32_t bar,
        std::uint64_t nonce = 1
    ) {
        CallRequest& request = receipt.request;
        request.caller = caller.public_key();
        request.nonce = nonce;
        request.contract = contract.id();
        request.arguments = salted_digest(HashDomain::arguments, salt, as_bytes(arguments));
        request.salt_commitment = salt_commitment(salt);
        for (const std::uint32_t seat : panel)
            request.panel.push_back(network.agent(seat));
        std::sort(request.panel.begin(), request.panel.end());
        request.bar = bar;
        request.signature = caller.sign(
            SignDomain::call_request, network.roster.chain().value(), signing_bytes(request)
        );
        id = request.id(network.roster.chain());
    }
    [[nodiscard]] Digest digest(const std::string& result) const {
        return salted_digest(HashDomain::result, salt, as_bytes(result));
    }
    /// The provider's signed answer joins the receipt.
    Call& answered(Network& network, std::uint32_t seat, const std::string& result) {
        return answered(network, *network.signers[seat], result);
    }
    Call& answered(Network& network, const Signer& provider, const std::string& result) {
        Answer answer{id, provider.public_key(), AnswerKind::result, digest(result), {}};
        answer.signature = provider.sign(
            SignDomain::call_answer, network.roster.chain().value(), signing_bytes(answer)
        );
        receipt.answers.push_back(answer);
        std::sort(
            receipt.answers.begin(),
            receipt.answers.end(),
            [](const Answer& x, const Answer& y) { return x.provider < y.provider; }
        );
        return *this;
    }
    [[nodiscard]] OperationBody record() const {
        return CallRecordOperation{receipt, std::nullopt};
    }
    [[nodiscard]] OperationBody record_and_open() const {
        return CallRecordOperation{receipt, DisputeOpening{"add", contract, salt, arguments}};
    }
    [[nodiscard]] OperationBody answer_again(const std::string& result) const {
        return DisputeAnswerOperation{id, AnswerKind::result, digest(result)};
    }
};

}  // namespace creto::state_test
