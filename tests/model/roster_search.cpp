#include "model/roster_search.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "model/masks.hpp"

namespace creto::model_check {

namespace {

Genesis genesis_of(const RosterSearchOptions& options) {
    Genesis genesis;
    genesis.network = "rosters";
    genesis.mode = options.mode;
    genesis.epoch_blocks = limits::epoch_blocks_min;
    for (std::uint32_t i = 0; i < options.seats; ++i) {
        std::array<std::uint8_t, 32> key{};
        key[0] = static_cast<std::uint8_t>(i + 1);
        genesis.members.push_back({Seat{i}, PublicKey{key}, "seat-" + std::to_string(i)});
    }
    return genesis;
}

/// Calls with each subset of `from` that has none of a class without those of it that come before.
template <class Same, class Visit>
void each_subset(std::uint32_t from, Same same, Visit visit) {
    for (std::uint32_t mask = from;; mask = (mask - 1) & from) {
        bool is_first = true;
        for (std::uint32_t i = 1; i < 32 && is_first; ++i) {
            const bool skips =
                (mask >> i & 1U) != 0 && (mask >> (i - 1) & 1U) == 0 && (from >> (i - 1) & 1U) != 0;
            is_first = !(skips && same(i - 1, i));
        }
        if (is_first) visit(mask);
        if (mask == 0) return;
    }
}

}  // namespace

RosterSearch::RosterSearch(const RosterSearchOptions& options)
    : options_{options}, genesis_{genesis_of(options)} {
    // The liars come last: a standing begins with whether it lies.
    Known first{{}, {}, SeatBook{genesis_}, Epoch{1}, false, {}};
    for (std::uint32_t i = 0; i < options.seats; ++i) {
        const std::uint8_t always = (1U << (options_.epochs_back + 2)) - 1;
        first.seats.push_back({i >= options.seats - options.liars, always, 0});
        first.names.emplace_back(i);
    }
    index_.emplace(first.seats, 0);
    rosters_.push_back(std::move(first));
}

/// Who votes, `back` epochs before the one that is being decided.
RosterSearch::Mask RosterSearch::voting(const Known& known, std::uint32_t back) const {
    Mask mask = 0;
    for (std::uint32_t i = 0; i < known.seats.size(); ++i)
        mask |= static_cast<Mask>(known.seats[i].voted >> (back + 1) & 1U) << i;
    return mask;
}

Quorum RosterSearch::quorum(const Known& known, std::uint32_t back) const {
    const std::uint32_t votes = bits(voting(known, back));
    return Quorum::of(options_.mode, votes, options_.seats - votes);
}

RosterSearch::Mask RosterSearch::liars(const Known& known) const {
    Mask mask = 0;
    for (std::uint32_t i = 0; i < known.seats.size(); ++i)
        mask |= static_cast<Mask>(known.seats[i].lies ? 1U : 0U) << i;
    return mask;
}

/// All ends that the epoch can have, whoever takes part.
void RosterSearch::expand(RosterId id) {
    if (rosters_[id].expanded) return;
    rosters_[id].expanded = true;
    const std::vector<Standing> seats = rosters_[id].seats;
    const auto same = [&](std::uint32_t a, std::uint32_t b) { return seats[a] == seats[b]; };
    const Mask all = (1U << options_.seats) - 1;
    Mask asleep = 0;
    for (std::uint32_t i = 0; i < seats.size(); ++i)
        asleep |= static_cast<Mask>(seats[i].dormant == 1 || seats[i].dormant == 2 ? 1U : 0U) << i;
    each_subset(asleep, same, [&](Mask back) {
        // The first of the dead are set aside, as many as help: an order for each who could be first.
        each_subset(all, same, [&](Mask first) {
            std::vector<std::uint32_t> dead;
            for (std::uint32_t i = 0; i < seats.size(); ++i)
                if ((first >> i & 1U) != 0) dead.push_back(i);
            decide(id, dead, back);
        });
    });
}

void RosterSearch::decide(RosterId id, const std::vector<std::uint32_t>& dead, Mask back) {
    const Known& before = rosters_[id];
    SeatBook book = before.book;
    MerkleMap map;
    for (std::uint32_t i = 0; i < before.seats.size(); ++i) {
        if ((back >> i & 1U) == 0) continue;
        const SeatEntry& entry = book.seats().at(before.names[i]);
        const auto done = book.come_back(entry.member.key, entry.dormant_from, before.epoch, map);
        if (!done) return blame("a dormant seat does not come back: " + done.error(), 0);
    }
    static_cast<void>(book.end_epoch(before.epoch, map));
    std::vector<Seat> said;
    for (const std::uint32_t i : dead)
        said.push_back(before.names[i]);
    const std::vector<Seat> aside = book.set_aside(said, before.epoch, map);
    Outcome outcome = settle(before, std::move(book));
    outcome.back = back;
    const Known& now = rosters_[id];
    for (std::uint32_t i = 0; i < now.names.size(); ++i) {
        const bool is_aside = std::find(aside.begin(), aside.end(), now.names[i]) != aside.end();
        outcome.aside |= static_cast<Mask>(is_aside ? 1U : 0U) << i;
    }
    const auto same = [&](const Outcome& other) {
        return other.aside == outcome.aside && other.back == outcome.back;
    };
    std::vector<Outcome>& outcomes = rosters_[id].outcomes;
    if (std::none_of(outcomes.begin(), outcomes.end(), same))
        outcomes.push_back(std::move(outcome));
}

RosterSearch::Outcome RosterSearch::settle(const Known& before, SeatBook book) {
    const Epoch epoch = before.epoch.next();
    const auto standing = [&](std::uint32_t i) {
        const SeatEntry& entry = book.seats().at(before.names[i]);
        Standing now = before.seats[i];
        now.voted =
            static_cast<std::uint8_t>(now.voted << 1U) & ((1U << (options_.epochs_back + 2)) - 1);
        if (entry.votes_in(epoch.next())) now.voted |= 1U;
        const bool sleeps = entry.is_dormant_in(epoch);
        const bool will = entry.is_dormant_in(epoch.next());
        now.dormant = sleeps ? (will ? 1 : 3) : (will ? 2 : 0);
        // Whoever executed the end of the epoch before has counted with this roster already.
        const bool was = (before.seats[i].voted & 1U) != 0;
        if (entry.votes_in(epoch) != was)
            blame("who votes in an epoch changes at the end of the one before it", 0);
        return now;
    };
    std::vector<Standing> seats;
    for (std::uint32_t i = 0; i < before.seats.size(); ++i)
        seats.push_back(standing(i));
    std::vector<std::uint32_t> order(seats.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return seats[a] < seats[b];
    });
    Outcome out;
    out.places.resize(seats.size());
    Known next{{}, {}, std::move(book), epoch, false, {}};
    for (std::uint32_t place = 0; place < order.size(); ++place) {
        out.places[order[place]] = static_cast<std::uint8_t>(place);
        next.seats.push_back(seats[order[place]]);
        next.names.push_back(before.names[order[place]]);
    }
    const auto [found, fresh] = index_.emplace(next.seats, static_cast<RosterId>(rosters_.size()));
    out.next = found->second;
    if (fresh) rosters_.push_back(std::move(next));
    return out;
}

