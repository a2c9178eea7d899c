// What each state is held against, with arithmetic of its own, and the way back to progress.
#include <algorithm>

#include "model/masks.hpp"
#include "model/search.hpp"

namespace creto::model_check {

namespace {

/// Rounds of "everything arrives, then patience ends" after which a healed network must have moved.
constexpr int heal_rounds = 24;

}  // namespace

std::uint32_t Search::voters(const std::vector<Said>& said, const VoteContent& content) {
    const std::uint32_t number = world_.number(content);
    for (const Said& s : said) {
        if (s.content == number) return bits(signers(number, s.mask));
    }
    return bits(signers(number, 0));
}

/// Could a quorum have given up this view, or an earlier one of its term?
bool Search::can_be_dead(Epoch epoch, View view) {
    for (View at = world_.term_begin(view); at <= view; ++at) {
        const VoteContent nullify{.kind = VoteKind::nullify, .epoch = epoch, .view = at};
        if (is_quorum(nullify, voters(said_after_, nullify))) return true;
    }
    return false;
}

bool Search::has_ended(std::uint32_t boundary) {
    const BlockId& id = world_.block(boundary).id;
    const auto is_final = [&](const Said& said) {
        const VoteContent& content = world_.content(said.content);
        if (content.kind != VoteKind::finalize || !world_.knows(content.block)) return false;
        const Block& block = world_.block(world_.number_of(content.block)).proposal.block;
        const bool names = content.block == id || block.echo_of == id;
        return names && is_quorum(content, bits(signers(said.content, said.mask)));
    };
    return std::any_of(said_after_.begin(), said_after_.end(), is_final);
}

/// No two quorums say this: votes of one view that conflict, or Finalize of a view that another
/// quorum gave up with the earlier ones of its term.
bool Search::contradict(const VoteContent& a, const VoteContent& b) const {
    if (conflict(a, b)) return true;
    const auto covers = [this](const VoteContent& nullify, const VoteContent& finalize) {
        return nullify.kind == VoteKind::nullify && finalize.kind == VoteKind::finalize &&
               nullify.epoch == finalize.epoch && nullify.view <= finalize.view &&
               world_.term_begin(finalize.view) <= nullify.view;
    };
    return covers(a, b) || covers(b, a);
}

void Search::check(const Tuple& before, const Tuple& after, std::size_t place) {
    const Local& was = locals_.at(before[place]);
    const Local& is = locals_.at(after[place]);
    const std::string& own = is.machine->violation();
    if (!own.empty()) return blame("seat " + std::to_string(honest_[place]) + ": " + own);
    if (is.chain != was.chain) check_agreement(after, place);
    if (is.said == was.said && is.held == was.held && is.epoch == was.epoch) return;
    gather(after, said_after_);
    check_votes(was, is);
    if (is.epoch != was.epoch) check_epoch(is);
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
    if (!mine.empty()) {
        const std::string flaw = world_.flaw(world_.block(mine.back()).proposal.block);
        if (!flaw.empty()) blame("final: " + world_.block_text(mine.back()) + ": " + flaw);
    }
}

/// Whoever is in an epoch has seen the one before end: nothing else lets it in. [ORD-L12.5]
void Search::check_epoch(const Local& is) {
    for (Epoch epoch{1}; epoch < is.epoch; ++epoch) {
        const auto ends = [&](std::uint32_t block) {
            return world_.block(block).epoch() == epoch && world_.is_boundary(block);
        };
        const auto end = std::find_if(is.chain.begin(), is.chain.end(), ends);
        if (end == is.chain.end() || !has_ended(*end))
            blame(
                "a seat is in epoch " + std::to_string(is.epoch.value()) +
                " and no quorum has ended epoch " + std::to_string(epoch.value())
            );
    }
}

void Search::check_votes(const Local& was, const Local& is) {
    for (const std::uint32_t held : is.held) {
        const VoteContent& content = world_.content(held);
        if (content.epoch != is.epoch)
            blame("a certificate of another epoch is held: " + world_.text(held));
        if (std::binary_search(was.held.begin(), was.held.end(), held)) continue;
        if (!is_quorum(content, voters(said_after_, VoteContent{content})))
            blame("a certificate that no quorum signed: " + world_.text(held));
    }
    for (const std::uint32_t content : is.said) {
        if (!std::binary_search(was.said.begin(), was.said.end(), content)) check_vote(content);
    }
    check_quorums();
}

void Search::check_vote(std::uint32_t content) {
    const VoteContent vote = world_.content(content);
    if (vote.kind == VoteKind::notarize) check_notarize(content);
    if (vote.kind != VoteKind::finalize) return;
    VoteContent notarize = vote;
    notarize.kind = VoteKind::notarize;
    if (!is_quorum(notarize, voters(said_after_, notarize)))
        blame("a Finalize without a notarization: " + world_.text(content));
}

void Search::check_notarize(std::uint32_t content) {
    const VoteContent vote = world_.content(content);
    const KnownBlock& block = world_.block(world_.number_of(vote.block));
    if (const std::string flaw = world_.flaw(block.proposal.block); !flaw.empty())
        blame("a Notarize of what is no block of its epoch: " + world_.text(content) + ": " + flaw);
    for (View between = vote.view.prev(); between > vote.parent_view; between = between.prev()) {
        if (!can_be_dead(vote.epoch, between))
            blame("a Notarize over a view that is not dead: " + world_.text(content));
    }
    const bool is_inside = world_.term_begin(vote.view) != vote.view;
    if (is_inside && vote.parent_view != vote.view.prev())
        blame("a Notarize inside a term that passes a view by: " + world_.text(content));
    if (block.parent == 0) return;
    const KnownBlock& parent = world_.block(block.parent);
    if (parent.epoch() != vote.epoch) {
        if (!world_.is_boundary(block.parent) || !has_ended(block.parent))
            blame("a Notarize before the epoch before is over: " + world_.text(content));
        return;
    }
    const VoteContent below = parent.proposal.block.content(VoteKind::notarize);
    if (!is_quorum(below, voters(said_after_, below)))
        blame("a Notarize on a parent that is not notarized: " + world_.text(content));
}

void Search::check_quorums() {
    const auto is_said = [this](const Said& said) {
        return is_quorum(world_.content(said.content), bits(signers(said.content, said.mask)));
    };
    for (std::size_t a = 0; a < said_after_.size(); ++a) {
        if (!is_said(said_after_[a])) continue;
        for (std::size_t b = a + 1; b < said_after_.size(); ++b) {
            if (!is_said(said_after_[b])) continue;
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
    std::vector<std::uint32_t> ends;
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        const Local& local = locals_.at(tuple[i]);
        blocks.insert(blocks.end(), local.blocks.begin(), local.blocks.end());
        blocks.insert(blocks.end(), local.chain.begin(), local.chain.end());
        blocks.insert(blocks.end(), local.made.begin(), local.made.end());
        proven.insert(proven.end(), local.held.begin(), local.held.end());
        ends.insert(ends.end(), local.ends.begin(), local.ends.end());
    }
    for (auto* list : {&blocks, &proven, &ends}) {
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
            // Whoever has left an epoch has only its chain to show. [ORD-L12.6]
            const bool ended = std::binary_search(ends.begin(), ends.end(), s.content);
            const std::uint32_t all = signers(s.content, s.mask);
            if (ended)
                tuple[i] = locals_.after(
                    tuple[i], {.kind = Event::Kind::chain, .what = s.content, .mask = all}
                );
        }
        if (locals_.at(tuple[i]).executes)
            tuple[i] = locals_.after(tuple[i], {.kind = Event::Kind::execute});
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
            for (std::size_t i = 0; i < honest_.size() && !moved; ++i) {
                if (!locals_.at(tuple[i]).waits) continue;
                tuple[i] = locals_.after(tuple[i], {.kind = Event::Kind::wait});
                moved = true;
            }
        }
        for (std::size_t i = 0; i < honest_.size(); ++i) {
            if (locals_.at(tuple[i]).patient)
                tuple[i] = locals_.after(tuple[i], {.kind = Event::Kind::timeout});
        }
    }
    std::string where;
    for (std::size_t i = 0; i < honest_.size(); ++i) {
        const Local& local = locals_.at(tuple[i]);
        where += (i > 0 ? ", " : "") + std::to_string(local.epoch.value()) + "/" +
                 std::to_string(local.view.value()) + "/" + std::to_string(local.chain.size());
    }
    blame("no progress although every message arrives; epoch/view/height of each seat: " + where);
}

}  // namespace creto::model_check
