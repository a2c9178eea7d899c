#include "model/crash_run.hpp"

#include <algorithm>

namespace creto::model_check {

CrashRun::CrashRun(World& world, std::optional<Index> absent)
    : world_{world}, absent_{absent}, up_(4), excused_(4), life_(4), sync_planned_(4) {
    const MachineOptions options{.eager_sync = false, .verify_sends = false};
    for (Index i = 0; i < 4; ++i)
        machines_.push_back(std::make_unique<Machine>(world_, i, options));
    for (Index i = 0; i < 4; ++i) {
        if (i != absent_) at(hop, i, [this, i](Machine&) { start(i); });
    }
}

void CrashRun::at(Duration delay, Index seat, std::function<void(Machine&)> act) {
    const std::uint64_t life = life_[seat];
    events_.emplace(std::pair{now_ + delay, ++event_no_}, [this, seat, life, act = std::move(act)] {
        if (life_[seat] != life) return;
        act(*machines_[seat]);
        after(seat);
    });
}

void CrashRun::start(Index seat) {
    Machine& machine = *machines_[seat];
    machine.set_now(now_);
    machine.boot();
    up_[seat] = true;
    sync_planned_[seat] = false;
    for (Index peer = 0; peer < 4; ++peer) {
        if (peer == seat || !up(peer)) continue;
        at(hop, seat, [peer](Machine& m) { m.peer_up(peer); });
        at(hop, peer, [seat](Machine& m) { m.peer_up(seat); });
    }
}

void CrashRun::go_dark(Index seat) {
    Machine& machine = *machines_[seat];
    machine.no_fuse();
    machine.crash(loss);
    if (before_return) before_return(machine);
    up_[seat] = false;
    ++life_[seat];
    for (Index peer = 0; peer < 4; ++peer) {
        if (peer != seat && up(peer)) at(hop, peer, [seat](Machine& m) { m.peer_down(seat); });
    }
    at(dark_for, seat, [this, seat](Machine&) { start(seat); });
}

void CrashRun::all_dark() {
    events_.clear();
    for (Index i = 0; i < 4; ++i)
        up_[i] = false;
    for (Index i = 0; i < 4; ++i) {
        if (i != absent_) go_dark(i);
    }
}

void CrashRun::after(Index seat) {
    Machine& machine = *machines_[seat];
    if (!up(seat)) return;
    for (Emission& emission : machine.take_emissions()) {
        if (!up(emission.to)) continue;
        at(hop, emission.to, [seat, message = std::move(emission.message)](Machine& m) {
            m.receive(seat, *message);
        });
    }
    if (machine.dark()) return go_dark(seat);
    if (machine.syncing() && !sync_planned_[seat]) {
        sync_planned_[seat] = true;
        at(hop, seat, [this, seat](Machine& m) {
            sync_planned_[seat] = false;
            m.complete_sync();
        });
    }
}

bool CrashRun::step() {
    Instant alarm = Instant::max();
    for (Index i = 0; i < 4; ++i) {
        if (up(i)) alarm = std::min(alarm, machines_[i]->core().next_wake());
    }
    if (events_.empty() && alarm == Instant::max()) return false;
    const bool message_first = !events_.empty() && events_.begin()->first.first <= alarm;
    now_ = std::max(now_, message_first ? events_.begin()->first.first : alarm);
    for (Index i = 0; i < 4; ++i) {
        if (up(i)) machines_[i]->set_now(now_);
    }
    if (message_first) {
        const auto act = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        act();
        return true;
    }
    for (Index i = 0; i < 4; ++i) {
        if (!up(i) || machines_[i]->core().next_wake() > now_) continue;
        machines_[i]->tick(now_);
        after(i);
    }
    return true;
}

bool CrashRun::run_until(Duration span, const std::function<bool()>& done) {
    const Instant end = now_ + span;
    // A seat whose alarm never moves on would keep time from passing.
    for (std::uint64_t steps = 0; !done(); ++steps) {
        if (steps > steps_max || now_ > end || !broken().empty() || !step()) return false;
    }
    return true;
}

bool CrashRun::reached(std::size_t height) const {
    for (Index i = 0; i < 4; ++i) {
        if (i == absent_ || excused_[i]) continue;
        if (!up(i) || machines_[i]->delivered().value() < height) return false;
    }
    return true;
}

std::size_t CrashRun::highest() const {
    std::size_t highest = 0;
    for (Index i = 0; i < 4; ++i) {
        if (!excused_[i]) highest = std::max(highest, machines_[i]->chain().size());
    }
    return highest;
}

std::string CrashRun::broken() const {
    const std::vector<BlockId>* longest = nullptr;
    for (Index i = 0; i < 4; ++i) {
        if (excused_[i]) continue;
        const Machine& machine = *machines_[i];
        if (!machine.violation().empty())
            return "seat " + std::to_string(i) + ": " + machine.violation();
        const auto& chain = machine.chain();
        if (longest == nullptr) longest = &chain;
        const auto both = static_cast<std::ptrdiff_t>(std::min(chain.size(), longest->size()));
        if (!std::equal(chain.begin(), chain.begin() + both, longest->begin()))
            return "agreement: two final blocks at one height";
        if (chain.size() > longest->size()) longest = &chain;
    }
    return {};
}

}  // namespace creto::model_check
