// OrderingParticipant: the real ordering layer alone, over lanes that are only numbers.
//
// Why      Crashes, cuts and liars meet the consensus rules without anything around them, in a few
//          milliseconds a run. A vertex is its lane and number; "holding" it is having been told.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "order/ordering.hpp"
#include "sim/participant.hpp"

namespace creto {

/// Lanes as counters: how far each lane is known here.
class CountedLanes final : public CutSource {
public:
    [[nodiscard]] static VertexId tip(LaneId lane, Sequence sequence) {
        Hasher hasher{HashDomain::vertex};
        hasher.update_u64(lane.seat.value()).update_u64(sequence.value());
        return VertexId{hasher.finish()};
    }
    void learn(Seat seat, Sequence sequence) {
        Sequence& known = known_[LaneId{seat, {}}];
        known = std::max(known, sequence);
    }
    [[nodiscard]] Check check(
        const Cut& parent, const std::vector<LaneRange>& delta, Height /*executed*/
    ) override {
        Check result{Check::Verdict::valid, {}, {}};
        for (const LaneRange& range : delta) {
            if (range.first != next_after(parent, range.lane) || range.last < range.first ||
                range.tip != tip(range.lane, range.last))
                return {Check::Verdict::invalid, {}, "not how this lane goes on"};
            if (known_[range.lane] < range.last) result.missing.push_back(range);
        }
        if (!result.missing.empty()) result.verdict = Check::Verdict::missing;
        return result;
    }
    [[nodiscard]] std::vector<LaneRange> build(const Cut& parent, Height /*executed*/) override {
        std::vector<LaneRange> delta;
        for (const auto& [lane, last] : known_) {
            const Sequence next = next_after(parent, lane);
            if (next <= last) delta.push_back({lane, next, last, tip(lane, last)});
        }
        return delta;
    }
    [[nodiscard]] bool has_unordered(const Cut& cut, Height /*executed*/) const override {
        for (const auto& [lane, last] : known_)
            if (next_after(cut, lane) <= last) return true;
        return false;
    }

private:
    [[nodiscard]] static Sequence next_after(const Cut& cut, LaneId lane) {
        return cut.tip(lane).sequence.next();
    }
    std::map<LaneId, Sequence> known_;
};

class OrderingParticipant final : public Participant {
public:
    explicit OrderingParticipant(const ParticipantParts& parts)
        : roster_{parts.options.genesis},
          signer_{parts.signer},
          self_{roster_.find(parts.signer.public_key())->seat},
          ordering_{roster_, self_, signer_, lanes_, {}, parts.log} {}

    [[nodiscard]] Result<void> restore(const StoreView& store, const VoteLogContents& votes)
        override {
        return ordering_.restore(store, votes);
    }

    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override {
        std::visit([&](const auto& what) { on(what, now); }, event);
        for (auto blocks = ordering_.take_finalized(); !blocks.empty();
             blocks = ordering_.take_finalized()) {
            for (const FinalizedBlock& block : blocks)
                execute(block, now);
        }
        // Nobody hands over what is missing here: every lane is told again and again.
        (void)ordering_.take_wanted();
        (void)ordering_.take_evidence();
        effects_.add(WakeAt{std::min(next_vertex_, ordering_.next_wake())});
        return effects_.take();
    }

private:
    static constexpr Duration vertex_interval = Duration::from_ms(50);

