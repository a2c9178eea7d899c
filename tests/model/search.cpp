#include "model/search.hpp"

#include <algorithm>

#include "base/prng.hpp"
#include "model/masks.hpp"

namespace creto::model_check {

namespace {

constexpr std::size_t first_slots = 1U << 20U;
constexpr std::uint32_t walk_steps_max = 400;

/// Turns in which everything arrives, after which all have passed the epochs before the search.
constexpr int begin_rounds = 64;

Executes executes(const SearchOptions& options) {
    if (options.world.epoch_blocks == 0) return Executes::never;
    return options.lazy ? Executes::when_told : Executes::at_once;
}

}  // namespace

Search::Search(const SearchOptions& options)
    : options_{options},
      world_{options.world},
      locals_{world_, {options.crashes, options.timeouts, executes(options)}} {
    for (Index i = 0; i < world_.people(); ++i) {
        if (i != options_.liar) honest_.push_back(i);
    }
    CRETO_ASSERT(honest_.size() <= seats_max);
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

/// The last view of an epoch in which anything happens.
std::uint64_t Search::views_of(Epoch epoch) const {
    if (epoch < first_) return ~0ULL;
    return epoch == first_ ? first_view_.value() + options_.views - 1 : options_.views_last;
}

bool Search::is_within(Epoch epoch, View view) const {
    return epoch <= options_.last && view.value() <= views_of(epoch);
}

/// Every block that can arrive: those that honest leaders made, and all that the liar can make.
void Search::gather_blocks(const Tuple& tuple, std::vector<std::uint32_t>& blocks) {
    blocks.clear();
    blocks.push_back(0);
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        const auto& made = locals_.at(tuple[i]).made;
        blocks.insert(blocks.end(), made.begin(), made.end());
    }
    // What was forged before the search began is in the seats' chains.
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        for (const std::uint32_t block : locals_.at(tuple[i]).chain) {
            const bool known = std::find(blocks.begin(), blocks.end(), block) != blocks.end();
            const bool before = world_.block(block).proposal.block.height <= options_.from;
            if (!known && before) blocks.push_back(block);
        }
    }
    if (!options_.liar) return;
    for (Epoch epoch = first_; epoch <= options_.last; ++epoch) {
        for (View view = epoch == first_ ? first_view_ : View{1}; view.value() <= views_of(epoch);
             ++view) {
            if (world_.leader(epoch, view) != *options_.liar) continue;
            const std::size_t known = blocks.size();
            for (std::size_t i = 0; i < known; ++i)
                forge_on(epoch, view, blocks[i], blocks);
        }
    }
}

void Search::forge_on(
    Epoch epoch, View view, std::uint32_t parent, std::vector<std::uint32_t>& blocks
) {
    const KnownBlock& below = world_.block(parent);
    if (below.tip.cut == nullptr) return;
    const bool same = parent == 0 ? epoch == Epoch{1} : below.epoch() == epoch;
    const bool begins = world_.is_boundary(parent) && below.epoch().next() == epoch && parent != 0;
    if (!begins && (!same || below.tip.view >= view)) return;
    for (const Forgery forgery :
         {Forgery::covers,
          Forgery::empty,
          Forgery::other_roster,
          Forgery::no_roster,
          Forgery::covering_echo,
          Forgery::beyond_the_end}) {
        const std::array<std::uint64_t, 4> key{
            epoch.value(), view.value(), parent, static_cast<std::uint64_t>(forgery)};
        auto [found, added] = forged_.emplace(key, std::nullopt);
        if (added) found->second = world_.forge(*options_.liar, epoch, view, parent, forgery);
        if (found->second) blocks.push_back(*found->second);
    }
}

/// Everything arrives at everyone at once, until the height at which the search begins is final.
Search::Tuple Search::begin() {
    Tuple tuple{};
    for (std::size_t i = 0; i < honest_.size(); ++i)
        tuple[i] = locals_.fresh(honest_[i]);
    std::vector<Event> events;
    for (int round = 0; round < begin_rounds; ++round) {
        first_ = locals_.at(tuple[0]).epoch;
        first_view_ = locals_.at(tuple[0]).view;
        bool all_there = true;
        for (std::size_t i = 0; i < honest_.size(); ++i) {
            const Local& local = locals_.at(tuple[i]);
            all_there = all_there && local.chain.size() == options_.from.value() &&
                        local.epoch == first_ && local.view == first_view_;
        }
        if (all_there) return tuple;
        begin_events(tuple, events);
        for (std::size_t i = 0; i < honest_.size(); ++i) {
            for (const Event& event : events)
                tuple[i] = locals_.after(tuple[i], event);
            if (locals_.at(tuple[i]).executes)
                tuple[i] = locals_.after(tuple[i], {.kind = Event::Kind::execute});
        }
    }
    blame("the seats do not come to where the search begins");
    return tuple;
}

