// Two stories for two halves: forked lanes, and leaders who lie together with their voters.
#include <algorithm>
#include <map>

#include "sim/byzantine/attacks.hpp"
#include "sim/byzantine/deviation.hpp"

namespace creto::attacks {
namespace {

/// A map that forgets its oldest keys: an endless run needs no endless memory.
template <class Key, class Value>
void remember(std::map<Key, Value>& map, const Key& key, Value value) {
    map.insert_or_assign(key, std::move(value));
    if (map.size() > 1'000) map.erase(map.begin());
}

/// The second half of the seats is handed another lane: each own vertex has a twin at its place,
/// and twins build on twins.
class LaneForking final : public Deviation {
public:
    using Deviation::Deviation;

protected:
    void on_sending(Send send, const Message& message, std::vector<Effect>& out) override {
        const auto* batch = std::get_if<VertexBatch>(&message);
        if (batch == nullptr || !seat() || !is_in_second_half(send.to)) {
            out.push_back(std::move(send));
            return;
        }
        VertexBatch twins;
        for (const VertexPtr& vertex : batch->vertices)
            twins.vertices.push_back(vertex->header().lane.seat == *seat() ? twin(vertex) : vertex);
        out.push_back(replace(std::move(send), twins));
    }

private:
    VertexPtr twin(const VertexPtr& vertex) {
        const Sequence sequence = vertex->header().sequence;
        if (const auto known = twins_.find(sequence); known != twins_.end()) return known->second;
        VertexHeader header = vertex->header();
        header.author_unix_ms += 1;
        if (sequence > Sequence{1} && !header.parents.empty()) {
            const auto before = twins_.find(sequence.prev());
            if (before != twins_.end()) header.parents.front().id = before->second->id();
        }
        VertexPtr made =
            SealedVertex::make(std::move(header), vertex->operations(), roster().chain(), signer());
        remember(twins_, sequence, made);
        return made;
    }
    std::map<Sequence, VertexPtr> twins_;
};

/// As leader two proposals, one for each half; as voter of such a block, notarizes and finalizes for
/// each half the form that this half saw. Its accomplices are shown both. With more than the
/// tolerated number of such seats both forms become final.
class Colluding final : public Deviation {
public:
    Colluding(Inner inner, const ParticipantParts& parts)
        : Deviation{std::move(inner), parts}, accomplices_{parts.accomplices} {}

    /// What an accomplice shows the other half is for us to know, and not for the node inside.
    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override {
        if (const auto* received = std::get_if<Received>(&event)) {
            const auto message = decode_message(*received->message);
            const auto* proposal = message ? std::get_if<Proposal>(&*message) : nullptr;
            if (proposal != nullptr && twins_.contains(proposal->block.id())) return {};
        }
        return Deviation::on_event(event, now);
    }

protected:
    void on_received(const Message& message, std::vector<Effect>& /*out*/) override {
        if (const auto* proposal = std::get_if<Proposal>(&message)) learn(proposal->block);
    }
    void on_sending(Send send, const Message& message, std::vector<Effect>& out) override {
        if (const auto* proposal = std::get_if<Proposal>(&message)) learn(proposal->block);
        const auto vote = own_vote(message);
        const bool is_other_half = is_in_second_half(send.to) && !is_accomplice(send.to);
        if (!vote || vote->kind == VoteKind::nullify || !is_other_half) {
            out.push_back(std::move(send));
            return;
        }
        const auto other = others_.find(vote->block);
        if (other == others_.end()) {
            out.push_back(std::move(send));
        } else if (std::holds_alternative<Proposal>(message)) {
            out.push_back(replace(std::move(send), sign(other->second)));
        } else {
            out.push_back(replace(std::move(send), sign(other->second.content(vote->kind))));
        }
    }

private:
    [[nodiscard]] bool is_accomplice(const AgentId& agent) const {
        return std::find(accomplices_.begin(), accomplices_.end(), agent) != accomplices_.end();
    }
    /// The same block without its vertices; its cut is then the parent's. Of an honest leader there
    /// is one form only.
    void learn(const Block& block) {
        remember(cut_roots_, block.id(), block.cut_root);
        const Member* leader = roster().find(block.proposer);
        if (block.delta.empty() || leader == nullptr || !is_accomplice(leader->key)) return;
        Block other = block;
        other.delta.clear();
        const auto parent = cut_roots_.find(block.parent);
        if (parent == cut_roots_.end() && block.height > Height{1}) return;
        other.cut_root = parent == cut_roots_.end() ? Cut{}.root() : parent->second;
        remember(twins_, other.id(), block.id());
        remember(others_, block.id(), other);
    }
    std::vector<AgentId> accomplices_;
    std::map<BlockId, Digest> cut_roots_;
    std::map<BlockId, Block> others_;
    std::map<BlockId, BlockId> twins_;
};

}  // namespace

Inner forked_lane(Inner inner, const ParticipantParts& parts) {
    return std::make_unique<LaneForking>(std::move(inner), parts);
}
Inner collusion(Inner inner, const ParticipantParts& parts) {
    return std::make_unique<Colluding>(std::move(inner), parts);
}

}  // namespace creto::attacks
