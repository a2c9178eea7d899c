#include "model/search.hpp"

#include <algorithm>
#include <bit>

#include "base/prng.hpp"

namespace creto::model_check {

namespace {

constexpr std::size_t first_slots = 1U << 20U;
/// Rounds of "everything arrives, then patience ends" after which a healed network must have moved.
constexpr int heal_rounds = 24;
constexpr std::uint32_t walk_steps_max = 400;

std::uint32_t bits(std::uint32_t mask) {
    return static_cast<std::uint32_t>(std::popcount(mask));
}

}  // namespace

Search::Search(const SearchOptions& options)
    : options_{options},
      world_{4, options.term},
      locals_{world_, {options.crashes, options.timeouts}} {
    for (Index i = 0; i < world_.roster().size(); ++i) {
        if (i != options_.liar) honest_.push_back(i);
    }
    if (options_.liar) liar_mask_ = 1U << *options_.liar;
    index_.resize(first_slots);
}

std::uint64_t Search::hash(const Tuple& tuple) const {
    std::uint64_t h = 0;
    for (std::size_t i = 0; i < honest_.size(); ++i)
        h = mix64(h ^ tuple[i]);
    return h;
}

void Search::grow() {
    std::vector<std::uint32_t> old(index_.size() * 2);
    old.swap(index_);
    for (const std::uint32_t entry : old) {
        if (entry == 0) continue;
        std::size_t at = hash(nodes_[entry - 1].seats) & (index_.size() - 1);
        while (index_[at] != 0)
            at = (at + 1) & (index_.size() - 1);
        index_[at] = entry;
    }
}

bool Search::add(const Tuple& tuple, std::uint32_t from) {
    std::size_t at = hash(tuple) & (index_.size() - 1);
    for (; index_[at] != 0; at = (at + 1) & (index_.size() - 1)) {
        if (nodes_[index_[at] - 1].seats == tuple) return false;
    }
    nodes_.push_back({tuple, from});
    index_[at] = static_cast<std::uint32_t>(nodes_.size());
    if (nodes_.size() * 2 > index_.size()) grow();
    return true;
}

/// Every content that an honest seat spoke for, with those who did.
void Search::gather(const Tuple& tuple, std::vector<Said>& said) const {
    said.clear();
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        for (const std::uint32_t content : locals_.at(tuple[i]).said) {
            auto at = std::find_if(said.begin(), said.end(), [content](const Said& s) {
                return s.content == content;
            });
            if (at == said.end()) at = said.insert(said.end(), {content, 0});
            at->mask |= 1U << honest_[i];
        }
    }
}

/// Every block that can arrive: those that honest leaders made, and all that the liar can make.
void Search::gather_blocks(
    const Tuple& tuple, std::uint64_t views, std::vector<std::uint32_t>& blocks
) {
    blocks.clear();
    blocks.push_back(0);
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        const auto& made = locals_.at(tuple[i]).made;
        blocks.insert(blocks.end(), made.begin(), made.end());
    }
    if (!options_.liar) return;
    for (View view{1}; view.value() <= views; ++view) {
        if (world_.leader(view) != *options_.liar) continue;
        const std::size_t known = blocks.size();
        for (std::size_t i = 0; i < known; ++i) {
            const std::uint32_t parent = blocks[i];
            const auto& tip = world_.block(parent).tip;
            if (tip.cut == nullptr || tip.view >= view) continue;
            for (const bool covers : {true, false}) {
                std::uint32_t& block = forged_[{view.value(), parent, covers ? 1U : 0U}];
                if (block == 0) block = world_.forge(*options_.liar, view, parent, covers);
                blocks.push_back(block);
            }
        }
    }
}

SearchResult Search::run() {
    Tuple start{};
    for (std::size_t i = 0; i < honest_.size(); ++i)
        start[i] = locals_.fresh(honest_[i]);
    add(start, 0);
    std::uint32_t layer_end = 1;
    result_.exhausted = true;
    for (std::uint32_t at = 0; at < nodes_.size() && result_.violation.empty(); ++at) {
        if (at == layer_end) {
            ++result_.depth;
            layer_end = static_cast<std::uint32_t>(nodes_.size());
        }
        if (nodes_.size() > options_.states_max || (at % 64 == 0 && !options_.time_left())) {
            result_.exhausted = false;
            break;
        }
        expand(at);
        if (options_.heal_every > 0 && at % options_.heal_every == 0 && result_.violation.empty()) {
            heal(nodes_[at].seats, at, true);
            if (!result_.violation.empty()) explain(at);
        }
    }
    result_.states = nodes_.size();
    count();
    return result_;
}

