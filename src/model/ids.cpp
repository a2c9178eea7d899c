#include "model/ids.hpp"

#include "codec/base58.hpp"

namespace creto {

namespace {
/// Identity multihash (00, 36 bytes) of the key protobuf (type Ed25519, 32 bytes of data).
constexpr std::array<std::uint8_t, 6> peer_id_prefix{0x00, 0x24, 0x08, 0x01, 0x12, 0x20};
}  // namespace

std::string agent_text(const AgentId& agent) {
    Bytes bytes(peer_id_prefix.begin(), peer_id_prefix.end());
    bytes.insert(bytes.end(), agent.view().begin(), agent.view().end());
    return to_base58(bytes);
}

Result<AgentId> parse_agent(std::string_view text) {
    const auto bytes = from_base58(text);
    const bool fits = bytes && bytes->size() == peer_id_prefix.size() + AgentId::size &&
                      std::equal(peer_id_prefix.begin(), peer_id_prefix.end(), bytes->begin());
    if (!fits) {
        return fail(
            ErrorCode::invalid,
            "\"" + std::string{text.substr(0, 64)} +
                "\" is not an agent id: expected the 52 characters that start with 12D3Koo"
        );
    }
    std::array<std::uint8_t, AgentId::size> key{};
    std::copy(bytes->begin() + peer_id_prefix.size(), bytes->end(), key.begin());
    return AgentId{key};
}

std::string lane_text(const LaneId& lane) {
    std::string text = std::to_string(lane.seat.value());
    if (lane.incarnation.value() != 0) text += "." + std::to_string(lane.incarnation.value());
    return text;
}

}  // namespace creto