/// Each group that can decide the epoch, with each end that it can have.
void RosterSearch::step(std::uint32_t at) {
    const Node node = nodes_[at];
    expand(node.roster);
    const std::vector<Standing> seats = rosters_[node.roster].seats;
    const Mask voters = voting(rosters_[node.roster], 0);
    const Mask lying = liars(rosters_[node.roster]);
    const Quorum needed = quorum(rosters_[node.roster], 0);
    const auto same = [&](std::uint32_t a, std::uint32_t b) {
        return seats[a] == seats[b] && node.lags[a] == node.lags[b];
    };
    const Mask honest = voters & ~lying;
    if (bits(honest) < needed.q) ++result_.halting;
    each_subset(honest, same, [&](Mask group) {
        if (!result_.violation.empty() || bits(group | (voters & lying)) < needed.q) return;
        const std::size_t ends = rosters_[node.roster].outcomes.size();
        for (std::uint32_t i = 0; i < ends; ++i) {
            ++result_.decisions;
            const Outcome& outcome = rosters_[node.roster].outcomes[i];
            Node next{outcome.next, Lags(seats.size()), at, i, group};
            for (std::uint32_t seat = 0; seat < seats.size(); ++seat) {
                const bool took_part = (group >> seat & 1U) != 0;
                // Who asks for its vote has caught up; that is all that it has seen.
                const bool knows = (outcome.back >> seat & 1U) != 0;
                const std::uint32_t lag = took_part ? 0U : (knows ? 1U : node.lags[seat] + 1U);
                next.lags[outcome.places[seat]] = static_cast<std::uint8_t>(
                    seats[seat].lies ? 0 : std::min(lag, options_.epochs_back)
                );
            }
            add(std::move(next));
        }
    });
}

