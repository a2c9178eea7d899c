#include "model/side_search.hpp"

#include <algorithm>
#include <numeric>

#include "model/masks.hpp"

namespace creto::model_check {

namespace {

/// Ends of epochs after which every honest seat votes again. What is asked for in one epoch is in force
/// from the next but one on; once more as many, to see that it lasts.
constexpr int heal_epochs = 4;
constexpr int walk_steps = 200;

std::vector<Seat> seats_of(std::uint32_t mask) {
    std::vector<Seat> seats;
    for (std::uint32_t i = 0; i < 32; ++i) {
        if ((mask >> i & 1U) != 0) seats.emplace_back(i);
    }
    return seats;
}

Genesis genesis_of(const SideSearchOptions& options) {
    Genesis genesis;
    genesis.network = "sides";
    genesis.mode = options.mode;
    genesis.epoch_blocks = limits::epoch_blocks_min;
    genesis.dead_after_reports = options.reports;
    for (std::uint32_t i = 0; i < options.seats; ++i) {
        std::array<std::uint8_t, 32> key{};
        key[0] = static_cast<std::uint8_t>(i + 1);
        genesis.members.push_back({Seat{i}, PublicKey{key}, "seat-" + std::to_string(i)});
    }
    return genesis;
}

/// Calls with each part of a mask, itself and none included.
template <class Visit>
void each_part(std::uint32_t mask, Visit visit) {
    for (std::uint32_t part = mask;; part = (part - 1) & mask) {
        visit(part);
        if (part == 0) return;
    }
}

}  // namespace

SideSearch::SideSearch(const SideSearchOptions& options)
    : options_{options}, genesis_{genesis_of(options)} {
    CRETO_ASSERT(options.seats <= seats_max && options.liars <= options.seats);
    all_ = (1U << options.seats) - 1;
    liars_ = all_ & ~((1U << (options.seats - options.liars)) - 1);
    // The fewer vote, the more reports each of them makes until a seat is dead.
    for (std::uint32_t voting = least(); voting <= options.seats; ++voting)
        share_max_ = std::max(share_max_, share((1U << voting) - 1));
}

std::uint32_t SideSearch::may_lie(Mask voting) const {
    static_cast<void>(voting);  // The dormant may lie, too.
    return options_.mode == QuorumMode::crash ? 0 : (options_.seats - 1) / 3;
}

std::uint32_t SideSearch::quorum(Mask voting) const {
    const std::uint32_t votes = bits(voting);
    std::uint32_t needed = options_.mode == QuorumMode::crash ? 1 : 2 * votes / 3 + 1;
    while (2 * needed < votes + may_lie(voting) + 1)
        ++needed;
    return needed;
}

std::uint32_t SideSearch::share(Mask voting) const {
    std::uint32_t reports = 1;
    while (reports * bits(voting) < options_.reports)
        ++reports;
    return reports;
}

std::shared_ptr<const Roster> SideSearch::roster(const Node& node) {
    // What is dead depends on who votes alone.
    std::shared_ptr<const Roster>& known = rosters_[voters(node)];
    if (!known) {
        known =
            std::make_shared<const Roster>(genesis_, node.epoch, node.book->seating(node.epoch));
    }
    return known;
}

SideSearch::Mask SideSearch::dormant_later(const Node& node) const {
    Mask mask = 0;
    for (const auto& [seat, entry] : node.book->seats()) {
        if (entry.is_dormant_in(node.epoch.plus(2))) mask |= 1U << seat.value();
    }
    return mask;
}

/// Seats that differ in nothing but their number stand in any order: two keys of one state are allowed.
std::string SideSearch::key(const Node& node) const {
    const Mask later = dormant_later(node);
    const auto row = [&](std::uint32_t i) {
        std::string out;
        out += static_cast<char>(lies(i) ? 1 : 0);
        char votes = 0;
        for (std::uint32_t k = 0; k < node.voting.size(); ++k)
            votes = static_cast<char>(votes | static_cast<char>(node.voting[k] >> i & 1U) << k);
        out += votes;
        out += static_cast<char>(later >> i & 1U);
        out += static_cast<char>(node.lags[i]);
        std::string by;
        std::string of;
        for (std::uint32_t j = 0; j < options_.seats; ++j) {
            by += static_cast<char>(node.misses[i][j]);
            of += static_cast<char>(node.misses[j][i]);
        }
        std::sort(by.begin(), by.end());
        std::sort(of.begin(), of.end());
        return out + by + of;
    };
    std::vector<std::string> rows;
    for (std::uint32_t i = 0; i < options_.seats; ++i)
        rows.push_back(row(i));
    std::vector<std::uint32_t> order(options_.seats);
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return rows[a] < rows[b];
    });
    std::string out;
    for (const std::uint32_t i : order) {
        out += rows[i].substr(0, 4);
        for (const std::uint32_t j : order)
            out += static_cast<char>(node.misses[i][j]);
    }
    return out;
}

