// Counts: what a node counts by name, without looking a name up.
//
// Why      Some of these move with every message.
// Holds    The names are what StatusReply shows; a count that is still zero is not shown.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace creto {

enum class Count : std::uint8_t {
    calls_hedged,
    calls_retried,
    checkpoints_adopted,
    checkpoints_made,
    checks_refused,
    evidence,
    messages_malformed,
    messages_received,
    order_messages_ignored,
    peers_dropped,
    pieces_ignored,
    pieces_shown,
    requests_rate_limited,
    signatures_wrong,
    vertices_complete,
    vertices_made,
    vertices_refused,
    vertices_repeated,
};

class Counts {
public:
    void add(Count what) { ++values_[static_cast<std::size_t>(what)]; }
    [[nodiscard]] std::map<std::string, std::uint64_t> by_name() const {
        std::map<std::string, std::uint64_t> out;
        for (std::size_t i = 0; i < names.size(); ++i)
            if (values_[i] > 0) out.emplace(names[i], values_[i]);
        return out;
    }

private:
    static constexpr std::array names{
        "calls_hedged",
        "calls_retried",
        "checkpoints_adopted",
        "checkpoints_made",
        "checks_refused",
        "evidence",
        "messages_malformed",
        "messages_received",
        "order_messages_ignored",
        "peers_dropped",
        "pieces_ignored",
        "pieces_shown",
        "requests_rate_limited",
        "signatures_wrong",
        "vertices_complete",
        "vertices_made",
        "vertices_refused",
        "vertices_repeated"};
    std::array<std::uint64_t, names.size()> values_{};
};

}  // namespace creto