void Search::count() {
    result_.locals = locals_.size();
    result_.core_steps = locals_.steps();
}

SearchResult Search::walk(std::uint64_t seed) {
    Prng prng{seed};
    Tuple start{};
    for (std::size_t i = 0; i < honest_.size(); ++i)
        start[i] = locals_.fresh(honest_[i]);
    add(start, 0);
    while (options_.time_left() && result_.violation.empty() && result_.walks < options_.walks_max
    ) {
        ++result_.walks;
        nodes_.resize(1);
        walk_once(prng);
        result_.depth = std::max(result_.depth, static_cast<std::uint32_t>(nodes_.size()));
        result_.states += nodes_.size();
    }
    count();
    return result_;
}

void Search::walk_once(Prng& prng) {
    for (std::uint32_t step = 0; step < walk_steps_max; ++step) {
        const Tuple before = nodes_.back().seats;
        arrivals(before, events_);
        const std::size_t place = prng.below(honest_.size());
        const Local& local = locals_.at(before[place]);
        const Left allowed = left(before);
        Event event;  // Patience ends, unless something else is drawn.
        const bool impatient = allowed.patience_may_end && local.patient &&
                               local.view.value() <= options_.views && prng.chance(1, 6);
        const auto loss = static_cast<std::uint32_t>(prng.below(2));
        if (allowed.power_may_fail && prng.chance(1, 50)) {
            event = {.kind = Event::Kind::crash, .what = loss};
        } else if (!impatient) {
            if (events_.empty()) continue;
            event = events_[prng.below(events_.size())];
        }
        event.torn =
            event.kind != Event::Kind::crash && allowed.power_may_fail && prng.chance(1, 50);
        Tuple after = before;
        after[place] = locals_.after(before[place], event);
        ++result_.steps;
        if (after == before) continue;
        nodes_.push_back({after, static_cast<std::uint32_t>(nodes_.size() - 1)});
        check(before, after, place);
        if (!result_.violation.empty()) break;
    }
    if (result_.violation.empty()) heal(nodes_.back().seats, 0, false);
    if (!result_.violation.empty()) explain(static_cast<std::uint32_t>(nodes_.size() - 1));
}

Search::Left Search::left(const Tuple& tuple) const {
    std::uint32_t crashes = 0;
    std::uint32_t timeouts = 0;
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        crashes += locals_.at(tuple[i]).crashes;
        timeouts += locals_.at(tuple[i]).timeouts;
    }
    return {crashes < options_.crashes, options_.timeouts == 0 || timeouts < options_.timeouts};
}

void Search::arrivals(const Tuple& tuple, std::vector<Event>& events) {
    events.clear();
    gather(tuple, said_);
    gather_blocks(tuple, options_.views, blocks_);
    for (const std::uint32_t block : blocks_) {
        if (block != 0 && world_.block(block).tip.view.value() <= options_.views)
            events.push_back({.kind = Event::Kind::block, .what = block});
    }
    for (const Said& said : said_) {
        if (world_.content(said.content).view.value() > options_.views) continue;
        const std::uint32_t mask = said.mask | liar_mask_;
        events.push_back({.kind = Event::Kind::votes, .what = said.content, .mask = mask});
        if (bits(mask) >= quorum_)
            events.push_back({.kind = Event::Kind::certificate, .what = said.content, .mask = mask}
            );
    }
}

