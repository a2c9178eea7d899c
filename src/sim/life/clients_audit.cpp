// What clients find when the life is over: every node read back, every lane, every ten seconds.
#include <algorithm>
#include <charconv>

#include "model/vertex.hpp"
#include "sim/life/clients.hpp"

namespace creto {
namespace {

/// The whole number behind `prefix`; none if there is something else.
std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return std::nullopt;
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + prefix.size(), end, number);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return number;
}

}  // namespace

/// A look that takes little virtual time: commands are handled as soon as the node is free.
KeyReply Clients::read(std::uint32_t node, const std::string& key) {
    const Ticket ticket = cluster_.submit(NodeIndex{node}, ReadKey{key});
    const auto is_answered = [&] { return cluster_.reply(ticket) != nullptr; };
    (void)cluster_.run_until(is_answered, Duration::from_s(1));
    const ReplyBody* reply = cluster_.reply(ticket);
    const auto* value = reply == nullptr ? nullptr : std::get_if<KeyReply>(reply);
    KeyReply out = value == nullptr ? KeyReply{} : *value;
    cluster_.forget(ticket);
    return out;
}

std::int64_t Clients::read_counter(std::uint32_t node, const std::string& key) {
    const KeyReply reply = read(node, key);
    if (reply.counter || reply.values.empty()) return reply.counter.value_or(0);
    return std::stoll(std::string{as_text(reply.values.front())});
}

void Clients::settle(const std::string& key) {
    constexpr int looks_max = 300;
    for (int look = 0; look < looks_max; ++look) {
        std::set<std::int64_t> values;
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
            if (is_reliable(node)) values.insert(read_counter(node, key));
        if (values.size() <= 1 || !cluster_.run_for(Duration::from_ms(100))) return;
    }
}

void Clients::audit_counter(const char* checker, const std::string& key, const Tally& tally) {
    std::optional<std::int64_t> first;
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node) {
        if (!is_reliable(node)) continue;
        const std::int64_t value = read_counter(node, key);
        const std::string says = key + " is " + std::to_string(value);
        if (value < tally.answered)
            return cluster_.violate(
                checker, says + ", answered were " + std::to_string(tally.answered), NodeIndex{node}
            );
        if (value > tally.submitted)
            return cluster_.violate(
                "exactly-once",
                says + ", asked for were " + std::to_string(tally.submitted),
                NodeIndex{node}
            );
        if (first && *first != value)
            return cluster_.violate(
                "same-reads", says + ", elsewhere " + std::to_string(*first), NodeIndex{node}
            );
        first = value;
    }
}

void Clients::audit_keys() {
    for (const Write& write : writes_) {
        if (write.kind != Kind::final_key) continue;
        std::optional<bool> first;
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node) {
            if (!is_reliable(node)) continue;
            const KeyReply reply = read(node, Clients::key_of(write.number));
            const bool is_there = reply.found && !reply.values.empty();
            const std::string key = Clients::key_of(write.number);
            if (is_there && as_text(reply.values.front()) != std::to_string(write.number))
                return cluster_.violate(
                    "integrity",
                    key + " holds " + std::string{as_text(reply.values.front())},
                    NodeIndex{node}
                );
            if (!is_there && keys_answered_.count(write.number) > 0)
                return cluster_.violate(
                    "durability", key + " was answered as final and is not there", NodeIndex{node}
                );
            if (first && *first != is_there)
                return cluster_.violate("same-reads", key + " is not everywhere", NodeIndex{node});
            first = is_there;
        }
    }
}

bool Clients::was_asked_for(std::uint32_t node, const OperationBody& body) {
    const auto take = [node](std::map<std::uint32_t, std::uint64_t>& asked) {
        const auto left = asked.find(node);
        if (left == asked.end() || left->second == 0) return false;
        --left->second;
        return true;
    };
    if (const auto* crdt = std::get_if<CrdtOperation>(&body))
        return crdt->key == causal_counter && crdt->amount == 1 &&
               crdt->action == CrdtOperation::Action::counter_add && take(causal_adds_asked_);
    if (others_asked_ && others_asked_(node, body)) return true;
    const auto* key = std::get_if<KeyOperation>(&body);
    if (key == nullptr) return !std::holds_alternative<DataOperation>(body);
    if (key->key == final_counter)
        return key->action == KeyOperation::Action::add && key->amount == 1 &&
               take(final_adds_asked_);
    const auto number = number_behind(key->key, key_prefix);
    if (!number || key->action != KeyOperation::Action::set) return false;
    const auto asked = keys_asked_.find(*number);
    const bool is_good = asked != keys_asked_.end() && asked->second == node &&
                         as_text(key->value) == std::to_string(*number);
    if (is_good) keys_asked_.erase(asked);  // Once.
    return is_good;
}

