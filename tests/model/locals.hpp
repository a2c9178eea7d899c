// Locals: every state that one seat can be in, met once each, and what each event makes of it.
//
// Why      Seats influence each other by messages only, so the network's state is a tuple of seats'
//          states. A seat's state and an event give the next state; that is computed once by the
//          real core and remembered, and the search runs on small numbers.
// Holds    Two states with equal digest are one (model/probe.hpp says what the digest holds). What
//          was said is part of the state: a message that was sent can arrive at any later time.
#pragma once

#include <vector>

#include "model/machine.hpp"
#include "model/probe.hpp"

namespace creto::model_check {

using LocalId = std::uint32_t;

/// What can happen to one seat.
struct Event {
    enum class Kind : std::uint8_t {
        block,        ///< A proposal arrives.
        votes,        ///< The votes of one content by the seats of a mask arrive, each twice.
        certificate,  ///< The same as a certificate.
        timeout,      ///< The seat's patience with its view ends.
        crash,        ///< Power fails and returns.
        chain,        ///< The blocks of an epoch up to a finalised one arrive, with that as proof.
        wait,         ///< A moment passes: long enough for an echo, too short to give up.
        execute,      ///< All that is final here is executed.
    };
    Kind kind = Kind::timeout;
    std::uint32_t what = 0;  ///< Block, content, or Loss.
    std::uint32_t mask = 0;
    /// Power fails when the first batch is half on the disk: the blocks are, the votes are not.
    bool torn = false;

    [[nodiscard]] std::uint32_t code() const {
        return static_cast<std::uint32_t>(kind) << 29U | (torn ? 1U << 28U : 0U) | mask << 20U |
               what;
    }
    [[nodiscard]] static Event of(std::uint32_t code) {
        return {
            static_cast<Kind>(code >> 29U),
            code & 0xFFFFFU,
            code >> 20U & 0xFFU,
            (code >> 28U & 1U) != 0};
    }
};

struct Local {
    std::unique_ptr<Machine> machine;
    std::vector<std::uint32_t> said;    ///< Contents, ascending.
    std::vector<std::uint32_t> made;    ///< Blocks proposed, ascending.
    std::vector<std::uint32_t> held;    ///< Contents of certificates held above the final view.
    std::vector<std::uint32_t> blocks;  ///< Blocks held.
    std::vector<std::uint32_t> chain;   ///< Final blocks.
    std::vector<std::uint32_t> ends;    ///< Contents that made the ends of epochs final here.
    std::uint32_t crashes = 0;
    std::uint32_t timeouts = 0;
    Epoch epoch;
    View view;
    bool patient = false;
    bool waits = false;     ///< Only for a moment, to propose an echo.
    bool executes = false;  ///< There is something to execute.

    /// True when others, or the oracle, can tell the difference.
    [[nodiscard]] bool seen_from(const Local& before) const {
        return said != before.said || chain != before.chain || crashes != before.crashes ||
               timeouts != before.timeouts || !machine->violation().empty();
    }
};

class Locals {
public:
    struct Bounds {
        std::uint32_t crashes = 0;   ///< After so many of them a seat's disk makes no difference.
        std::uint32_t timeouts = 0;  ///< Counted up to here, 0 for not at all.
        Executes executes = Executes::never;
    };
    Locals(World& world, Bounds bounds) : world_{world}, bounds_{bounds} {}

    [[nodiscard]] LocalId fresh(Index seat);
    [[nodiscard]] LocalId after(LocalId from, const Event& event);
    [[nodiscard]] const Local& at(LocalId id) const { return locals_[id]; }
    [[nodiscard]] std::size_t size() const { return locals_.size(); }
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

private:
    static constexpr std::size_t first_slots = 1U << 16U;

    [[nodiscard]] LocalId intern(Local local);
    [[nodiscard]] Digest digest(const Local& local) const;
    void describe(Local& local) const;
    void connect(Machine& machine) const;
    [[nodiscard]] std::size_t slot(std::uint64_t key) const;
    void grow();

    World& world_;
    Bounds bounds_;
    std::vector<Local> locals_;
    std::map<Digest, LocalId> ids_;
    /// (local, event) + 1 -> local; open addressing, 0 is a free slot.
    std::vector<std::pair<std::uint64_t, LocalId>> memo_{first_slots};
    std::size_t memo_used_ = 0;
    std::uint64_t steps_ = 0;
};

}  // namespace creto::model_check