template <class Visit>
void Search::each_step(
    LocalId from, const std::vector<Event>& events, const Left& left, Visit visit
) {
    const View view = locals_.at(from).view;
    const bool patient =
        left.patience_may_end && locals_.at(from).patient && view.value() <= options_.views;
    const auto go = [&](Event event) {
        ++result_.steps;
        if (const LocalId to = locals_.after(from, event); to != from) visit(event, to);
        event.torn = true;
        if (!left.power_may_fail) return;
        if (const LocalId to = locals_.after(from, event); to != from) visit(event, to);
    };
    for (const Event& event : events)
        go(event);
    if (patient) go({.kind = Event::Kind::timeout});
    if (!left.power_may_fail) return;
    for (const Loss loss : {Loss::unsynced, Loss::nothing}) {
        const Event event{.kind = Event::Kind::crash, .what = static_cast<std::uint32_t>(loss)};
        if (const LocalId to = locals_.after(from, event); to != from) visit(event, to);
    }
}

const Search::Reach& Search::reach(
    const Tuple& tuple, std::size_t place, const std::vector<Event>& events
) {
    const LocalId start = tuple[place];
    const Left allowed = left(tuple);
    const std::uint64_t flags =
        (allowed.power_may_fail ? 1U : 0U) | (allowed.patience_may_end ? 2U : 0U);
    ReachKey key{mix64(start * 4ULL + flags), start};
    for (const Event& event : events)
        key = {mix64(key.first ^ event.code()), mix64(key.second + event.code())};
    const auto [found, added] = reached_.emplace(key, Reach{});
    Reach& reach = found->second;
    if (!added) return reach;
    reach.unseen.push_back(start);
    const auto insert = [](std::vector<LocalId>& list, LocalId id) {
        if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
    };
    for (std::size_t i = 0; i < reach.unseen.size(); ++i) {
        const LocalId from = reach.unseen[i];
        each_step(from, events, allowed, [&](const Event&, LocalId to) {
            const bool seen = locals_.at(to).seen_from(locals_.at(from));
            insert(seen ? reach.seen : reach.unseen, to);
        });
    }
    return reach;
}

void Search::expand(std::uint32_t at) {
    const Tuple before = nodes_[at].seats;
    arrivals(before, events_);
    const std::vector<Event> events = events_;
    for (std::size_t place = 0; place < honest_.size(); ++place) {
        for (const LocalId to : reach(before, place, events).seen) {
            Tuple after = before;
            after[place] = to;
            if (!add(after, at)) continue;
            check(before, after, place);
            if (result_.violation.empty()) continue;
            return explain(static_cast<std::uint32_t>(nodes_.size() - 1));
        }
    }
}

std::uint32_t Search::voters(const std::vector<Said>& said, const VoteContent& content) {
    const std::uint32_t number = world_.number(content);
    for (const Said& s : said) {
        if (s.content == number) return bits(s.mask | liar_mask_);
    }
    return bits(liar_mask_);
}

/// Could a quorum have given up this view, or an earlier one of its term?
bool Search::can_be_dead(View view) {
    for (View at = world_.term_begin(view); at <= view; ++at) {
        if (voters(said_after_, simplex::testing::Seats::nullify(at.value())) >= quorum_)
            return true;
    }
    return false;
}

/// No two quorums say this: votes of one view that conflict, or Finalize of a view that another
/// quorum gave up with the earlier ones of its term.
bool Search::contradict(const VoteContent& a, const VoteContent& b) const {
    if (conflict(a, b)) return true;
    const auto covers = [this](const VoteContent& nullify, const VoteContent& finalize) {
        return nullify.kind == VoteKind::nullify && finalize.kind == VoteKind::finalize &&
               nullify.view <= finalize.view && world_.term_begin(finalize.view) <= nullify.view;
    };
    return covers(a, b) || covers(b, a);
}

void Search::check(const Tuple& before, const Tuple& after, std::size_t place) {
    const Local& was = locals_.at(before[place]);
    const Local& is = locals_.at(after[place]);
    const std::string& own = is.machine->violation();
    if (!own.empty()) return blame("seat " + std::to_string(honest_[place]) + ": " + own);
    if (is.chain != was.chain) check_agreement(after, place);
    if (is.said == was.said && is.held == was.held) return;
    gather(after, said_after_);
    check_votes(after, was, is);
}

