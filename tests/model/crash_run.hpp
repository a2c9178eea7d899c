// CrashRun: four honest seats on one clock, and a plan of when power fails where.
//
// Why      Crash points are enumerated, not drawn: the same run is repeated, and each time power
//          fails one step later.
// Holds    One run is a function of its plan. A message takes a millisecond, a sync another; what
//          was sent to a dark seat is lost.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "model/machine.hpp"

namespace creto::model_check {

class CrashRun {
public:
    /// `absent`: a seat that never starts, so that its views are given up.
    explicit CrashRun(World& world, std::optional<Index> absent = std::nullopt);

    /// Power fails at this seat before its count-th step from now.
    void fuse(Index seat, std::uint64_t count) { machines_[seat]->fuse(std::nullopt, count); }
    /// What is done to the disk of a seat that lost power, before it returns.
    std::function<void(Machine&)> before_return;
    Loss loss = Loss::unsynced;
    Duration dark_for = Duration::from_ms(150);

    /// Until `done`, or virtual time is over. True if done.
    bool run_until(Duration span, const std::function<bool()>& done);
    /// One event. False: there is none.
    bool step();
    /// Everyone loses power now; everyone returns.
    void all_dark();
    [[nodiscard]] bool up(Index seat) const { return up_[seat]; }
    [[nodiscard]] bool reached(std::size_t height) const;
    [[nodiscard]] std::string broken() const;
    [[nodiscard]] Machine& machine(Index seat) { return *machines_[seat]; }
    [[nodiscard]] std::uint64_t events() const { return event_no_; }
    /// Seats whose own misdeeds and silence count no longer.
    void excuse(Index seat) { excused_[seat] = true; }
    [[nodiscard]] std::size_t highest() const;

private:
    static constexpr std::uint64_t steps_max = 100'000;
    static constexpr Duration hop = Duration::from_ms(1);

    void at(Duration delay, Index seat, std::function<void(Machine&)> act);
    void start(Index seat);
    void go_dark(Index seat);
    /// Sends what it says, plans its syncs and its alarm; or notices that its power failed.
    void after(Index seat);

    World& world_;
    std::optional<Index> absent_;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::vector<bool> up_;
    std::vector<bool> excused_;
    std::vector<std::uint64_t> life_;
    std::vector<bool> sync_planned_;
    Instant now_ = Instant::from_ns(1);
    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
    std::uint64_t event_no_ = 0;
};

}  // namespace creto::model_check
