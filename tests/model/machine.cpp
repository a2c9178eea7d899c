#include "model/machine.hpp"

#include "model/light.hpp"
#include "order/vote_log.hpp"

namespace creto::model_check {

Machine::Machine(World& world, Index self, MachineOptions options)
    : world_{world}, self_{self}, options_{options} {}

Machine::Machine(const Machine& other)
    : world_{other.world_},
      self_{other.self_},
      options_{other.options_},
      ordering_{Probe::copy(*other.ordering_)},
      effects_{other.effects_},
      disk_{other.disk_},
      now_{other.now_},
      pending_{other.pending_},
      held_{other.held_},
      durable_{other.durable_},
      delivered_{other.delivered_},
      executed_{other.executed_},
      unexecuted_{other.unexecuted_},
      chain_{other.chain_},
      said_{other.said_},
      emissions_{other.emissions_},
      fuse_{other.fuse_},
      dark_{other.dark_},
      points_{other.points_},
      violation_{other.violation_} {}

void Machine::boot() {
    effects_ = Effects{};
    pending_.clear();
    held_.clear();
    durable_.clear();
    delivered_ = Height{};
    executed_ = {};
    unexecuted_.clear();
    dark_ = false;
    const Roster& first = world_.roster(Epoch{1});
    const Member* member = first.find(agent(self_));
    ordering_ = std::make_unique<Ordering>(
        first,
        member == nullptr ? std::nullopt : std::optional{member->seat},
        *world_.seats.signers[self_],
        world_.lanes,
        world_.options,
        world_.log,
        world_.rosters(Epoch{2})
    );
    // Who votes in which epoch is known from executing what is read. [ORD-R8.1]
    const RestoredBlocks take = [this](const std::vector<FinalizedBlock>& blocks) {
        for (const FinalizedBlock& block : blocks)
            output(block);
        execute_final();
        return Result<void>{};
    };
    const DiskView view{disk_.data()};
    const auto restored =
        ordering_->restore(view, disk_.votes(), world_.has_epochs() ? take : RestoredBlocks{});
    if (!restored)
        return blame("a restart found its own disk unreadable: " + restored.error().message);
    if (!effects_.list().empty()) blame("a restart spoke before it had read its disk");
    collect();
    ordering_->start(now_, effects_);
    drain();
}

bool Machine::step(Point point) {
    if (dark_) return false;
    ++points_;
    if (!fuse_ || (fuse_->kind && *fuse_->kind != point)) return true;
    if (fuse_->count-- > 0) return true;
    fuse_.reset();
    dark_ = true;
    return false;
}

void Machine::fuse(std::optional<Point> kind, std::uint64_t count) {
    fuse_ = Fuse{kind, count};
}

void Machine::crash(Loss loss) {
    ordering_.reset();
    emissions_.clear();
    lost_ = std::exchange(pending_, {});
    held_.clear();
    disk_.crash(loss);
    dark_ = true;
}

void Machine::flush() {
    disk_.write(Probe::take_writes(Probe::core(*ordering_)), Durable::yes);
}

void Machine::peer_up(Index peer) {
    ordering_->on_peer_up(agent(peer), now_, effects_);
    drain();
}

void Machine::peer_down(Index peer) {
    ordering_->on_peer_down(agent(peer), now_, effects_);
    drain();
}

void Machine::tick(Instant now) {
    now_ = now;
    ordering_->on_time(now_, effects_);
    drain();
}

void Machine::time_out() {
    tick(now_ + Duration::from_s(10));
}

void Machine::receive(Index from, const Message& message) {
    const AgentId peer = agent(from);
    const auto epoch = epoch_of(message);
    if (epoch && *epoch != ordering_->epoch()) {
        ordering_->on_other_epoch(peer, *epoch, now_, effects_);
        return drain();
    }
    ordering_->hear(peer, now_);
    if (!ordering_->worth_checking(message)) return;
    if (world_.has_epochs()) {
        const auto items = check_items(message, ordering_->roster());
        if (!items || !CheckPass::verify(world_.seats.scheme, *items)) return;
    }
    const CheckPass pass = CheckPass::own();
    if (const auto* p = std::get_if<Proposal>(&message)) {
        ordering_->on_proposal(peer, {*p, pass}, now_, now_, effects_);
    } else if (const auto* v = std::get_if<Vote>(&message)) {
        ordering_->on_vote(peer, {*v, pass}, now_, effects_);
    } else if (const auto* c = std::get_if<Certificate>(&message)) {
        ordering_->on_certificate(peer, {*c, pass}, now_, effects_);
    } else if (const auto* chain = std::get_if<ChainAnswer>(&message)) {
        ordering_->on_chain_answer(peer, {*chain, pass}, now_, effects_);
    } else if (const auto* status = std::get_if<OrderStatus>(&message)) {
        ordering_->on_status(peer, *status, now_, effects_);
    } else if (const auto* cr = std::get_if<CertificateRequest>(&message)) {
        ordering_->on_certificate_request(peer, *cr, now_, effects_);
    } else if (const auto* br = std::get_if<BlockRequest>(&message)) {
        ordering_->on_block_request(peer, *br, now_, effects_);
    } else if (const auto* chr = std::get_if<ChainRequest>(&message)) {
        ordering_->on_chain_request(peer, *chr, now_, effects_);
    }
    drain();
}

void Machine::drain() {
    do {
        carry_out();
        collect();
        while (options_.eager_sync && !dark_ && syncing())
            complete_sync();
    } while (!dark_ && !effects_.list().empty());
    if (!dark_ && ordering_->halted() && !options_.liar)
        blame("it stopped: " + *ordering_->halted());
}

void Machine::carry_out() {
    for (Effect& effect : effects_.take()) {
        if (dark_) return;
        if (auto* send = std::get_if<Send>(&effect)) {
            if (send->after != Ticket{} && !durable_.contains(send->after)) {
                held_.push_back(std::move(*send));
            } else {
                emit(*send);
            }
        } else if (auto* persist = std::get_if<Persist>(&effect)) {
            pending_.push_back(std::move(*persist));
        } else if (const auto* load = std::get_if<Load>(&effect)) {
            Loaded loaded{load->ticket, {}};
            const DiskView view{disk_.data()};
            for (const Bytes& key : load->keys)
                loaded.values.push_back(*view.get(load->column, key));
            ordering_->on_loaded(loaded, now_, effects_);
        } else {
            blame("ordering has no business with this effect");
        }
    }
}

void Machine::complete_sync() {
    if (!step(Point::store)) return;
    disk_.write(pending_.front().writes, pending_.front().durable);
    if (!pending_.front().votes.empty() && !step(Point::votes)) return;
    const Persist batch = std::move(pending_.front());
    pending_.erase(pending_.begin());
    disk_.append_votes(batch);
    if (world_.has_epochs()) watch_batch(batch);
    if (!step(Point::synced)) return;
    durable_.insert(batch.ticket);
    std::vector<Send> later;
    for (Send& send : std::exchange(held_, {})) {
        if (durable_.contains(send.after)) {
            emit(send);
        } else {
            later.push_back(std::move(send));
        }
        if (dark_) return;
    }
    held_.insert(held_.begin(), later.begin(), later.end());
    ordering_->on_persisted(batch.ticket, now_, effects_);
    if (!options_.eager_sync) drain();
}

void Machine::emit(const Send& send) {
    if (!step(Point::send)) return;
    if (!send.message.same(decoded_from_)) {
        auto message = decode_message(*send.message);
        if (!message) return blame("it sent what nobody can read: " + message.error().message);
        decoded_from_ = send.message;
        decoded_ = std::make_shared<const Message>(std::move(*message));
        watch(*decoded_);
    }
    Index to = 0;
    while (agent(to) != send.to)
        ++to;
    emissions_.push_back({to, decoded_});
}

bool Machine::cast_before(const VoteContent& first, const Vote& second) const {
    for (const auto& records : disk_.appends()) {
        for (const Bytes& bytes : records) {
            const auto record = simplex::decode_vote_record(bytes);
            const Vote* vote = record ? std::get_if<Vote>(&*record) : nullptr;
            if (vote == nullptr) continue;
            if (vote->content == first) return true;
            if (*vote == second) return false;
        }
    }
    return false;
}

void Machine::watch(const Message& message) {
    if (options_.verify_sends) {
        const auto* chain = std::get_if<ChainAnswer>(&message);
        const Epoch epoch =
            chain != nullptr ? chain->blocks.front().epoch : epoch_of(message).value_or(Epoch{1});
        const auto items = check_items(message, world_.roster(epoch));
        if (!items || !CheckPass::verify(world_.seats.scheme, *items))
            blame("it sent what every honest peer drops it for");
    }
    if (const auto* v = std::get_if<Vote>(&message)) watch_vote(*v);
    if (const auto* p = std::get_if<Proposal>(&message)) watch_vote(p->leader_vote());
}

void Machine::watch_vote(const Vote& vote) {
    const VoteContent& content = vote.content;
    if (vote.seat != world_.seats.seat(self_)) return;
    if (content.kind == VoteKind::bury) return;  // A claim, no vote: it needs no record.
    const auto said = [this](const VoteContent& what) {
        return "it said '" + world_.text(world_.number(what)) + "'";
    };
    if (!disk_.has_vote(simplex::encode_vote_record(vote)))
        blame(said(content) + " before it was durable");
    if ((world_.members(content.epoch) >> self_ & 1U) == 0)
        blame(said(content) + " and has no seat in that epoch");
    if (!said_.insert(content).second || options_.liar) return;
    for (const VoteContent& earlier : said_) {
        const bool same_view = earlier.epoch == content.epoch && earlier.view == content.view;
        const bool twice = earlier.kind == content.kind && same_view && earlier != content;
        // Its vote log tells the order in which it cast them; what is repeated may come in any.
        const bool given_up = earlier.kind == VoteKind::nullify &&
                              content.kind == VoteKind::notarize && same_view &&
                              cast_before(earlier, vote);
        // Nothing new once it voted in a later epoch, whatever its store holds. [ORD-L12.5]
        const bool had_left = earlier.epoch > content.epoch && cast_before(earlier, vote);
        if (twice || given_up || had_left || conflict(earlier, content))
            blame(said(content) + " after '" + world_.text(world_.number(earlier)) + "'");
    }
}

/// [ORD-L12.5] Whoever votes in an epoch can prove that the one before is over, from its disk alone.
void Machine::watch_batch(const Persist& batch) {
    for (const Bytes& bytes : batch.votes) {
        const auto record = simplex::decode_vote_record(bytes);
        const Vote* vote = record ? std::get_if<Vote>(&*record) : nullptr;
        if (vote == nullptr || vote->content.epoch == Epoch{1}) continue;
        if (proves_end(vote->content.epoch.prev())) continue;
        blame(
            "it cast '" + world_.text(world_.number(vote->content)) +
            "' and its disk does not prove the end of the epoch before"
        );
    }
}

bool Machine::proves_end(Epoch epoch) const {
    const Height last = world_.roster().epochs().last_of(epoch);
    const auto found = disk_.data().find({Column::blocks, simplex::final_block_key(last)});
    if (found == disk_.data().end()) return false;
    const auto stored = decode_exact<simplex::StoredBlock>(*found->second.bytes);
    if (!stored || !stored->finalization || !world_.flaw(stored->block).empty()) return false;
    const Block& block = stored->echo ? *stored->echo : stored->block;
    const bool repeats = !stored->echo || block.echo_of == stored->block.id();
    const auto items = check_items(Message{*stored->finalization}, world_.roster(epoch));
    return repeats && stored->finalization->content == block.content(VoteKind::finalize) && items &&
           CheckPass::verify(world_.seats.scheme, *items);
}

void Machine::collect() {
    if (dark_) return;
    for (auto blocks = ordering_->take_finalized(); !blocks.empty();
         blocks = ordering_->take_finalized()) {
        for (const FinalizedBlock& block : blocks)
            output(block);
    }
    static_cast<void>(ordering_->take_wanted());
    collect_links();
    const Roster& newest = world_.roster(world_.last_epoch());
    for (const Evidence& evidence : ordering_->take_evidence()) {
        const auto accused = culprit(evidence, newest);
        const bool proven = accused && contradicts(evidence, newest).has_value() &&
                            CheckPass::verify(world_.seats.scheme, signatures_of(evidence, newest));
        if (!proven) blame("it accused somebody without proof");
    }
}

/// [ORD-L13.1]
void Machine::collect_links() {
    for (const RosterLink& link : ordering_->take_links()) {
        const Roster& before = world_.roster(link.epoch().prev());
        const auto proven = follow_links(before, std::span{&link, 1}, link.epoch());
        const bool holds = proven && CheckPass::verify(world_.seats.scheme, proven->items) &&
                           proven->roster.digest() == world_.roster(link.epoch()).digest();
        if (!holds) blame("it hands on a link that proves no change of the roster");
    }
}

void Machine::output(const FinalizedBlock& block) {
    if (block.block.height != delivered_.next()) blame("it handed out heights out of order");
    delivered_ = block.block.height;
    const std::size_t place = delivered_.value() - 1;
    if (place < chain_.size()) {
        if (chain_[place] != block.id) blame("it took a final block back");
    } else {
        chain_.push_back(block.id);
    }
    Cut after = *block.parent_cut;
    creto::apply(after, block.block.delta);
    if (after != *block.cut_after || block.id != block.block.id())
        blame("it handed out a block with another cut than it makes");
    if (options_.executes == Executes::at_once) execute(block.block.height, block.id);
    if (options_.executes == Executes::when_told)
        unexecuted_.emplace_back(block.block.height, block.id);
}

void Machine::execute() {
    execute_final();
    drain();
}

void Machine::execute_final() {
    for (const auto& [height, id] : std::exchange(unexecuted_, {}))
        execute(height, id);
}

void Machine::execute(Height height, const BlockId& id) {
    Hasher root{HashDomain::state_node};
    root.update(executed_.state_root).update(id.value());
    executed_ = {height, root.finish(), id.value()};
    if (world_.ends_epoch(height)) {  // [ORD-L12.2]
        const Epoch decided = world_.epoch_at(height).plus(2);
        Probe::know(*ordering_, *world_.rosters(decided));
    }
    ordering_->on_executed(executed_, now_, effects_);
}

}  // namespace creto::model_check