void RosterSearch::add(Node node) {
    const Known& known = rosters_[node.roster];
    for (std::size_t i = 0; i < node.lags.size();) {
        std::size_t end = i + 1;
        while (end < node.lags.size() && known.seats[end] == known.seats[i])
            ++end;
        std::sort(
            node.lags.begin() + static_cast<std::ptrdiff_t>(i),
            node.lags.begin() + static_cast<std::ptrdiff_t>(end)
        );
        i = end;
    }
    const auto [found, fresh] =
        seen_.emplace(std::pair{node.roster, node.lags}, static_cast<std::uint32_t>(nodes_.size()));
    if (!fresh) return;
    nodes_.push_back(std::move(node));
    check(nodes_.back());
}

void RosterSearch::check(const Node& node) {
    const auto at = static_cast<std::uint32_t>(nodes_.size() - 1);
    const Known& known = rosters_[node.roster];
    const std::uint32_t votes = bits(voting(known, 0));
    result_.fewest = std::min(result_.fewest, votes);
    if (quorum(known, 0).q > votes) return blame("fewer vote than must agree", at);
    const Mask lying = liars(known);
    for (std::uint32_t back = 1; back <= options_.epochs_back; ++back) {
        const Mask voters = voting(known, back);
        Mask free = 0;  // It has not seen how that epoch ended.
        for (std::uint32_t i = 0; i < node.lags.size(); ++i)
            free |= static_cast<Mask>(node.lags[i] >= back ? 1U : 0U) << i;
        const Mask others = voters & (free | lying);
        if (bits(others) >= quorum(known, back).q) {
            return blame(
                "seats " + names(others) + " could end another way what ended " +
                    std::to_string(back) + " epochs ago",
                at
            );
        }
    }
}

std::string RosterSearch::text(const Node& node) const {
    const Node& from = nodes_[node.from];
    const Known& known = rosters_[from.roster];
    const Outcome& outcome = known.outcomes[node.outcome];
    const Quorum needed = quorum(known, 0);
    std::string out = "of " + std::to_string(needed.n) + " that vote (" + names(voting(known, 0)) +
                      ") " + std::to_string(needed.q) +
                      " decide: " + names(node.group | (voting(known, 0) & liars(known))) +
                      "; liars " + names(liars(known));
    if (outcome.aside != 0) out += "; set aside " + names(outcome.aside);
    if (outcome.back != 0) out += "; back " + names(outcome.back);
    return out;
}

void RosterSearch::blame(std::string what, std::uint32_t at) {
    if (!result_.violation.empty()) return;
    result_.violation = std::move(what);
    for (std::uint32_t i = at; i != 0; i = nodes_[i].from)
        result_.trace.push_back(text(nodes_[i]));
    std::reverse(result_.trace.begin(), result_.trace.end());
}

RosterSearchResult RosterSearch::run() {
    result_ = {};
    result_.fewest = options_.seats;
    add(Node{0, Lags(options_.seats), 0, 0, 0});
    std::uint32_t at = 0;
    while (at < nodes_.size() && result_.violation.empty() && nodes_.size() < options_.states_max &&
           (at % 256 != 0 || options_.time_left())) {
        step(at++);
    }
    result_.rosters = rosters_.size();
    result_.states = nodes_.size();
    result_.exhausted = at == nodes_.size() && result_.violation.empty();
    return result_;
}

}  // namespace creto::model_check