void SideSearch::report(Node& node, std::uint32_t by, Mask absent) const {
    MerkleMap map;
    show(node, by);  // It leads a final block.
    // Who misses more than can be missing where there is a block says nothing.
    const Mask voting = voters(node);
    if (bits(absent) > bits(voting) - quorum(voting)) return;
    node.attendance.on_report(Seat{by}, seats_of(absent), map);
    for (std::uint32_t seat = 0; seat < options_.seats; ++seat) {
        std::uint8_t& missed = node.misses[by][seat];
        const bool is_absent = (absent >> seat & 1U) != 0;
        missed = static_cast<std::uint8_t>(is_absent ? std::min(missed + 1U, share_max_) : 0);
    }
}

void SideSearch::show(Node& node, std::uint32_t seat) const {
    MerkleMap map;
    node.attendance.seen(Seat{seat}, map);
    for (auto& row : node.misses)
        row[seat] = 0;
}

void SideSearch::come_back(Node& node, std::uint32_t seat) {
    MerkleMap map;
    const SeatEntry& entry = node.book->seats().at(Seat{seat});
    auto book = std::make_shared<SeatBook>(*node.book);
    const auto done = book->come_back(entry.member.key, entry.dormant_from, node.epoch, map);
    if (!done) return blame("a dormant seat does not come back: " + done.error());
    node.book = std::move(book);
    show(node, seat);
}

void SideSearch::end(Node& node, Mask side) {
    const Node before = node;
    MerkleMap map;
    auto book = std::make_shared<SeatBook>(*node.book);
    static_cast<void>(book->end_epoch(node.epoch, map));
    const std::vector<Seat> dead = node.attendance.dead(*roster(node));
    Mask aside = 0;
    for (const Seat seat : book->set_aside(dead, node.epoch, map))
        aside |= 1U << seat.value();
    node.epoch = node.epoch.next();
    std::set<Seat> stay;
    Mask later = 0;
    for (const Member& member : book->voters(node.epoch.next())) {
        stay.insert(member.seat);
        later |= 1U << member.seat.value();
    }
    node.attendance.keep(stay, map);
    for (std::uint32_t i = 0; i < options_.seats; ++i) {
        const bool stays = (later >> i & 1U) != 0;
        for (std::uint32_t j = 0; j < options_.seats && !stays; ++j)
            node.misses[i][j] = node.misses[j][i] = 0;
        const bool took_part = (side >> i & 1U) != 0 || lies(i);
        const std::uint32_t lag = took_part ? 0 : node.lags[i] + 1U;
        node.lags[i] = static_cast<std::uint8_t>(std::min(lag, epochs_back));
    }
    std::rotate(node.voting.begin(), node.voting.begin() + 1, node.voting.end());
    node.voting.back() = later;
    node.book = std::move(book);
    ++result_.ends;
    result_.set_aside += aside != 0 ? 1 : 0;
    check_end(before, node, aside);
    check(node);
}

void SideSearch::check_end(const Node& before, const Node& after, Mask aside) {
    const Mask voting = voters(before);
    const Mask expected = after.voting.back();
    // Without what was set aside here: who would vote then.
    if (aside != 0 && quorum(expected) >= quorum(expected | aside))
        return blame("seats " + names(aside) + " are set aside, and as many must agree as before");
    const std::uint32_t witnesses = std::max(may_lie(voting), quorum(voting) / 2) + 1;
    for (std::uint32_t seat = 0; seat < options_.seats; ++seat) {
        if ((aside >> seat & 1U) == 0) continue;
        Mask by = 0;
        for (std::uint32_t i = 0; i < options_.seats; ++i) {
            const bool votes = i != seat && (voting >> i & 1U) != 0;
            if (votes && before.misses[i][seat] >= share(voting)) by |= 1U << i;
        }
        if ((by & ~liars_) == 0)
            blame("seat " + names(1U << seat) + " is set aside on the word of liars alone");
        if (bits(by) < witnesses)
            blame(
                "seat " + names(1U << seat) + " is set aside, and only " + names(by) + " missed it"
            );
    }
    Mask now = 0;
    for (const Member& member : after.book->voters(after.epoch))
        now |= 1U << member.seat.value();
    if (now != voters(after))
        blame("who votes in an epoch changes at the end of the one before it");
}

