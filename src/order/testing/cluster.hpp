// Cluster: n Orderings over a virtual network and virtual disks, with an oracle that watches.
//
// Why      Rules about crashes, loss, partitions and liars are tested by running them, thousands of
//          times, each run a function of its seed.
// Holds    The oracle uses its own books: no honest seat is ever seen to sign two clashing votes,
// to
//          send a vote that its disk does not know, or to be dropped by an honest peer; every node
//          hands out heights 1, 2, 3, … once per life, all nodes the same blocks.
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "order/testing/participant.hpp"
#include "order/testing/term_watch.hpp"
#include "order/vote_log.hpp"

namespace creto::simplex::testing {

class Cluster {
public:
    explicit Cluster(ClusterOptions options)
        : options_{options},
          prng_{options.seed},
          seats_{
              options.n,
              options.mode,
              options.observers,
              options.twins,
              options.term_views,
              options.checkpoint_blocks,
              options.epoch_blocks,
              options.vote_form},
          nodes_(total()) {
        group_.assign(total(), 0);
        for (auto& node : nodes_)
            node = std::make_unique<Participant>();
    }

    // --- the world ---
    [[nodiscard]] Instant now() const { return now_; }
    [[nodiscard]] Prng& prng() { return prng_; }
    [[nodiscard]] const Seats& seats() const { return seats_; }
    [[nodiscard]] const Roster& roster() const { return seats_.roster; }
    [[nodiscard]] AgentId agent(Index i) const { return seats_.agent(i); }
    [[nodiscard]] Index total() const { return options_.n + options_.observers + options_.twins; }
    /// The place in the roster that a node speaks for; none for observers.
    [[nodiscard]] std::optional<Index> member(Index i) const {
        if (i < options_.n) return i;
        const Index before_twins = options_.n + options_.observers;
        return i < before_twins ? std::nullopt : std::optional<Index>{i - before_twins};
    }
    [[nodiscard]] bool twinned(Index i) const {
        const auto at = member(i);
        return at && *at < options_.twins;
    }
    [[nodiscard]] Participant& node(Index i) { return *nodes_[i]; }
    [[nodiscard]] Ordering& ordering(Index i) { return *nodes_[i]->ordering; }
    [[nodiscard]] ClusterOptions& options() { return options_; }
    [[nodiscard]] const std::map<Height, BlockId>& chain() const { return chain_; }
    [[nodiscard]] std::uint64_t messages() const { return messages_; }

    /// Who votes in an epoch, from the third on; without it the seats of the genesis.
    std::function<std::vector<Member>(Epoch)> voters;
    /// How many seats are dormant in it; without it none.
    std::function<std::uint32_t(Epoch)> dormant;
    /// Returns false to lose a message on its way.
    std::function<bool(Index from, Index to, const Message& message)> pass;
    /// Sees every message as it arrives, and as it leaves.
    std::function<void(Index from, Index to, const Message& message)> seen;
    std::function<void(Index from, Index to, const Message& message)> sent;
    /// The cut after a block that was ever proposed, for liars who make blocks of their own.
    [[nodiscard]] Cut cut_after(const BlockId& block) const {
        const auto found = cuts_.find(block);
        return found == cuts_.end() ? Cut{} : found->second;
    }

