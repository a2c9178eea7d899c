#include "sim/byzantine/attack.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/prng.hpp"
#include "sim/byzantine/attacks.hpp"
#include "sim/byzantine/deviation.hpp"

namespace creto {
namespace {

struct AttackRow {
    Attack attack;
    const char* name;
};
constexpr std::array attack_rows{
    AttackRow{Attack::silence, "silence"},
    AttackRow{Attack::always_reject, "always-reject"},
    AttackRow{Attack::random_voting, "random-voting"},
    AttackRow{Attack::always_accept, "always-accept"},
    AttackRow{Attack::equivocation, "equivocation"},
    AttackRow{Attack::withheld_data, "withheld-data"},
    AttackRow{Attack::forked_lane, "forked-lane"},
    AttackRow{Attack::collusion, "collusion"},
    AttackRow{Attack::stale_replay, "stale-replay"},
    AttackRow{Attack::future_spam, "future-spam"},
    AttackRow{Attack::forged_evidence, "forged-evidence"},
    AttackRow{Attack::sybil, "sybil"},
    AttackRow{Attack::slow_walk, "slow-walk"},
    AttackRow{Attack::selective_delay, "selective-delay"},
    AttackRow{Attack::open_equivocation, "open-equivocation"}};
constexpr auto attacks_listed = [] {
    std::array<Attack, attack_rows.size()> list{};
    for (std::size_t i = 0; i < attack_rows.size(); ++i)
        list[i] = attack_rows[i].attack;
    return list;
}();

class Silent final : public Deviation {
public:
    using Deviation::Deviation;

protected:
    void on_sending(Send /*send*/, const Message& /*message*/, std::vector<Effect>& /*out*/)
        override {}
};

/// In a view that it rejects, its notarize vote or proposal becomes a nullify and its finalize is
/// kept back: within the rules, and obstructive.
class Rejecting final : public Deviation {
public:
    Rejecting(
        std::unique_ptr<Participant> inner, const ParticipantParts& parts, std::uint64_t percent
    )
        : Deviation{std::move(inner), parts}, percent_{percent} {}

protected:
    void on_sending(Send send, const Message& message, std::vector<Effect>& out) override {
        const auto vote = own_vote(message);
        if (vote && vote->kind != VoteKind::nullify && rejects(vote->view)) {
            if (vote->kind == VoteKind::notarize)
                out.push_back(replace(std::move(send), sign(nullify(*vote))));
            return;
        }
        const Certificate* shown = certificate_in(message);
        if (shown != nullptr && is_for_a_block(*shown) && has_own_signature(*shown)) return;
        out.push_back(std::move(send));
    }

private:
    /// What its node put together from the others' votes and its own is that vote, too.
    [[nodiscard]] static const Certificate* certificate_in(const Message& message) {
        if (const auto* alone = std::get_if<Certificate>(&message)) return alone;
        if (const auto* chain = std::get_if<ChainAnswer>(&message))
            return chain->finalization ? &*chain->finalization : nullptr;
        if (const auto* offered = std::get_if<OfferedCheckpoint>(&message))
            return offered->proof.finalization ? &*offered->proof.finalization : nullptr;
        return nullptr;
    }
    [[nodiscard]] bool is_for_a_block(const Certificate& shown) const {
        const VoteContent& content = shown.content;
        const bool names_block =
            content.kind == VoteKind::notarize || content.kind == VoteKind::finalize;
        return names_block && rejects(content.view);
    }
    [[nodiscard]] bool has_own_signature(const Certificate& shown) const {
        const auto place = seat() ? roster().index_of(*seat()) : std::nullopt;
        return place && shown.signed_by(*place);
    }
    [[nodiscard]] bool rejects(View view) const {
        constexpr std::uint64_t coin_stream = 0x51;
        return scale_to(draw(seed(), coin_stream, view.value()), 100) < percent_;
    }
    std::uint64_t percent_;
};

class Accepting final : public Deviation {
public:
    using Deviation::Deviation;

protected:
    void on_received(const Message& message, std::vector<Effect>& out) override {
        const auto* proposal = std::get_if<Proposal>(&message);
        if (proposal == nullptr || !seat()) return;
        const Block& block = proposal->block;
        // Once for each view; old views go, or an endless run would need endless memory.
        if (!accepted_.insert({block.epoch, block.view}).second) return;
        if (accepted_.size() > 1'000) accepted_.erase(accepted_.begin());
        const WireMessage vote = encode_message(sign(block.content(VoteKind::notarize)));
        for (const Member& member : roster().members()) {
            if (member.seat != *seat()) out.push_back(Send{member.key, Channel::order, vote, {}});
        }
    }
    void on_sending(Send send, const Message& message, std::vector<Effect>& out) override {
        const auto vote = own_vote(message);
        const bool is_own_opinion =
            vote && vote->kind != VoteKind::finalize && std::holds_alternative<Vote>(message);
        if (!is_own_opinion) out.push_back(std::move(send));
    }

private:
    std::set<std::pair<Epoch, View>> accepted_;
};

/// The second half of the seats hears of another block: as leader a block without the vertices,
/// valid in itself; as voter a block that nobody knows, and a nullify instead of a finalize.
class Equivocating final : public Deviation {
public:
    using Deviation::Deviation;

protected:
    void on_received(const Message& message, std::vector<Effect>& /*out*/) override {
        if (const auto* proposal = std::get_if<Proposal>(&message)) remember(proposal->block);
    }
    void on_sending(Send send, const Message& message, std::vector<Effect>& out) override {
        if (const auto* proposal = std::get_if<Proposal>(&message)) remember(proposal->block);
        const auto vote = own_vote(message);
        if (!vote || !is_in_second_half(send.to)) {
            out.push_back(std::move(send));
        } else if (const auto* proposal = std::get_if<Proposal>(&message)) {
            out.push_back(replace(std::move(send), sign(without_vertices(proposal->block))));
        } else if (vote->kind == VoteKind::finalize) {
            out.push_back(replace(std::move(send), sign(nullify(*vote))));
        } else if (vote->kind == VoteKind::notarize) {
            VoteContent other = *vote;
            other.block = BlockId{hash(HashDomain::trace, vote->block.value().view())};
            out.push_back(replace(std::move(send), sign(other)));
        } else {
            out.push_back(std::move(send));
        }
    }

private:
    void remember(const Block& block) {
        cut_roots_[{block.view, block.id()}] = block.cut_root;
        if (cut_roots_.size() > 1'000) cut_roots_.erase(cut_roots_.begin());
    }
    /// The same block with an empty delta; its cut is then the parent's.
    [[nodiscard]] Block without_vertices(const Block& block) const {
        Block other = block;
        other.delta.clear();
        const auto parent = cut_roots_.find({block.parent_view, block.parent});
        other.cut_root = parent == cut_roots_.end() ? Cut{}.root() : parent->second;
        return other;
    }
    std::map<std::pair<View, BlockId>, Digest> cut_roots_;
};

/// Says everything, and a second story beside each notarize vote: whoever listens can prove it.
class OpenlyEquivocating final : public Deviation {
public:
    using Deviation::Deviation;

protected:
    void on_sending(Send send, const Message& message, std::vector<Effect>& out) override {
        const auto vote = own_vote(message);
        out.push_back(send);
        if (!vote || vote->kind != VoteKind::notarize) return;
        VoteContent other = *vote;
        other.block = BlockId{hash(HashDomain::trace, vote->block.value().view())};
        out.push_back(replace(std::move(send), sign(other)));
    }
};

class Withholding final : public Deviation {
public:
    using Deviation::Deviation;

protected:
    void on_sending(Send send, const Message& message, std::vector<Effect>& out) override {
        if (!std::holds_alternative<VertexBatch>(message)) out.push_back(std::move(send));
    }
};

}  // namespace

std::span<const Attack> all_attacks() {
    return attacks_listed;
}

const char* to_string(Attack attack) {
    return attack_rows.at(static_cast<std::size_t>(attack)).name;
}

Result<Attack> parse_attack(std::string_view name) {
    std::string known;
    for (const AttackRow& row : attack_rows) {
        if (name == row.name) return row.attack;
        known += known.empty() ? "" : ", ";
        known += row.name;
    }
    return fail(
        ErrorCode::invalid,
        "no attack \"" + std::string{name.substr(0, 64)} + "\"; there are " + known
    );
}

std::unique_ptr<Participant> deviate(
    Attack attack, std::unique_ptr<Participant> inner, const ParticipantParts& parts
) {
    switch (attack) {
        case Attack::silence:
            return std::make_unique<Silent>(std::move(inner), parts);
        case Attack::always_reject:
            return std::make_unique<Rejecting>(std::move(inner), parts, 100);
        case Attack::random_voting:
            return std::make_unique<Rejecting>(std::move(inner), parts, 50);
        case Attack::always_accept:
            return std::make_unique<Accepting>(std::move(inner), parts);
        case Attack::equivocation:
            return std::make_unique<Equivocating>(std::move(inner), parts);
        case Attack::withheld_data:
            return std::make_unique<Withholding>(std::move(inner), parts);
        case Attack::forked_lane:
            return attacks::forked_lane(std::move(inner), parts);
        case Attack::collusion:
            return attacks::collusion(std::move(inner), parts);
        case Attack::stale_replay:
            return attacks::stale_replay(std::move(inner), parts);
        case Attack::future_spam:
            return attacks::future_spam(std::move(inner), parts);
        case Attack::forged_evidence:
            return attacks::forged_evidence(std::move(inner), parts);
        case Attack::sybil:
            return attacks::sybil(std::move(inner), parts);
        case Attack::slow_walk:
            return attacks::slow_walk(std::move(inner), parts);
        case Attack::selective_delay:
            return attacks::selective_delay(std::move(inner), parts);
        case Attack::open_equivocation:
            return std::make_unique<OpenlyEquivocating>(std::move(inner), parts);
    }
    return inner;
}

}  // namespace creto