void SideSearch::check(const Node& node) {
    const Mask coming = node.voting.back();
    const std::uint32_t votes = bits(coming);
    const std::uint32_t needed = quorum(coming);
    result_.fewest = std::min(result_.fewest, votes);
    if (votes < least()) blame("too few vote: " + names(coming));
    if (needed > votes) blame("fewer vote than must agree: " + names(coming));
    const Quorum said = node.book->quorum(node.epoch.next());
    if (said.q != needed || said.t != may_lie(coming))
        blame(
            "of " + std::to_string(votes) + " that vote " + std::to_string(said.q) +
            " agree, and it takes " + std::to_string(needed)
        );
    for (std::uint32_t back = 1; back <= epochs_back; ++back) {
        Mask free = 0;
        for (std::uint32_t i = 0; i < options_.seats; ++i)
            free |= node.lags[i] >= back ? 1U << i : 0U;
        const Mask others = voters(node, back) & (free | liars_);
        if (voters(node, back) != 0 && bits(others) >= quorum(voters(node, back)))
            blame(
                "two sides: seats " + names(others) + " could end another way what ended " +
                std::to_string(back) + " epochs ago"
            );
    }
}

/// No cut any more: whoever is honest hears all others, the liars still say what they like.
void SideSearch::heal(Node node) {
    ++result_.heals;
    const Mask honest = all_ & ~liars_;
    for (int round = 0; round < heal_epochs; ++round) {
        const Mask voting = voters(node);
        for (std::uint32_t i = 0; i < options_.seats; ++i) {
            if ((dormant_later(node) & honest & (1U << i)) != 0) come_back(node, i);
        }
        const std::uint32_t missing_max = bits(voting) - quorum(voting);
        // Where there is a block there was a quorum: so many can be absent, and no more.
        Mask accused = 0;
        Mask silent = 0;
        for (std::uint32_t i = 0; i < options_.seats; ++i) {
            if (bits(accused) < missing_max) accused |= voting & honest & (1U << i);
            if (bits(silent) < missing_max) silent |= voting & liars_ & (1U << i);
        }
        for (std::uint32_t turn = 0; turn <= share_max_; ++turn) {
            for (std::uint32_t i = 0; i < options_.seats; ++i) {
                if ((voting >> i & 1U) == 0) continue;
                report(node, i, lies(i) ? accused : silent);
            }
        }
        end(node, honest);
        if (!result_.violation.empty()) return;
    }
    const Mask away = honest & ~(voters(node) & node.voting.back());
    if (away != 0)
        blame(
            "after the cut seats " + names(away) + " have no vote " + std::to_string(heal_epochs) +
            " epochs later"
        );
}

void SideSearch::reports(std::uint32_t at, Mask side) {
    const Mask voting = voters(nodes_[at]);
    std::set<std::pair<std::uint32_t, Mask>> made;
    const auto make = [&](std::uint32_t by, Mask absent) {
        if (!made.emplace(by, absent).second) return;
        Node next = nodes_[at];
        report(next, by, absent);
        add(std::move(next), at, {Step::Kind::report, side, by, absent});
    };
    const Mask out = voting & ~liars_ & ~side;
    const std::uint32_t missing_max = bits(voting) - quorum(voting);
    for (std::uint32_t by = 0; by < options_.seats; ++by) {
        if ((voting >> by & 1U) == 0) continue;
        if (lies(by)) {
            each_part(voting & ~(1U << by), [&](Mask absent) {
                if (bits(absent) <= missing_max) make(by, absent);
            });
        } else if ((side >> by & 1U) != 0) {
            // A liar's vote comes, or not.
            each_part(voting & liars_, [&](Mask silent) {
                if (bits(side & voting) + bits(liars_ & voting & ~silent) >= quorum(voting))
                    make(by, out | silent);
            });
        }
    }
}

bool SideSearch::decides(const Node& node, Mask side) const {
    return bits((side | liars_) & voters(node)) >= quorum(voters(node));
}

SideSearch::Node SideSearch::first() const {
    Node first;
    first.book = std::make_shared<const SeatBook>(genesis_);
    first.voting.fill(all_);
    return first;
}

void SideSearch::expand(std::uint32_t at) {
    const Mask voting = voters(nodes_[at]);
    const Mask honest = all_ & ~liars_;
    std::set<std::pair<std::uint32_t, Mask>> reported;
    each_part(honest, [&](Mask side) {
        if (!decides(nodes_[at], side) || !result_.violation.empty()) return;
        if ((side & ~voting) == 0) reports(at, side);
        Node next = nodes_[at];
        end(next, side);
        add(std::move(next), at, {Step::Kind::end, side, 0, 0});
    });
    for (std::uint32_t i = 0; i < options_.seats; ++i) {
        // A side that decides without this one shows nothing of it; one with it can be had always.
        Node shown = nodes_[at];
        show(shown, i);
        add(std::move(shown), at, {Step::Kind::show, honest, i, 0});
        if ((dormant_later(nodes_[at]) >> i & 1U) == 0) continue;
        Node back = nodes_[at];
        come_back(back, i);
        // It has caught up before it asks.
        back.lags[i] = 0;
        add(std::move(back), at, {Step::Kind::back, honest, i, 0});
    }
}