    void start(Index i) {
        Participant& m = node(i);
        ASSERT_FALSE(m.up());
        ++m.life;
        m.effects = Effects{};
        m.durable.clear();
        m.held.clear();
        m.saving.clear();
        m.to_execute.clear();
        m.wake = Instant::max();
        m.sync_ends = now_;
        m.next_sync_ends = now_;
        m.delivered = Height{};
        m.executed = {};
        m.vertices_final = 0;
        m.ordering.reset();
        m.rosters = std::make_unique<Rosters>(seats_.genesis);
        m.ordering = make_ordering(i);
        const auto take = [this, i](std::vector<FinalizedBlock> blocks) {
            for (FinalizedBlock& block : blocks)
                deliver_final(i, std::move(block));
            execute(i);
            return Result<void>{};
        };
        const auto restored = m.ordering->restore(m.disk, m.disk.votes, take);
        ASSERT_TRUE(restored.has_value()) << restored.error().message;
        EXPECT_TRUE(m.effects.list().empty());
        collect(i);
        m.ordering->start(now_, m.effects);
        settle(i);
        for (Index j = 0; j < total(); ++j) {
            if (j == i || !node(j).up()) continue;
            connect(i, j);
            connect(j, i);
        }
    }
    void start_all() {
        for (Index i = 0; i < total(); ++i)
            start(i);
    }
    void crash(Index i) {
        Participant& m = node(i);
        ASSERT_TRUE(m.up());
        m.disk.crash(prng_, m.saving);
        m.ordering.reset();
        ++m.life;
        for (Index j = 0; j < total(); ++j) {
            if (j == i || !node(j).up()) continue;
            at(latency(), j, [this, i](Participant& peer) {
                // A host reports the end of a connection before the start of the next.
                if (!node(i).up()) peer.ordering->on_peer_down(agent(i), now_, peer.effects);
            });
        }
    }
    /// Nodes talk only to nodes of their own group.
    void partition(const std::vector<Index>& groups) { group_ = groups; }
    void heal() { group_.assign(total(), 0); }

    /// A new vertex in the lane of a seat, sent to everyone.
    void produce(Index i) {
        Participant& author = node(i);
        const LaneId lane{seats_.seat(i), {}};
        author.lanes.held[lane] = author.lanes.held_of(lane).next();
        if (author.up()) {
            author.ordering->on_data(now_, author.effects);
            settle(i);
        }
        for (Index j = 0; j < total(); ++j) {
            if (j != i) share(i, j);
        }
    }
    /// Whatever lanes a node holds reach another, if the network lets them.
    void share(Index from, Index to) {
        if (group_[from] != group_[to] || lost()) return;
        at(latency(), to, [this, from](Participant& peer) {
            bool more = false;
            for (const auto& [lane, have] : node(from).lanes.held) {
                if (peer.lanes.held_of(lane) >= have) continue;
                peer.lanes.held[lane] = have;
                more = true;
            }
            if (more) peer.ordering->on_data(now_, peer.effects);
        });
    }

    // --- running ---
    void run_for(Duration span) {
        run_until(now_ + span, [] { return false; });
    }
    bool run_until(Instant end, const std::function<bool()>& done) {
        while (!done()) {
            if (::testing::Test::HasFatalFailure()) return false;
            const Instant sync = last_share_ + share_interval;
            const Instant next =
                events_.empty() ? sync : std::min(sync, events_.begin()->first.first);
            if (next > end) {
                now_ = end;
                return done();
            }
            now_ = std::max(now_, next);
            if (next == sync) {
                last_share_ = now_;
                anti_entropy();
                continue;
            }
            auto event = std::move(events_.begin()->second);
            events_.erase(events_.begin());
            event();
        }
        return true;
    }
    bool run_until_final(Height height, Duration limit) {
        return run_until(now_ + limit, [&] { return lowest_final() >= height; });
    }
    /// Until everything that an honest node holds is final at every honest node, among those that
    /// are up. What only a liar holds it may keep for ever: nobody votes for what they do not have.
    bool run_until_ordered(Duration limit) {
        return run_until(now_ + limit, [&] {
            for (Index i = 0; i < total(); ++i) {
                if (!honest(i) || !node(i).up() || ordering(i).halted()) continue;
                const Cut& cut = ordering(i).finalized_cut();
                for (Index j = 0; j < total(); ++j) {
                    const bool counts = honest(j) && node(j).up();
                    if (counts && !covers(cut, node(j).lanes)) return false;
                }
            }
            return true;
        });
    }
    [[nodiscard]] bool honest(Index i) const { return !nodes_[i]->liar; }
    [[nodiscard]] Height lowest_final() {
        Height lowest{~0ULL};
        for (Index i = 0; i < total(); ++i) {
            if (node(i).up() && !node(i).liar) {
                lowest = std::min(lowest, ordering(i).finalized_height());
            }
        }
        return lowest;
    }

