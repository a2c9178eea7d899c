// The lane of this node's seat: when it must not be written any more, and how the node gets another.
//
// Why      A node that lost its disk, or runs from an old copy, no longer knows what it wrote. A second
//          vertex at one place would be proof against its seat, so it writes nothing and asks, with its
//          seat's key, for the next lane. Another seat carries that.
// Source   docs/decisions/0029-lane-resets.md.
// Holds    [LANE-RESET.2] Only the life of a node that asked for a lane writes it: what it asks with is
//          drawn by it and durable in its folder before anybody hears of it. A node asks only for what it
//          found lost before it had written anything, when for five seconds nobody else was at work with
//          its key, and never in competition: so a second machine with the same key looks on.
#include "node/node_impl.hpp"

namespace creto {

namespace {

/// So long a node watches for another process with its key before it takes the lane from it.
constexpr Duration watch_for = Duration::from_s(5);
/// What is held of the old lane becomes final before it ends, if that takes no longer.
constexpr Duration drain_for = Duration::from_s(20);
constexpr Duration ask_again = Duration::from_s(10);
/// Clocks of two machines differ by less, or a false alarm keeps the node from asking.
constexpr std::int64_t clocks_apart_ms = 2'000;
/// An earlier life's record, then one that answers ours.
constexpr int own_records_alarm = 2;

Bytes life_key() {
    return to_bytes("lane_life");
}

}  // namespace

/// Lanes that the final order has opened.
void NodeImpl::open_lanes() {
    for (const auto& [seat, opened] : final_.lanes().resets()) {
        for (std::uint32_t i = 1; i <= opened.size(); ++i)
            dag_.open({seat, Incarnation{i}});
    }
}

Result<void> NodeImpl::restore_life(const StoreView& store) {
    auto life = store.get(Column::meta, life_key());
    if (!life) return tl::unexpected<Error>(life.error());
    if (*life) {
        auto read = decode_exact<Digest>(**life);
        if (read) lane_life_ = *read;
    }
    return {};
}

/// The seat may have another lane than before: this life's own, or another's.
void NodeImpl::follow_own_lane() {
    if (!producer_ || restoring_) return;
    const LaneId lane = final_.lanes().of(*seat_);
    if (lane == lane_judged_) return;
    lane_judged_ = lane;
    const bool moved = lane != producer_->lane();
    if (moved) producer_->reopen(lane);
    const Digest* life = final_.lanes().life(lane);
    if (life == nullptr) return;
    if (lane_life_ != *life) {
        const std::string why = "lane " + lane_text(lane) +
                                " of this node's seat was opened by another life of it: the data "
                                "folder is an older one, or another process uses the same key";
        // Where this life has asked, too, another was faster.
        return reset_asked_at_ ? give_lane_up(why) : lose_lane(why);
    }
    if (!moved) return;
    // An earlier life may have begun it: then the peers say so first.
    if (reset_asked_at_) producer_->allow();
    reset_asked_at_.reset();
    lane_lost_.reset();
    own_in_flight_.reset();
    offered_ = false;
    next_counter_ = std::max(next_counter_, final_.height().value() * counters_a_block);
    log_.info("this node writes lane " + lane_text(lane) + " from now on");
    effects_.publish(LaneRegained{lane});
}

/// This lane is not written any more: a second vertex at one place would be proof against us.
void NodeImpl::lose_lane(const std::string& why) {
    if (lane_lost_) return;
    if (wrote_ || another_lives_ || ordering_.halted()) return give_lane_up(why);
    lane_asks_ = true;
    lane_lost_at_ = now_;
    lane_lost_ = why +
                 "; the other validators are asked for a new lane, and writes are taken again when "
                 "they have agreed";
    log_.error(*lane_lost_);
    if (started_) effects_.publish(LaneLost{*lane_lost_, true});
}

/// Nor does this life ask for another.
void NodeImpl::give_lane_up(const std::string& why) {
    if (lane_lost_ && !lane_asks_) return;
    lane_asks_ = false;
    lane_lost_ = why +
                 "; this node writes nothing more until it is started again: end the other "
                 "process first";
    log_.error(*lane_lost_);
    if (started_) effects_.publish(LaneLost{*lane_lost_, false});
}

/// A sign that another process is at work with this node's key.
void NodeImpl::see_another_life(const VertexHeader& own) {
    if (own.author_unix_ms <= unix_ms_at_start_ + clocks_apart_ms) return;
    meet_another_life();
}

void NodeImpl::count_own_record() {
    if (++own_records_seen_ >= own_records_alarm) meet_another_life();
}

void NodeImpl::meet_another_life() {
    if (another_lives_) return;
    another_lives_ = true;
    if (!lane_lost_) log_.warn("another process is at work with this node's key: end one of them");
    if (lane_lost_ && lane_asks_)
        give_lane_up("another process is at work with this node's key, and has its lane");
}

Instant NodeImpl::lane_next_wake() const {
    if (!lane_lost_ || !lane_asks_) return Instant::max();
    const Instant first = lane_lost_at_ + watch_for;
    const Instant next = reset_asked_at_ ? *reset_asked_at_ + ask_again : first;
    return next > now_ ? next : now_ + Duration::from_s(1);
}

/// Asks for the next lane, with the seat's key, through another seat's lane. [LANE-RESET.2]
void NodeImpl::ask_for_lane() {
    if (!lane_lost_ || !lane_asks_ || !seat_ || !producer_ || store_failed_ || draining_) return;
    if (now_ < lane_lost_at_ + watch_for) return;
    if (reset_asked_at_ && now_ < *reset_asked_at_ + ask_again) return;
    const bool follows = !ordering_.behind() && to_execute_.empty() && reachability_.has_quorum();
    if (!follows || ordering_.halted() || final_.excluded(self_)) return;
    const LaneId lane = final_.lanes().of(*seat_);
    if (dag_.unfinalized(lane) > 0 && now_ < lane_lost_at_ + drain_for) return;
    const auto carrier = draw_carrier();
    if (!carrier) return;
    Ticket stored;
    if (!reset_asked_at_) {
        Writer draw;
        draw.u64(prng_.next());
        draw.u64(static_cast<std::uint64_t>(unix_ms_at_start_));
        draw.raw(self_.view());
        lane_life_ = hash(HashDomain::own_draw, draw.view());
        stored = effects_.persist(
            {{Column::meta, life_key(), share(encode_bytes(*lane_life_))}}, {}, Durable::yes
        );
    }
    reset_asked_at_ = now_;
    next_counter_ = std::max(next_counter_, final_.height().value() * counters_a_block);
    Operation operation = make_operation(LaneResetOperation{lane.incarnation.next(), *lane_life_});
    operation.signature =
        signer_.sign(SignDomain::operation, roster_.chain().value(), signing_bytes(operation));
    log_.info(
        "asking for lane " + lane_text({*seat_, lane.incarnation.next()}) + " through " +
        name_of(*carrier)
    );
    effects_.send(*carrier, OperationSubmit{operation}, stored);
}

}  // namespace creto
