#include "model/twins.hpp"

#include <algorithm>

namespace creto::model_check {

using simplex::testing::CoreProbe;

namespace {

constexpr std::uint8_t groups_max = 3;
constexpr std::uint64_t phases_max = 7;
/// Turns of an eighth of a second after which a healed network must have finalised something new.
constexpr int heal_turns = 64;
constexpr Duration turn = Duration::from_ms(125);
constexpr Partition together{};

/// Groups in order of their first member, so that one cut has one form.
Partition canonical(const Partition& groups) {
    std::array<std::uint8_t, twin_instances> name{};
    name.fill(0xFF);
    Partition out{};
    std::uint8_t next = 0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        std::uint8_t& known = name[groups[i]];
        if (known == 0xFF) known = next++;
        out[i] = known;
    }
    return out;
}

}  // namespace

std::vector<Partition> partitions(Index twin) {
    std::vector<Partition> found;
    const std::uint32_t all = 3 * 3 * 3 * 3 * 3;
    static_assert(groups_max == 3);
    for (std::uint32_t code = 0; code < all; ++code) {
        Partition groups{};
        std::uint32_t rest = code;
        for (auto& group : groups) {
            group = static_cast<std::uint8_t>(rest % groups_max);
            rest /= groups_max;
        }
        Partition swapped = groups;
        std::swap(swapped[twin], swapped[4]);
        found.push_back(std::min(canonical(groups), canonical(swapped)));
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

TwinCases::TwinCases(std::uint64_t seed) : seed_{seed} {
    for (Index twin = 0; twin < 4; ++twin)
        cuts_.push_back(partitions(twin));
    const std::uint64_t choices = cuts_[0].size() * 4;  // Cut, patience, late; three hops.
    per_twin_ = choices * choices;
    enumerated_ = per_twin_ * 4;
}

TwinCase TwinCases::at(std::uint64_t number) const {
    TwinCase found;
    if (number % 2 == 0 && number / 2 < enumerated_) {
        found.twin = static_cast<Index>(number / 2 % 4);
        std::uint64_t rest = number / 8;
        const std::uint64_t cuts = cuts_[found.twin].size();
        for (int i = 0; i < 2; ++i) {
            found.phases.push_back(
                {static_cast<std::uint8_t>(rest % cuts),
                 3,
                 (rest / cuts & 1U) != 0,
                 (rest / cuts & 2U) != 0}
            );
            rest /= cuts * 4;
        }
        return found;
    }
    Prng prng{draw(seed_, number)};
    found.twin = static_cast<Index>(prng.below(4));
    const std::uint64_t phases = prng.between(3, phases_max);
    for (std::uint64_t i = 0; i < phases; ++i) {
        found.phases.push_back(
            {static_cast<std::uint8_t>(prng.below(cuts_[found.twin].size())),
             static_cast<std::uint8_t>(prng.between(1, 4)),
             prng.chance(1, 2),
             prng.chance(1, 3)}
        );
    }
    return found;
}

TwinRun::TwinRun(World& world, const TwinCases& cases, const TwinCase& wanted)
    : world_{world}, cases_{cases}, case_{wanted}, twin_{wanted.twin} {
    for (Index i = 0; i < twin_instances; ++i) {
        MachineOptions options{.verify_sends = false, .liar = is_twin(i)};
        machines_.push_back(std::make_unique<Machine>(world_, seat(i), options));
        machines_[i]->boot();
        for (Index peer = 0; peer < 4; ++peer) {
            if (peer != seat(i)) machines_[i]->peer_up(peer);
        }
        collect(i);
    }
}

/// What carries a vote with the own key that this copy did not cast.
bool TwinRun::hidden(Index to, const Message& message) const {
    if (!is_twin(to)) return false;
    const auto& voter = CoreProbe::voter(machines_[to]->core());
    const auto foreign = [&](const Certificate& c) {
        return c.signed_by(twin_) && !voter.knows(c.content);
    };
    if (const auto* vote = std::get_if<Vote>(&message))
        return vote->seat == world_.seats.seat(twin_);
    if (const auto* proposal = std::get_if<Proposal>(&message)) {
        return proposal->block.proposer == world_.seats.seat(twin_) &&
               !voter.knows(proposal->leader_vote().content);
    }
    if (const auto* certificate = std::get_if<Certificate>(&message)) return foreign(*certificate);
    if (const auto* answer = std::get_if<ChainAnswer>(&message))
        return answer->finalization && foreign(*answer->finalization);
    return false;
}

void TwinRun::collect(Index machine) {
    for (Emission& emission : machines_[machine]->take_emissions()) {
        const auto from = static_cast<std::uint8_t>(machine);
        flying_.push_back({from, static_cast<std::uint8_t>(emission.to), emission.message});
        if (emission.to == twin_) flying_.push_back({from, 4, std::move(emission.message)});
    }
}

void TwinRun::hop(const Partition& groups, bool keep) {
    for (Flying& one : std::exchange(flying_, {})) {
        if (groups[one.from] != groups[one.to]) {
            if (keep) later_.push_back(std::move(one));
            continue;
        }
        if (hidden(one.to, *one.message)) continue;
        ++deliveries_;
        machines_[one.to]->receive(seat(one.from), *one.message);
        collect(one.to);
    }
}

void TwinRun::tick_all() {
    for (Index i = 0; i < twin_instances; ++i) {
        if (machines_[i]->core().next_wake() > now_) continue;
        machines_[i]->tick(now_);
        collect(i);
    }
}

std::string TwinRun::check() const {
    const std::vector<BlockId>* longest = nullptr;
    for (Index i = 0; i < 4; ++i) {
        if (is_twin(i)) continue;
        if (!machines_[i]->violation().empty())
            return "seat " + std::to_string(i) + ": " + machines_[i]->violation();
        const auto& chain = machines_[i]->chain();
        if (longest == nullptr) longest = &chain;
        const std::size_t both = std::min(chain.size(), longest->size());
        const auto end = chain.begin() + static_cast<std::ptrdiff_t>(both);
        if (!std::equal(chain.begin(), end, longest->begin()))
            return "agreement: two final blocks at one height";
        if (chain.size() > longest->size()) longest = &chain;
    }
    return {};
}

std::size_t TwinRun::final_blocks() const {
    std::size_t lowest = ~std::size_t{0};
    for (Index i = 0; i < 4; ++i) {
        if (!is_twin(i)) lowest = std::min(lowest, machines_[i]->chain().size());
    }
    return lowest;
}

bool TwinRun::equivocated() const {
    for (const VoteContent& a : machines_[twin_]->said()) {
        for (const VoteContent& b : machines_[4]->said()) {
            if (conflict(a, b)) return true;
        }
    }
    return false;
}

std::string TwinRun::heal() {
    std::size_t highest = 0;
    for (Index i = 0; i < 4; ++i) {
        if (!is_twin(i)) highest = std::max(highest, machines_[i]->chain().size());
    }
    for (int i = 0; i < heal_turns; ++i) {
        for (int hops = 0; hops < 4; ++hops) {
            hop(together, false);
            if (final_blocks() > highest) return check();
        }
        now_ = now_ + turn;
        tick_all();
        if (auto broken = check(); !broken.empty()) return broken;
    }
    std::string where;
    for (Index i = 0; i < twin_instances; ++i) {
        where += (i > 0 ? ", " : "") + std::to_string(machines_[i]->core().view().value()) + "/" +
                 std::to_string(machines_[i]->chain().size());
    }
    return "no progress after healing; view/height: " + where;
}

std::string TwinRun::run() {
    for (const TwinPhase& phase : case_.phases) {
        const Partition& groups = cases_.partition(twin_, phase.cut);
        flying_.insert(flying_.end(), later_.begin(), later_.end());
        later_.clear();
        for (int i = 0; i < phase.hops; ++i)
            hop(groups, phase.late);
        if (phase.patience_ends) {
            now_ = now_ + Duration::from_ms(400);
            tick_all();
            hop(groups, phase.late);
        }
        // Whatever is on its way at the end of a phase without lateness is lost with the cut.
        if (!phase.late) flying_.clear();
    }
    if (auto broken = check(); !broken.empty()) return broken;
    return heal();
}

}  // namespace creto::model_check