    /// An Ordering as this node would start it, over the node's own lanes.
    [[nodiscard]] std::unique_ptr<Ordering> make_ordering(Index i) {
        const auto at = member(i);
        return std::make_unique<Ordering>(
            seats_.roster,
            at ? std::optional<Seat>{seats_.seat(*at)} : std::nullopt,
            *seats_.signers[i],
            node(i).lanes,
            options_.ordering,
            log_,
            node(i).rosters.get()
        );
    }

    // --- for tests that speak themselves ---
    /// Tells a node that all the others are connected, whether they run or not.
    void connect_all(Index i) {
        for (Index j = 0; j < total(); ++j) {
            if (j != i) node(i).ordering->on_peer_up(agent(j), now_, node(i).effects);
        }
        settle(i);
    }
    [[nodiscard]] bool said(Index i, const VoteContent& content) const {
        const auto found = said_.find({i, content.epoch, content.view});
        return found != said_.end() && found->second.contains(content);
    }
    /// What a node said about a view, as seen from outside: letters of N, X and F.
    [[nodiscard]] std::string words(Index i, std::uint64_t view) const {
        std::string words;
        const auto found = said_.find({i, Epoch{1}, View{view}});
        if (found == said_.end()) return words;
        for (const VoteContent& content : found->second)
            words += "NXF"[static_cast<std::size_t>(content.kind)];
        return words;
    }
    void deliver(Index from, Index to, const Message& message) {
        receive(from, to, encode_message(message));
    }
    void at(Duration delay, Index i, std::function<void(Participant&)> act) {
        const std::uint64_t life = node(i).life;
        schedule(now_ + delay, [this, i, life, act = std::move(act)] {
            Participant& m = node(i);
            if (!m.up() || m.life != life) return;
            act(m);
            settle(i);
        });
    }
    void settle(Index i) {
        Participant& m = node(i);
        for (bool again = true; again;) {
            again = carry_out(i);
            again = collect(i) || again;
            again = execute(i) || again;
        }
        arm(i, m);
    }
    [[nodiscard]] Proposal sign(const Block& block) const {
        const Index leader = *seats_.roster.index_of(block.proposer);
        return {block, seats_.vote(leader, block.content(VoteKind::notarize)).signature};
    }

private:
    static constexpr Duration share_interval = Duration::from_ms(50);

    Duration latency() {
        return Duration::from_ns(static_cast<std::int64_t>(prng_.between(
            static_cast<std::uint64_t>(options_.latency_min.ns()),
            static_cast<std::uint64_t>(options_.latency_max.ns())
        )));
    }
    bool lost() { return options_.loss_percent > 0 && prng_.chance(options_.loss_percent, 100); }
    void schedule(Instant when, std::function<void()> act) {
        events_.emplace(std::pair{when, ++event_no_}, std::move(act));
    }
    void connect(Index i, Index j) {
        at(latency(), i, [this, j](Participant& m) {
            if (node(j).up()) m.ordering->on_peer_up(agent(j), now_, m.effects);
        });
    }
    static bool covers(const Cut& cut, const FakeLanes& lanes) {
        return std::all_of(lanes.held.begin(), lanes.held.end(), [&cut](const auto& lane) {
            const LaneTip* found = cut.find(lane.first);
            return found != nullptr && found->sequence >= lane.second;
        });
    }
    void anti_entropy() {
        for (Index i = 0; i < total(); ++i) {
            const auto j = static_cast<Index>(prng_.below(total()));
            if (i != j && node(j).up() && !node(j).liar) share(j, i);
        }
    }
    void arm(Index i, Participant& m) {
        const Instant wake = m.ordering->next_wake();
        EXPECT_GT(wake, now_) << "seed " << options_.seed << ": a timer that spins";
        if (wake == Instant::max() || (m.wake > now_ && m.wake <= wake)) return;
        m.wake = std::max(wake, now_ + Duration::from_ns(1));
        const std::uint64_t life = m.life;
        schedule(m.wake, [this, i, life, at = m.wake] {
            Participant& due = node(i);
            if (due.wake == at) due.wake = Instant::max();
            if (!due.up() || due.life != life) return;
            due.ordering->on_time(now_, due.effects);
            settle(i);
        });
    }

