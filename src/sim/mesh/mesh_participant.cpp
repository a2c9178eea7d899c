#include "sim/mesh/mesh_participant.hpp"

#include <algorithm>

namespace creto {

namespace {

/// As often as a node does it.
constexpr Duration summary_interval = Duration::from_ms(500);
constexpr Duration lie_interval = Duration::from_ms(250);
/// Peers that one liar addresses in each of these.
constexpr std::size_t lied_to = 8;
constexpr std::size_t heard_max = 64;
constexpr std::uint32_t record_lifetime_ms = 3'600'000;

}  // namespace

MeshParticipant::MeshParticipant(
    const ParticipantParts& parts, std::shared_ptr<const MeshSetup> setup
)
    : options_{parts.options},
      signer_{parts.signer},
      setup_{std::move(setup)},
      self_{signer_.public_key()},
      chain_{Roster{options_.genesis}.chain()},
      directory_{self_},
      dialer_{self_, {}},
      liveness_{
          {self_, signer_, chain_}, directory_, dialer_, setup_->liveness, draw(options_.seed, 2)},
      discovery_{self_, directory_, dialer_, liveness_, draw(options_.seed, 3)},
      prng_{draw(options_.seed, 4)} {
    if (parts.index.value() < setup_->lies.size()) lie_ = setup_->lies[parts.index.value()];
}

std::vector<Effect> MeshParticipant::on_event(const Event& event, Instant now) {
    now_ = std::max(now_, now);
    std::visit([this](const auto& e) { on(e); }, event);
    show_lives();
    arm();
    return effects_.take();
}

void MeshParticipant::on(const Start& event) {
    version_ = static_cast<std::uint64_t>(std::max<std::int64_t>(event.unix_ms, 1));
    liveness_.set_version(version_);
    liveness_.start(now_);
    if (lie_ != MeshLie::none) next_lie_ = now_ + lie_interval;
    for (const Shared<AgentRecord>& record : setup_->known) {
        directory_.accept({record, CheckPass::own()}, now_);
        liveness_.on_found(record->agent, now_);
    }
    if (!setup_->known.empty()) return;
    for (const std::string& address : options_.bootstrap)
        dialer_.add_bootstrap(address, now_);
    next_summary_ = now_ + summary_interval;
    publish_own();
    dialer_.on_time(now_, effects_);
}

void MeshParticipant::publish_own() {
    version_ = std::max(version_, liveness_.version()) + 1;
    liveness_.set_version(version_);
    AgentRecord record{.agent = self_, .version = version_, .name = options_.name};
    record.addresses = options_.addresses;
    record.lifetime_ms = record_lifetime_ms;
    record.signature =
        signer_.sign(SignDomain::agent_record, chain_.value(), signing_bytes(record));
    discovery_.publish(std::move(record), now_, effects_);
}

void MeshParticipant::on(const PeerUp& event) {
    dialer_.on_peer_up(event.peer, event.address);
    liveness_.heard(event.peer, now_);
    if (setup_->known.empty()) discovery_.on_peer_up(event.peer, effects_);
}

void MeshParticipant::on(const PeerDown& event) {
    dialer_.on_peer_down(event.peer, now_);
    liveness_.on_link_lost(event.peer, now_, effects_);
}

void MeshParticipant::on(const Received& event) {
    if (!event.message.decoded()) return;
    MessagePtr message = event.message.message();
    if (!std::holds_alternative<PingAnswer>(*message)) liveness_.heard(event.from, now_);
    if (lie_ == MeshLie::accuses) {
        if (const auto* answer = std::get_if<PingAnswer>(message.get())) {
            for (const Alive& alive : answer->rumours.alive)
                if (heard_.size() < heard_max) heard_.push_back(alive);
        }
        if (const auto* asked = std::get_if<PingRequest>(message.get())) {
            effects_.send(event.from, PingReport{asked->nonce, std::nullopt});
            return;
        }
    }
    if (const auto* batch = std::get_if<RecordBatch>(message.get())) {
        const bool is_known =
            std::all_of(batch->records.begin(), batch->records.end(), [&](const AgentRecord& r) {
                const AgentRecord* held = directory_.find(r.agent);
                return held != nullptr && held->version >= r.version;
            });
        if (is_known) return;
    }
    message = liveness_.without_stale(std::move(message));
    std::vector<CheckItem> items = signatures(*message);
    if (items.empty()) return accept(event.from, *message, CheckPass::own());
    (void)gate_.submit(event.from, message, std::move(items), event.message->size(), effects_);
}

std::vector<CheckItem> MeshParticipant::signatures(const Message& message) const {
    if (const auto* ping = std::get_if<Ping>(&message))
        return signatures_of(ping->rumours.alive, chain_);
    if (const auto* answer = std::get_if<PingAnswer>(&message))
        return signatures_of(answer->rumours.alive, chain_);
    if (const auto* report = std::get_if<PingReport>(&message); report && report->alive)
        return signatures_of({*report->alive}, chain_);
    std::vector<CheckItem> items;
    if (const auto* batch = std::get_if<RecordBatch>(&message)) {
        for (const AgentRecord& record : batch->records) {
            Bytes bytes =
                signed_bytes(SignDomain::agent_record, chain_.value(), signing_bytes(record));
            items.push_back({record.agent, std::move(bytes), record.signature});
        }
    }
    return items;
}

void MeshParticipant::on(const CheckDone& event) {
    const auto opened = gate_.on_done(event);
    if (opened && opened->pass) accept(opened->from, *opened->message, *opened->pass);
}

void MeshParticipant::accept(const AgentId& from, const Message& message, const CheckPass& pass) {
    if (const auto* ping = std::get_if<Ping>(&message)) {
        liveness_.on_ping(from, {*ping, pass}, now_, effects_);
    } else if (const auto* answer = std::get_if<PingAnswer>(&message)) {
        (void)liveness_.on_answer(from, {*answer, pass}, now_, effects_);
    } else if (const auto* request = std::get_if<PingRequest>(&message)) {
        liveness_.on_request(from, *request, now_, effects_);
    } else if (const auto* report = std::get_if<PingReport>(&message)) {
        liveness_.on_report(from, {*report, pass}, now_);
    } else if (const auto* batch = std::get_if<RecordBatch>(&message)) {
        take_records(from, *batch, pass);
    } else if (const auto* summary = std::get_if<RecordSummary>(&message)) {
        discovery_.on_summary(from, *summary, effects_);
    }
}

void MeshParticipant::take_records(
    const AgentId& from, const RecordBatch& batch, const CheckPass& pass
) {
    const Discovery::News news = discovery_.on_records(from, batch, pass, now_, effects_);
    for (const Discovery::Seen& seen : news.seen) {
        const AgentId& agent = seen.record->agent;
        if (seen.change == Directory::Change::found)
            effects_.publish(AgentFound{agent, seen.record->name});
        if (seen.change == Directory::Change::left)
            effects_.publish(AgentLeft{agent, seen.record->name});
    }
}

void MeshParticipant::on(const Woke& /*event*/) {
    armed_ = Instant::max();
    liveness_.on_time(now_, effects_);
    if (now_ >= next_lie_) lie();
    if (!setup_->known.empty()) return;
    for (const Shared<AgentRecord>& over : discovery_.expire(now_))
        effects_.publish(AgentLeft{over->agent, over->name});
    const std::vector<AgentId>& peers = dialer_.peers();
    if (now_ >= next_summary_) {
        next_summary_ = now_ + summary_interval;
        if (!peers.empty())
            discovery_.send_summary(peers[summary_turn_++ % peers.size()], effects_);
    }
    dialer_.on_time(now_, effects_);
}

void MeshParticipant::on(const Command& event) {
    effects_.add(Reply{event.ticket, Error{ErrorCode::unavailable, "only a mesh"}});
}

void MeshParticipant::show_lives() {
    for (const Liveness::Change& change : liveness_.take_changes()) {
        if (change.to == AgentState::suspect) effects_.publish(AgentSuspected{change.agent, {}});
        if (change.to == AgentState::dead) effects_.publish(AgentDead{change.agent, {}});
        if (change.to == AgentState::alive)
            effects_.publish(AgentAlive{change.agent, {}, change.from == AgentState::dead});
    }
}

void MeshParticipant::lie() {
    next_lie_ = now_ + lie_interval;
    const std::vector<const AgentRecord*> all = directory_.all();
    const std::vector<AgentId>& peers = dialer_.peers();
    for (std::size_t i = 0; i < lied_to && !peers.empty() && !all.empty(); ++i) {
        Ping ping{prng_.next(), std::nullopt, {}};
        for (std::size_t k = 0; k < limits::rumours_per_message_max; ++k) {
            const AgentRecord& victim = *all[prng_.below(all.size())];
            ping.rumours.suspicions.push_back({victim.agent, ~std::uint64_t{0} - k});
            if (!heard_.empty()) ping.rumours.alive.push_back(heard_[prng_.below(heard_.size())]);
        }
        effects_.send(peers[prng_.below(peers.size())], ping);
    }
}

void MeshParticipant::arm() {
    Instant next = std::min({liveness_.next_wake(), next_summary_, next_lie_});
    if (setup_->known.empty())
        next = std::min({next, directory_.next_expiry(), dialer_.next_wake()});
    if (next == armed_) return;
    armed_ = next;
    effects_.add(WakeAt{std::max(next, now_)});
}

ParticipantFactory mesh_agents(std::shared_ptr<const MeshSetup> setup) {
    return [setup](const ParticipantParts& parts) -> std::unique_ptr<Participant> {
        return std::make_unique<MeshParticipant>(parts, setup);
    };
}

}  // namespace creto
