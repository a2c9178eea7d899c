// Machine: one seat as a value: the real ordering, its disk, and what was heard of it outside.
//
// Why      Model checker, twins and crash points drive the same core; they differ in who decides
//          what happens next.
// Holds    Watched from outside, over all lives, with books of its own: no two votes that
//          contradict each other, none before its record is durable, none for a view given up
//          before; heights in order, once a life, never another block at a height that was handed
//          out; nobody honest accused; no halt. With epochs as well: no vote in an epoch in which it has
//          no seat, none in an epoch that it has left, none that rests on the end of an epoch which the
//          disk does not prove; every link proves the roster that the agreed state names. The first
//          breach is kept in violation().
// Epochs   What arrives is looked at as a node does (node_receive.cpp): by its epoch, by whether it is
//          worth checking, and by its signatures in the roster of the epoch that this seat is in.
// Cost     A copy is a copy of the core's maps: some microseconds.
#pragma once

#include <memory>
#include <set>

#include "model/disk.hpp"
#include "model/probe.hpp"
#include "model/world.hpp"

namespace creto::model_check {

/// The steps between which power can fail.
enum class Point : std::uint8_t { store, votes, synced, send };

struct Emission {
    Index to = 0;
    std::shared_ptr<const Message> message;
};

enum class Executes : std::uint8_t { at_once, when_told, never };

struct MachineOptions {
    bool eager_sync = true;    ///< Batches are durable at once; else complete_sync() says when.
    bool verify_sends = true;  ///< Form and signatures of all that is sent are checked.
    Executes executes = Executes::at_once;  ///< Final blocks. A restart executes what it reads.
    bool liar = false;                      ///< Its own misdeeds are no violation.
};

class Machine {
public:
    Machine(World& world, Index self, MachineOptions options);
    Machine(const Machine& other);
    Machine& operator=(const Machine&) = delete;
    ~Machine() = default;

    /// A fresh core from what the disk holds, connected to everyone.
    void boot();
    void receive(Index from, const Message& message);
    /// Time passes until this seat gives its view up.
    void time_out();
    void tick(Instant now);
    void peer_up(Index peer);
    void peer_down(Index peer);
    /// All that is final and was not executed yet, is.
    void execute();
    [[nodiscard]] bool has_to_execute() const { return !unexecuted_.empty(); }
    /// The oldest batch under way became durable.
    void complete_sync();
    [[nodiscard]] bool syncing() const { return !pending_.empty(); }
    void crash(Loss loss);
    /// Written, but not asked to be synced.
    void flush();

    /// Power fails before the count-th step from now (of one kind, or of any).
    void fuse(std::optional<Point> kind, std::uint64_t count);
    void no_fuse() { fuse_.reset(); }
    [[nodiscard]] bool dark() const { return dark_; }
    [[nodiscard]] std::uint64_t points() const { return points_; }

    [[nodiscard]] const OrderingCore& core() const { return Probe::core(*ordering_); }
    void forget_votes() { Probe::forget_votes(Probe::core(*ordering_)); }
    [[nodiscard]] Index self() const { return self_; }
    [[nodiscard]] Disk& disk() { return disk_; }
    [[nodiscard]] const Disk& disk() const { return disk_; }
    [[nodiscard]] Instant now() const { return now_; }
    void set_now(Instant now) { now_ = now; }
    [[nodiscard]] const std::vector<Persist>& under_way() const { return lost_; }
    [[nodiscard]] const std::set<VoteContent>& said() const { return said_; }
    [[nodiscard]] const std::vector<BlockId>& chain() const { return chain_; }
    [[nodiscard]] Height delivered() const { return delivered_; }
    [[nodiscard]] Height executed() const { return executed_.height; }
    [[nodiscard]] std::vector<Emission> take_emissions() { return std::exchange(emissions_, {}); }
    [[nodiscard]] const std::string& violation() const { return violation_; }
    void blame(std::string what) {
        if (violation_.empty()) violation_ = std::move(what);
    }

private:
    using Probe = simplex::testing::CoreProbe;
    struct Fuse {
        std::optional<Point> kind;
        std::uint64_t count = 0;
    };
    [[nodiscard]] AgentId agent(Index i) const { return world_.seats.agent(i); }
    void drain();
    void carry_out();
    void emit(const Send& send);
    void watch(const Message& message);
    void watch_vote(const Vote& vote);
    void watch_batch(const Persist& batch);
    [[nodiscard]] bool proves_end(Epoch epoch) const;
    [[nodiscard]] bool cast_before(const VoteContent& first, const Vote& second) const;
    void collect();
    void collect_links();
    void output(const FinalizedBlock& block);
    void execute_final();
    void execute(Height height, const BlockId& id);
    /// False: the power is gone.
    bool step(Point point);

    World& world_;
    Index self_;
    MachineOptions options_;
    std::unique_ptr<Ordering> ordering_;
    Effects effects_;
    Disk disk_;
    Instant now_ = Instant::from_ns(1);
    std::vector<Persist> pending_;
    std::vector<Persist> lost_;  ///< What was under way when the power failed, the oldest first.
    std::vector<Send> held_;
    std::set<Ticket> durable_;
    Height delivered_;
    ExecutedMark executed_;
    std::vector<std::pair<Height, BlockId>> unexecuted_;
    std::vector<BlockId> chain_;  ///< As far as ever handed out, over all lives.
    std::set<VoteContent> said_;
    std::vector<Emission> emissions_;
    WireMessage decoded_from_;
    std::shared_ptr<const Message> decoded_;
    std::optional<Fuse> fuse_;
    bool dark_ = false;
    std::uint64_t points_ = 0;
    std::string violation_;
};

}  // namespace creto::model_check
