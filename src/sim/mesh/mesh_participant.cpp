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
/// As a node's, among few.
constexpr Duration record_lifetime = Duration::from_s(60);
/// Accomplices that a liar tells of to whoever has a link with it.
constexpr std::size_t advertised = 32;
/// How often a liar dials its victims.
constexpr Duration crowd_interval = Duration::from_s(1);

OverlayOptions overlay_options(const MeshSetup& setup) {
    OverlayOptions options = setup.overlay;
    if (setup.links == MeshLinks::all) options.full_mesh_max = limits::agents_max;
    if (setup.links == MeshLinks::random) options.parents = OverlayOptions::Parents::drawn;
    return options;
}

}  // namespace

MeshParticipant::MeshParticipant(
    const ParticipantParts& parts, std::shared_ptr<const MeshSetup> setup
)
    : options_{parts.options},
      signer_{parts.signer},
      setup_{std::move(setup)},
      index_{parts.index},
      self_{signer_.public_key()},
      chain_{Roster{options_.genesis}.chain()},
      directory_{self_},
      dialer_{self_, {}},
      overlay_{self_, directory_, dialer_, overlay_options(*setup_), draw(options_.seed, 5)},
      liveness_{
          {self_, signer_, chain_}, directory_, dialer_, setup_->liveness, draw(options_.seed, 2)},
      discovery_{self_, directory_, dialer_, liveness_, overlay_, draw(options_.seed, 3)},
      prng_{draw(options_.seed, 4)} {
    const std::uint32_t number = index_.value();
    if (number < setup_->lies.size()) lie_ = setup_->lies[number];
    is_new_ =
        setup_->known.empty() || (number < setup_->strangers.size() && setup_->strangers[number]);
}

std::vector<Effect> MeshParticipant::on_event(const Event& event, Instant now) {
    now_ = std::max(now_, now);
    std::visit([this](const auto& e) { on(e); }, event);
    show_lives();
    liveness_.set_sparse(overlay_.is_sparse());
    if (discovers()) discovery_.on_time(now_, effects_);
    if (lie_ == MeshLie::eclipses) withhold();
    arm();
    return effects_.take();
}

void MeshParticipant::on(const Start& event) {
    version_ = static_cast<std::uint64_t>(std::max<std::int64_t>(event.unix_ms, 1));
    liveness_.set_version(version_);
    liveness_.start(now_);
    if (lie_ == MeshLie::accuses) next_lie_ = now_ + lie_interval;
    if (lie_ == MeshLie::eclipses) next_lie_ = now_;
    if (is_new_) {
        for (const std::string& address : options_.bootstrap)
            dialer_.add_bootstrap(address, now_);
    } else {
        for (const Shared<AgentRecord>& record : setup_->known) {
            directory_.accept({record, CheckPass::own()}, now_);
            if (record->agent == self_) continue;
            liveness_.on_found(record->agent, now_);
            if (discovers()) overlay_.on_record(*record, now_);
        }
    }
    if (!discovers()) return;
    overlay_.set_seed(chain_.value());
    next_summary_ = now_ + summary_interval;
    // Those who knew each other before renew their records one after the other.
    const auto span = static_cast<std::uint64_t>((record_lifetime / 3).ns());
    if (is_new_) {
        publish_own();
    } else {
        overlay_.on_time(now_, effects_);
        const auto rounds = overlay_.record_lifetime(record_lifetime).ns() / record_lifetime.ns();
        const std::uint64_t phase = prng_.below(span * static_cast<std::uint64_t>(rounds));
        renewal_ = now_ + Duration::from_ns(static_cast<std::int64_t>(phase));
    }
    dialer_.on_time(now_, effects_);
}

void MeshParticipant::publish_own() {
    version_ = std::max(version_, liveness_.version()) + 1;
    liveness_.set_version(version_);
    AgentRecord record{.agent = self_, .version = version_, .name = options_.name};
    if (changes_ > 0) record.software = std::string{change_of_mesh} + std::to_string(changes_);
    record.addresses = options_.addresses;
    // Who was known before the trial is not to expire in it.
    const Duration lifetime = overlay_.record_lifetime(record_lifetime);
    record.lifetime_ms = setup_->links == MeshLinks::all
                             ? limits::record_lifetime_ms_max
                             : static_cast<std::uint32_t>(lifetime.ms());
    if (setup_->links != MeshLinks::all) renewal_ = now_ + lifetime / 3;
    record.signature =
        signer_.sign(SignDomain::agent_record, chain_.value(), signing_bytes(record));
    discovery_.publish(std::move(record), now_, effects_);
}

void MeshParticipant::on(const PeerUp& event) {
    if (discovers() && !overlay_.on_peer_up(event, now_, effects_)) return;
    dialer_.on_peer_up(event.peer, event.address);
    liveness_.heard(event.peer, now_);
    if (discovers()) discovery_.on_peer_up(event.peer, effects_);
    if (lie_ == MeshLie::eclipses) advertise(event.peer);
}