/// What arrives before the search begins: nothing of what is above its height; of the liar one block.
void Search::begin_events(const Tuple& tuple, std::vector<Event>& events) {
    const Local& one = locals_.at(tuple[0]);
    arrivals(tuple, events);
    std::uint32_t tip = one.chain.empty() ? 0 : one.chain.back();
    for (const Event& event : events) {
        const bool is_below = event.kind == Event::Kind::block &&
                              world_.block(event.what).epoch() == one.epoch &&
                              world_.block(event.what).view() == one.view.prev();
        if (is_below) tip = event.what;
    }
    if (options_.liar && world_.leader(one.epoch, one.view) == *options_.liar) {
        // None on the end of an epoch, which the votes make final.
        const auto made = world_.forge(*options_.liar, one.epoch, one.view, tip, Forgery::covers);
        if (made) events.insert(events.begin(), {.kind = Event::Kind::block, .what = *made});
    }
    std::erase_if(events, [this](const Event& event) {
        return event.kind == Event::Kind::block &&
               world_.block(event.what).proposal.block.height > options_.from;
    });
}

SearchResult Search::run() {
    add(begin(), 0);
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
    add(begin(), 0);
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
        const bool within = is_within(local.epoch, local.view);
        const bool impatient =
            allowed.patience_may_end && local.patient && within && prng.chance(1, 6);
        const auto loss = static_cast<std::uint32_t>(prng.below(options_.wipes ? 3 : 2));
        if (allowed.power_may_fail && prng.chance(1, 50)) {
            event = {.kind = Event::Kind::crash, .what = loss};
        } else if (local.executes && prng.chance(1, 6)) {
            event = {.kind = Event::Kind::execute};
        } else if (local.waits && within && prng.chance(1, 4)) {
            event = {.kind = Event::Kind::wait};
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
    gather_blocks(tuple, blocks_);
    for (const std::uint32_t block : blocks_) {
        if (block != 0 && is_within(world_.block(block).epoch(), world_.block(block).view()))
            events.push_back({.kind = Event::Kind::block, .what = block});
    }
    for (const Said& said : said_)
        arrivals_of(said, events);
}

void Search::arrivals_of(const Said& said, std::vector<Event>& events) const {
    const VoteContent& content = world_.content(said.content);
    if (!is_within(content.epoch, content.view)) return;
    const std::uint32_t what = said.content;
    const std::uint32_t mask = said.mask | liar_mask_;
    events.push_back({.kind = Event::Kind::votes, .what = what, .mask = mask});
    const std::uint32_t members = signers(what, said.mask);
    if (is_quorum(content, bits(members))) {
        events.push_back({.kind = Event::Kind::certificate, .what = what, .mask = members});
        const bool ends =
            content.kind == VoteKind::finalize && world_.knows(content.block) &&
            world_.ends_epoch(world_.block(world_.number_of(content.block)).proposal.block.height);
        if (ends) events.push_back({.kind = Event::Kind::chain, .what = what, .mask = members});
    }
    // With the liar's vote, which counts in another epoch only. [ORD-L12.5]
    const bool foreign = mask != members && world_.can_sign_together(mask);
    if (foreign && is_quorum(content, bits(mask)))
        events.push_back({.kind = Event::Kind::certificate, .what = what, .mask = mask});
}

template <class Visit>
void Search::each_step(
    LocalId from, const std::vector<Event>& events, const Left& left, Visit visit
) {
    const bool within = is_within(locals_.at(from).epoch, locals_.at(from).view);
    const bool patient = left.patience_may_end && locals_.at(from).patient && within;
    const bool waits = locals_.at(from).waits && within;
    const bool executes = locals_.at(from).executes;
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
    if (waits) go({.kind = Event::Kind::wait});
    if (executes) go({.kind = Event::Kind::execute});
    if (!left.power_may_fail) return;
    for (const Loss loss : {Loss::unsynced, Loss::nothing, Loss::store}) {
        if (loss == Loss::store && !options_.wipes) continue;
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
            for (Index i = 0; i < world_.people(); ++i) {
                if ((event.mask >> i & 1U) != 0) text += " " + std::to_string(i);
            }
            break;
        case Event::Kind::timeout:
            text += "loses patience";
            break;
        case Event::Kind::crash:
            text += "crashes and restarts";
            if (static_cast<Loss>(event.what) == Loss::unsynced)
                text += ", unsynced writes are gone";
            if (static_cast<Loss>(event.what) == Loss::store)
                text += ", the store is gone, the vote log is not";
            break;
        case Event::Kind::chain:
            text += "receives the chain up to: " + world_.text(event.what);
            break;
        case Event::Kind::wait:
            text += "waits for the end of the epoch to become final";
            break;
        case Event::Kind::execute:
            text += "executes what is final";
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
