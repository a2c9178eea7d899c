#include "model/machine.hpp"

#include "order/vote_log.hpp"

namespace creto::model_check {

Machine::Machine(World& world, Index self, MachineOptions options)
    : world_{world}, self_{self}, options_{options} {}

Machine::Machine(const Machine& other)
    : world_{other.world_},
      self_{other.self_},
      options_{other.options_},
      core_{std::make_unique<OrderingCore>(*other.core_)},
      effects_{other.effects_},
      disk_{other.disk_},
      now_{other.now_},
      pending_{other.pending_},
      held_{other.held_},
      durable_{other.durable_},
      delivered_{other.delivered_},
      executed_{other.executed_},
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
    dark_ = false;
    core_ = std::make_unique<OrderingCore>(
        world_.roster(),
        world_.seats.seat(self_),
        *world_.seats.signers[self_],
        world_.lanes,
        world_.options,
        world_.log
    );
    const DiskView view{disk_.data()};
    auto restored = core_->restore_chain(view, {}, std::nullopt);
    if (restored) restored = core_->restore_rest(view, disk_.votes());
    if (!restored)
        return blame("a restart found its own disk unreadable: " + restored.error().message);
    if (!effects_.list().empty()) blame("a restart spoke before it had read its disk");
    collect();
    core_->start(now_, effects_);
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
    core_.reset();
    emissions_.clear();
    lost_ = std::exchange(pending_, {});
    held_.clear();
    disk_.crash(loss);
    dark_ = true;
}

void Machine::flush() {
    disk_.write(simplex::testing::CoreProbe::take_writes(*core_), Durable::yes);
}

void Machine::peer_up(Index peer) {
    core_->on_peer_up(agent(peer), now_, effects_);
    drain();
}

void Machine::peer_down(Index peer) {
    core_->on_peer_down(agent(peer), now_, effects_);
    drain();
}

void Machine::tick(Instant now) {
    now_ = now;
    core_->on_time(now_, effects_);
    drain();
}

void Machine::time_out() {
    tick(now_ + Duration::from_s(10));
}

void Machine::receive(Index from, const Message& message) {
    const AgentId peer = agent(from);
    core_->hear(peer, now_);
    if (!core_->worth_checking(message)) return;
    if (const auto* p = std::get_if<Proposal>(&message)) {
        core_->on_proposal(peer, *p, now_, effects_);
    } else if (const auto* v = std::get_if<Vote>(&message)) {
        core_->on_vote(peer, *v, now_, effects_);
    } else if (const auto* c = std::get_if<Certificate>(&message)) {
        core_->on_certificate(peer, *c, now_, effects_);
    } else if (const auto* chain = std::get_if<ChainAnswer>(&message)) {
        core_->on_chain_answer(peer, *chain, now_, effects_);
    } else if (const auto* status = std::get_if<OrderStatus>(&message)) {
        core_->on_status(peer, *status, now_, effects_);
    } else if (const auto* cr = std::get_if<CertificateRequest>(&message)) {
        core_->on_certificate_request(peer, *cr, now_, effects_);
    } else if (const auto* br = std::get_if<BlockRequest>(&message)) {
        core_->on_block_request(peer, *br, now_, effects_);
    } else if (const auto* chr = std::get_if<ChainRequest>(&message)) {
        core_->on_chain_request(peer, *chr, now_, effects_);
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
    if (!dark_ && core_->halted() && !options_.liar) blame("it stopped: " + *core_->halted());
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
            core_->on_loaded(loaded, now_, effects_);
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
    core_->on_persisted(batch.ticket, now_, effects_);
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
        const auto items = check_items(message, world_.roster());
        if (!items || !CheckPass::verify(world_.seats.scheme, *items))
            blame("it sent what every honest peer drops it for");
    }
    std::optional<Vote> vote;
    if (const auto* v = std::get_if<Vote>(&message)) vote = *v;
    if (const auto* p = std::get_if<Proposal>(&message)) vote = p->leader_vote();
    if (!vote || vote->seat != world_.seats.seat(self_)) return;
    if (vote->content.kind == VoteKind::bury) return;  // A claim, no vote: it needs no record.
    if (!disk_.has_vote(simplex::encode_vote_record(*vote)))
        blame("it said '" + world_.text(world_.number(vote->content)) + "' before it was durable");
    if (!said_.insert(vote->content).second || options_.liar) return;
    for (const VoteContent& earlier : said_) {
        const bool twice = earlier.kind == vote->content.kind &&
                           earlier.view == vote->content.view && earlier != vote->content;
        // Its vote log tells the order in which it cast them; what is repeated may come in any.
        const bool given_up = earlier.kind == VoteKind::nullify &&
                              vote->content.kind == VoteKind::notarize &&
                              earlier.view == vote->content.view && cast_before(earlier, *vote);
        if (twice || given_up || conflict(earlier, vote->content)) {
            blame(
                "it said '" + world_.text(world_.number(vote->content)) + "' after '" +
                world_.text(world_.number(earlier)) + "'"
            );
        }
    }
}

void Machine::collect() {
    if (dark_) return;
    for (auto blocks = core_->take_finalized(); !blocks.empty(); blocks = core_->take_finalized()) {
        for (FinalizedBlock& block : blocks)
            output(std::move(block));
    }
    static_cast<void>(core_->take_wanted());
    for (const Evidence& evidence : core_->take_evidence()) {
        const auto accused = culprit(evidence, world_.roster());
        const bool proven =
            accused && contradicts(evidence, world_.roster()).has_value() &&
            CheckPass::verify(world_.seats.scheme, signatures_of(evidence, world_.roster()));
        if (!proven) blame("it accused somebody without proof");
    }
}

void Machine::output(FinalizedBlock block) {
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
    if (!options_.executes) return;
    Hasher root{HashDomain::state_node};
    root.update(executed_.state_root).update(block.id.value());
    executed_ = {delivered_, root.finish(), block.id.value()};
    core_->on_executed(executed_, now_, effects_);
}

}  // namespace creto::model_check