    // --- effects ---
    bool carry_out(Index i) {
        Participant& m = node(i);
        std::vector<Effect> effects = m.effects.take();
        for (Effect& effect : effects) {
            if (auto* send = std::get_if<Send>(&effect)) {
                if (send->after != Ticket{} && !m.durable.contains(send->after)) {
                    m.held[send->after].push_back(std::move(*send));
                } else {
                    emit(i, *send);
                }
            } else if (auto* persist = std::get_if<Persist>(&effect)) {
                save(i, std::move(*persist));
            } else if (auto* load = std::get_if<Load>(&effect)) {
                answer(i, *load);
            } else {
                ADD_FAILURE() << "ordering has no business with this effect";
            }
        }
        return !effects.empty();
    }
    void save(Index i, Persist batch) {
        Participant& m = node(i);
        m.saving.push_back(batch);
        // What comes while a sync runs shares the next one.
        const auto span = static_cast<std::uint64_t>(options_.sync_max.ns());
        const Duration takes =
            m.slower_disk + Duration::from_ns(static_cast<std::int64_t>(prng_.below(span + 1)));
        if (now_ >= m.next_sync_ends) {
            m.sync_ends = now_;
            m.next_sync_ends = now_ + takes;
        } else if (now_ >= m.sync_ends) {
            m.sync_ends = m.next_sync_ends;
            m.next_sync_ends = m.next_sync_ends + takes;
        }
        at(m.next_sync_ends - now_, i, [this, i, batch = std::move(batch)](Participant& saved) {
            saved.disk.apply(batch);
            saved.saving.erase(saved.saving.begin());
            saved.durable.insert(batch.ticket);
            for (const Send& send : std::exchange(saved.held[batch.ticket], {}))
                emit(i, send);
            saved.held.erase(batch.ticket);
            saved.ordering->on_persisted(batch.ticket, now_, saved.effects);
        });
    }
    void answer(Index i, const Load& load) {
        Loaded loaded{load.ticket, {}};
        for (const Bytes& key : load.keys)
            loaded.values.push_back(*node(i).disk.get(load.column, key));
        at(Duration::from_us(100), i, [this, loaded](Participant& m) {
            m.ordering->on_loaded(loaded, now_, m.effects);
        });
    }
    void emit(Index i, const Send& send) {
        const Index to = index_of(send.to);
        const auto message = decode_message(*send.message);
        ASSERT_TRUE(message.has_value()) << message.error().message;
        EXPECT_EQ(channel_of(*message), send.channel);
        if (const auto* proposal = std::get_if<Proposal>(&*message)) note_cut(proposal->block);
        if (sent) sent(i, to, *message);
        if (!node(i).liar) {
            watch(i, *message);
            post(i, to, send.message);
            return;
        }
        for (const Message& lie : node(i).liar->lie(*message, to))
            post(i, to, encode_message(lie));
    }
    /// Whatever is meant for a seat reaches each process that has its key.
    void post(Index from, Index to, const SharedBytes& bytes) {
        post_one(from, to, bytes);
        const Index before_twins = options_.n + options_.observers;
        if (to < options_.twins && from != before_twins + to)
            post_one(from, before_twins + to, bytes);
    }
    void note_cut(const Block& block) {
        const BlockId id = block.id();
        if (cuts_.contains(id)) return;
        Cut cut = cut_after(block.parent);
        creto::apply(cut, block.delta);
        cuts_.emplace(id, std::move(cut));
    }
    void post_one(Index from, Index to, const SharedBytes& bytes) {
        ++messages_;
        const bool twice =
            options_.duplicate_percent > 0 && prng_.chance(options_.duplicate_percent, 100);
        for (int copy = twice ? 2 : 1; copy > 0; --copy) {
            if (group_[from] != group_[to] || lost()) continue;
            at(latency(), to, [this, from, to, bytes](Participant&) { receive(from, to, bytes); });
        }
    }
    [[nodiscard]] Index index_of(const AgentId& agent_id) const {
        Index i = 0;
        while (seats_.signers[i]->public_key() != agent_id)
            ++i;
        return i;
    }