void Search::check_agreement(const Tuple& tuple, std::size_t place) {
    const auto& mine = locals_.at(tuple[place]).chain;
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        const auto& theirs = locals_.at(tuple[i]).chain;
        const std::size_t both = std::min(mine.size(), theirs.size());
        if (std::equal(
                mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(both), theirs.begin()
            ))
            continue;
        blame(
            "agreement: seats " + std::to_string(honest_[place]) + " and " +
            std::to_string(honest_[i]) + " hold different final blocks at one height"
        );
    }
}

void Search::check_votes(const Tuple& tuple, const Local& was, const Local& is) {
    static_cast<void>(tuple);
    for (const std::uint32_t held : is.held) {
        if (std::binary_search(was.held.begin(), was.held.end(), held)) continue;
        if (voters(said_after_, world_.content(held)) < quorum_)
            blame("a certificate that no quorum signed: " + world_.text(held));
    }
    for (const std::uint32_t content : is.said) {
        if (std::binary_search(was.said.begin(), was.said.end(), content)) continue;
        const VoteContent vote = world_.content(content);
        if (vote.kind == VoteKind::finalize) {
            VoteContent notarize = vote;
            notarize.kind = VoteKind::notarize;
            if (voters(said_after_, notarize) < quorum_)
                blame("a Finalize without a notarization: " + world_.text(content));
        }
        if (vote.kind != VoteKind::notarize) continue;
        const KnownBlock& block = world_.block(world_.number_of(vote.block));
        for (View between = vote.view.prev(); between > vote.parent_view;
             between = between.prev()) {
            if (!can_be_dead(between))
                blame("a Notarize over a view that is not dead: " + world_.text(content));
        }
        const bool is_inside = world_.term_begin(vote.view) != vote.view;
        if (is_inside && vote.parent_view != vote.view.prev())
            blame("a Notarize inside a term that passes a view by: " + world_.text(content));
        if (block.parent == 0) continue;
        const KnownBlock& parent = world_.block(block.parent);
        if (voters(said_after_, parent.proposal.block.content(VoteKind::notarize)) < quorum_)
            blame("a Notarize on a parent that is not notarized: " + world_.text(content));
    }
    for (std::size_t a = 0; a < said_after_.size(); ++a) {
        if (bits(said_after_[a].mask | liar_mask_) < quorum_) continue;
        for (std::size_t b = a + 1; b < said_after_.size(); ++b) {
            if (bits(said_after_[b].mask | liar_mask_) < quorum_) continue;
            const std::uint32_t x = said_after_[a].content;
            const std::uint32_t y = said_after_[b].content;
            if (contradict(world_.content(x), world_.content(y)))
                blame("two quorums contradict: " + world_.text(x) + ", " + world_.text(y));
        }
    }
}

/// Everything that honest seats said or hold arrives at everyone; the liar says no more.
void Search::heal_step(Tuple& tuple, bool& moved) {
    std::vector<Said> said;
    gather(tuple, said);
    std::vector<std::uint32_t> blocks;
    std::vector<std::uint32_t> proven;
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        const Local& local = locals_.at(tuple[i]);
        blocks.insert(blocks.end(), local.blocks.begin(), local.blocks.end());
        blocks.insert(blocks.end(), local.chain.begin(), local.chain.end());
        blocks.insert(blocks.end(), local.made.begin(), local.made.end());
        proven.insert(proven.end(), local.held.begin(), local.held.end());
    }
    for (auto* list : {&blocks, &proven}) {
        std::sort(list->begin(), list->end());
        list->erase(std::unique(list->begin(), list->end()), list->end());
    }
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        const LocalId before = tuple[i];
        for (const std::uint32_t block : blocks)
            tuple[i] = locals_.after(tuple[i], {.kind = Event::Kind::block, .what = block});
        for (const Said& s : said) {
            // A certificate that somebody holds can be had, with the liar's vote in it.
            const bool held = std::binary_search(proven.begin(), proven.end(), s.content);
            const std::uint32_t mask = s.mask | (held ? liar_mask_ : 0U);
            const Event votes{.kind = Event::Kind::votes, .what = s.content, .mask = mask};
            tuple[i] = locals_.after(tuple[i], votes);
        }
        moved = moved || tuple[i] != before;
    }
}

