#include "state/dispute.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace creto {

std::string dispute_key(const CallId& call) {
    return "dispute/" + call.value().hex();
}

namespace {

__extension__ using Count = unsigned __int128;

/// How many ways there are to choose up to limits::drawn_panel of n, by how many are chosen.
using Ways = std::array<Count, limits::drawn_panel + 1>;
/// Of so many seats the number of panels fits a Count.
constexpr std::uint32_t counted_max = 200;

Ways ways_of(std::uint32_t n) {
    Ways row{1};
    for (std::uint32_t i = 1; i <= n; ++i) {
        for (std::uint32_t k = std::min(i, limits::drawn_panel); k > 0; --k)
            row[k] += row[k - 1];
    }
    return row;
}

/// Of a panel of m of `seats`, how likely it is that so many of them lie, in parts of 2^96, rounded up.
std::array<Count, limits::drawn_panel + 1> chances(std::uint32_t seats, std::uint32_t liars) {
    constexpr std::uint32_t m = limits::drawn_panel;
    const std::uint32_t honest = seats - liars;
    CRETO_ASSERT(honest >= m);
    const auto part = [](Count of, Count times, Count by) { return (of * times + by - 1) / by; };
    std::array<Count, m + 1> chance{Count{1} << 96U};
    for (std::uint32_t i = 0; i < m; ++i)
        chance[0] = part(chance[0], honest - i, seats - i);
    for (std::uint32_t k = 0; k < std::min(m, liars); ++k)
        chance[k + 1] =
            part(chance[k], Count{liars - k} * (m - k), Count{k + 1} * (honest - m + k + 1));
    return chance;
}

/// The lowest bar that so many liars reach with a chance of at most `allowed`, of those by how many of
/// a panel lie.
std::optional<std::uint32_t> lowest_bar(
    const std::array<Count, limits::drawn_panel + 1>& captured_by, Count allowed
) {
    constexpr std::uint32_t m = limits::drawn_panel;
    Count captured = 0;
    std::uint32_t bar = m + 1;
    while (bar > panel_bar(m)) {
        captured += captured_by[bar - 1];
        if (captured > allowed) break;
        --bar;
    }
    return bar <= limits::drawn_bar_max ? std::optional{bar} : std::nullopt;
}

}  // namespace

// [DISPUTE-DRAWN.1] Panels in which at least `bar` seats lie, among all panels there are.
std::optional<std::uint32_t> drawn_bar(std::uint32_t seats, std::uint32_t liars) {
    constexpr std::uint32_t m = limits::drawn_panel;
    constexpr unsigned by_luck = 20;  // One of two to the power of this.
    if (seats <= m) return std::nullopt;
    if (seats > counted_max && liars > seats - m) return std::nullopt;
    if (seats > counted_max) return lowest_bar(chances(seats, liars), Count{1} << (96U - by_luck));
    const Ways lying = ways_of(std::min(liars, seats));
    const Ways honest = ways_of(seats - std::min(liars, seats));
    Ways panels{};
    for (std::uint32_t k = 0; k <= m; ++k)
        panels[k] = lying[k] * honest[m - k];
    return lowest_bar(panels, ways_of(seats)[m] >> by_luck);
}

std::vector<AgentId> drawn_from(std::vector<AgentId> agents, const Digest& lot) {
    if (agents.size() <= limits::drawn_panel) return agents;
    std::vector<std::pair<Digest, AgentId>> drawn;
    drawn.reserve(agents.size());
    for (const AgentId& agent : agents) {
        const Digest own = Hasher{HashDomain::panel}.update(lot).update(agent.view()).finish();
        drawn.emplace_back(own, agent);
    }
    std::sort(drawn.begin(), drawn.end());
    agents.resize(limits::drawn_panel);
    for (std::size_t i = 0; i < agents.size(); ++i)
        agents[i] = drawn[i].second;
    std::sort(agents.begin(), agents.end());
    return agents;
}

bool Dispute::asks(const AgentId& agent) const {
    if (awaits_draw) return false;
    return std::binary_search(panel.begin(), panel.end(), agent) ||
           std::binary_search(probation.begin(), probation.end(), agent);
}

bool Dispute::add(const Given& given) {
    const auto place = std::lower_bound(
        answers.begin(),
        answers.end(),
        given.agent,
        [](const Given& g, const AgentId& agent) { return g.agent < agent; }
    );
    if (place != answers.end() && place->agent == given.agent) return false;
    answers.insert(place, given);
    return true;
}

namespace {

void encode(Writer& w, const Dispute::Given& v) {
    creto::encode(w, v.agent);
    w.u8(static_cast<std::uint8_t>(v.kind));
    creto::encode(w, v.result);
}
void decode(Reader& r, Dispute::Given& v) {
    creto::decode(r, v.agent);
    v.kind = static_cast<AnswerKind>(r.kind(1));
    creto::decode(r, v.result);
}
void encode_all(Writer& w, const std::vector<Dispute::Given>& list) {
    w.uvarint(list.size());
    for (const Dispute::Given& given : list)
        encode(w, given);
}
void decode_all(Reader& r, std::vector<Dispute::Given>& list) {
    list.resize(r.count(limits::panel_max, 65));
    for (Dispute::Given& given : list)
        decode(r, given);
}

}  // namespace

void encode(Writer& w, const Dispute& v) {
    encode(w, v.call);
    encode(w, v.caller);
    encode(w, v.opening);
    encode(w, v.opened);
    w.uvarint(v.bar);
    w.boolean(v.awaits_draw);
    encode_list(w, v.panel);
    encode_list(w, v.probation);
    encode_all(w, v.receipt);
    encode_all(w, v.answers);
}

void decode(Reader& r, Dispute& v) {
    decode(r, v.call);
    decode(r, v.caller);
    decode(r, v.opening);
    decode(r, v.opened);
    const std::uint64_t bar = r.uvarint();
    if (bar > limits::panel_max) r.fail(DecodeError::over_limit);
    v.bar = static_cast<std::uint32_t>(bar);
    v.awaits_draw = r.boolean();
    decode_list(r, v.panel, limits::panel_max, AgentId::size);
    decode_list(r, v.probation, limits::panel_max, AgentId::size);
    decode_all(r, v.receipt);
    decode_all(r, v.answers);
}

}  // namespace creto