/// [BEACON-SECRET.1] Whatever its node went through: a seat says one thing for each value.
bool Clients::audit_beacon(std::uint32_t author, const Operation& operation) {
    const auto* commits = std::get_if<BeaconCommitOperation>(&operation.body);
    const auto* reveals = std::get_if<BeaconRevealOperation>(&operation.body);
    const Epoch feeds = commits != nullptr ? commits->feeds : reveals->feeds;
    const Digest says =
        commits != nullptr ? commits->commitment
                           : beacon_commitment(
                                 cluster_.roster().chain(), feeds, operation.client, reveals->secret
                             );
    const auto [held, first] = beacon_said_.try_emplace({operation.client, feeds}, says);
    if (!operation.signature && held->second == says) return true;
    cluster_.violate(
        "integrity",
        "lane " + std::to_string(author) + " says two things for the beacon of epoch " +
            std::to_string(feeds.value()),
        NodeIndex{author}
    );
    return false;
}

void Clients::audit_lanes() {
    std::uint32_t reader = 0;
    while (!is_reliable(reader))
        ++reader;
    std::set<OperationId> seen;  // Copies travel in several lanes, and take effect once.
    const auto look = [&](ByteView /*key*/, ByteView value) {
        const auto vertex = SealedVertex::decode(value);
        if (!vertex) {
            cluster_.violate("integrity", "a vertex that does not decode", NodeIndex{reader});
            return false;
        }
        const std::uint32_t author = (*vertex)->header().lane.seat.value();
        if (author >= schedule_.nodes || !is_reliable(author)) return true;
        for (const Operation& operation : (*vertex)->operations()) {
            if (!seen.insert(operation.id(cluster_.roster().chain())).second) continue;
            if (feeds_beacon(operation.body)) {
                if (!audit_beacon(author, operation)) return false;
                continue;
            }
            // A seat that has ended has its writes carried by the others; a liar may ask for anything.
            const auto client = cluster_.find(operation.client);
            const bool is_carried = client && client->value() != author && operation.signature;
            if (is_carried && schedule_.byzantine.contains(client->value())) continue;
            if (client && (is_carried || client->value() == author) &&
                was_asked_for(client->value(), operation.body))
                continue;
            cluster_.violate(
                "integrity",
                "lane " + std::to_string(author) + " holds a " +
                    std::string{kind_name(operation.body)} + " that no client asked for",
                NodeIndex{author}
            );
            return false;
        }
        return true;
    };
    (void)cluster_.disk(NodeIndex{reader}).scan(Column::vertices, {}, {}, look);
}

void Clients::go_on(const std::function<void()>& on_second) {
    const Instant calm = Instant{} + schedule_.calm_after;
    const Instant begun = cluster_.now();
    const Instant end = begun + schedule_.workload.steady;
    Instant next_second = cluster_.now();
    std::uint32_t turn = 0;
    while (cluster_.now() < end && cluster_.violation().empty()) {
        while (!is_reliable(turn % schedule_.nodes))
            ++turn;
        write_final(turn++ % schedule_.nodes);
        (void)cluster_.run_for(schedule_.workload.steady_every);
        if (cluster_.now() < next_second) continue;
        next_second = next_second + Duration::from_s(1);
        on_second();
    }
    if (cluster_.violation().empty()) check_recovery(calm, begun, end);
}

/// Each write at a reliable node within ten seconds of its own; the last ten seconds are not judged.
void Clients::check_recovery(Instant calm, Instant begun, Instant end) {
    constexpr auto window = Duration::from_s(10);
    constexpr auto allowed = Duration::from_s(60);
    constexpr std::int64_t percent_min = 95;
    struct Window {
        std::int64_t asked = 0;
        std::int64_t answered = 0;
    };
    std::vector<Window> windows;
    for (Instant at = begun; at + window <= end; at = at + window)
        windows.emplace_back();
    for (const Write& write : writes_) {
        const SimCommand& command = cluster_.command(write.ticket);
        if (!is_reliable(write.node) || command.submitted < begun) continue;
        const auto index = static_cast<std::size_t>((command.submitted - begun).ns() / window.ns());
        // Its answer may still be under way.
        if (index >= windows.size() || command.submitted + window > end) continue;
        ++windows[index].asked;
        const auto* done = command.reply ? std::get_if<SubmitReply>(&*command.reply) : nullptr;
        const bool is_in_time =
            done != nullptr && done->applied && command.answered <= command.submitted + window;
        windows[index].answered += is_in_time ? 1 : 0;
    }
    bool has_recovered = false;
    for (std::size_t i = 0; i < windows.size(); ++i) {
        const Window& at = windows[i];
        const bool is_good = at.answered * 100 >= at.asked * percent_min;
        const Instant ends = begun + window * static_cast<std::int64_t>(i + 1);
        if (!is_good && (has_recovered || ends >= calm + allowed))
            return cluster_.violate(
                "recovery",
                std::to_string(at.answered) + " of " + std::to_string(at.asked) +
                    " writes became final within ten seconds, of those until " +
                    std::to_string((ends - calm).ms() / 1'000) + " s after the calm",
                NodeIndex{}
            );
        has_recovered = has_recovered || is_good;
    }
}

}  // namespace creto
