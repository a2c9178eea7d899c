#include "state/final_state.hpp"

#include <charconv>
#include <limits>
#include <type_traits>

namespace creto {

namespace {

constexpr const char* header_key = "header";
constexpr std::uint8_t snapshot_version = 1;

/// The number that a key holds; none when it is not a decimal 64-bit integer.
std::optional<std::int64_t> number_of(ByteView value) {
    std::int64_t number = 0;
    const std::string_view text = as_text(value);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b > 0 ? std::numeric_limits<std::int64_t>::max()
                 : std::numeric_limits<std::int64_t>::min();
}

}  // namespace

FinalState::FinalState(const Roster& roster, const StateLimits& most)
    : roster_{&roster},
      voters_{std::make_shared<const Roster>(roster)},
      most_{most},
      seats_{roster},
      beacon_{roster},
      court_{*voters_, most},
      causal_{*voters_, most.causal_bytes} {
    guests_.enter(*voters_, seats_.lane_holders(voters_->epoch()));
    write_header(Height{});
    marks_.push_back({Height{}, map_.root(), hash(HashDomain::order, roster.chain().value().view())}
    );
}

FinalState::Applied FinalState::apply(
    const Block& block, const BlockId& id, const std::vector<VertexPtr>& ordered
) {
    CRETO_ASSERT(block.height == height().next());
    enter_epoch(block.epoch);
    Applied result;
    Court::Session session{
        .height = block.height,
        .block = id,
        .beacon = beacon_.of(block.epoch).value,
        .notices = {},
        .opened = {}};
    Hasher order{HashDomain::order};
    order.update(mark().order_digest).update(id.value());
    std::size_t operations = 0;
    for (const VertexPtr& vertex : ordered)
        operations += vertex->operations().size();
    result.operations.reserve(operations);

    for (const VertexPtr& vertex : ordered) {
        order.update(vertex->id().value());
        apply(*vertex, session, result.operations);
    }
    court_.end_block(map_, session);
    for (Notice& notice : standing_.on_block(block, *voters_, map_))
        session.notices.push_back(std::move(notice));
    end_epoch(block, session.notices);
    causal_.seal(map_);
    ids_.seal(block.height, map_);
    guests_.seal(block.height, map_);
    write_header(block.height);

    marks_.push_back({block.height, map_.root(), order.finish()});
    if (marks_.size() > limits::marks_kept) marks_.pop_front();
    result.mark = mark();
    result.notices = std::move(session.notices);
    result.opened = std::move(session.opened);
    return result;
}

void FinalState::apply(
    const SealedVertex& vertex, Court::Session& session, std::vector<OperationResult>& results
) {
    const VertexHeader& header = vertex.header();
    Place place{
        .owner = voters_->known(header.lane.seat),
        .dot = {header.lane, header.sequence, 0, vertex.id().value().prefix()},
        .depth = header.depth};
    ++counts_.vertices;
    for (const Operation& operation : vertex.operations()) {
        const OperationId id = operation_id(roster_->chain(), vertex.contents()[place.dot.index]);
        Outcome outcome = execute(operation, id, place, session);
        const bool applied = outcome.reason.empty();
        ++(applied ? counts_.applied : counts_.void_operations);
        if (applied) {
            if (const auto* data = std::get_if<DataOperation>(&operation.body)) {
                ++counts_.data;
                counts_.data_bytes += data->payload.size();
            }
        }
        results.push_back(
            {id,
             operation.client,
             applied,
             outcome.counted,
             std::move(outcome.reason),
             outcome.elsewhere}
        );
        ++place.dot.index;
    }
    causal_.pass(header.lane, header.sequence);
}

/// A causal write takes effect however old it is: it may have waited out a long partition and was
/// accepted there, and the causal reading has shown it. No other lane can carry it, and a second copy
/// in its own lane writes the same again.
FinalState::Outcome FinalState::execute(
    const Operation& operation, const OperationId& id, const Place& place, Court::Session& session
) {
    if (place.owner == nullptr) return {false, "its lane is not in the roster"};
    if (!operation.signature && operation.client != place.owner->key)
        return {false, "its client has not signed it"};
    const bool at_most_once = !std::holds_alternative<CrdtOperation>(operation.body);
    const auto known = ids_.find(id);
    Outcome outcome;
    if (known) {
        outcome = {
            false, "it is final already, since height " + std::to_string(known->height.value())};
    } else {
        outcome = may_be_new(operation, session.height);
    }
    if (!outcome.counted && at_most_once) return outcome;
    if (outcome.counted) {
        GuestBook::Ruling ruling = budget(operation, place);
        if (ruling.elsewhere) return {false, std::move(ruling.reason), true};
        if (!ruling.reason.empty()) {
            ids_.add(id, session.height, operation.expiry, false);
            return {true, std::move(ruling.reason)};
        }
    }

    const auto performed = perform(operation, id, place, session);
    if (!outcome.counted) return outcome;
    ids_.add(id, session.height, operation.expiry, performed.has_value());
    if (!performed) outcome.reason = performed.error();
    return outcome;
}

GuestBook::Ruling FinalState::budget(const Operation& operation, const Place& place) {
    if (std::holds_alternative<EvidenceOperation>(operation.body)) return {};
    return guests_.take(operation.client, place.owner->seat);
}

FinalState::Outcome FinalState::may_be_new(const Operation& operation, Height height) const {
    if (operation.expiry < height)
        return {false, "it expired at height " + std::to_string(operation.expiry.value())};
    if (operation.expiry.value() - height.value() > limits::expiry_blocks_max) {
        return {
            false,
            "it would expire more than " + std::to_string(limits::expiry_blocks_max) +
                " blocks ahead"};
    }
    if (ids_.size() >= most_.operation_ids)
        return {false, "too many operations have not expired yet"};
    return {};
}

Result<void, Void> FinalState::perform(
    const Operation& operation, const OperationId& id, const Place& place, Court::Session& session
) {
    if (auto form = well_formed(operation); !form) return void_because(form.error().message);
    if (std::holds_alternative<DataOperation>(operation.body)) return {};
    if (const auto* key = std::get_if<KeyOperation>(&operation.body)) return write_key(*key);
    if (const auto* causal = std::get_if<CrdtOperation>(&operation.body)) {
        if (auto reason = causal_.apply(*causal, place.dot, place.depth))
            return void_because(std::move(*reason));
        return {};
    }
    if (const auto* offer = std::get_if<OfferOperation>(&operation.body)) {
        if (operation.client != place.owner->key)
            return void_because("a seat offers tools in its own lane only");
        return court_.offer(*offer, *place.owner, map_);
    }
    if (const auto* record = std::get_if<CallRecordOperation>(&operation.body))
        return court_.record(*record, operation.client, map_, session);
    if (const auto* answer = std::get_if<DisputeAnswerOperation>(&operation.body))
        return court_.answer(*answer, operation.client);
    if (const auto* change = std::get_if<RosterOperation>(&operation.body))
        return change_roster(*change, operation.client, session);
    if (const auto* wanted = std::get_if<LaneResetOperation>(&operation.body))
        return reset_lane(*wanted, operation.client, session);
    if (const auto* wanted = std::get_if<BeaconCommitOperation>(&operation.body))
        return feed_beacon(*wanted, operation.client, place);
    if (const auto* shown = std::get_if<BeaconRevealOperation>(&operation.body))
        return feed_beacon(*shown, operation.client, place);
    if (const auto* said = std::get_if<PresenceOperation>(&operation.body))
        return show_presence(*said, operation.client, session);
    const auto& proof = std::get<EvidenceOperation>(operation.body);
    auto proven = court_.prove(proof, id, map_, session);
    if (proven) end_seat(*proof.evidence, session);
    return proven;
}

Result<void, Void> FinalState::change_roster(
    const RosterOperation& change, const AgentId& client, Court::Session& session
) {
    if (court_.excluded(client)) return void_because("its agent is excluded");
    auto effect = seats_.ask(change, client, *voters_, map_);
    if (!effect) return void_because(std::move(effect.error()));
    if (effect->changed) {
        session.notices.emplace_back(RosterChanged{
            std::move(effect->what), voters_->epoch().plus(2)});
    }
    return {};
}

/// The seat's lane ends without blame, and its next one begins. [LANE-RESET.1]
Result<void, Void> FinalState::reset_lane(
    const LaneResetOperation& wanted, const AgentId& client, Court::Session& session
) {
    if (court_.excluded(client)) return void_because("its agent is excluded");
    const Member* member = voters_->find(client);
    if (member == nullptr) return void_because("only a seat that votes may have its lane reset");
    const auto ends = lanes_.reset(member->seat, wanted, session.height, map_);
    if (!ends) return void_because(ends.error());
    court_.close_lane(*ends, session.height, map_);
    causal_.open(lanes_.of(member->seat));
    session.notices.emplace_back(LaneReset{member->seat, member->name, lanes_.of(member->seat)});
    return {};
}

template <class Fed>
Result<void, Void> FinalState::feed_beacon(
    const Fed& fed, const AgentId& client, const Place& place
) {
    if (client != place.owner->key)
        return void_because("a seat feeds the beacon in its own lane only");
    if (court_.excluded(client)) return void_because("its agent is excluded");
    if constexpr (std::is_same_v<Fed, BeaconCommitOperation>) {
        return beacon_.commit(fed, *place.owner, *voters_, map_);
    } else {
        return beacon_.reveal(fed, *place.owner, *voters_, map_);
    }
}

/// Who goes missing is there, and who was set aside comes back. [SEAT-DORMANT.2] [SEAT-DORMANT.5]
Result<void, Void> FinalState::show_presence(
    const PresenceOperation& said, const AgentId& client, Court::Session& session
) {
    if (court_.excluded(client)) return void_because("its agent is excluded");
    if (said.dormant_since == Epoch{}) {
        const Member* member = voters_->find(client);
        if (member == nullptr) return void_because("only a seat that votes can be missed");
        standing_.show(member->seat, map_);
        return {};
    }
    const auto votes = seats_.come_back(client, said.dormant_since, voters_->epoch(), map_);
    if (!votes) return void_because(votes.error());
    const Member& member = seats_.held_by(client, *votes)->member;
    standing_.show(member.seat, map_);
    session.notices.emplace_back(SeatReturned{member.seat, client, member.name, *votes});
    return {};
}

/// A proven liar votes no longer than it takes to agree on that.
void FinalState::end_seat(const Evidence& evidence, Court::Session& session) {
    const auto agent = culprit(evidence, *voters_);
    if (!agent || !seats_.exclude(*agent, voters_->epoch(), map_)) return;
    const Member* member = voters_->find(*agent);
    const std::string whose = member == nullptr ? agent_text(*agent) : member->name;
    session.notices.emplace_back(RosterChanged{
        "the seat of " + whose + " ends: a proof was accepted", voters_->epoch().plus(2)});
}

Seating FinalState::seating(Epoch epoch) const {
    Seating seating = seats_.seating(epoch);
    seating.resting = standing_.resting(epoch);
    seating.beacon = beacon_.for_turns(epoch);
    return seating;
}

void FinalState::enter_epoch(Epoch epoch) {
    if (voters_->epoch() == epoch) return;
    voters_ = std::make_shared<const Roster>(*roster_, epoch, seating(epoch));
    court_.set_roster(*voters_);
    causal_.set_roster(*voters_);
    guests_.enter(*voters_, seats_.lane_holders(epoch));
}

void FinalState::end_epoch(const Block& block, std::vector<Notice>& notices) {
    if (!roster_->epochs().is_boundary(block.height)) return;
    for (const Seat seat : seats_.end_epoch(block.epoch, map_))
        court_.close_lane(lanes_.of(seat), block.height, map_);
    const Epoch later = block.epoch.plus(2);
    const std::vector<Seat> dead = standing_.attendance().dead(*voters_);
    for (const Seat seat : seats_.set_aside(dead, block.epoch, map_)) {
        const Member& member = seats_.seats().at(seat).member;
        notices.emplace_back(SeatDormant{seat, member.key, member.name, later});
    }
    const Seating seating = seats_.seating(later);
    standing_.end_epoch(block.epoch, roster_->mode(), seating, map_);
    beacon_.end_epoch(block.epoch, seating.members, map_);
    guests_.end_epoch(map_);
}

Result<void, Void> FinalState::write_key(const KeyOperation& operation) {
    const Bytes* held = map_.find(operation.key);
    const std::size_t held_bytes = held == nullptr ? 0 : operation.key.size() + held->size();
    Bytes value;
    switch (operation.action) {
        case KeyOperation::Action::remove:
            if (held == nullptr) return void_because("there is no key " + operation.key);
            map_.erase(operation.key);
            --final_keys_;
            final_bytes_ -= held_bytes;
            return {};
        case KeyOperation::Action::set:
            value = operation.value;
            break;
        case KeyOperation::Action::add: {
            const auto number = held == nullptr ? std::int64_t{0} : number_of(*held);
            if (!number) return void_because(operation.key + " does not hold a number");
            value = to_bytes(std::to_string(saturating_sum(*number, operation.amount)));
            break;
        }
    }
    const std::size_t new_bytes = operation.key.size() + value.size();
    if ((held == nullptr && final_keys_ >= most_.final_keys) ||
        (new_bytes > held_bytes && final_bytes_ + (new_bytes - held_bytes) > most_.final_bytes)) {
        return void_because("the keys under final/ have reached their limit");
    }
    final_keys_ += held == nullptr ? 1 : 0;
    final_bytes_ += new_bytes - held_bytes;
    map_.set(operation.key, std::move(value));
    return {};
}

void FinalState::write_header(Height height) {
    Writer w{256};
    encode(w, height);
    w.uvarint(counts_.vertices);
    w.uvarint(counts_.applied);
    w.uvarint(counts_.void_operations);
    w.uvarint(counts_.data);
    w.uvarint(counts_.data_bytes);
    causal_.encode_cut(w);
    map_.set(header_key, w.take());
}

// --- reading ---

std::optional<ExecutedMark> FinalState::mark_at(Height height) const {
    const Height first = marks_.front().height;
    if (height < first || height > this->height()) return std::nullopt;
    return marks_[height.value() - first.value()];
}

std::optional<Bytes> FinalState::get(std::string_view key) const {
    const Bytes* value = map_.find(key);
    if (value == nullptr) return std::nullopt;
    return *value;
}

MerkleProof FinalState::prove(std::string_view key) const {
    return map_.prove(key);
}

std::optional<OperationState> FinalState::operation(const OperationId& id) const {
    return ids_.find(id);
}

std::optional<Height> FinalState::final_at(const OperationId& id) const {
    const auto state = ids_.find(id);
    if (!state) return std::nullopt;
    return state->height;
}

ReputationView FinalState::reputation_view(const AgentId& agent) const {
    const Reputation& reputation = court_.reputation(agent);
    const Member* member = voters_->find(agent);
    if (member == nullptr) member = roster_->find(agent);
    const Exclusion* exclusion = court_.exclusion(agent);
    ReputationView view{
        .agent = agent,
        .name = member == nullptr ? std::string{} : member->name,
        .score_ppm = exclusion == nullptr ? reputation.score_ppm() : 0,  // a proof ends all trust
        .agreed = reputation.agreed,
        .dissented = reputation.dissented,
        .excluded = exclusion != nullptr,
        .suspended = reputation.suspended(),
        .reasons = {}};
    if (exclusion != nullptr) {
        view.reasons.push_back(
            "excluded at height " + std::to_string(exclusion->height.value()) + ": " +
            exclusion->reason
        );
    }
    if (const std::uint32_t times = member == nullptr ? 0 : beacon_.withheld(member->seat)) {
        view.reasons.push_back(
            "committed to a secret for the random beacon and did not reveal it, " +
            (times == 1 ? std::string{"once"} : std::to_string(times) + " times")
        );
    }
    if (const auto* held = member == nullptr ? nullptr : standing_.suspicion(member->seat)) {
        view.reasons.push_back(
            "suspected since height " + std::to_string(held->since.value()) + ": " + held->reason()
        );
    }
    for (std::string& reason : reputation.reasons())
        view.reasons.push_back(std::move(reason));
    return view;
}

std::vector<VerdictView> FinalState::verdicts(std::size_t count) const {
    std::vector<VerdictView> views;
    for (const Verdict* verdict : court_.verdicts(count))
        views.push_back(verdict->view());
    return views;
}

// --- snapshots ---

Bytes FinalState::snapshot() const {
    Writer w;
    w.u8(snapshot_version);
    w.uvarint(map_.size());
    map_.visit([&](const std::string& key, const Bytes& value) {
        w.text(key);
        w.bytes(value);
    });
    causal_.save(w);
    ids_.save(w);
    return w.take();
}

Result<FinalState> FinalState::restore(
    ByteView snapshot, const ExecutedMark& mark, const Roster& roster, const StateLimits& most
) {
    Reader reader{snapshot};
    FinalState state{roster, most};
    state.map_ = {};
    if (reader.u8() != snapshot_version) reader.fail(DecodeError::bad_value);
    const std::size_t leaves = reader.count(limits::snapshot_leaves_max, 2);
    for (std::size_t i = 0; i < leaves && reader.ok(); ++i) {
        const std::string key = reader.text(limits::leaf_key_bytes_max);
        const ByteView value = reader.bytes(limits::leaf_bytes_max);
        state.map_.set(key, Bytes(value.begin(), value.end()));
    }
    if (!reader.ok() || state.map_.size() != leaves || state.map_.root() != mark.state_root) {
        return fail(
            ErrorCode::corrupt,
            "state: the snapshot does not give the root of height " +
                std::to_string(mark.height.value())
        );
    }
    if (auto done = state.restore_parts(reader, mark); !done)
        return tl::unexpected<Error>(done.error());
    return state;
}

/// The leaves hold the root; the rest follows from them.
Result<void> FinalState::restore_parts(Reader& reader, const ExecutedMark& mark) {
    const Bytes* header = map_.find(header_key);
    if (header == nullptr) return fail(ErrorCode::corrupt, "state: the header leaf is missing");
    Reader r{*header};
    Height height;
    decode(r, height);
    for (std::uint64_t* count :
         {&counts_.vertices,
          &counts_.applied,
          &counts_.void_operations,
          &counts_.data,
          &counts_.data_bytes}) {
        *count = r.uvarint();
    }
    const ByteView cut = r.rest();
    if (!r.ok() || height != mark.height)
        return fail(ErrorCode::corrupt, "state: the header leaf is malformed");
    map_.visit([&](const std::string& key, const Bytes& value) {
        if (!key.starts_with("final/")) return;
        ++final_keys_;
        final_bytes_ += key.size() + value.size();
    });
    if (auto done = seats_.restore(map_); !done) return done;
    if (auto done = standing_.restore(map_); !done) return done;
    if (auto done = lanes_.restore(map_); !done) return done;
    if (auto done = beacon_.restore(map_, roster_->epochs().after(height)); !done) return done;
    enter_epoch(roster_->epochs().of(height));
    if (auto done = guests_.restore(map_); !done) return done;
    if (auto done = causal_.restore(reader, map_, cut); !done) return done;
    for (const auto& [seat, opened] : lanes_.resets())
        causal_.open(lanes_.of(seat));
    if (auto done = court_.restore(map_); !done) return done;
    if (auto done = ids_.restore(reader, map_); !done) return done;
    if (const DecodeError error = reader.finish(); error != DecodeError::none)
        return fail(ErrorCode::corrupt, std::string{"state: snapshot: "} + to_string(error));
    marks_.assign(1, mark);
    return {};
}

}  // namespace creto
