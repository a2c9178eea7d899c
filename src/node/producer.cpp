#include "node/producer.hpp"

#include <algorithm>

namespace creto {

namespace {

/// An upper bound of what a vertex holds beside its operations.
constexpr std::size_t header_bytes = 1'024;

/// Of a vertex's operations, what is left to others.
constexpr std::size_t carried_operations = limits::vertex_operations_max / limits::carried_share;
constexpr std::size_t own_operations = limits::vertex_operations_max - carried_operations;

/// An upper bound of an operation's size in a vertex, without encoding it.
std::size_t size_of(const Operation& operation, std::size_t seats) {
    constexpr std::size_t frame = 256;
    if (const auto* data = std::get_if<DataOperation>(&operation.body)) {
        return frame + data->payload.size();
    }
    // What a causal write replaces is named when its vertex is made: at most a value of each lane.
    constexpr std::size_t dot_bytes = 32;
    const auto* causal = std::get_if<CrdtOperation>(&operation.body);
    const bool names = causal != nullptr && causal->action != CrdtOperation::Action::counter_add &&
                       causal->action != CrdtOperation::Action::list_append;
    return encode_bytes(operation).size() + (names ? seats * dot_bytes : 0) + frame;
}

}  // namespace

void Producer::restore(const LaneTip& tip, Disk disk) {
    tip_ = tip;
    if (tip.sequence != Sequence{} && disk == Disk::whole) confirmed_ = true;
}

void Producer::begin(Instant now, bool has_peers) {
    on_finality(now);
    starting_ = has_peers && confirmed_ && tip_.sequence != Sequence{};
    if (starting_) held_until_ = now + options_.start_patience;
}

void Producer::reopen(const LaneId& lane) {
    if (lane == lane_) return;
    lane_ = lane;
    tip_ = {};
    confirmed_ = false;
    starting_ = false;
    confirmations_.clear();
    claims_.clear();
    held_until_ = Instant::from_ns(0);
    in_flight_.reset();
}

std::optional<std::string> Producer::confirm(
    const AgentId& peer, const LaneTip& known, std::uint32_t needed, Instant now
) {
    if (const auto why = proven(known)) {
        if (claims_.insert(peer).second) held_until_ = now + options_.claim_patience;
        return claims_.size() >= needed ? why : std::nullopt;
    }
    claims_.erase(peer);
    confirmations_.insert(peer);
    if (confirmations_.size() < needed) return std::nullopt;
    confirmed_ = true;
    if (std::exchange(starting_, false) && claims_.empty()) held_until_ = now;
    return std::nullopt;
}

std::optional<std::string> Producer::proven(const LaneTip& vertex) const {
    const bool known = vertex.sequence < tip_.sequence || vertex == tip_;
    if (known) return std::nullopt;
    return "vertex " + std::to_string(vertex.sequence.value()) +
           " of this node's lane exists, this node's own folder ends at " +
           std::to_string(tip_.sequence.value()) +
           ": the data folder was lost or is an old copy, or another process uses the same key";
}

Result<void> Producer::push(Operation operation) {
    const std::size_t size = size_of(operation, options_.seats);
    return push(std::move(operation), size);
}

Result<void> Producer::push(Operation operation, const LaneRoom& room) {
    const std::size_t size = size_of(operation, options_.seats);
    if (!has_place(size, room)) {
        return fail(ErrorCode::unavailable, "the window of this lane is full");
    }
    return push(std::move(operation), size);
}

Result<void> Producer::push(Operation operation, std::size_t size) {
    if (waiting_ >= limits::operations_pending_max) {
        return fail(
            ErrorCode::limit,
            "too many operations wait: " + std::to_string(limits::operations_pending_max) +
                "; slow down"
        );
    }
    if (!joins_last(size)) batches_.emplace_back();
    Batch& batch = batches_.back();
    batch.bytes += size;
    bytes_ += size;
    ++waiting_;
    batch.operations.push_back(std::move(operation));
    return {};
}

Result<void> Producer::carry(
    Operation operation, CarriedQueue::Client client, const LaneRoom& room
) {
    const bool has_place = room.vertices < limits::lane_window_vertices / 2 &&
                           room.bytes > limits::lane_window_bytes / 2;
    if (!has_place) return fail(ErrorCode::unavailable, "the window of this lane is full");
    const std::size_t size = size_of(operation, options_.seats);
    return carried_.push(std::move(operation), size, client);
}

bool Producer::joins_last(std::size_t size) const {
    return !batches_.empty() && batches_.back().operations.size() < own_operations &&
           batches_.back().bytes + size <= options_.vertex_bytes;
}

bool Producer::has_place(std::size_t size, const LaneRoom& room) const {
    const std::size_t vertices = batches_.size() + (joins_last(size) ? 0 : 1);
    // The last vertex is made while the window has a place for it and room for the largest.
    const std::size_t before = bytes_ + vertices * header_bytes;
    return room.vertices + vertices < limits::lane_window_vertices - vertices_kept &&
           before + limits::vertex_bytes_max <= room.bytes;
}

bool Producer::ready(Instant now, const LaneRoom& room) const {
    return confirmed_ && now >= held_until_ && waiting() > 0 && !in_flight_ &&
           room.vertices < limits::lane_window_vertices - 1 &&
           room.bytes >= limits::vertex_bytes_max && now >= last_made_ + interval_;
}

std::vector<Operation> Producer::next_batch() {
    Batch batch;
    if (!batches_.empty()) {
        batch = std::move(batches_.front());
        batches_.pop_front();
        waiting_ -= batch.operations.size();
        bytes_ -= batch.bytes;
    }
    if (carried_.size() == 0) return std::move(batch.operations);
    for (Operation& operation :
         carried_.take(carried_operations, options_.vertex_bytes / limits::carried_share))
        batch.operations.push_back(std::move(operation));
    return std::move(batch.operations);
}

VertexHeader Producer::header(Dag::Parents parents, std::int64_t unix_ms) const {
    VertexHeader header;
    header.lane = lane_;
    header.sequence = tip_.sequence.next();
    header.author_unix_ms = unix_ms;
    header.depth = parents.depth;
    header.parents = std::move(parents.refs);
    return header;
}

void Producer::made(const SealedVertex& vertex, Ticket ticket, Instant now) {
    tip_ = {vertex.header().sequence, vertex.id()};
    in_flight_ = ticket;
    last_made_ = now;
    if (now - last_finality_ > options_.patience) {
        interval_ = std::clamp(interval_ * 2, options_.coalesce_min, options_.coalesce_max);
    }
}

bool Producer::on_persisted(Ticket ticket) {
    if (in_flight_ != ticket) return false;
    in_flight_.reset();
    return true;
}

void Producer::on_finality(Instant now) {
    last_finality_ = now;
    interval_ = Duration{};
}

Instant Producer::next_wake() const {
    if (waiting() == 0 || in_flight_ || !confirmed_) return Instant::max();
    const Instant paced = interval_ == Duration{} ? Instant::max() : last_made_ + interval_;
    return held_until_ > last_made_ ? std::min(paced, held_until_) : paced;
}

}  // namespace creto
