#include "sim/cut/cut_plan.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>

#include "model/limits.hpp"

namespace creto {

namespace {

Error unknown_cut(std::string_view text) {
    return {
        ErrorCode::invalid,
        "\"" + std::string{text} +
            "\" is no cut; write sizes of groups (2+2), one-way, partial, moving, flapping or "
            "none"};
}

std::vector<std::uint32_t> from_to(std::uint32_t from, std::uint32_t to) {
    std::vector<std::uint32_t> out(to - from);
    std::iota(out.begin(), out.end(), from);
    return out;
}

}  // namespace

Result<CutShape> parse_cut(std::string_view text, std::uint32_t nodes) {
    const std::map<std::string_view, CutShape::Kind> words{
        {"one-way", CutShape::Kind::one_way},
        {"partial", CutShape::Kind::partial},
        {"moving", CutShape::Kind::moving},
        {"flapping", CutShape::Kind::flapping},
        {"none", CutShape::Kind::none}};
    if (const auto word = words.find(text); word != words.end()) return CutShape{word->second, {}};
    CutShape out{CutShape::Kind::whole, {}};
    std::uint64_t sum = 0;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view part = rest.substr(0, rest.find('+'));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        std::uint32_t size = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), size);
        const bool is_number = error == std::errc{} && end == part.data() + part.size();
        if (!is_number || size == 0 || size > limits::agents_max)
            return tl::unexpected<Error>(unknown_cut(text));
        out.groups.push_back(size);
        sum += size;
    }
    if (out.groups.size() < 2 || text.back() == '+')
        return tl::unexpected<Error>(unknown_cut(text));
    if (sum != nodes)
        return fail(
            ErrorCode::invalid,
            std::string{text} + " are " + std::to_string(sum) + " nodes, not " +
                std::to_string(nodes)
        );
    return out;
}

std::vector<std::vector<std::uint32_t>> groups_of(
    const CutShape& shape, std::uint32_t nodes, bool moved
) {
    if (shape.kind == CutShape::Kind::moving && moved) {
        // Each new side has some of both old ones.
        std::vector<std::vector<std::uint32_t>> out(2);
        for (std::uint32_t i = 0; i < nodes; ++i)
            out[i % 2].push_back(i);
        return out;
    }
    if (shape.kind != CutShape::Kind::whole)
        return {from_to(0, nodes / 2), from_to(nodes / 2, nodes)};
    std::vector<std::vector<std::uint32_t>> out;
    std::uint32_t from = 0;
    for (const std::uint32_t size : shape.groups) {
        out.push_back(from_to(from, from + size));
        from += size;
    }
    return out;
}

std::set<std::uint32_t> lost_to(const CutShape& shape, std::uint32_t nodes, std::uint32_t node) {
    std::set<std::uint32_t> out;
    if (shape.kind == CutShape::Kind::none || shape.kind == CutShape::Kind::flapping) return out;
    if (shape.kind == CutShape::Kind::partial) {
        if (node < 2) out.insert(1 - node);
        return out;
    }
    for (const std::vector<std::uint32_t>& group : groups_of(shape, nodes, true))
        if (std::find(group.begin(), group.end(), node) == group.end())
            out.insert(group.begin(), group.end());
    return out;
}

Result<void> check(const CutPlan& plan) {
    const auto refuse = [](const std::string& what) { return fail(ErrorCode::invalid, what); };
    if (plan.nodes < 3 || plan.nodes > limits::direct_seats_max) return refuse("3 to 128 nodes");
    if (plan.mode == QuorumMode::byzantine && plan.nodes < 4)
        return refuse("a byzantine quorum needs four nodes");
    if (plan.cut.kind == CutShape::Kind::whole &&
        std::accumulate(plan.cut.groups.begin(), plan.cut.groups.end(), 0U) != plan.nodes)
        return refuse("the groups are not all nodes");
    if (plan.slow > plan.nodes) return refuse("more slow nodes than nodes");
    if (plan.cut_for < Duration::from_s(5)) return refuse("a cut lasts 5 s or more");
    if (plan.after < Duration::from_s(15)) return refuse("the load goes on for 15 s or more");
    if (plan.write_every < Duration::from_ms(1)) return refuse("at most 1,000 writes/s and node");
    if (auto links = creto::check(plan.links); !links) return tl::unexpected<Error>(links.error());
    return {};
}

}  // namespace creto