/// From a state, and from what its seats may have come to unseen.
void Search::heal(const Tuple& from, std::uint64_t seed, bool unseen_too) {
    ++result_.heals;
    Tuple tuple = from;
    arrivals(tuple, events_);
    const std::vector<Event> events = events_;
    for (std::size_t i = 0; i < honest_.size() && unseen_too; ++i) {
        const auto& unseen = reach(from, i, events).unseen;
        tuple[i] = unseen[draw(seed, i) % unseen.size()];
    }
    std::size_t highest = 0;
    for (std::size_t i = 0; i < honest_.size(); ++i)
        highest = std::max(highest, locals_.at(tuple[i]).chain.size());
    for (int round = 0; round < heal_rounds; ++round) {
        for (bool moved = true; moved;) {
            moved = false;
            heal_step(tuple, moved);
            std::size_t lowest = ~std::size_t{0};
            for (std::size_t i = 0; i < honest_.size(); ++i) {
                const Local& local = locals_.at(tuple[i]);
                lowest = std::min(lowest, local.chain.size());
                if (!local.machine->violation().empty()) return blame(local.machine->violation());
                check_agreement(tuple, i);
            }
            if (lowest > highest || !result_.violation.empty()) return;
        }
        for (std::size_t i = 0; i < honest_.size(); ++i) {
            if (locals_.at(tuple[i]).patient)
                tuple[i] = locals_.after(tuple[i], {.kind = Event::Kind::timeout});
        }
    }
    std::string where;
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        const Local& local = locals_.at(tuple[i]);
        where += (i > 0 ? ", " : "") + std::to_string(local.view.value()) + "/" +
                 std::to_string(local.chain.size());
    }
    blame("no progress although every message arrives; view/height of each seat: " + where);
}

std::string Search::text(Index seat, const Event& event) const {
    std::string text = "seat " + std::to_string(seat) + ": ";
    switch (event.kind) {
        case Event::Kind::block:
            text += "receives " + world_.block_text(event.what);
            break;
        case Event::Kind::votes:
        case Event::Kind::certificate:
            text += event.kind == Event::Kind::votes ? "receives " : "receives a certificate: ";
            text += world_.text(event.what) + " by seats";
            for (Index i = 0; i < world_.roster().size(); ++i) {
                if ((event.mask >> i & 1U) != 0) text += " " + std::to_string(i);
            }
            break;
        case Event::Kind::timeout:
            text += "loses patience";
            break;
        case Event::Kind::crash:
            text += "crashes and restarts";
            text +=
                static_cast<Loss>(event.what) == Loss::unsynced ? ", unsynced writes are gone" : "";
            break;
    }
    return text + (event.torn ? ", crashes before the vote is durable, restarts" : "");
}

/// The way of one seat from one state to the next, found again.
void Search::explain_step(
    const Tuple& before, const Tuple& after, std::vector<std::string>& lines
) {
    std::size_t place = 0;
    while (before[place] == after[place])
        ++place;
    std::vector<Event> events;
    arrivals(before, events);
    std::map<LocalId, std::pair<LocalId, Event>> came;
    std::vector<LocalId> work{before[place]};
    for (std::size_t i = 0; i < work.size() && !came.contains(after[place]); ++i) {
        const LocalId from = work[i];
        each_step(from, events, left(before), [&](const Event& event, LocalId to) {
            if (to == before[place] || !came.emplace(to, std::pair{from, event}).second) return;
            if (!locals_.at(to).seen_from(locals_.at(from))) work.push_back(to);
        });
    }
    std::vector<std::string> way;
    for (LocalId at = after[place]; at != before[place]; at = came.at(at).first)
        way.push_back(text(honest_[place], came.at(at).second));
    lines.insert(lines.end(), way.rbegin(), way.rend());
}

void Search::explain(std::uint32_t at) {
    std::vector<std::uint32_t> path{at};
    while (path.back() != 0)
        path.push_back(nodes_[path.back()].from);
    result_.trace.clear();
    for (std::size_t i = path.size() - 1; i > 0; --i)
        explain_step(nodes_[path[i]].seats, nodes_[path[i - 1]].seats, result_.trace);
}

}  // namespace creto::model_check
