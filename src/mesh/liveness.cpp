#include "mesh/liveness.hpp"

#include <algorithm>

namespace creto {

namespace {

/// Statements that this agent signs: more than one a second only liars ask for.
constexpr TokenBucket::Options statement_quota{.rate_per_s = 2, .burst = 10};

/// How far one, two, three confirmations bring the wait from its maximum to its minimum, in percent:
/// log(c + 1) / log(3 + 1), as in Lifeguard.
constexpr std::array<std::int64_t, Liveness::confirmations_max + 1> shortened{0, 50, 79, 100};

template <class T>
bool contains(const T& list, const AgentId& agent) {
    return std::find(list.begin(), list.end(), agent) != list.end();
}

}  // namespace

Liveness::Liveness(
    const Self& self,
    const Directory& directory,
    const Dialer& links,
    LivenessOptions options,
    std::uint64_t seed
)
    : self_{self},
      directory_{directory},
      links_{links},
      options_{options},
      prng_{seed},
      statements_{statement_quota} {}

// --- who is known ---

void Liveness::start(Instant now) {
    // Nodes that start together do not ping together.
    const auto span = static_cast<std::uint64_t>(options_.interval.ns());
    next_tick_ = now + Duration::from_ns(static_cast<std::int64_t>(prng_.below(span)));
}

void Liveness::on_found(const AgentId& agent, Instant now) {
    if (agent == self_.agent) return;
    turn_.push_back(agent);
    // Anywhere among those whose turn is still to come: nobody chooses when he is looked at.
    const std::size_t left = turn_.size() - turn_next_;
    std::swap(turn_.back(), turn_[turn_next_ + prng_.below(left)]);
    fresh_[agent] = now + options_.grace;
}

void Liveness::on_record(const AgentId& agent, Instant now) {
    const auto found = deviations_.find(agent);
    if (found == deviations_.end() || version_of(agent) == found->second.version) return;
    found->second.version = version_of(agent);
    lives(agent, now);
}

void Liveness::on_gone(const AgentId& agent) {
    deviations_.erase(agent);
    fresh_.erase(agent);
    rumours_.forget_suspicion(agent);
    const auto place = std::find(turn_.begin(), turn_.end(), agent);
    if (place == turn_.end()) return;
    if (place < turn_.begin() + static_cast<std::ptrdiff_t>(turn_next_)) --turn_next_;
    turn_.erase(place);
}

AgentState Liveness::state(const AgentId& agent) const {
    const auto found = deviations_.find(agent);
    return found == deviations_.end() ? AgentState::alive : found->second.state;
}

std::uint64_t Liveness::version_of(const AgentId& agent) const {
    const AgentRecord* record = directory_.find(agent);
    const auto found = deviations_.find(agent);
    return std::max(
        record == nullptr ? 0 : record->version,
        found == deviations_.end() ? 0 : found->second.version
    );
}

// --- looking ---

void Liveness::on_time(Instant now, Effects& effects) {
    if (now < next_wake()) return;
    excuse(now);
    end_relays(now, effects);
    judge(now, effects);
    if (now >= next_tick_) tick(now, effects);
}

Instant Liveness::next_wake() const {
    Instant next = next_tick_;
    for (const Look& look : looks_)
        next = std::min(next, look.asked ? look.give_up_at : look.ask_at);
    for (const Relay& relay : relays_)
        next = std::min(next, relay.said_none ? relay.give_up_at : relay.say_none_at);
    return next;
}

/// A node that overslept did not hear the answers that lie in its inbox: nobody is blamed for that.
void Liveness::excuse(Instant now) {
    const Duration late = now - next_wake();
    if (late > options_.late) health_.worse();
    for (Look& look : looks_) {
        look.ask_at = look.ask_at + late;
        look.give_up_at = look.give_up_at + late;
    }
    for (Relay& relay : relays_) {
        relay.say_none_at = relay.say_none_at + late;
        relay.give_up_at = relay.give_up_at + late;
    }
}

void Liveness::tick(Instant now, Effects& effects) {
    next_tick_ = now + health_.stretch(options_.interval);
    looks_left_ = looks_max;
    const auto is_over = [now](const auto& entry) { return entry.second <= now; };
    std::erase_if(doubted_, is_over);
    std::erase_if(fresh_, is_over);
    if (links_.peers().empty()) return;  // Then nothing can be said about anybody.
    if (const auto agent = next_in_turn()) look(*agent, std::nullopt, now, effects);
    for (const auto& [agent, deviation] : deviations_) {
        if (looks_left_ == 0) break;
        if (deviation.state != AgentState::suspect || is_looked_at(agent)) continue;
        --looks_left_;
        look(agent, std::nullopt, now, effects);
    }
    follow_hints(now, effects);
}

/// Suspects are looked at anyway.
std::optional<AgentId> Liveness::next_in_turn() {
    for (std::size_t left = turn_.size(); left > 0; --left) {
        if (turn_next_ >= turn_.size()) {
            for (std::size_t i = turn_.size(); i > 1; --i)
                std::swap(turn_[i - 1], turn_[prng_.below(i)]);
            turn_next_ = 0;
        }
        const AgentId& agent = turn_[turn_next_++];
        if (state(agent) == AgentState::suspect || is_looked_at(agent)) continue;
        if (is_sparse_ && !links_.connected(agent)) continue;
        if (fresh_.count(agent) == 0) return agent;
    }
    return std::nullopt;
}

void Liveness::follow_hints(Instant now, Effects& effects) {
    while (looks_left_ > 0 && !hints_.empty()) {
        const Hint hint = hints_.front();
        hints_.pop_front();
        const bool is_open = directory_.find(hint.agent) != nullptr &&
                             state(hint.agent) == AgentState::alive && !is_looked_at(hint.agent) &&
                             !(hint.teller && is_doubted(*hint.teller, now));
        if (!is_open || links_.peers().empty()) continue;
        --looks_left_;
        look(hint.agent, hint.teller, now, effects);
    }
}

bool Liveness::is_looked_at(const AgentId& agent) const {
    return std::any_of(looks_.begin(), looks_.end(), [&](const Look& look) {
        return look.agent == agent;
    });
}

bool Liveness::is_doubted(const AgentId& teller, Instant now) const {
    const auto found = doubted_.find(teller);
    return found != doubted_.end() && now < found->second;
}

void Liveness::look(
    const AgentId& agent, const std::optional<AgentId>& teller, Instant now, Effects& effects
) {
    ++counters_.looks;
    Look& look = looks_.emplace_back();
    look.nonce = next_nonce_++;
    look.agent = agent;
    look.teller = teller;
    look.sent = now;
    look.ask_at = now + health_.stretch(options_.ask_after);
    look.give_up_at = now + health_.stretch(options_.give_up_after);
    // Helpers have no link to most agents either: who answers at its own address lives.
    if (is_sparse_ && !links_.connected(agent)) {
        const AgentRecord* const record = directory_.find(agent);
        if (record != nullptr && !record->addresses.empty())
            effects.add(Dial{record->addresses[look.nonce % record->addresses.size()], agent});
    }
    // For a suspect all ways are tried at once.
    if (links_.connected(agent) && state(agent) != AgentState::suspect) {
        effects.send(agent, Ping{look.nonce, std::nullopt, rumours_for(agent)});
    } else {
        ask_others(look, effects);
    }
}

void Liveness::ask_others(Look& look, Effects& effects) {
    look.asked = true;
    if (links_.connected(look.agent))
        effects.send(look.agent, Ping{look.nonce, std::nullopt, rumours_for(look.agent)});
    const std::vector<AgentId>& peers = links_.peers();
    const PingRequest request{look.nonce, look.agent, version_of(look.agent)};
    for (std::size_t tries = 4 * helpers; tries > 0 && look.helpers_asked < helpers; --tries) {
        if (peers.empty()) return;
        const AgentId& helper = peers[prng_.below(peers.size())];
        if (helper == look.agent || contains(look.asked_of, helper)) continue;
        if (state(helper) != AgentState::alive) continue;
        look.asked_of[look.helpers_asked++] = helper;
        effects.send(helper, request);
    }
}

void Liveness::judge(Instant now, Effects& effects) {
    for (Look& look : looks_)
        if (!look.asked && now >= look.ask_at) ask_others(look, effects);
    std::vector<Look> over;
    std::erase_if(looks_, [&](const Look& look) {
        if (now < look.give_up_at) return false;
        over.push_back(look);
        return true;
    });
    for (const Look& look : over)
        failed(look, now, effects);
}

void Liveness::failed(const Look& ended, Instant now, Effects& effects) {
    const AgentId& agent = ended.agent;
    if (directory_.find(agent) == nullptr) return;
    // Those who were asked to help are silent as well: it may be this node that does not hear.
    if (ended.helpers_asked > 0 && ended.reports == 0) health_.worse();
    const std::uint64_t version = version_of(agent);
    Deviation& deviation = deviations_[agent];
    if (deviation.state == AgentState::dead) return;
    if (deviation.state == AgentState::alive) {
        deviation = {.version = version, .since = now};
        change(agent, deviation, AgentState::suspect);
        rumours_.tell(Suspicion{agent, version});
    } else {
        ++deviation.looks;
        if (deviation.looks >= looks_min && now - deviation.since >= patience(deviation))
            return change(agent, deviation, AgentState::dead);
    }
    if (looks_left_ == 0) return;
    --looks_left_;
    look(agent, std::nullopt, now, effects);
}

Duration Liveness::patience(const Deviation& deviation) const {
    const Duration span = options_.suspicion_max - options_.suspicion_min;
    return options_.suspicion_max - span * shortened[deviation.confirmations] / 100;
}

// --- signs of life ---

void Liveness::heard(const AgentId& agent, Instant now) {
    lives(agent, now);
}

void Liveness::lives(const AgentId& agent, Instant now) {
    std::erase_if(looks_, [&](const Look& look) {
        if (look.agent != agent) return false;
        if (look.teller) doubted_[*look.teller] = now + doubt_for;
        health_.better();
        return true;
    });
    if (deviations_.empty()) return;
    const auto found = deviations_.find(agent);
    if (found == deviations_.end()) return;
    if (found->second.state != AgentState::alive) {
        change(agent, found->second, AgentState::alive);
        rumours_.forget_suspicion(agent);
    }
    const AgentRecord* record = directory_.find(agent);
    if (record == nullptr || record->version >= found->second.version) deviations_.erase(found);
}

void Liveness::change(const AgentId& agent, Deviation& deviation, AgentState to) {
    if (to == AgentState::suspect) ++counters_.suspected;
    if (to == AgentState::dead) ++counters_.died;
    if (to == AgentState::alive)
        ++(deviation.state == AgentState::dead ? counters_.revived : counters_.refuted);
    changes_.push_back({agent, deviation.state, to});
    deviation.state = to;
}

bool Liveness::is_news(const Alive& alive) const {
    if (alive.agent == self_.agent) return alive.version > version_;
    return directory_.find(alive.agent) != nullptr && alive.version > version_of(alive.agent);
}

void Liveness::learn(const Alive& alive, Instant now) {
    if (!is_news(alive)) return;
    if (alive.agent == self_.agent) {  // Said in an earlier life.
        version_ = alive.version;
        return;
    }
    deviations_[alive.agent].version = alive.version;
    lives(alive.agent, now);
}

// --- what others say ---

std::shared_ptr<const Message> Liveness::without_stale(std::shared_ptr<const Message> message
) const {
    const auto is_stale = [this](const Alive& alive) { return !is_news(alive); };
    const auto fresh = [&](const auto& said) {
        if (std::none_of(said.rumours.alive.begin(), said.rumours.alive.end(), is_stale))
            return message;
        auto rest = said;
        std::erase_if(rest.rumours.alive, is_stale);
        return std::make_shared<const Message>(std::move(rest));
    };
    if (const auto* ping = std::get_if<Ping>(message.get())) return fresh(*ping);
    if (const auto* answer = std::get_if<PingAnswer>(message.get())) return fresh(*answer);
    if (const auto* report = std::get_if<PingReport>(message.get())) {
        if (report->alive && is_stale(*report->alive))
            return std::make_shared<const Message>(PingReport{report->nonce, std::nullopt});
    }
    return message;
}

void Liveness::on_ping(
    const AgentId& from, const Checked<const Ping&>& ping, Instant now, Effects& effects
) {
    note(from, ping->rumours, now, effects);
    PingAnswer answer{ping->nonce, rumours_for(from)};
    if (const auto alive = answer_suspicion(from, *ping, now)) {
        if (answer.rumours.alive.size() == limits::rumours_per_message_max)
            answer.rumours.alive.pop_back();
        answer.rumours.alive.push_back(*alive);
    }
    effects.send(from, answer);
}

std::optional<Duration> Liveness::on_answer(
    const AgentId& from, const Checked<const PingAnswer&>& answer, Instant now, Effects& effects
) {
    const auto relay = std::find_if(relays_.begin(), relays_.end(), [&](const Relay& held) {
        return held.nonce == answer->nonce && held.agent == from;
    });
    if (relay != relays_.end()) {
        PingReport report{relay->asker_nonce, std::nullopt};
        for (const Alive& alive : answer->rumours.alive)
            if (alive.agent == from && alive.version > relay->version) report.alive = alive;
        effects.send(relay->asker, report);
        relays_.erase(relay);
    }
    std::optional<Duration> round_trip;
    for (const Look& look : looks_)
        if (look.nonce == answer->nonce && look.agent == from && !look.asked)
            round_trip = now - look.sent;
    lives(from, now);
    // What was meant for who asked is no news for everybody.
    for (const Alive& alive : answer->rumours.alive)
        if (alive.agent == from) learn(alive, now);
    note(from, answer->rumours, now, effects);
    return round_trip;
}

void Liveness::note(const AgentId& from, const Rumours& rumours, Instant now, Effects& effects) {
    for (const Alive& alive : rumours.alive) {
        if (!is_news(alive)) continue;
        learn(alive, now);
        if (alive.agent != self_.agent) rumours_.tell(alive);
    }
    for (const Suspicion& suspicion : rumours.suspicions)
        on_suspicion(from, suspicion, now, effects);
}

void Liveness::on_suspicion(
    const AgentId& from, const Suspicion& suspicion, Instant now, Effects& effects
) {
    const AgentId& agent = suspicion.agent;
    if (agent == self_.agent || agent == from) return;
    if (const auto found = deviations_.find(agent); found != deviations_.end()) {
        Deviation& deviation = found->second;
        if (deviation.state == AgentState::suspect && !contains(deviation.confirmed, from) &&
            deviation.confirmations < confirmations_max)
            deviation.confirmed[deviation.confirmations++] = from;
        if (deviation.state != AgentState::alive) return;
    }
    const auto is_same = [&](const Hint& hint) { return hint.agent == agent; };
    const auto is_his = [&](const auto& hint) { return hint.teller == from; };
    if (is_looked_at(agent) || std::any_of(hints_.begin(), hints_.end(), is_same)) return;
    const auto his = std::count_if(hints_.begin(), hints_.end(), is_his) +
                     std::count_if(looks_.begin(), looks_.end(), is_his);
    if (directory_.find(agent) == nullptr || hints_.size() >= hints_max ||
        static_cast<std::size_t>(his) >= hints_per_peer_max || fresh_.count(agent) > 0 ||
        is_doubted(from, now)) {
        ++counters_.unheeded;
        return;
    }
    hints_.push_back({agent, from});
    follow_hints(now, effects);
}

void Liveness::on_link_lost(const AgentId& agent, Instant now, Effects& effects) {
    if (directory_.find(agent) == nullptr || is_looked_at(agent) || fresh_.count(agent) > 0) return;
    if (hints_.size() >= hints_max) hints_.pop_back();
    hints_.push_front({agent, std::nullopt});
    follow_hints(now, effects);
}

/// A suspicion of this agent is answered by its word under a version that nobody has seen: to who
/// told it, and to everybody once he tells it again although it was answered.
std::optional<Alive> Liveness::answer_suspicion(
    const AgentId& from, const Ping& ping, Instant now
) {
    const std::vector<Suspicion>& all = ping.rumours.suspicions;
    const auto about_self = std::find_if(all.begin(), all.end(), [&](const Suspicion& said) {
        return said.agent == self_.agent;
    });
    if (about_self == all.end() && !ping.prove) return std::nullopt;
    if (about_self != all.end()) {
        const bool again = contains(answered_, from) && now < answered_until_;
        if (again && now >= spread_at_) {
            spread_at_ = now + doubt_for;
            rumours_.tell(*said_);
        }
        if (!again) {
            answered_[answered_next_++ % answered_.size()] = from;
            answered_until_ = now + doubt_for;
        }
        state_above(about_self->version, now);
    }
    if (ping.prove) state_above(*ping.prove, now);
    return said_;
}

/// A version that this agent never said is a lie, or was lost with a disk: then its own next one has
/// to do.
void Liveness::state_above(std::uint64_t version, Instant now) {
    if ((said_ && said_->version > version) || statements_.take(1, now)) return;
    Alive alive{self_.agent, ++version_, {}};
    alive.signature =
        self_.signer.sign(SignDomain::alive, self_.chain.value(), signing_bytes(alive));
    said_ = alive;
    ++counters_.statements;
}

/// Who is suspected is told so before all others.
Rumours Liveness::rumours_for(const AgentId& to) {
    Rumours out = rumours_.take(directory_.size());
    if (state(to) == AgentState::alive) return out;
    std::erase_if(out.suspicions, [&](const Suspicion& said) { return said.agent == to; });
    if (out.suspicions.size() == limits::rumours_per_message_max) out.suspicions.pop_back();
    out.suspicions.push_back({to, version_of(to)});
    return out;
}

// --- pings for others ---

void Liveness::on_request(
    const AgentId& from, const PingRequest& request, Instant now, Effects& effects
) {
    const AgentId& agent = request.agent;
    const auto his = std::count_if(relays_.begin(), relays_.end(), [&](const Relay& relay) {
        return relay.asker == from;
    });
    if (!links_.connected(agent) || agent == from || relays_.size() >= relays_max ||
        static_cast<std::size_t>(his) >= relays_per_peer_max) {
        return effects.send(from, PingReport{request.nonce, std::nullopt});
    }
    const Relay relay{
        .nonce = next_nonce_++,
        .agent = agent,
        .asker = from,
        .asker_nonce = request.nonce,
        .version = request.version,
        .say_none_at = now + options_.ask_after,
        .give_up_at = now + options_.ask_after * 2};
    relays_.push_back(relay);
    effects.send(agent, Ping{relay.nonce, relay.version, {}});
}

/// Says in time that it hears the asker, and goes on waiting for the agent.
void Liveness::end_relays(Instant now, Effects& effects) {
    for (Relay& relay : relays_) {
        if (relay.said_none || now < relay.say_none_at) continue;
        relay.said_none = true;
        effects.send(relay.asker, PingReport{relay.asker_nonce, std::nullopt});
    }
    std::erase_if(relays_, [now](const Relay& relay) { return now >= relay.give_up_at; });
}

void Liveness::on_report(
    const AgentId& from, const Checked<const PingReport&>& report, Instant now
) {
    for (Look& look : looks_) {
        if (look.nonce == report->nonce && contains(look.asked_of, from)) ++look.reports;
    }
    if (report->alive) learn(*report->alive, now);
}

}  // namespace creto