    template <class T>
    void on(const T& /*other*/, Instant /*now*/) {}
    void on(const Start& /*start*/, Instant now) {
        ordering_.start(now, effects_);
        next_vertex_ = now + vertex_interval;
    }
    void on(const Woke& /*woke*/, Instant now) {
        if (now >= next_vertex_) {
            next_vertex_ = now + vertex_interval;
            // Numbers as good as a clock: they never fall, not even over a restart.
            own_ = Sequence{std::max(own_.value(), ordering_.finalized_height().value()) + 1};
            lanes_.learn(self_, own_);
            effects_.send_all(peers_, Probe{own_.value(), false});
            ordering_.on_data(now, effects_);
        }
        ordering_.on_time(now, effects_);
    }
    void on(const PeerUp& up, Instant now) {
        peers_.insert(up.peer);
        ordering_.on_peer_up(up.peer, now, effects_);
    }
    void on(const PeerDown& down, Instant now) {
        peers_.erase(down.peer);
        ordering_.on_peer_down(down.peer, now, effects_);
    }
    void on(const Persisted& persisted, Instant now) {
        ordering_.on_persisted(persisted.ticket, now, effects_);
    }
    void on(const Loaded& loaded, Instant now) { ordering_.on_loaded(loaded, now, effects_); }

    void on(const Received& received, Instant now) {
        auto message = decode_message(*received.message);
        if (!message) return;
        if (const auto* probe = std::get_if<Probe>(&*message)) {
            lanes_.learn(roster_.find(received.from)->seat, Sequence{probe->nonce});
            return ordering_.on_data(now, effects_);
        }
        if (!ordering_.worth_checking(*message)) return;
        const auto items = check_items(*message, roster_);
        if (!items) return;
        const Ticket ticket = effects_.new_ticket();
        effects_.add(Check{ticket, *items});
        checking_.emplace(ticket, Checking{received.from, std::move(*message), items->size()});
    }
    void on(const CheckDone& done, Instant now) {
        const auto found = checking_.find(done.ticket);
        if (found == checking_.end()) return;
        const auto [from, message, items] = std::move(found->second);
        checking_.erase(found);
        if (done.good != items) return;
        const CheckPass pass = CheckPass::own();  // The host said so just now.
        if (const auto* proposal = std::get_if<Proposal>(&message))
            ordering_.on_proposal(from, {*proposal, pass}, now, now, effects_);
        if (const auto* vote = std::get_if<Vote>(&message))
            ordering_.on_vote(from, {*vote, pass}, now, effects_);
        if (const auto* certificate = std::get_if<Certificate>(&message))
            ordering_.on_certificate(from, {*certificate, pass}, now, effects_);
        if (const auto* answer = std::get_if<ChainAnswer>(&message))
            ordering_.on_chain_answer(from, {*answer, pass}, now, effects_);
        if (const auto* status = std::get_if<OrderStatus>(&message))
            ordering_.on_status(from, *status, now, effects_);
        if (const auto* request = std::get_if<CertificateRequest>(&message))
            ordering_.on_certificate_request(from, *request, now, effects_);
        if (const auto* request = std::get_if<BlockRequest>(&message))
            ordering_.on_block_request(from, *request, now, effects_);
        if (const auto* request = std::get_if<ChainRequest>(&message))
            ordering_.on_chain_request(from, *request, now, effects_);
    }

    void execute(const FinalizedBlock& block, Instant now) {
        order_digest_ =
            Hasher{HashDomain::order}.update(order_digest_).update(block.id.value()).finish();
        const Digest root = hash(HashDomain::state_node, order_digest_.view());
        effects_.publish(Finalized{block.block, block.id, order_digest_, root, 0});
        ordering_.on_executed({block.block.height, root, order_digest_}, now, effects_);
    }

    Roster roster_;
    const Signer& signer_;
    Seat self_;
    CountedLanes lanes_;
    Ordering ordering_;
    Effects effects_;
    std::set<AgentId> peers_;
    struct Checking {
        AgentId from;
        Message message;
        std::size_t items = 0;
    };
    std::map<Ticket, Checking> checking_;
    Digest order_digest_;
    Sequence own_;
    Instant next_vertex_ = Instant::max();
};

[[nodiscard]] inline ParticipantFactory ordering_alone() {
    return [](const ParticipantParts& parts) -> std::unique_ptr<Participant> {
        return std::make_unique<OrderingParticipant>(parts);
    };
}

}  // namespace creto
