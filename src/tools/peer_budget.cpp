#include "tools/peer_budget.hpp"

#include <algorithm>

namespace creto {

namespace {

/// A wait that no clock ends: memory comes free when calls end.
constexpr Duration when_calls_end = Duration::from_ms(100);

TokenBucket::Options times(TokenBucket::Options options, std::uint64_t shares) {
    constexpr std::uint64_t most = 1'000'000'000;  // What a bucket takes.
    return {std::min(most, options.rate_per_s * shares), std::min(most, options.burst * shares)};
}

}  // namespace

const char* to_string(Work work) {
    constexpr std::array names{
        "calls", "questions", "messages", "bytes", "checks", "tool_time", "held"};
    static_assert(names.size() == work_count);
    return names[static_cast<std::size_t>(work)];
}

std::uint32_t PeerBudget::Refusal::retry_after_ms() const {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(wait.ms() + 1, 1, 86'400'000));
}

std::string PeerBudget::Refusal::text() const {
    return "rate limited, retry after " + std::to_string(retry_after_ms()) + " ms";
}

PeerBudget::Account::Account(const PeerLimits& limits, std::uint64_t shares)
    : held_max{limits.held_bytes * shares} {
    const std::array options{
        limits.calls,
        limits.questions,
        limits.messages,
        limits.bytes,
        limits.checks,
        limits.tool_us};
    for (std::size_t i = 0; i < options.size(); ++i)
        if (options[i].rate_per_s > 0) buckets[i].emplace(times(options[i], shares));
}

void PeerBudget::set_seats(const std::set<AgentId>& seats) {
    for (const auto& [agent, peer] : peers_)
        hold_in_group(agent, peer, false);
    seats_.clear();
    for (const AgentId& seat : seats)
        (void)seats_.find_or_add(seat, [] { return true; });
    for (const auto& [agent, peer] : peers_)
        hold_in_group(agent, peer, true);
}

void PeerBudget::hold_in_group(const AgentId& agent, const Peer& peer, bool holds) {
    if (peer.account.held == 0) return;
    Account* group = group_of(agent, peer);
    if (group == nullptr) return;
    group->held = holds ? group->held + peer.account.held
                        : group->held - std::min(group->held, peer.account.held);
}

bool PeerBudget::on_peer_up(const AgentId& agent, const std::string& group, Instant now) {
    if (agent == self_) return true;
    Peer& peer = peer_of(agent, now);
    if (peer.links++ == 0) idle_.erase({peer.last_seen, agent});
    peer.last_seen = now;
    hold_in_group(agent, peer, false);
    peer.group = group;
    hold_in_group(agent, peer, true);
    if (now >= peer.unwelcome_until) return true;
    ++turned_away_;
    return false;
}

void PeerBudget::on_peer_down(const AgentId& agent, Instant now) {
    const auto found = peers_.find(agent);
    if (found == peers_.end() || found->second.links == 0) return;
    Peer& peer = found->second;
    peer.last_seen = now;
    if (--peer.links == 0) idle_.emplace(now, agent);
}

PeerBudget::Verdict PeerBudget::on_message(
    const AgentId& agent, std::size_t bytes, bool is_call, Instant now
) {
    if (agent == self_ || (!is_call && has_seat(agent))) return std::nullopt;
    Peer& peer = peer_of(agent, now);
    if (auto refusal = take(agent, peer, Work::messages, 1, now)) return refusal;
    return take(agent, peer, Work::bytes, bytes, now);
}

PeerBudget::Verdict PeerBudget::on_question(const AgentId& agent, std::uint64_t cost, Instant now) {
    if (agent == self_) return std::nullopt;
    auto refusal = take(agent, peer_of(agent, now), Work::questions, cost, now);
    if (refusal) refusal->drop = refusal->mute = false;
    return refusal;
}

PeerBudget::Verdict PeerBudget::on_checks(const AgentId& agent, std::size_t count, Instant now) {
    if (agent == self_ || has_seat(agent)) return std::nullopt;
    return take(agent, peer_of(agent, now), Work::checks, count, now);
}

PeerBudget::Verdict PeerBudget::on_call(const AgentId& agent, std::size_t bytes, Instant now) {
    if (agent == self_) return std::nullopt;
    Peer& peer = peer_of(agent, now);
    // Of a debt of tool time first: refused, it must not cost a call as well.
    if (auto refusal = take(agent, peer, Work::tool_time, 0, now)) return refusal;
    Account* group = group_of(agent, peer);
    const bool over = peer.account.held + bytes > peer.account.held_max ||
                      (group != nullptr && group->held + bytes > group->held_max);
    if (over) return refuse(agent, peer, Work::held, when_calls_end, now);
    if (auto refusal = take(agent, peer, Work::calls, 1, now)) return refusal;
    peer.account.held += bytes;
    if (group != nullptr) group->held += bytes;
    return std::nullopt;
}

