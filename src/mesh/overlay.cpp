#include "mesh/overlay.hpp"

#include <algorithm>

namespace creto {

namespace {

constexpr Duration tick_every = Duration::from_ms(500);
constexpr Duration ping_every = Duration::from_s(10);
/// A candidate that has no link after this is passed over.
constexpr Duration patience = Duration::from_s(5);
/// After this the next one of the draw is dialled as well.
constexpr Duration hope = Duration::from_s(1);
constexpr Duration passed_over_for = Duration::from_s(300);
constexpr Duration strays_for = Duration::from_s(60);
/// A stranger has time to ask for what it lacks.
constexpr Duration stay = Duration::from_s(2);
/// A link that this node opened for one purpose.
constexpr Duration visit_for = Duration::from_s(10);
/// Who had to make room comes back that much later.
constexpr Duration barred_for = Duration::from_s(30);
/// What a parent brings so much later than somebody else it did not bring.
constexpr Duration late = Duration::from_s(1);

bool contains(const std::vector<AgentId>& list, const AgentId& agent) {
    return std::find(list.begin(), list.end(), agent) != list.end();
}

/// The network of an IPv4 address, /24; empty for loopback and for what is none.
std::string group_of(const AgentRecord& record) {
    const std::string start = "/ip4/";
    if (record.addresses.empty()) return {};
    const std::string& address = record.addresses.front();
    if (!address.starts_with(start) || address.starts_with("/ip4/127.")) return {};
    const std::string host =
        address.substr(start.size(), address.find('/', start.size()) - start.size());
    return host.substr(0, host.rfind('.'));
}

}  // namespace

Overlay::Overlay(
    const AgentId& self,
    const Directory& directory,
    Dialer& dialer,
    OverlayOptions options,
    std::uint64_t seed
)
    : self_{self}, directory_{directory}, dialer_{dialer}, options_{options}, prng_{seed} {}

// --- who there is ---

std::uint64_t Overlay::place(const AgentId& child, const AgentId& agent) const {
    return Hasher{HashDomain::overlay}
        .update(seed_)
        .update(child.view())
        .update(agent.view())
        .finish()
        .prefix();
}

void Overlay::on_record(const AgentRecord& record, Instant now) {
    if (record.agent == self_) return;
    const bool fresh = places_.emplace(place(self_, record.agent), record.agent).second;
    if (fresh) young_.insert(record.agent);
    is_due_ = is_due_ || fresh;
    if (!is_sparse_) {
        dialer_.want(record.agent, record.addresses, now);
    } else if (is_wanted(record.agent)) {
        dialer_.want(record.agent, record.addresses, now, Dialer::Turn::ours);
    }
    if (!is_sparse_ && directory_.size() > options_.full_mesh_max) next_tick_ = now;
}

void Overlay::on_gone(const AgentId& agent) {
    dialer_.unwant(agent);
    places_.erase({place(self_, agent), agent});
    young_.erase(agent);
    dead_.erase(agent);
    passed_over_.erase(agent);
    service_.erase(agent);
    wanted_.erase(agent);
    std::erase(candidates_, agent);
    std::erase(strays_, agent);
    std::erase(parents_, agent);
    is_due_ = true;
}

void Overlay::on_state(const AgentId& agent, AgentState state) {
    if (state == AgentState::dead) dead_.insert(agent);
    if (state == AgentState::alive) dead_.erase(agent);
    is_due_ = true;
}

Epoch Overlay::seed_epoch(const Epochs& epochs, Epoch now) {
    const std::uint64_t blocks = epochs.last_of(Epoch{1}).value();
    const std::uint64_t span = (seed_blocks + blocks - 1) / blocks;
    return Epoch{now.value() - (now.value() - 1) % span};
}

void Overlay::set_seed(const Digest& seed) {
    if (seed == seed_) return;
    seed_ = seed;
    std::vector<AgentId> all;
    all.reserve(places_.size());
    for (const auto& [at, agent] : places_)
        all.push_back(agent);
    places_.clear();
    for (const AgentId& agent : all)
        places_.emplace(place(self_, agent), agent);
    young_.clear();
    young_wait_ = all.size() >= acquaintances_min;
    passed_over_.clear();
    for (auto& [peer, link] : links_)
        link.rank = rank_of(peer);
    is_due_ = true;
}

void Overlay::set_seats(std::vector<AgentId> seats) {
    std::sort(seats.begin(), seats.end());
    is_seat_ = std::erase(seats, self_) > 0;
    seats_ = std::move(seats);
    seat_places_.clear();
    for (std::uint32_t i = 0; i < seats_.size(); ++i)
        seat_places_.add(key_word(seats_[i]), i + 1);
    others_.clear();
    for (auto& [peer, link] : links_) {
        link.rank = rank_of(peer);
        if (!is_seat(peer)) others_.insert(peer);
    }
    is_due_ = true;
}

/// With a seat there is a link in any case: its rank says nothing.
std::size_t Overlay::rank_of(const AgentId& peer) const {
    return is_sparse_ && !is_seat(peer) ? rank_here(peer) : child_rank_max;
}

std::size_t Overlay::rank_here(const AgentId& child) const {
    const std::uint64_t own = place(child, self_);
    std::size_t rank = 0;
    for (const auto& [at, agent] : places_) {
        if (agent != child && place(child, agent) < own && ++rank >= child_rank_max) break;
    }
    return rank;
}

Duration Overlay::record_lifetime(Duration of_few) const {
    if (!is_sparse_) return of_few;
    const auto most = Duration::from_ms(limits::record_lifetime_ms_max);
    const auto share = most / static_cast<std::int64_t>(limits::agents_max);
    const Duration of_many = share * static_cast<std::int64_t>(directory_.size());
    return std::clamp(of_many, of_few, std::max(of_few, most));
}

// --- links ---

bool Overlay::is_seat(const AgentId& agent) const {
    const auto is = [&](std::uint32_t at) { return seats_[at - 1] == agent; };
    return seat_places_.find(key_word(agent), is) != 0;
}

bool Overlay::is_wanted(const AgentId& agent) const {
    return contains(candidates_, agent) || contains(strays_, agent) || is_seat(agent);
}

Overlay::Kind Overlay::kind_of(const AgentId& peer, const Link& link) const {
    if (is_wanted(peer)) return Kind::wanted;
    return link.rank < child_rank_max ? Kind::child : Kind::stranger;
}

/// Everybody dials the seats: a seat has a place for each agent whose record it holds.
bool Overlay::takes_place(const AgentId& peer, const Link& link) const {
    if (link.is_closing || (is_seat_ && directory_.find(peer) != nullptr)) return false;
    return kind_of(peer, link) == Kind::stranger;
}

bool Overlay::on_peer_up(const PeerUp& up, Instant now, Effects& effects) {
    Link link{.group = up.group, .since = now, .is_dialled = !up.address.empty()};
    link.rank = rank_of(up.peer);
    others_.erase(up.peer);
    if (!is_seat(up.peer)) others_.insert(up.peer);
    const auto [place, fresh] = links_.insert_or_assign(up.peer, std::move(link));
    if (!is_sparse_) return true;
    // Others are pinged once they are drawn: with a seat there is a link in any case.
    const bool is_drawn = contains(candidates_, up.peer) || contains(strays_, up.peer);
    if (is_drawn) ping(up.peer, place->second, now, effects);
    if (place->second.is_dialled || !takes_place(up.peer, place->second)) return true;
    const auto strangers = std::count_if(links_.begin(), links_.end(), [&](const auto& held) {
        return takes_place(held.first, held.second);
    });
    if (static_cast<std::size_t>(strangers) <= strangers_max) return true;
    close_surplus(now, effects, Barred::yes);
    const auto barred = barred_.find(up.peer);
    const bool is_barred = barred != barred_.end() && now < barred->second;
    const auto left = std::count_if(links_.begin(), links_.end(), [&](const auto& held) {
        return takes_place(held.first, held.second);
    });
    if (static_cast<std::size_t>(left) <= strangers_max && !is_barred) return true;
    links_.erase(up.peer);
    others_.erase(up.peer);
    effects.add(Drop{up.peer, "no place is free"});
    return false;
}

bool Overlay::on_peer_down(const AgentId& peer, Instant now) {
    const auto found = links_.find(peer);
    if (found == links_.end()) return !is_sparse_;
    const bool is_surprise =
        !is_sparse_ || (!found->second.is_closing && kind_of(peer, found->second) == Kind::wanted);
    links_.erase(found);
    others_.erase(peer);
    if (is_sparse_ && is_wanted(peer)) wanted_.try_emplace(peer, now);
    if (std::erase(parents_, peer) > 0) is_due_ = true;
    return is_surprise;
}

void Overlay::visit(const AgentId& agent, Effects& effects) const {
    const AgentRecord* record = directory_.find(agent);
    if (record == nullptr || record->addresses.empty() || links_.count(agent) > 0) return;
    effects.add(Dial{record->addresses.front(), agent});
}

void Overlay::keep(const AgentId& peer, Instant until) {
    const auto found = links_.find(peer);
    if (found != links_.end())
        found->second.in_use_until = std::max(found->second.in_use_until, until);
}

void Overlay::ping(const AgentId& peer, Link& link, Instant now, Effects& effects) {
    link.ping = next_nonce_++;
    link.pinged = now;
    effects.send(peer, Ping{link.ping, std::nullopt, {}});
}

std::optional<Duration> Overlay::on_answer(const AgentId& from, std::uint64_t nonce, Instant now) {
    const auto found = links_.find(from);
    if (found == links_.end() || found->second.ping != nonce || nonce == 0) return std::nullopt;
    Link& link = found->second;
    link.ping = 0;
    const Duration sample = now - link.pinged;
    link.round_trip = link.round_trip == Duration{} ? sample : (link.round_trip * 3 + sample) / 4;
    if (contains(candidates_, from)) choose_parents();
    return sample;
}

std::optional<Duration> Overlay::round_trip(const AgentId& peer) const {
    const auto found = links_.find(peer);
    if (found == links_.end() || found->second.round_trip == Duration{}) return std::nullopt;
    return found->second.round_trip;
}

bool Overlay::is_neighbour(const AgentId& peer) const {
    const auto found = links_.find(peer);
    if (found == links_.end() || found->second.is_closing) return false;
    return contains(candidates_, peer) || contains(strays_, peer) ||
           kind_of(peer, found->second) == Kind::child;
}

std::vector<AgentId> Overlay::neighbours() const {
    // Of the seats only those that were drawn.
    std::vector<AgentId> out = candidates_;
    out.insert(out.end(), strays_.begin(), strays_.end());
    out.insert(out.end(), others_.begin(), others_.end());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    std::erase_if(out, [this](const AgentId& peer) { return !is_neighbour(peer); });
    return out;
}

// --- time ---

void Overlay::on_time(Instant now, Effects& effects) {
    if (now < next_tick_) return;
    look_at_size(now);
    if (!is_sparse_) {
        next_tick_ = Instant::max();
        return;
    }
    next_tick_ = now + tick_every;
    tick(now, effects);
}

void Overlay::look_at_size(Instant now) {
    const std::size_t known = directory_.size();
    if (!is_sparse_ && known > options_.full_mesh_max) {
        is_sparse_ = true;
        is_due_ = true;
        for (auto& [peer, link] : links_)
            link.rank = rank_of(peer);
        for (const auto& [at, agent] : places_)
            dialer_.unwant(agent);
    } else if (is_sparse_ && known <= options_.full_mesh_max / 8 * 7) {
        is_sparse_ = false;
        candidates_.clear();
        strays_.clear();
        parents_.clear();
        wanted_.clear();
        for (const auto& [at, agent] : places_)
            dialer_.want(agent, directory_.find(agent)->addresses, now);
    }
}

void Overlay::tick(Instant now, Effects& effects) {
    // Also a link that comes and goes is none.
    for (auto it = wanted_.begin(); it != wanted_.end();) {
        const auto [agent, since] = *it;
        const auto link = links_.find(agent);
        const bool is_linked = link != links_.end();
        const bool is_over = now - (is_linked ? link->second.since : since) >= patience;
        if (is_over && !is_linked && !is_seat(agent)) pass_over(agent, now + passed_over_for);
        it = is_over && is_linked ? wanted_.erase(it) : std::next(it);
    }
    const auto lapsed =
        std::erase_if(passed_over_, [now](const auto& entry) { return entry.second <= now; });
    std::erase_if(barred_, [now](const auto& entry) { return entry.second <= now; });
    judge(now);
    const auto hopeful =
        std::count_if(candidates_.begin(), candidates_.end(), [&](const AgentId& agent) {
            return is_hopeful(agent, now);
        });
    if (static_cast<std::size_t>(hopeful) != candidates_max) is_due_ = true;
    if (now >= strays_until_) is_due_ = true;
    if (is_due_ || lapsed > 0) {
        is_due_ = false;
        draw_candidates(now);
        draw_strays(now);
        dial_wanted(now);
    }
    for (const AgentId& agent : candidates_) {
        const auto link = links_.find(agent);
        if (link == links_.end()) continue;
        const bool is_new =
            link->second.round_trip == Duration{} || now - link->second.since < ping_every;
        const Duration every = is_new ? Duration::from_s(1) : ping_every;
        if (now - link->second.pinged >= every) ping(agent, link->second, now, effects);
    }
    choose_parents();
    close_surplus(now, effects, Barred::no);
}

bool Overlay::may_draw(const AgentId& agent, Instant now) const {
    if (dead_.count(agent) > 0 || (young_wait_ && young_.count(agent) > 0)) return false;
    const auto passed = passed_over_.find(agent);
    return passed == passed_over_.end() || passed->second <= now;
}

/// It has a link, or may still get one soon.
bool Overlay::is_hopeful(const AgentId& agent, Instant now) const {
    if (links_.count(agent) > 0) return true;
    const auto waits = wanted_.find(agent);
    return waits == wanted_.end() || now - waits->second < hope;
}

void Overlay::draw_candidates(Instant now) {
    candidates_.clear();
    std::size_t hopeful = 0;
    std::map<std::string, std::size_t> groups;
    // First with a limit for each network; when all are neighbours, without.
    for (const bool is_limited : {true, false}) {
        for (const auto& [at, agent] : places_) {
            if (hopeful >= candidates_max || candidates_.size() >= drawn_max) return;
            if (!may_draw(agent, now) || contains(candidates_, agent)) continue;
            const std::string group = group_of(*directory_.find(agent));
            if (is_limited && !group.empty() && ++groups[group] > candidates_per_group_max)
                continue;
            candidates_.push_back(agent);
            hopeful += is_hopeful(agent, now) ? 1 : 0;
        }
    }
}

/// By this node's own generator: nobody else can know whom.
void Overlay::draw_strays(Instant now) {
    if (now < strays_until_ && strays_.size() == strays_max) {
        std::erase_if(strays_, [&](const AgentId& stray) {
            return !may_draw(stray, now) || contains(candidates_, stray);
        });
    } else {
        strays_.clear();
        strays_until_ = now + strays_for;
    }
    const std::vector<const AgentRecord*> all = directory_.all();
    for (std::size_t tries = 4 * strays_max; tries > 0 && strays_.size() < strays_max; --tries) {
        const AgentId& agent = all[prng_.below(all.size())]->agent;
        if (agent != self_ && !is_wanted(agent) && may_draw(agent, now)) strays_.push_back(agent);
    }
}

void Overlay::dial_wanted(Instant now) {
    std::vector<AgentId> wanted = candidates_;
    wanted.insert(wanted.end(), strays_.begin(), strays_.end());
    wanted.insert(wanted.end(), seats_.begin(), seats_.end());
    std::sort(wanted.begin(), wanted.end());
    for (const AgentId& agent : dialer_.wanted())
        if (!std::binary_search(wanted.begin(), wanted.end(), agent)) {
            dialer_.unwant(agent);
            wanted_.erase(agent);
        }
    for (const AgentId& agent : wanted) {
        const AgentRecord* record = directory_.find(agent);
        if (record == nullptr) continue;
        dialer_.want(agent, record->addresses, now, Dialer::Turn::ours);
        if (links_.count(agent) == 0) wanted_.try_emplace(agent, now);
    }
}

void Overlay::choose_parents() {
    std::vector<std::pair<Duration, AgentId>> near;
    for (const AgentId& agent : candidates_) {
        const auto link = links_.find(agent);
        if (link == links_.end() || link->second.is_closing) continue;
        Duration way = link->second.round_trip;
        if (way == Duration{}) continue;
        // Who is a parent stays one for a little more: no change for a hair's breadth.
        if (contains(parents_, agent)) way = way - way / 4;
        if (options_.parents == OverlayOptions::Parents::drawn) way = {};
        near.emplace_back(way, agent);
    }
    if (options_.parents == OverlayOptions::Parents::nearest) std::sort(near.begin(), near.end());
    if (near.size() > parents_max) near.resize(parents_max);
    std::vector<AgentId> chosen;
    for (const auto& [way, agent] : near)
        chosen.push_back(agent);
    for (const AgentId& agent : parents_)
        if (!contains(chosen, agent)) service_.erase(agent);
    parents_ = std::move(chosen);
}

/// Which of the links that nobody needs have to go.
std::vector<AgentId> Overlay::surplus(Instant now) const {
    std::vector<std::pair<std::size_t, AgentId>> children;
    std::vector<std::pair<Instant, AgentId>> strangers;
    std::vector<AgentId> out;
    for (const auto& [peer, link] : links_) {
        if (link.is_closing || now < link.in_use_until) continue;
        if (is_seat_ && directory_.find(peer) != nullptr) continue;
        const Kind kind = kind_of(peer, link);
        if (kind == Kind::child) children.emplace_back(link.rank, peer);
        if (kind != Kind::stranger) continue;
        // What this node opened itself, it closes itself.
        if (link.is_dialled && now - link.since >= visit_for) {
            out.push_back(peer);
        } else {
            strangers.emplace_back(link.since, peer);
        }
    }
    std::map<std::string, std::size_t> groups;
    std::sort(children.begin(), children.end());
    std::size_t places = children_max;
    for (const auto& [rank, peer] : children) {
        const Link& link = links_.at(peer);
        const bool fits = link.group.empty() || ++groups[link.group] <= per_group_max;
        if (fits && places > 0) {
            --places;
        } else {
            strangers.emplace_back(link.since, peer);
        }
    }
    // The youngest stay; of one network only so many.
    std::sort(strangers.rbegin(), strangers.rend());
    groups.clear();
    places = strangers_max;
    for (const auto& [since, peer] : strangers) {
        const Link& link = links_.at(peer);
        const bool fits = link.group.empty() || ++groups[link.group] <= per_group_max;
        if (fits && places > 0) {
            --places;
        } else if (now - since >= stay) {
            out.push_back(peer);
        }
    }
    return out;
}

void Overlay::close_surplus(Instant now, Effects& effects, Barred barred) {
    for (const AgentId& peer : surplus(now)) {
        links_.at(peer).is_closing = true;
        if (barred == Barred::yes) bar(peer, now + barred_for);
        effects.add(Drop{peer, "its place is needed"});
    }
}

void Overlay::bar(const AgentId& agent, Instant until) {
    if (barred_.size() >= barred_max && barred_.count(agent) == 0) {
        barred_.erase(std::min_element(barred_.begin(), barred_.end(), [](auto& a, auto& b) {
            return a.second < b.second;
        }));
    }
    barred_[agent] = until;
}

void Overlay::pass_over(const AgentId& agent, Instant until) {
    passed_over_[agent] = until;
    service_.erase(agent);
    is_due_ = true;
}

// --- who brings what is new ---

void Overlay::on_news(
    const AgentId& from, const AgentId& about, std::uint64_t version, Instant now
) {
    if (!is_sparse_) return;
    if (news_.size() >= news_max) news_.pop_front();
    News news{about, version, now, parents_, {}};
    if (contains(parents_, from)) news.brought.push_back(from);
    news_.push_back(std::move(news));
}

void Overlay::on_known(const AgentId& from, const AgentId& about, std::uint64_t version) {
    if (!contains(parents_, from)) return;
    for (News& news : news_) {
        if (news.about == about && news.version == version && !contains(news.brought, from))
            news.brought.push_back(from);
    }
}

/// A parent that brought none of what others brought is no parent.
void Overlay::judge(Instant now) {
    while (!news_.empty() && now - news_.front().at >= late) {
        const News news = std::move(news_.front());
        news_.pop_front();
        for (const AgentId& parent : news.parents) {
            if (!contains(parents_, parent) || parent == news.about) continue;
            Service& service = service_[parent];
            ++service.judged;
            service.brought += contains(news.brought, parent) ? 1 : 0;
        }
    }
    std::vector<AgentId> idle;
    for (auto& [parent, service] : service_) {
        if (service.judged < news_to_judge) continue;
        if (service.brought * 8 < service.judged) idle.push_back(parent);
        service = {};
    }
    for (const AgentId& parent : idle)
        pass_over(parent, now + passed_over_for);
}

}  // namespace creto
