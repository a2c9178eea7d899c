#include "model/locals.hpp"

#include <algorithm>
#include <bit>

#include "base/prng.hpp"

namespace creto::model_check {

using simplex::testing::CoreProbe;
using simplex::testing::Storage;

namespace {

/// The first of a mask but this one.
Index other_than(Index self, std::uint32_t mask) {
    return static_cast<Index>(std::countr_zero(mask & ~(1U << self)));
}

void act(World& world, Machine& machine, const Event& event) {
    const auto here = [&] { return !machine.dark(); };
    switch (event.kind) {
        case Event::Kind::block: {
            const Proposal& proposal = world.block(event.what).proposal;
            machine.receive(world.leader(proposal.block.epoch, proposal.block.view), proposal);
            break;
        }
        case Event::Kind::votes:
            for (const Vote& vote : world.votes(event.what, event.mask)) {
                const Index from = world.person(vote.seat);
                for (int twice = 0; twice < 2 && from != machine.self() && here(); ++twice)
                    machine.receive(from, vote);
            }
            break;
        case Event::Kind::certificate:
            machine.receive(
                other_than(machine.self(), event.mask), world.certificate(event.what, event.mask)
            );
            break;
        case Event::Kind::chain: {
            // Whoever hears of a later epoch asks for the blocks up to the end of its own.
            const Index from = other_than(machine.self(), event.mask);
            const Epoch later = world.content(event.what).epoch.next();
            machine.receive(from, OrderStatus{later, View{1}, View{}, Height{}});
            machine.receive(from, world.chain(event.what, event.mask));
            break;
        }
        case Event::Kind::wait:
            machine.tick(machine.now() + world.options.delta);
            break;
        case Event::Kind::execute:
            machine.execute();
            break;
        case Event::Kind::timeout:
            machine.time_out();
            break;
        case Event::Kind::crash:
            if (static_cast<Loss>(event.what) == Loss::nothing) machine.flush();
            machine.crash(static_cast<Loss>(event.what));
            break;
    }
}

void add_disk(const Disk& disk, Hasher& hasher) {
    const auto add = [&hasher](const Disk::Data& data) {
        hasher.update_u64(data.size());
        for (const auto& [key, value] : data)
            hasher.update(key.second).update_u64(value.mark);
    };
    add(disk.data());
    hasher.update_u64(disk.dirty() ? 1 : 0);
    if (disk.dirty()) add(disk.synced());
    std::vector<Bytes> records = disk.votes().records;
    std::sort(records.begin(), records.end());
    for (const Bytes& record : records)
        hasher.update(record);
}

}  // namespace

void Locals::connect(Machine& machine) const {
    for (Index peer = 0; peer < world_.people(); ++peer) {
        if (peer != machine.self()) machine.peer_up(peer);
    }
}

LocalId Locals::fresh(Index seat) {
    auto machine =
        std::make_unique<Machine>(world_, seat, MachineOptions{.executes = bounds_.executes});
    machine->boot();
    connect(*machine);
    return intern({.machine = std::move(machine)});
}

std::size_t Locals::slot(std::uint64_t key) const {
    std::size_t at = mix64(key) & (memo_.size() - 1);
    while (memo_[at].first != 0 && memo_[at].first != key)
        at = (at + 1) & (memo_.size() - 1);
    return at;
}

void Locals::grow() {
    std::vector<std::pair<std::uint64_t, LocalId>> old(memo_.size() * 2);
    old.swap(memo_);
    for (const auto& entry : old) {
        if (entry.first != 0) memo_[slot(entry.first)] = entry;
    }
}

LocalId Locals::after(LocalId from, const Event& event) {
    const std::uint64_t key = (static_cast<std::uint64_t>(from) << 32U | event.code()) + 1;
    std::size_t at = slot(key);
    if (memo_[at].first == key) return memo_[at].second;
    ++steps_;
    Local next{.machine = std::make_unique<Machine>(*locals_[from].machine)};
    next.crashes = locals_[from].crashes;
    next.timeouts = locals_[from].timeouts;
    Machine& machine = *next.machine;
    if (event.torn) machine.fuse(Point::votes, 0);
    act(world_, machine, event);
    const bool nothing_torn = event.torn && !machine.dark();
    if (machine.dark()) {
        if (event.torn) machine.crash(Loss::unsynced);
        machine.no_fuse();
        machine.boot();
        connect(machine);
        ++next.crashes;
    } else if (event.kind == Event::Kind::timeout && next.timeouts < bounds_.timeouts) {
        ++next.timeouts;
    }
    const LocalId to = nothing_torn ? from : intern(std::move(next));
    if (++memo_used_ * 2 > memo_.size()) {
        grow();
        at = slot(key);
    }
    memo_[at] = {key, to};
    return to;
}

Digest Locals::digest(const Local& local) const {
    const Machine& machine = *local.machine;
    Hasher hasher{HashDomain::trace};
    hasher.update_u64(machine.self()).update_u64(local.crashes).update_u64(local.timeouts);
    const bool disk_matters = local.crashes < bounds_.crashes;
    const Storage storage = disk_matters ? Storage::matters : Storage::no_longer_matters;
    CoreProbe::digest(machine.core(), world_.block_ids(), storage, hasher);
    hasher.update_u64(CoreProbe::stalled(machine.core(), machine.now()) ? 1 : 0);
    if (disk_matters) add_disk(machine.disk(), hasher);
    hasher.update_u64(machine.said().size());
    for (const VoteContent& content : machine.said())
        hasher.update(signing_bytes(content));
    hasher.update_u64(machine.chain().size()).update_u64(machine.delivered().value());
    hasher.update_u64(machine.executed().value());
    for (Height height{1}; world_.has_epochs() && height <= machine.delivered(); ++height) {
        const auto proof = CoreProbe::proof(machine.core(), height);
        if (world_.ends_epoch(height) && proof) hasher.update(signing_bytes(*proof));
    }
    if (!machine.chain().empty()) hasher.update(machine.chain().back().value());
    hasher.update_u64(machine.violation().empty() ? 0 : 1);
    return hasher.finish();
}

LocalId Locals::intern(Local local) {
    // Its own proposals get their numbers before the digest names blocks by number.
    for (const Emission& emission : local.machine->take_emissions()) {
        const auto* proposal = std::get_if<Proposal>(emission.message.get());
        if (proposal != nullptr) static_cast<void>(world_.number(*proposal));
    }
    local.machine->forget_votes();
    const auto [at, added] = ids_.emplace(digest(local), static_cast<LocalId>(locals_.size()));
    if (!added) return at->second;
    describe(local);
    locals_.push_back(std::move(local));
    return at->second;
}

void Locals::describe(Local& local) const {
    const Machine& machine = *local.machine;
    const OrderingCore& core = machine.core();
    local.epoch = core.epoch();
    local.view = core.view();
    local.patient = CoreProbe::patient(core);
    local.waits = CoreProbe::waits_to_repeat(core);
    local.executes = machine.has_to_execute();
    const auto leads = [&](Epoch epoch, View view) {
        return world_.leader(epoch, view) == machine.self();
    };
    for (const VoteContent& content : machine.said()) {
        local.said.push_back(world_.number(content));
        const bool own = content.kind == VoteKind::notarize && leads(content.epoch, content.view);
        if (own) local.made.push_back(world_.number_of(content.block));
    }
    const auto& views = CoreProbe::views(core);
    const View end = std::max(views.certified(), core.view());
    for (View view{1}; view <= end; ++view) {
        for (const VoteKind kind : {VoteKind::notarize, VoteKind::nullify, VoteKind::finalize}) {
            if (const Certificate* held = views.find(view, kind))
                local.held.push_back(world_.number(held->content));
        }
    }
    for (std::uint32_t i = 1; i < world_.block_count(); ++i) {
        // An own block whose vote was lost with the power is held, and given to nobody.
        const bool own = leads(world_.block(i).epoch(), world_.block(i).view());
        if (!own && CoreProbe::tree(core).find(world_.block_ids()[i]) != nullptr)
            local.blocks.push_back(i);
    }
    for (const BlockId& id : machine.chain())
        local.chain.push_back(world_.number_of(id));
    for (std::uint64_t h = 1; world_.has_epochs() && h <= machine.delivered().value(); ++h) {
        const auto proof = CoreProbe::proof(core, Height{h});
        if (world_.ends_epoch(Height{h}) && proof) local.ends.push_back(world_.number(*proof));
    }
    std::sort(local.said.begin(), local.said.end());
    std::sort(local.made.begin(), local.made.end());
}

}  // namespace creto::model_check
