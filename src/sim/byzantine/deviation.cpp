#include "sim/byzantine/deviation.hpp"

#include "base/assert.hpp"

namespace creto {

Deviation::Deviation(std::unique_ptr<Participant> inner, const ParticipantParts& parts)
    : inner_{std::move(inner)},
      signer_{parts.signer},
      roster_{parts.options.genesis},
      seed_{parts.options.seed} {
    if (const Member* member = roster_.find(signer_.public_key())) seat_ = member->seat;
}

std::vector<Effect> Deviation::on_event(const Event& event, Instant now) {
    std::vector<Effect> out;
    if (const auto* received = std::get_if<Received>(&event)) {
        if (const auto& message = received->message.decoded()) on_received(*message, out);
    }
    for (Effect& effect : inner_->on_event(event, now)) {
        auto* send = std::get_if<Send>(&effect);
        if (send == nullptr) {
            out.push_back(std::move(effect));
            continue;
        }
        CRETO_ASSERT(send->message.decoded().has_value());  // Our own node wrote it.
        const auto message = send->message.message();
        on_sending(std::move(*send), *message, out);
    }
    return out;
}

void Deviation::on_received(const Message& /*message*/, std::vector<Effect>& /*out*/) {}

Vote Deviation::sign(const VoteContent& content) const {
    CRETO_ASSERT(seat_.has_value());
    return {
        content,
        *seat_,
        signer_.sign(SignDomain::vote, roster_.chain().value(), signing_bytes(content))};
}

Proposal Deviation::sign(const Block& block) const {
    return {block, sign(block.content(VoteKind::notarize)).signature};
}

bool Deviation::is_in_second_half(const AgentId& agent) const {
    const Member* member = roster_.find(agent);
    if (member == nullptr) return false;
    return roster_.index_of(member->seat).value_or(0) % 2 == 1;
}

std::optional<VoteContent> Deviation::own_vote(const Message& message) const {
    const auto* vote = std::get_if<Vote>(&message);
    if (vote != nullptr && vote->seat == seat_) return vote->content;
    const auto* proposal = std::get_if<Proposal>(&message);
    if (proposal != nullptr && proposal->block.proposer == seat_)
        return proposal->leader_vote().content;
    return std::nullopt;
}

Send Deviation::replace(Send send, const Message& message) {
    send.message = encode_message(message);
    send.channel = channel_of(message);
    return send;
}

VoteContent Deviation::nullify(const VoteContent& instead) {
    return {VoteKind::nullify, instead.epoch, instead.view, View{}, BlockId{}};
}

}  // namespace creto
