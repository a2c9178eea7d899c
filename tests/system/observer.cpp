#include "system/observer.hpp"

namespace creto::system_test {

Observer::Observer(const KeySeed& key)
    : peer_{
          key,
          [this](const AgentId& from, const SharedBytes& message) { on_message(from, *message); },
          true} {}

void Observer::use_roster(const Genesis& genesis) {
    const std::lock_guard lock{mutex_};
    roster_.emplace(genesis);
}

Observer::Report Observer::report() {
    const std::lock_guard lock{mutex_};
    return report_;
}

void Observer::contradiction(std::string what) {
    if (report_.contradictions.size() < 20) report_.contradictions.push_back(std::move(what));
}

void Observer::on_message(const AgentId& /*from*/, ByteView bytes) {
    auto message = decode_message(bytes);
    const std::lock_guard lock{mutex_};
    ++report_.messages;
    if (!message) {
        contradiction("a node sent a message that does not decode: " + message.error().message);
        return;
    }
    if (!roster_) return;
    if (const auto* vote = std::get_if<Vote>(&*message)) {
        see(*vote);
    } else if (const auto* proposal = std::get_if<Proposal>(&*message)) {
        see(proposal->leader_vote());
    } else if (const auto* certificate = std::get_if<Certificate>(&*message)) {
        see(*certificate);
    } else if (const auto* answer = std::get_if<ChainAnswer>(&*message)) {
        if (answer->finalization) see(*answer->finalization);
    } else if (const auto* batch = std::get_if<VertexBatch>(&*message)) {
        for (const VertexPtr& vertex : batch->vertices)
            see(vertex);
    } else if (std::holds_alternative<EvidenceNotice>(*message)) {
        contradiction("a node spreads a proof although nobody lies in this run");
    }
}

void Observer::see(const Vote& vote) {
    const VoteContent& content = vote.content;
    const Member* member = roster_->find(vote.seat);
    if (member == nullptr) return;
    const auto held = said_.find({vote.seat, content.view, content.kind});
    if (held != said_.end() && held->second == content) return;
    const Bytes bytes =
        signed_bytes(SignDomain::vote, roster_->chain().value(), signing_bytes(content));
    if (!scheme_.verify(member->key, bytes, vote.signature)) {
        contradiction("a vote of seat " + std::to_string(vote.seat.value()) + " is wrongly signed");
        return;
    }
    const std::string who = "seat " + std::to_string(vote.seat.value()) + ", view " +
                            std::to_string(content.view.value()) + ": ";
    if (held != said_.end()) {
        contradiction(
            who + "two " + to_string(content.kind) +
            " votes: " + held->second.block.value().hex().substr(0, 12) + " and " +
            content.block.value().hex().substr(0, 12)
        );
        return;
    }
    said_.emplace(Place{vote.seat, content.view, content.kind}, content);
    ++report_.votes;
    const auto said = [&](VoteKind kind) {
        const auto found = said_.find({vote.seat, content.view, kind});
        return found == said_.end() ? nullptr : &found->second;
    };
    const VoteContent* finalize = said(VoteKind::finalize);
    if (finalize != nullptr && said(VoteKind::nullify) != nullptr) {
        contradiction(who + "Finalize and Nullify");
    }
    const VoteContent* notarize = said(VoteKind::notarize);
    if (finalize != nullptr && notarize != nullptr && finalize->block != notarize->block) {
        contradiction(who + "Finalize of another block than it notarized");
    }
}

void Observer::see(const Certificate& certificate) {
    if (!well_formed(certificate, *roster_)) {
        contradiction("a node sent a malformed certificate");
        return;
    }
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < roster_->size(); ++i) {
        if (!certificate.signed_by(i)) continue;
        see(Vote{certificate.content, roster_->members()[i].seat, certificate.signatures[next++]});
    }
    if (certificate.content.kind != VoteKind::finalize) return;
    const auto [held, fresh] =
        report_.final_views.emplace(certificate.content.view, certificate.content.block);
    if (!fresh && held->second != certificate.content.block) {
        contradiction(
            "view " + std::to_string(held->first.value()) + " is final with two different blocks"
        );
    }
}

void Observer::see(const VertexPtr& vertex) {
    const VertexHeader& header = vertex->header();
    const auto [held, fresh] =
        lanes_.emplace(std::pair{header.lane, header.sequence}, vertex->id());
    if (fresh) {
        ++report_.vertices;
    } else if (held->second != vertex->id()) {
        const Member* member = roster_->find(header.lane.seat);
        const Bytes bytes =
            signed_bytes(SignDomain::vertex, roster_->chain().value(), signing_bytes(header));
        if (member == nullptr || !scheme_.verify(member->key, bytes, vertex->top().signature))
            return;
        contradiction(
            "lane " + lane_text(header.lane) + " forks at " +
            std::to_string(header.sequence.value())
        );
    }
}

}  // namespace creto::system_test
