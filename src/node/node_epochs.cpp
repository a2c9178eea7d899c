// Epochs, as a node lives through them: who votes next, its own seat, and what came too early.
#include <algorithm>

#include "node/node_impl.hpp"
#include "order/keys.hpp"

namespace creto {

namespace {

/// What is kept of the next epoch until this node is in it.
constexpr std::size_t early_max = 1'024;
constexpr std::size_t early_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t early_per_peer = 64;

}  // namespace

/// The agreed state says who votes in these epochs. [ORD-L12.2]
void NodeImpl::decide_rosters(Epoch first, Epoch last) {
    for (Epoch epoch = first; epoch <= last; ++epoch)
        rosters_.add(epoch, final_.seating(epoch));
    dag_.add_seats(seats());
    tell_of_seats();
    draw_overlay();
}

/// [MESH-DRAW.1] Who made a key before cannot have known the seed: it is the random beacon's, or, where
/// epochs have no end and the beacon stays as it is, a digest of all that is final.
void NodeImpl::draw_overlay() {
    const Epochs& epochs = rosters_.epochs();
    const std::uint64_t height = final_.height().value();
    if (!epochs.have_end()) {
        if (height > 0 && height % Overlay::seed_blocks == 0)
            overlay_.set_seed(final_.mark().order_digest);
        return;
    }
    const Epoch now = epochs.after(final_.height());
    const Epoch drawn = Overlay::seed_epoch(epochs, now);
    // Whoever begins at a checkpoint may find that the beacon of that epoch is kept no longer.
    if (now < drawn.plus(Beacon::kept)) overlay_.set_seed(final_.beacon().of(drawn).value);
}

/// Who holds a seat, will hold one, or held one a moment ago, speaks for the order; with each of them
/// there is a link.
void NodeImpl::tell_of_seats() {
    std::set<AgentId> keys;
    for (const Member& member : seats().known())
        keys.insert(member.key);
    overlay_.set_seats({keys.begin(), keys.end()});
    budget_.set_seats(std::move(keys));
}

/// Ordering may be in another epoch than before this event: the rest of the node follows.
void NodeImpl::follow_epoch() {
    keep_links(ordering_.take_links());
    if (ordering_.epoch() == epoch_) return;
    epoch_ = ordering_.epoch();
    const Roster& now_voting = voters();
    const Member* member = now_voting.find(self_);
    const std::optional<Seat> seat = member == nullptr ? std::nullopt : std::optional{member->seat};
    const bool is_other = seat != seat_;
    if (is_other) {
        if (seat_ && producer_ && started_ && !restoring_) leave_seat();
        if (producer_) {  // Who is set aside goes on with its lane later. [SEAT-DORMANT.6]
            LaneTip& written = own_stored_[producer_->lane()];
            if (producer_->tip().sequence > written.sequence) written = producer_->tip();
        }
        seat_ = seat;
        producer_.reset();
        own_in_flight_.reset();
        offered_ = false;
        beacon_committed_ = beacon_revealed_ = Epoch{};
        if (seat)
            producer_.emplace(
                final_.lanes().of(*seat), ProducerOptions{.seats = now_voting.size()}
            );
        const auto own = producer_ ? own_stored_.find(producer_->lane()) : own_stored_.end();
        // Not written before t+1 peers have confirmed it, as a new one.
        if (own != own_stored_.end()) producer_->restore(own->second, Producer::Disk::damaged);
        lane_judged_.reset();
        follow_own_lane();
        if (started_) publish_record(draining_);
    }
    voted_.clear();
    reachability_.set_roster(now_voting, seat_, now_);
    for (const Member& voter : now_voting.members())
        note_alive(voter.key);
    rosters_.forget_below(epoch_);
    if (started_ && !restoring_) {
        effects_.publish(EpochBegun{
            epoch_, now_voting.members(), now_voting.dormant(), now_voting.parameters(), seat_});
        for (Early& early : std::exchange(early_, {}))
            receive(early.from, std::move(early.message), early.bytes);
    }
    early_.clear();
    early_bytes_ = 0;
}

/// True when this belongs to an epoch that this node is not in. Who finishes an epoch first speaks of
/// the next one a moment too early: that is kept for a while.
bool NodeImpl::of_another_epoch(const AgentId& from, const MessagePtr& message, std::size_t bytes) {
    const auto epoch = epoch_of(*message);
    if (!epoch || *epoch == ordering_.epoch()) return false;
    if (*epoch == ordering_.epoch().next()) {
        const auto of_peer = std::count_if(early_.begin(), early_.end(), [&](const Early& early) {
            return early.from == from;
        });
        const bool has_room = early_.size() < early_max &&
                              early_bytes_ + bytes <= early_bytes_max &&
                              static_cast<std::size_t>(of_peer) < early_per_peer;
        if (has_room) {
            early_.push_back({from, message, bytes});
            early_bytes_ += bytes;
        }
    }
    ordering_.on_other_epoch(from, *epoch, now_, effects_);
    return true;
}

/// Whoever has executed more knows more seats; what it says of them is read once we know them, too.
bool NodeImpl::names_unknown_seat(const Message& message) const {
    if (!rosters_.epochs().have_end()) return false;
    const auto unknown = [this](Seat seat) { return seats().known(seat) == nullptr; };
    const auto accuses_unknown = [&](const Evidence& evidence) {
        if (const auto* votes = std::get_if<VoteConflict>(&evidence)) return unknown(votes->a.seat);
        if (const auto* fork = std::get_if<LaneFork>(&evidence))
            return unknown(fork->a.header.lane.seat);
        return false;
    };
    if (const auto* notice = std::get_if<EvidenceNotice>(&message))
        return accuses_unknown(notice->evidence);
    const auto* batch = std::get_if<VertexBatch>(&message);
    if (batch == nullptr) return false;
    return std::any_of(
        batch->vertices.begin(),
        batch->vertices.end(),
        [&](const VertexPtr& vertex) {
            if (unknown(vertex->header().lane.seat)) return true;
            const auto& operations = vertex->operations();
            return std::any_of(
                operations.begin(),
                operations.end(),
                [&](const Operation& operation) {
                    const auto* proof = std::get_if<EvidenceOperation>(&operation.body);
                    return proof != nullptr && accuses_unknown(*proof->evidence);
                }
            );
        }
    );
}

bool NodeImpl::is_own(const LaneId& lane) const {
    const Member* owner = seats().known(lane.seat);
    return owner != nullptr && owner->key == self_;
}

void NodeImpl::command(Ticket ticket, const AskRoster& /*ask*/) {
    RosterReply out;
    out.epoch = ordering_.epoch();
    out.height = final_.height();
    if (rosters_.epochs().have_end()) out.boundary = rosters_.epochs().last_of(out.epoch);
    out.needed = voters().quorum().q;
    out.voting = voters().size();
    out.dormant = voters().dormant();
    out.operators = roster_.operators();
    out.operators_needed = roster_.operators_needed();
    for (const auto& [seat, entry] : final_.seats().seats()) {
        const Standing::Suspicion* suspicion = final_.standing().suspicion(seat);
        const std::vector<Seat>& resting = final_.standing().resting(out.epoch);
        out.seats.push_back(
            {entry.member,
             entry.first,
             entry.last,
             entry.dormant_from,
             entry.dormant_until,
             final_.lanes().of(seat),
             suspicion == nullptr ? std::string{} : suspicion->reason(),
             std::binary_search(resting.begin(), resting.end(), seat),
             final_.beacon().withheld(seat)}
        );
    }
    for (const Parameter parameter : all_parameters) {
        const ParameterBook::History& history = final_.seats().parameters().of(parameter);
        RosterReply::ParameterView& shown = out.parameters.emplace_back();
        shown.parameter = parameter;
        shown.value = value_of(voters().parameters(), parameter);
        shown.changes = history.changes;
        for (const ParameterBook::Decided& decided : history.decided)
            if (out.epoch < decided.from) shown.later.emplace_back(decided.from, decided.value);
    }
    for (const auto& [digest, asked] : final_.seats().asked())
        out.asked.push_back({asked.change, {asked.by.begin(), asked.by.end()}});
    const Epoch executed = rosters_.epochs().after(final_.height());
    const Beacon::Value& beacon = final_.beacon().of(executed);
    out.beacon = {executed, beacon.value, beacon.fed_by, beacon.withheld};
    out.leaders = voters().leaders();
    reply(ticket, std::move(out));
}

std::optional<ProvenRoster> NodeImpl::roster_for(const OfferedCheckpoint& offered) const {
    if (!offered.proof.finalization) return ProvenRoster{voters(), {}};
    const Epoch epoch = offered.proof.finalization->content.epoch;
    if (const Roster* known = rosters_.of(epoch)) return ProvenRoster{*known, {}};
    if (epoch <= seats().epoch()) return std::nullopt;  // Long over: nothing that helps.
    auto proven = follow_links(seats(), offered.links, epoch);
    if (!proven) {
        log_.debug("an offer of a checkpoint: " + proven.error().message);
        return std::nullopt;
    }
    return std::move(*proven);
}

/// Whoever comes later may know the genesis only.
void NodeImpl::keep_links(const std::vector<RosterLink>& links) {
    if (links.empty()) return;
    for (const RosterLink& link : links) {
        if (!links_.empty() && link.epoch() <= links_.back().epoch()) continue;
        links_.push_back(link);
    }
    if (!restoring_) store_links();
}

/// Also those that a restart made anew, from a chain that may be dropped before the next one.
void NodeImpl::store_links() {
    for (; links_stored_ < links_.size(); ++links_stored_)
        effects_.persist({simplex::write_link(links_[links_stored_])}, {}, Durable::no);
}

/// Of what came with a checkpoint only what was checked: older links were passed over, and so were those
/// that begin where its proof ends.
void NodeImpl::keep_offered_links(const OfferedCheckpoint& offered, Epoch known) {
    if (!offered.proof.finalization) return;
    std::vector<RosterLink> checked;
    for (const RosterLink& link : offered.links) {
        const Epoch ends = link.boundary.epoch;
        if (known <= ends && ends < offered.proof.finalization->content.epoch)
            checked.push_back(link);
    }
    keep_links(checked);
}

Result<void> NodeImpl::restore_links(const StoreView& store) {
    const Bytes from{simplex::link_prefix};
    const Bytes to{static_cast<std::uint8_t>(simplex::link_prefix + 1)};
    auto read = store.scan(Column::blocks, from, to, [&](ByteView /*key*/, ByteView value) {
        auto link = decode_exact<RosterLink>(value);
        if (link) links_.push_back(std::move(*link));
        return link.has_value();
    });
    links_stored_ = links_.size();
    return read;
}

}  // namespace creto