void MeshParticipant::on(const PeerDown& event) {
    dialer_.on_peer_down(event.peer, now_);
    discovery_.on_peer_down(event.peer);
    if (!discovers() || overlay_.on_peer_down(event.peer, now_))
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
        discovery_.note_known(event.from, *batch);
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
    (void
    )gate_.submit(event.from, message, std::move(items), event.message->size(), now_, effects_);
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
        (void)overlay_.on_answer(from, answer->nonce, now_);
        (void)liveness_.on_answer(from, {*answer, pass}, now_, effects_);
    } else if (const auto* request = std::get_if<PingRequest>(&message)) {
        liveness_.on_request(from, *request, now_, effects_);
    } else if (const auto* report = std::get_if<PingReport>(&message)) {
        liveness_.on_report(from, {*report, pass}, now_);
    } else if (const auto* batch = std::get_if<RecordBatch>(&message)) {
        take_records(from, *batch, pass);
    } else if (const auto* summary = std::get_if<RecordSummary>(&message)) {
        discovery_.on_summary(from, *summary, now_, effects_);
    }
}

void MeshParticipant::take_records(
    const AgentId& from, const RecordBatch& batch, const CheckPass& pass
) {
    const Discovery::News news = discovery_.on_records(from, batch, pass, now_, effects_);
    for (const Discovery::Seen& seen : news.seen) {
        const AgentId& agent = seen.record->agent;
        if (setup_->on_record) setup_->on_record(index_, *seen.record);
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
    if (!discovers()) return;
    for (const Shared<AgentRecord>& over : discovery_.expire(now_))
        effects_.publish(AgentLeft{over->agent, over->name});
    overlay_.on_time(now_, effects_);
    if (now_ >= renewal_) publish_own();
    if (now_ >= next_summary_) {
        next_summary_ = now_ + summary_interval;
        if (const auto peer = discovery_.next_partner()) discovery_.send_summary(*peer, effects_);
    }
    dialer_.on_time(now_, effects_);
}

void MeshParticipant::on(const Command& event) {
    if (!std::holds_alternative<ToolsChanged>(event.body)) {
        effects_.add(Reply{event.ticket, Error{ErrorCode::unavailable, "only a mesh"}});
        return;
    }
    ++changes_;
    publish_own();
    effects_.add(Reply{event.ticket, Done{}});
}

void MeshParticipant::show_lives() {
    for (const Liveness::Change& change : liveness_.take_changes()) {
        overlay_.on_state(change.agent, change.to);
        if (change.to == AgentState::suspect) effects_.publish(AgentSuspected{change.agent, {}});
        if (change.to == AgentState::dead) effects_.publish(AgentDead{change.agent, {}});
        if (change.to == AgentState::alive)
            effects_.publish(AgentAlive{change.agent, {}, change.from == AgentState::dead});
    }
}

void MeshParticipant::lie() {
    if (lie_ == MeshLie::accuses) accuse();
    if (lie_ == MeshLie::eclipses) crowd();
}

void MeshParticipant::crowd() {
    next_lie_ = now_ + crowd_interval;
    for (const AgentRecord& victim : setup_->victims)
        if (!dialer_.connected(victim.agent))
            effects_.add(Dial{victim.addresses.front(), victim.agent});
}

/// A part of all that they are, so that a new agent hears of them before all others.
void MeshParticipant::advertise(const AgentId& peer) {
    const auto& liars = setup_->accomplices;
    RecordBatch batch;
    const std::size_t from = prng_.below(liars.size());
    const std::size_t count = std::min(liars.size(), advertised);
    for (std::size_t i = 0; i < count; ++i)
        batch.records.push_back(liars[(from + i) % liars.size()]);
    effects_.send(peer, batch);
}

void MeshParticipant::withhold() {
    const auto& liars = setup_->accomplices;
    const auto is_ours = [&](const AgentRecord& record) {
        const auto found = std::lower_bound(
            liars.begin(),
            liars.end(),
            record.agent,
            [](const AgentRecord& held, const AgentId& agent) { return held.agent < agent; }
        );
        return found != liars.end() && (*found)->agent == record.agent;
    };
    std::vector<Effect> all = effects_.take();
    for (Effect& effect : all) {
        const auto* const send = std::get_if<Send>(&effect);
        const Message* const said =
            send != nullptr && send->message.decoded() ? &*send->message.decoded() : nullptr;
        const auto* const batch = said == nullptr ? nullptr : std::get_if<RecordBatch>(said);
        const auto* const summary = said == nullptr ? nullptr : std::get_if<RecordSummary>(said);
        if (summary != nullptr && summary->slices == limits::agents_max) continue;
        if (batch != nullptr && !std::all_of(batch->records.begin(), batch->records.end(), is_ours))
            continue;
        effects_.put(std::move(effect));
    }
}

void MeshParticipant::accuse() {
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
    if (discovers()) {
        next = std::min(
            {next,
             renewal_,
             directory_.next_expiry(),
             dialer_.next_wake(),
             overlay_.next_wake(),
             discovery_.next_wake()}
        );
    }
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