    // --- messages ---
    template <class T>
    std::optional<Checked<T>> checked(Index from, Index to, const T& message) {
        const auto items = check_items(message, ordering(to).roster());
        const auto pass_now = items ? CheckPass::verify(seats_.scheme, *items)
                                    : Result<CheckPass>{fail(ErrorCode::invalid, "malformed")};
        if (pass_now) return Checked<T>{message, *pass_now};
        // A correct peer's message always holds. (cometbft @17bb385)
        EXPECT_TRUE(node(from).liar) << "honest node " << from << " would be dropped";
        return std::nullopt;
    }
    void receive(Index from, Index to, const SharedBytes& bytes) {
        Participant& m = node(to);
        const auto message = decode_message(*bytes);
        if (!message) return;
        if (pass && !pass(from, to, *message)) return;
        if (seen) seen(from, to, *message);
        const AgentId peer = agent(from);
        Ordering& o = *m.ordering;
        o.hear(peer, now_);
        if (const auto epoch = epoch_of(*message); epoch && *epoch != o.epoch())
            return o.on_other_epoch(peer, *epoch, now_, m.effects);
        if (!o.worth_checking(*message)) return;
        if (const auto* p = std::get_if<Proposal>(&*message)) {
            if (const auto c = checked(from, to, *p))
                o.on_proposal(peer, *c, now_, now_, m.effects);
        } else if (const auto* v = std::get_if<Vote>(&*message)) {
            if (const auto c = checked(from, to, *v)) o.on_vote(peer, *c, now_, m.effects);
        } else if (const auto* cert = std::get_if<Certificate>(&*message)) {
            if (const auto c = checked(from, to, *cert))
                o.on_certificate(peer, *c, now_, m.effects);
        } else if (const auto* partial = std::get_if<PartialCertificate>(&*message)) {
            if (const auto c = checked(from, to, *partial)) o.on_partial(peer, *c, now_, m.effects);
        } else if (const auto* chain = std::get_if<ChainAnswer>(&*message)) {
            if (const auto c = checked(from, to, *chain))
                o.on_chain_answer(peer, *c, now_, m.effects);
        } else if (const auto* status = std::get_if<OrderStatus>(&*message)) {
            o.on_status(peer, *status, now_, m.effects);
        } else if (const auto* cr = std::get_if<CertificateRequest>(&*message)) {
            o.on_certificate_request(peer, *cr, now_, m.effects);
        } else if (const auto* br = std::get_if<BlockRequest>(&*message)) {
            o.on_block_request(peer, *br, now_, m.effects);
        } else if (const auto* chr = std::get_if<ChainRequest>(&*message)) {
            o.on_chain_request(peer, *chr, now_, m.effects);
        }
    }

