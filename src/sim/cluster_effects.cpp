// What the cluster does with each effect of a node.
#include <algorithm>

#include "base/assert.hpp"
#include "sim/cluster.hpp"
#include "sim/fingerprint.hpp"

namespace creto {
namespace {

/// What a tool shows, all at once: it runs in no time of the simulation's, and is spread over it.
class Collected final : public PieceSink {
public:
    [[nodiscard]] bool show(Piece piece) override {
        pieces.push_back(std::move(piece));
        return true;
    }
    std::vector<Piece> pieces;
};

std::uint64_t shape_of(const Bytes& message) {
    return mix64(message.size() * 256 + message.front());
}

/// By the kind alone, which is the first byte: bulk data is not decoded for the checkers.
bool is_evidence(const Bytes& message) {
    static const std::uint8_t kind = encode_message(EvidenceNotice{})->front();
    return message.front() == kind;
}

}  // namespace

void SimCluster::carry_out(SimHost& host, std::vector<Effect> effects) {
    for (Effect& effect : effects)
        std::visit([&](auto& what) { on_effect(host, what); }, effect);
    start_checks(host);
    host.life->last_message = {};
    host.life->participant->reuse(std::move(effects));
}

void SimCluster::on_effect(SimHost& host, Send& send) {
    SimHost::Life& life = *host.life;
    if (send.after.value() == 0) return transmit(host, send);
    if (send.after > life.last_persist) {
        const std::string ticket = std::to_string(send.after.value());
        invariants_->violate(
            "persist", "a Send waits for ticket " + ticket + ", never persisted", host.index, now_
        );
        return;
    }
    if (!std::binary_search(life.unsynced.begin(), life.unsynced.end(), send.after))
        return transmit(host, send);
    ++host.counters.sends_held;
    life.held.push_back(std::move(send));
}

void SimCluster::transmit(SimHost& host, Send& send) {
    const auto to = find(send.to);
    if (!to || *to == host.index) return;  // Nobody of this cluster: never connected.
    SimHost::Life& life = *host.life;
    if (send.channel == Channel::order || is_evidence(*send.message))
        invariants_->on_sent(host.index, send.message, host.disk, now_);
    if (!life.last_message.same(send.message)) {
        life.last_message = send.message;
        life.last_fingerprint =
            options_.traces_bytes ? fingerprint(*send.message) : shape_of(*send.message);
        if (options_.on_order_message && send.channel == Channel::order)
            options_.on_order_message(host.index, *send.message);
    }
    network_.send(
        {host.index, *to}, send.channel, std::move(send.message), life.last_fingerprint, now_
    );
}

void SimCluster::on_effect(SimHost& host, Persist& persist) {
    SimHost::Life& life = *host.life;
    life.last_persist = std::max(life.last_persist, persist.ticket);
    const auto place = std::lower_bound(life.unsynced.begin(), life.unsynced.end(), persist.ticket);
    CRETO_ASSERT(place == life.unsynced.end() || *place != persist.ticket);
    life.unsynced.insert(place, persist.ticket);
    if (life.is_store_failed) return;
    const auto durable_at = host.disk.write(
        std::move(persist.writes),
        std::move(persist.votes),
        persist.durable,
        now_,
        persist.votes_kept
    );
    if (!durable_at) {
        // What waits for this ticket, or for a later one, waits for ever.
        ++host.counters.writes_refused;
        life.is_store_failed = true;
        later(host, now_, StoreFailed{durable_at.error().message}, persist.ticket.value());
        return;
    }
    const DurableEvent done{host.index, host.boots, persist.ticket};
    const Instant at = persist.durable == Durable::yes ? *durable_at : now_;
    if (persist.durable == Durable::yes) {
        host.spent.syncing = host.spent.syncing + (at - now_);
        ++host.spent.syncs;
    }
    queue_.push(at, SimEventTag{SimEventKind::durable, durables_.put(done)}.packed());
}

void SimCluster::on_durable(const DurableEvent& durable) {
    SimHost* const host = living(durable.node, durable.boot);
    if (host == nullptr) return;
    SimHost::Life& life = *host->life;
    const auto place = std::lower_bound(life.unsynced.begin(), life.unsynced.end(), durable.ticket);
    CRETO_ASSERT(place != life.unsynced.end() && *place == durable.ticket);
    life.unsynced.erase(place);
    auto stays = life.held.begin();
    for (Send& send : life.held) {
        if (send.after == durable.ticket) {
            transmit(*host, send);
            continue;
        }
        if (&*stays != &send) *stays = std::move(send);
        ++stays;
    }
    life.held.erase(stays, life.held.end());
    life.last_message = {};
    hand(*host, Persisted{durable.ticket}, durable.ticket.value());
}

void SimCluster::on_effect(SimHost& host, Load& load) {
    if (host.disk.observer() != nullptr) host.disk.observer()->on_load(load, now_);
    Loaded loaded{load.ticket, {}};
    for (const Bytes& key : load.keys) {
        auto value = host.disk.get(load.column, key);  // What cannot be read is not there.
        loaded.values.push_back(value ? std::move(*value) : std::nullopt);
    }
    later(host, now_ + options_.load_latency, std::move(loaded), load.ticket.value());
}

void SimCluster::on_effect(SimHost& host, Scan& scan) {
    if (host.disk.observer() != nullptr) host.disk.observer()->on_scan(scan, now_);
    Loaded loaded{scan.ticket, {}};
    const auto visit = [&](ByteView key, ByteView value) {
        loaded.keys.emplace_back(key.begin(), key.end());
        loaded.values.emplace_back(Bytes{value.begin(), value.end()});
        return loaded.values.size() < scan.count;
    };
    const auto scanned =
        scan.count == 0 ? Result<void>{} : host.disk.scan(scan.column, scan.from, scan.to, visit);
    if (!scanned) loaded = {scan.ticket, {}};  // What cannot be read is not there.
    later(host, now_ + options_.load_latency, std::move(loaded), scan.ticket.value());
}

void SimCluster::on_effect(SimHost& host, Check& check) {
    CheckDone done{check.ticket};
    std::uint64_t named = check.items.size();  // The trace knows the outcome item by item.
    for (const CheckItem& item : check.items) {
        const bool good = holds(*scheme_, item);
        done.good += good ? 1 : 0;
        named = mix64(named ^ (good ? 1U : 0U));
    }
    named = mix64(named ^ check.ticket.value());
    ++host.spent.checks;
    if (!costs_nothing_ && options_.vote_form == VoteForm::joined) {
        const bool can_join = check.items.size() == 1 && check.items[0].joined != nullptr;
        host.life->checks.add(
            can_join ? std::move(check.items[0].bytes) : Bytes{},
            {.done = done,
             .fingerprint = named,
             .since = now_,
             .good = done.good == check.items.size(),
             .alone = check_cost(options_.costs, check, With::nothing),
             .added = check_cost(options_.costs, check, With::others)}
        );
        return;  // What is asked for at once is checked at once.
    }
    const Duration cost = slowed(host, check_cost(options_.costs, check, With::nothing));
    Instant& free = host.life->checker_free;
    free = pool_.run(std::max(free, now_), cost);
    host.spent.crypto = host.spent.crypto + cost;
    host.spent.checking = host.spent.checking + (free - now_);
    if (free > now_) return later(host, free, done, named);
    host.life->inbox.push_back({done, named, {}});  // Next, and without the queue.
}

void SimCluster::start_checks(SimHost& host) {
    if (!host.life->checks.may_start()) return;
    CheckQueue::Batch batch = host.life->checks.start();
    const Duration cost = slowed(host, batch.cost());
    host.spent.crypto = host.spent.crypto + cost;
    CheckedEvent checked{host.index, host.boots, std::move(batch.checks)};
    queue_.push(
        pool_.run(now_, cost),
        SimEventTag{SimEventKind::checked, checked_.put(std::move(checked))}.packed()
    );
}

void SimCluster::on_checked(CheckedEvent checked) {
    for (const CheckQueue::Asked& asked : checked.checks) {
        SimHost* const host = living(checked.node, checked.boot);
        if (host == nullptr) return;
        host->spent.checking = host->spent.checking + (now_ - asked.since);
        hand(*host, asked.done, asked.fingerprint);
    }
    SimHost* const host = living(checked.node, checked.boot);
    if (host == nullptr) return;
    host->life->checks.ended();
    start_checks(*host);
}

void SimCluster::on_effect(SimHost& host, Execute& execute) {
    Executed executed{
        execute.ticket, CallAnswer::Status::unknown_tool, "no tool " + execute.tool + " here"};
    Duration took;
    Collected shown;
    if (const auto box = options_.tools.find(host.index); box != options_.tools.end()) {
        const ToolContext context{.unix_ms = unix_ms(), .pieces = execute.shows ? &shown : nullptr};
        auto result = call_local(
            *box->second.tools, execute.tool, execute.arguments, context, execute.contract
        );
        executed.status = result ? CallAnswer::Status::result : result.error().status;
        executed.text = result ? std::move(*result) : std::move(result.error().message);
        const auto own = box->second.took_by_name.find(execute.tool);
        took = own == box->second.took_by_name.end() ? box->second.took : own->second;
    }
    if (took > execute.timeout) {
        executed.status = CallAnswer::Status::timeout;
        executed.text = "the tool did not answer in time";
        took = execute.timeout;
    }
    host.life->executing.insert(execute.ticket);
    const auto steps = static_cast<std::int64_t>(shown.pieces.size()) + 1;
    for (std::int64_t i = 0; i < steps - 1 && took > Duration{}; ++i) {
        Piece& piece = shown.pieces[static_cast<std::size_t>(i)];
        const std::uint64_t named = fingerprint(as_bytes(piece.text));
        const Duration since = Duration::from_ns(took.ns() / steps * (i + 1));
        later(host, now_ + since, Emitted{execute.ticket, {std::move(piece)}}, named);
    }
    executed.took = took;
    const std::uint64_t named = fingerprint(as_bytes(executed.text));
    if (took == Duration{}) {  // A quick one: next, and without the queue.
        host.life->executing.erase(execute.ticket);
        host.life->inbox.push_back({std::move(executed), named, now_});
        return;
    }
    later(host, now_ + took, std::move(executed), named);
}

/// What was cancelled answers nothing any more.
void SimCluster::on_effect(SimHost& host, CancelExecute& cancel) {
    host.counters.tools_cancelled += host.life->executing.erase(cancel.ticket);
}

void SimCluster::on_effect(SimHost& host, WakeAt& wake) {
    SimHost::Life& life = *host.life;
    life.wake = wake.at == Instant::max() ? wake.at : life.started + (wake.at - Instant{});
    arm(host);
}

/// Keeps one event in the queue that is not later than the wish; earlier ones re-arm.
void SimCluster::arm(SimHost& host) {
    SimHost::Life& life = *host.life;
    if (life.wake == Instant::max()) return;
    const Instant at = std::max(now_, host.clock.when(life.wake));
    if (life.armed <= at) return;
    life.armed = at;
    const WakeEvent event{host.index, host.boots};
    queue_.push(life.armed, SimEventTag{SimEventKind::wake, wakes_.put(event)}.packed());
}

void SimCluster::on_wake(const WakeEvent& wake) {
    SimHost* const host = living(wake.node, wake.boot);
    if (host == nullptr || host->life->armed != now_) return;  // Replaced by an earlier one.
    SimHost::Life& life = *host->life;
    life.armed = Instant::max();
    if (life.wake > host->clock.read(now_)) return arm(*host);
    life.wake = Instant::max();
    hand(*host, Woke{}, 0);
}

void SimCluster::on_effect(SimHost& host, Reply& reply) {
    answer(reply.ticket, std::move(*reply.body), host.index);
}

void SimCluster::on_effect(SimHost& host, ShowPiece& show) {
    const auto command = commands_.find(show.command);
    if (command == commands_.end()) return;  // Forgotten by who asked.
    if (command->second.reply)
        invariants_->violate("pieces", "a piece after the reply", host.index, now_);
    const ShownPiece& shown = command->second.shown.emplace_back(std::move(show.shown));
    if (!shown.piece || !options_.reads_pieces) return;
    const PiecesTaken taken{show.command, shown.attempt, cost_of(*shown.piece)};
    later(host, now_, Command{Ticket{}, taken}, show.command.value());
}

void SimCluster::on_effect(SimHost& host, Publish& publish) {
    if (const auto* finalized = std::get_if<Finalized>(&*publish.notice)) {
        invariants_->on_finalized(host.index, *finalized, now_);
        trace_.add(now_, host.index, 0x100, finalized->id.value().prefix());
    }
    if (const auto* adopted = std::get_if<Adopted>(&*publish.notice)) {
        invariants_->on_adopted(host.index, *adopted, now_);
        trace_.add(now_, host.index, 0x101, adopted->id.value().prefix());
    }
    if (const auto* begun = std::get_if<EpochBegun>(&*publish.notice))
        invariants_->on_epoch(host.index, *begun, now_);
    host.notices.push_back({now_, std::move(publish.notice)});
    if (options_.on_notice) options_.on_notice(host.index, host.notices.back());
    if (host.notices.size() > options_.notices_kept_max) {
        host.notices.pop_front();
        ++host.notices_dropped;
    }
}

void SimCluster::on_effect(SimHost& host, Drop& drop) {
    (void)host.life->inbound.take(drop.peer);  // It has said enough.
    if (const auto peer = find(drop.peer)) network_.drop({host.index, *peer}, now_);
}

void SimCluster::on_effect(SimHost& host, Dial& dial) {
    const auto to = parse_sim_address(dial.address);
    if (!to || to->value() >= size()) return;
    if (dial.peer && agent(*to) != *dial.peer) return;  // Somebody else answers there.
    network_.dial({host.index, *to}, now_);
}

}  // namespace creto
