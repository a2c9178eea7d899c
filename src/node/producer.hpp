// Producer: turns this seat's operations into the vertices of its own lane.
//
// Why      Throughput comes from batching: what arrives while one vertex becomes durable travels in
//          the next one. Nobody waits for a timer.
// Source   ORDER decision 6 (windows, coalescing without finality).
// Holds    One own vertex at most is on its way to disk. A vertex is sent only when it is durable.
//          A lane is never written before t+1 peers have said how far it came, or our own disk has and
//          nobody contradicted it for a moment: a node that lost its disk, or has an old copy of it,
//          must not fork itself. Who says that it came further than we know holds us up for a moment,
//          to show the vertex; t+1 who say so are believed, since one of them is honest. One liar
//          stops nobody.
//          What waits will fit: an operation for which the lane's window has no place any more is
//          refused at once, not taken and left.
// Errors   limit: too many operations wait; unavailable: the window has no place for one more.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "dag/dag.hpp"
#include "model/effect.hpp"
#include "node/carried.hpp"

namespace creto {

struct ProducerOptions {
    std::size_t vertex_bytes = 512 * 1024;  ///< Where a vertex is full.
    std::size_t seats = limits::seats_max;  ///< How many lanes' values a write may replace.
    /// Shortest time between own vertices once nothing became final for `patience`.
    Duration coalesce_min = Duration::from_ms(50);
    Duration coalesce_max = Duration::from_s(1);
    Duration patience = Duration::from_s(2);
    /// How long one peer's unproven word that our lane came further holds us up, once for each.
    Duration claim_patience = Duration::from_s(3);
    /// How long the start waits for peers to confirm what the own disk says: it may be an old copy.
    /// Whoever is alone goes on after that.
    Duration start_patience = Duration::from_s(2);
};

/// What the graph can still take of our lane while nothing becomes final.
struct LaneRoom {
    std::uint64_t vertices = 0;  ///< Not final, the one on its way to disk included.
    std::size_t bytes = 0;       ///< That the lane may grow by.
};

class Producer {
public:
    /// Of the window's vertices, kept for what the node itself has to say (evidence, offers).
    static constexpr std::uint64_t vertices_kept = 16;

    Producer(const LaneId& lane, ProducerOptions options) : lane_{lane}, options_{options} {}

    enum class Disk : std::uint8_t {
        whole,
        damaged,  ///< Its newest writes may be gone: peers must confirm the lane as for an empty one.
    };
    /// Where the lane stands on our own disk (sequence 0: empty).
    void restore(const LaneTip& tip, Disk disk);
    /// The node starts: what waits is written once peers confirm the lane, or no one speaks up.
    void begin(Instant now, bool has_peers);
    /// The seat has another lane, empty as far as is known: nothing is confirmed. What waits stays.
    void reopen(const LaneId& lane);
    /// A peer with a seat says how far it knows our lane; `needed` such peers contain an honest
    /// one. Returns why we must stop, when so many know more than we do.
    std::optional<std::string> confirm(
        const AgentId& peer, const LaneTip& known, std::uint32_t needed, Instant now
    );
    /// A vertex with our signature came from elsewhere. Returns why we must stop, if we do not know
    /// it: it is the proof that our folder is older than our lane.
    [[nodiscard]] std::optional<std::string> proven(const LaneTip& vertex) const;
    [[nodiscard]] bool confirmed() const { return confirmed_; }
    void allow() { confirmed_ = true; }

    [[nodiscard]] Result<void> push(Operation operation);
    [[nodiscard]] std::size_t waiting() const { return waiting_ + carried_.size(); }
    [[nodiscard]] std::size_t waiting_bytes() const { return bytes_ + carried_.bytes(); }
    /// Another agent's operation, which it signed: one of those that together get at most one part in
    /// limits::carried_share of a vertex, and half of the window. [CARRY-SHARE.1]
    [[nodiscard]] Result<void> carry(
        Operation operation, CarriedQueue::Client client, const LaneRoom& room
    );
    /// The same if it, behind those that wait, will find its place in the window although nothing
    /// becomes final.
    [[nodiscard]] Result<void> push(Operation operation, const LaneRoom& room);

    /// Whether a vertex may be made now.
    [[nodiscard]] bool ready(Instant now, const LaneRoom& room) const;
    /// The operations of the next vertex: own ones first. Requires: ready().
    [[nodiscard]] std::vector<Operation> next_batch();
    /// The header of the next vertex, without what SealedVertex::make fills in.
    [[nodiscard]] VertexHeader header(Dag::Parents parents, std::int64_t unix_ms) const;
    /// The vertex was made; it is on its way to disk under this ticket.
    void made(const SealedVertex& vertex, Ticket ticket, Instant now);
    /// True when this was our vertex: it may be sent.
    bool on_persisted(Ticket ticket);
    void on_finality(Instant now);

    /// When to look again although nothing happens.
    [[nodiscard]] Instant next_wake() const;
    [[nodiscard]] const LaneTip& tip() const { return tip_; }
    [[nodiscard]] const LaneId& lane() const { return lane_; }
    [[nodiscard]] Instant last_finality() const { return last_finality_; }

private:
    /// The operations of one vertex to come.
    struct Batch {
        std::vector<Operation> operations;
        std::size_t bytes = 0;
    };
    [[nodiscard]] bool joins_last(std::size_t size) const;
    [[nodiscard]] bool has_place(std::size_t size, const LaneRoom& room) const;
    Result<void> push(Operation operation, std::size_t size);

    LaneId lane_;
    ProducerOptions options_;
    LaneTip tip_;
    bool confirmed_ = false;
    bool starting_ = false;
    std::set<AgentId> confirmations_;
    std::set<AgentId> claims_;  ///< Who says, without proof so far, that our lane came further.
    Instant held_until_ = Instant::from_ns(0);
    std::deque<Batch> batches_;  ///< None of them empty.
    CarriedQueue carried_;
    std::size_t waiting_ = 0;  ///< Operations in all of them.
    std::size_t bytes_ = 0;
    std::optional<Ticket> in_flight_;
    Instant last_made_;
    Instant last_finality_;
    Duration interval_;
};

}  // namespace creto