PeerBudget::Refusal PeerBudget::on_call_refused(const AgentId& agent, Instant now) {
    if (agent == self_) return {Work::held, when_calls_end};
    return refuse(agent, peer_of(agent, now), Work::held, when_calls_end, now);
}

void PeerBudget::let_go(const AgentId& agent, std::size_t bytes) {
    const auto found = peers_.find(agent);
    if (found == peers_.end()) return;
    Account& account = found->second.account;
    account.held -= std::min<std::uint64_t>(account.held, bytes);
    Account* group = group_of(agent, found->second);
    if (group != nullptr) group->held -= std::min<std::uint64_t>(group->held, bytes);
}

void PeerBudget::on_tool_time(const AgentId& agent, Duration took, Instant now) {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(took.us(), 0));
    owe(agent, Work::tool_time, us, now);
}

void PeerBudget::on_sent(const AgentId& agent, std::size_t bytes, Instant now) {
    if (!has_seat(agent)) owe(agent, Work::bytes, bytes, now);
}

void PeerBudget::owe(const AgentId& agent, Work what, std::uint64_t units, Instant now) {
    const auto found = peers_.find(agent);
    if (found == peers_.end()) return;
    Account* group = group_of(agent, found->second);
    for (Account* account : {&found->second.account, group}) {
        if (account == nullptr) continue;
        auto& bucket = account->buckets[static_cast<std::size_t>(what)];
        if (bucket) bucket->charge(units, now);
    }
}

std::uint64_t PeerBudget::held(const AgentId& agent) const {
    const auto found = peers_.find(agent);
    return found == peers_.end() ? 0 : found->second.account.held;
}

PeerBudget::Peer& PeerBudget::peer_of(const AgentId& agent, Instant now) {
    const auto found = peers_.find(agent);
    if (found != peers_.end()) return found->second;
    if (peers_.size() >= limits::agents_max) forget_one();
    idle_.emplace(now, agent);
    return peers_
        .emplace(
            agent, Peer{Account{limits_, 1}, TokenBucket{limits_.patience}, {}, 0, now, Instant{}}
        )
        .first->second;
}

PeerBudget::Account* PeerBudget::group_of(const AgentId& agent, const Peer& peer) {
    if (peer.group.empty() || limits_.group_peers == 0 || has_seat(agent)) return nullptr;
    const auto found = groups_.find(peer.group);
    if (found != groups_.end()) return &found->second;
    if (groups_.size() >= limits::agents_max) forget_groups();
    return &groups_.emplace(peer.group, Account{limits_, limits_.group_peers}).first->second;
}

/// Whoever was away longest. Those who are connected stay: there are fewer of them than accounts, by the
/// host's limit of connections.
void PeerBudget::forget_one() {
    const auto longest = std::find_if(idle_.begin(), idle_.end(), [&](const auto& idle) {
        return peers_.at(idle.second).account.held == 0;
    });
    if (longest == idle_.end()) return;
    peers_.erase(longest->second);
    idle_.erase(longest);
}

/// Those from where nobody is known any more.
void PeerBudget::forget_groups() {
    std::set<std::string> known;
    for (const auto& [agent, peer] : peers_)
        known.insert(peer.group);
    std::erase_if(groups_, [&](const auto& group) { return known.count(group.first) == 0; });
}

PeerBudget::Verdict PeerBudget::take(
    const AgentId& agent, Peer& peer, Work what, std::uint64_t units, Instant now
) {
    auto& own = peer.account.buckets[static_cast<std::size_t>(what)];
    if (!own) return std::nullopt;
    if (const auto wait = own->take(units, now)) return refuse(agent, peer, what, *wait, now);
    Account* group = group_of(agent, peer);
    if (group == nullptr) return std::nullopt;
    const auto wait = group->buckets[static_cast<std::size_t>(what)]->take(units, now);
    if (!wait) return std::nullopt;
    own->give_back(units);
    return refuse(agent, peer, what, *wait, now);
}

PeerBudget::Refusal PeerBudget::refuse(
    const AgentId& agent, Peer& peer, Work what, Duration wait, Instant now
) {
    ++refused_[static_cast<std::size_t>(what)];
    Refusal refusal{.what = what, .wait = wait};
    if (what == Work::questions || !peer.patience.take(1, now)) return refusal;
    if (has_seat(agent)) {
        refusal.mute = true;
        return refusal;
    }
    refusal.drop = true;
    if (now >= peer.unwelcome_until) ++dropped_;
    peer.unwelcome_until = now + limits_.unwelcome;
    return refusal;
}

}  // namespace creto
