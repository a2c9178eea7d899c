// LinkProfile: what one kind of network does to a message, and the four that have names.
//
// Why      The same figures drive the simulator and the link shim between real processes.
// Holds    A profile that check() accepts is safe to hand to LinkModel.
// Units    Latency is one way. Rates are parts per million; bandwidth is bits per second, and zero
//          means that the link is not limited.
// Errors   ErrorCode::invalid for a name or a figure that is not one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace creto {

/// Loss on a stream is delay (the transport sends again, and what follows waits); loss on a
/// datagram link is a missing message, and datagrams may overtake and repeat.
enum class LinkKind : std::uint8_t { stream, datagram };

struct LinkProfile {
    std::string name = "custom";
    LinkKind kind = LinkKind::stream;
    Duration latency_min;
    Duration latency_max;
    /// How much of the span between minimum and maximum a message draws anew; the rest belongs to
    /// the pair of nodes and stays, as distance does. 100 makes every message independent.
    std::uint32_t jitter_percent = 20;
    std::uint32_t loss_ppm = 0;
    std::uint32_t duplicate_ppm = 0;  ///< Datagram links only.
    std::uint32_t reorder_ppm = 0;    ///< Datagram links only: share that is `reorder_extra` late.
    Duration reorder_extra;
    /// Stream links: the wait before a lost message is sent again; doubles with each further loss.
    Duration retransmit_timeout = Duration::from_ms(200);
    std::uint64_t bandwidth_bps = 0;
    /// Bytes that may wait at an uplink or a downlink; what finds the queue full is dropped.
    std::uint64_t queue_bytes_max = 4U << 20U;

    friend bool operator==(const LinkProfile&, const LinkProfile&) = default;
};

namespace limits {
inline constexpr Duration link_latency_max = Duration::from_s(60);
inline constexpr std::uint32_t link_ppm = 1'000'000;
/// A terabit: above it the time of a byte would round to nothing.
inline constexpr std::uint64_t link_bandwidth_bps_max = 1'000'000'000'000;
inline constexpr std::uint64_t link_queue_bytes_max = std::uint64_t{1} << 30U;
/// A stream gives a message up for sent after this many losses in a row; 2^6 timeouts are enough.
inline constexpr std::uint32_t link_retransmits_max = 6;
}  // namespace limits

/// Below a millisecond and without loss: processes of one machine.
[[nodiscard]] LinkProfile local_profile();
/// 1 to 10 ms, one message in ten thousand lost.
[[nodiscard]] LinkProfile lan_profile();
/// 50 to 200 ms, one message in a thousand lost.
[[nodiscard]] LinkProfile wan_profile();
/// 200 to 500 ms, one message in a hundred lost.
[[nodiscard]] LinkProfile degraded_profile();

/// The named profile: local, lan, wan or degraded, in upper or lower case.
[[nodiscard]] Result<LinkProfile> parse_profile(std::string_view name);

/// The profile itself when all its figures make sense.
[[nodiscard]] Result<LinkProfile> check(LinkProfile profile);

}  // namespace creto