void SideSearch::add(Node node, std::uint32_t from, const Step& step) {
    ++result_.steps;
    if (!result_.violation.empty()) {
        if (result_.trace.empty()) explain(from, step);
        return;
    }
    if (!seen_.emplace(key(node), static_cast<std::uint32_t>(nodes_.size())).second) return;
    node.from = from;
    node.step = step;
    nodes_.push_back(std::move(node));
}

void SideSearch::blame(std::string what) {
    if (result_.violation.empty()) result_.violation = std::move(what);
}

std::string SideSearch::text(const Step& step) const {
    switch (step.kind) {
        case Step::Kind::report:
            return std::to_string(step.who) + (lies(step.who) ? ", a liar," : "") + " reports " +
                   names(step.absent) + " absent; on its side " + names(step.side);
        case Step::Kind::show:
            return std::to_string(step.who) + " shows itself";
        case Step::Kind::back:
            return std::to_string(step.who) + " asks for its vote";
        case Step::Kind::end:
            return "side " + names(step.side) + " ends the epoch; liars " + names(liars_);
        case Step::Kind::begin:
            break;
    }
    return "all vote";
}

void SideSearch::explain(std::uint32_t at, const Step& last) {
    if (last.kind != Step::Kind::begin) result_.trace.push_back(text(last));
    for (; at != 0; at = nodes_[at].from)
        result_.trace.push_back(text(nodes_[at].step));
    std::reverse(result_.trace.begin(), result_.trace.end());
}

SideSearchResult SideSearch::run() {
    result_ = {};
    result_.fewest = options_.seats;
    add(first(), 0, {});
    std::uint32_t at = 0;
    std::size_t layer_end = 1;
    while (at < nodes_.size() && result_.violation.empty() && nodes_.size() < options_.states_max &&
           (at % 16 != 0 || options_.time_left())) {
        if (at == layer_end) {
            ++result_.depth;
            layer_end = nodes_.size();
        }
        if (options_.heal_every > 0 && at % options_.heal_every == 0) {
            heal(nodes_[at]);
            if (!result_.violation.empty()) explain(at, {});
        }
        if (result_.violation.empty()) expand(at++);
    }
    result_.states = nodes_.size();
    result_.exhausted = at == nodes_.size() && result_.violation.empty();
    return result_;
}

void SideSearch::step_at_random(Prng& prng, Mask side) {
    Node next = nodes_.back();
    const Mask voting = voters(next);
    const Mask there = side | liars_;
    const auto any_of = [&](Mask mask) {
        std::uint64_t left = prng.below(bits(mask));
        std::uint32_t at = 0;
        while ((mask >> at & 1U) == 0 || left-- > 0)
            ++at;
        return at;
    };
    const Mask asleep = dormant_later(next) & there;
    Step step{Step::Kind::report, side, any_of(there & voting), 0};
    if (prng.chance(1, 14)) {
        step.kind = Step::Kind::end;
        end(next, side);
    } else if (prng.chance(1, 24)) {
        step.kind = Step::Kind::show;
        show(next, step.who);
    } else if (asleep != 0 && prng.chance(1, 10)) {
        step = {Step::Kind::back, side, any_of(asleep), 0};
        come_back(next, step.who);
        next.lags[step.who] = 0;
    } else {
        const bool lie = lies(step.who);
        const Mask some = static_cast<Mask>(prng.below(all_ + 1ULL));
        step.absent = voting & ~(1U << step.who) & (lie ? some : (~there | (some & liars_)));
        report(next, step.who, step.absent);
    }
    next.from = static_cast<std::uint32_t>(nodes_.size() - 1);
    next.step = step;
    nodes_.push_back(std::move(next));
}

SideSearchResult SideSearch::walk(std::uint64_t seed) {
    Prng prng{seed};
    result_ = {};
    result_.fewest = options_.seats;
    const Mask honest = all_ & ~liars_;
    while (options_.time_left() && result_.violation.empty() && result_.states < options_.states_max
    ) {
        ++result_.walks;
        nodes_.clear();
        nodes_.push_back(first());
        Mask side = honest;
        for (int i = 0; i < walk_steps && result_.violation.empty(); ++i) {
            if (prng.chance(1, 12)) side = honest & static_cast<Mask>(prng.below(all_ + 1ULL));
            step_at_random(prng, decides(nodes_.back(), side) ? side : honest);
        }
        result_.states += nodes_.size();
        result_.steps += nodes_.size() - 1;
        result_.depth = std::max(result_.depth, static_cast<std::uint32_t>(nodes_.size() - 1));
        if (result_.violation.empty()) heal(nodes_.back());
        if (!result_.violation.empty()) explain(static_cast<std::uint32_t>(nodes_.size() - 1), {});
    }
    return result_;
}

}  // namespace creto::model_check