    // --- output ---
    bool collect(Index i) {
        Participant& m = node(i);
        bool any = false;
        for (auto blocks = m.ordering->take_finalized(); !blocks.empty();
             blocks = m.ordering->take_finalized()) {
            any = true;
            for (FinalizedBlock& block : blocks)
                deliver_final(i, std::move(block));
        }
        for (const WantedData& wanted : m.ordering->take_wanted()) {
            const Index leader = index_of(wanted.first_to_ask);
            if (node(leader).up() && !node(leader).liar) share(leader, i);
        }
        for (Evidence& evidence : m.ordering->take_evidence()) {
            EXPECT_TRUE(contradicts(evidence, seats_.roster).has_value());
            EXPECT_TRUE(
                CheckPass::verify(seats_.scheme, signatures_of(evidence, seats_.roster)).has_value()
            );
            const Index culprit_index = index_of(culprit(evidence, seats_.roster).value());
            EXPECT_TRUE(node(culprit_index).liar || twinned(culprit_index))
                << "node " << culprit_index << " was framed";
            m.evidence.push_back(std::move(evidence));
        }
        return any;
    }
    void deliver_final(Index i, FinalizedBlock block) {
        Participant& m = node(i);
        ASSERT_EQ(block.block.height, m.delivered.next()) << "node " << i << ", once and in order";
        m.delivered = block.block.height;
        EXPECT_EQ(block.id, block.block.id());
        Cut after = *block.parent_cut;
        creto::apply(after, block.block.delta);
        EXPECT_EQ(after, *block.cut_after);
        EXPECT_EQ(after.root(), block.block.cut_root);
        if (!m.liar) {
            const auto [known, fresh] = chain_.emplace(block.block.height, block.id);
            ASSERT_EQ(known->second, block.id)
                << "seed " << options_.seed << ": node " << i
                << " finalised another block at height " << block.block.height.value();
            if (fresh && block.block.height.value() > 1) {
                EXPECT_EQ(block.block.parent, chain_.at(block.block.height.prev()));
            }
        }
        m.to_execute.push_back(std::move(block));
    }
    bool execute(Index i) {
        Participant& m = node(i);
        if (m.stalls_execution) return false;
        std::size_t done = 0;
        for (; done < m.to_execute.size(); ++done) {
            const FinalizedBlock& next = m.to_execute[done];
            if (!m.lanes.covers(next.block.delta)) break;
            Hasher root{HashDomain::state_node};
            root.update(m.executed.state_root).update(next.id.value());
            if (m.diverges) root.update_u64(1);
            m.executed = {next.block.height, root.finish(), next.id.value()};
            for (const LaneRange& range : next.block.delta)
                m.vertices_final += range.last.value() - range.first.value() + 1;
            decide_roster(i, next.block.height);
            m.ordering->on_executed(m.executed, now_, m.effects);
        }
        m.to_execute.erase(
            m.to_execute.begin(), m.to_execute.begin() + static_cast<std::ptrdiff_t>(done)
        );
        return done > 0;
    }

    /// As the agreed state would: the end of an epoch says who votes in the one after the next.
    void decide_roster(Index i, Height height) {
        const Epochs& epochs = seats_.roster.epochs();
        if (!epochs.is_boundary(height)) return;
        const Epoch epoch = epochs.of(height).plus(2);
        node(i).rosters->add(
            epoch,
            {.members = voters ? voters(epoch) : seats_.genesis.members,
             .known = seats_.everyone(),
             .dormant = dormant ? dormant(epoch) : 0}
        );
    }

    // --- the oracle of single votes ---
    void watch(Index i, const Message& message) {
        std::optional<Vote> vote_sent;
        if (const auto* v = std::get_if<Vote>(&message)) vote_sent = *v;
        if (const auto* p = std::get_if<Proposal>(&message)) vote_sent = p->leader_vote();
        if (!vote_sent || vote_sent->seat != Seats::seat(member(i).value_or(i)) ||
            vote_sent->content.kind == VoteKind::bury)  // A claim, no vote.
            return;
        const std::string who =
            "seed " + std::to_string(options_.seed) + ": node " + std::to_string(i);
        EXPECT_TRUE(node(i).disk.has_vote(encode_vote_record(*vote_sent))) << who;
        const VoteContent& fresh = vote_sent->content;
        auto& said = said_[{i, fresh.epoch, fresh.view}];
        for (const VoteContent& earlier : said)
            EXPECT_FALSE(conflict(earlier, fresh)) << who << ", " << earlier.view.value();
        if (!said.insert(fresh).second) return;
        View settled;
        if (node(i).up())  // What is said of an epoch that is over was said in it.
            settled =
                ordering(i).epoch() == fresh.epoch ? ordering(i).votes_needed_from() : View{~0ULL};
        EXPECT_EQ(term_watch_.hear(i, fresh, settled), "") << who;
    }

    ClusterOptions options_;
    Prng prng_;
    Seats seats_;
    SilentLog log_;
    std::vector<std::unique_ptr<Participant>> nodes_;
    std::vector<Index> group_;
    Instant now_;
    Instant last_share_;
    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
    std::uint64_t event_no_ = 0;
    std::uint64_t messages_ = 0;
    std::map<Height, BlockId> chain_;
    std::map<BlockId, Cut> cuts_;
    std::map<std::tuple<Index, Epoch, View>, std::set<VoteContent>> said_;
    TermWatch term_watch_{options_.term_views};
};

}  // namespace creto::simplex::testing
